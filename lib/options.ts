/**
 * Every option: its default, its unit, and the environment variable that overrides it.
 *
 * @module
 */

import { TransmuteError } from "./errors.ts";
import type { EventLevel, TransmuteEvent } from "./model/event.ts";
import { fingerprintOf } from "./model/fingerprint.ts";
import type { Interval } from "./model/interval.ts";
import { INTERVAL_FORMS, parseInterval } from "./model/interval.ts";
import { TRIAL_VARIABLE } from "./model/state.ts";
import type { TrustPolicy } from "./model/trust.ts";
import { runtime } from "./runtime/current.ts";
import { absolutePath, joinPath } from "./runtime/paths.ts";
import type { Source } from "./sources/source.ts";

/** A source, or its address: `"dist"`, `"s3://eggs/stable"`, `"npm+https://registry.example/"`. */
export type SourceLike = string | Source | SourceSettings;

/** A source with what is different about it. */
export interface SourceSettings {
  /** The source, or its address. */
  source: string | Source;
  /** Replaces the application's own `checkEveryMs` for this source. */
  checkEveryMs?: Interval;
  /** What is demanded of it, in place of the option `trust`. */
  trust?: TrustPolicy;
}

/** How the rest of an update goes on when the budget is spent. */
export type Background = "process" | "in-process" | "off";

/** Options of a `Transmute`; all have defaults. */
export interface TransmuteOptions {
  /**
   * The application's identity: applications of one name share what is active. A word of letters,
   * digits, `.`, `_` and `-`.
   *
   * @default {the name of the main module and a digest of its address}
   */
  app?: string;
  /**
   * The store's folder. Variable: `TRANSMUTE_CACHE_DIR`.
   *
   * @default {"transmute" in the user's data folder}
   */
  cacheDir?: string;
  /** Where eggs come from, the most trusted first. @default {[]} */
  sources?: SourceLike[];
  /**
   * What is demanded of every source that is declared without demands of its own.
   *
   * @default {digests, and registry signatures where they are served}
   */
  trust?: TrustPolicy;
  /**
   * The channel of signed repositories that releases are taken from besides the stable ones.
   *
   * @default {"stable"}
   */
  channel?: string;
  /**
   * How a project is looked for: in the first source that has it, or the best version of all.
   *
   * @default {"first"}
   */
  strategy?: "first" | "best";
  /**
   * The average time between questions to a network source: milliseconds, `"hourly"`, `"daily"`,
   * `"weekly"`, `"monthly"`, or such as `"12h"`. Each pause is drawn anew between half and one and
   * a half of it, so that a fleet does not arrive at once; what fails is asked again sooner, at
   * growing distances. Local folders are looked at on every start. Variable:
   * `TRANSMUTE_CHECK_EVERY_MS`.
   *
   * @default {"daily"}
   */
  checkEveryMs?: Interval;
  /**
   * The most milliseconds that `update()` may hold up a program that has something to run on.
   * Variable: `TRANSMUTE_BUDGET_MS`.
   *
   * @default {1500}
   */
  budgetMs?: number;
  /**
   * What becomes of an update when the budget is spent. `"process"`: a process of its own goes on
   * with it; where none can be started, as `"in-process"`: a thread of this program does, which
   * ends with it; where that cannot be, or `"off"`: the next start begins again. What is fetched
   * by then is kept in every case. Variable: `TRANSMUTE_BACKGROUND`.
   *
   * @default {"process"}
   */
  background?: Background;
  /** Milliseconds after which work in the background ends, done or not. @default {600_000} */
  backgroundLifeMs?: number;
  /**
   * Whether starts look for updates by themselves: when `false`, only `update({ force: true })`
   * and a start with nothing to run on do. By default they do, except that in CI no network source
   * is asked. The user's own word comes first: `TRANSMUTE_NO_UPDATE` or `NO_UPDATE_NOTIFIER` turn
   * it off, `TRANSMUTE_NO_UPDATE=0` turns it on, in CI too.
   */
  automatic?: boolean;
  /** Ask no network source. Variable: `TRANSMUTE_OFFLINE` (any value but empty or `0`). @default {false} */
  offline?: boolean;
  /** Called with every event. */
  onEvent?: (event: TransmuteEvent) => void;
  /**
   * The least level of event that is written to standard error; `"json"` writes all of them, each
   * as one line of JSON. Variable: `TRANSMUTE_LOG`.
   *
   * @default {"error"}
   */
  log?: EventLevel | "json" | "off";
  /** The `fetch` to use for network sources. @default {globalThis.fetch} */
  fetch?: typeof fetch;
  /** An archive larger than this is refused. @default {268_435_456} 256 MiB */
  maxDownloadBytes?: number;
  /** An archive that expands to more than this is refused. @default {1_073_741_824} 1 GiB */
  maxUnpackedBytes?: number;
  /**
   * The flags of `deno run` that a relaunch uses, such as `["--allow-read"]`: a Deno program
   * cannot learn its own.
   *
   * @default {["-A"] where everything is permitted, else none and a relaunch fails}
   */
  denoFlags?: string[];
  /**
   * After so many failed starts of a new generation, the next start is on the newest one that has
   * proven itself. 0: a new generation counts as proven.
   *
   * @default {3}
   */
  probationStarts?: number;
  /**
   * How a new generation proves itself: by a start that ends with exit code 0 or lives for
   * `confirmAfterMs`, or by `confirm()` alone.
   *
   * @default {"auto"}
   */
  confirm?: "auto" | "manual";
  /** Milliseconds that a program must live to prove its generation. @default {60_000} */
  confirmAfterMs?: number;
  /**
   * What becomes of a start in which an egg of a new generation throws while it is imported: it
   * fails and counts, or it also goes on at once with the generation before. The latter is safe
   * when importing the eggs changes nothing outside of the process.
   *
   * @default {"next-start"}
   */
  fallback?: "next-start" | "same-start";
  /** How many generations are kept to go back to, the active one included. @default {3} */
  keepGenerations?: number;
  /** Judges a proven egg before it may become active: throwing refuses it, as `verify-failed`. */
  verify?: (egg: JudgedEgg, folder: string) => unknown;
  /**
   * What must end with exit code 0 in a process of its own before a new generation becomes active,
   * or its eggs are refused, as `verify-failed`: an egg's entry, such as `"hello/selftest"`, or a
   * program and its arguments. A program that uses Transmute runs on the new generation then.
   */
  smoke?: string | string[];
  /** Called before a new generation becomes active; throwing leaves things as they are. */
  beforeActivate?: (change: GenerationChange) => unknown;
  /** Called after a new generation became active. */
  afterActivate?: (change: GenerationChange) => unknown;
  /** Called after an older generation became active again. */
  onRollback?: (change: GenerationChange & { reason: string }) => unknown;
  /** The most milliseconds that each of these hooks may take. @default {30_000} */
  hookTimeoutMs?: number;
  /**
   * The interpreter that Python eggs are chosen for and run with: a path, or a name on `PATH`.
   * Variable: `TRANSMUTE_PYTHON`.
   *
   * @default {the first on PATH that the required projects' newest releases fit}
   */
  python?: string;
  /** Milliseconds since the epoch. For tests. @default {Date.now} */
  now?: () => number;
  /** A number of at least 0 and less than 1. For tests. @default {Math.random} */
  random?: () => number;
}

/** An egg that the hook `verify` judges. */
export interface JudgedEgg {
  /** The project's name. */
  project: string;
  /** The version that may become active. */
  version: string;
  /** The version that is active, if any. */
  from?: string;
  /** Where it comes from: a source's address without credentials. */
  source: string;
}

/** A switch from one generation to another, as hooks are told of it. */
export interface GenerationChange {
  /** The generation before; `null` for the first. */
  from: number | null;
  /** The generation after. */
  to: number;
  /** The eggs of the generation after, by project: version, and the version before if it differs. */
  eggs: Record<string, { version: string; from?: string }>;
}

/** Options of `rollback()`. */
export interface RollbackOptions {
  /**
   * The number of the generation to go back to, or forward to.
   *
   * @default {the newest that has proven itself and descends to the active one}
   */
  to?: number;
}

/** Options of one `update()`. */
export interface UpdateOptions {
  /** Ask the sources even when no check is due. @default {false} */
  force?: boolean;
  /** Replaces the instance's `budgetMs` for this call. */
  budgetMs?: number;
  /**
   * Whether to relaunch the program when an older copy of what was updated is already loaded.
   *
   * @default {"never"}
   */
  relaunch?: "never" | "if-needed";
}

/** Options with every default filled in. */
export type ResolvedOptions =
  & Required<Omit<TransmuteOptions, "sources" | OptionalOption>>
  & Pick<TransmuteOptions, OptionalOption>
  & {
    checkEveryMs: number;
    /** The generation that this program tries out, as a smoke command. */
    trial: number | null;
    /** What this process was started for, if it is there to finish an update: a text. */
    backgroundWork?: string;
  };

type OptionalOption =
  | "onEvent"
  | "denoFlags"
  | "automatic"
  | "python"
  | "verify"
  | "smoke"
  | "beforeActivate"
  | "afterActivate"
  | "onRollback";

const OPTIONAL_OPTIONS: OptionalOption[] = [
  "onEvent",
  "denoFlags",
  "automatic",
  "python",
  "verify",
  "smoke",
  "beforeActivate",
  "afterActivate",
  "onRollback",
];

/** The environment variables that are read at every start: what `--allow-env` must name. */
export const START_VARIABLES = [
  "TRANSMUTE_CACHE_DIR",
  "TRANSMUTE_CHECK_EVERY_MS",
  "TRANSMUTE_BUDGET_MS",
  "TRANSMUTE_BACKGROUND",
  "TRANSMUTE_OFFLINE",
  "TRANSMUTE_LOG",
  "TRANSMUTE_TRIAL",
] as const;

const MAX_APP_LENGTH = 100;
const ONE_DAY_MS = 24 * 60 * 60 * 1000;
const BACKGROUNDS = ["process", "in-process", "off"] as const;
const LOG_LEVELS = ["debug", "info", "warn", "error", "json", "off"] as const;

function invalid(name: string, found: unknown, wanted: string): TransmuteError {
  return new TransmuteError(
    "option-invalid",
    `Cannot use the option ${name}: found ${
      JSON.stringify(found) ?? String(found)
    }, wanted ${wanted}`,
  );
}

function positive(name: string, value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) {
    throw invalid(name, value, "a number of 0 or more");
  }
  return value;
}

function oneOf<T extends string>(name: string, value: T, wanted: readonly T[]): T {
  if (wanted.includes(value)) return value;
  const words = wanted.map((word) => `"${word}"`);
  throw invalid(name, value, `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`);
}

function numberVariable(name: string): number | undefined {
  const text = runtime.env(name);
  if (text === undefined || text === "") return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw invalid(name, text, "a number of 0 or more");
  return value;
}

/**
 * The milliseconds of an interval.
 *
 * @throws {TransmuteError} `option-invalid`
 */
export function intervalMs(name: string, interval: Interval): number {
  const ms = parseInterval(interval);
  if (ms === null) throw invalid(name, interval, INTERVAL_FORMS);
  return ms;
}

/**
 * The user's data folder and not the cache folder: cleaners empty caches, and a program without
 * a network needs its eggs.
 */
function defaultCacheDir(): string {
  const platform = runtime.platform().os;
  const home = platform === "win32" ? runtime.env("LOCALAPPDATA") : runtime.env("HOME");
  const configured = platform === "linux" ? runtime.env("XDG_DATA_HOME") : undefined;
  if (configured !== undefined && configured.startsWith("/")) {
    return joinPath(configured, "transmute");
  }
  if (home === undefined || home === "") {
    throw new TransmuteError(
      "option-invalid",
      "Cannot place the store: this user has no home folder",
      { hint: "Give the option cacheDir, or set TRANSMUTE_CACHE_DIR" },
    );
  }
  if (platform === "win32") return joinPath(home, "transmute");
  if (platform === "darwin") return joinPath(home, "Library/Application Support/transmute");
  return joinPath(home, ".local/share/transmute");
}

function defaultApp(): string {
  const main = runtime.mainModule();
  if (main === null) {
    throw new TransmuteError(
      "option-invalid",
      "Cannot tell which application this is: it has no main module",
      { hint: "Give the option app, a name of your choice" },
    );
  }
  const stem = main.replace(/[?#].*$/, "").split("/").at(-1)!.replace(/\.[A-Za-z]+$/, "");
  return `${stem.replace(/[^\w.-]/g, "_") || "app"}-${fingerprintOf(main).slice(0, 8)}`;
}

/** A longer time would be none at all for a timer: they count in 31 bits. */
export function timerMs(ms: number): number {
  return Math.min(ms, 2 ** 31 - 1);
}

/** What the option and its variable say: a word, or, to who is there to finish an update, a text. */
function backgroundOf(given: string = "process"): { background: Background; work?: string } {
  const isWork = (text: unknown) => typeof text === "string" && text.startsWith("{");
  const told = isWork(given) ? given : runtime.env("TRANSMUTE_BACKGROUND") || given;
  if (isWork(told)) return { background: "off", work: told };
  return { background: oneOf("background", told as Background, BACKGROUNDS) };
}

function channelOf(channel: string): string {
  if (/^[a-z][a-z0-9-]*$/.test(channel)) return channel;
  throw invalid("channel", channel, "a word of lower-case letters");
}

/**
 * Fills in defaults and variables, and refuses what cannot be meant.
 *
 * @throws {TransmuteError} `option-invalid`, `permission-missing`
 */
export function resolveOptions(options: TransmuteOptions): ResolvedOptions {
  const app = options.app ?? defaultApp();
  // Not {0,99} in the expression: counting there costs every start a fifth of a millisecond.
  if (!/^\w[\w.-]*$/.test(app) || app.length > MAX_APP_LENGTH) {
    throw invalid("app", app, "a word of letters, digits, '.', '_' and '-'");
  }
  const { background, work } = backgroundOf(options.background);
  const interval = runtime.env("TRANSMUTE_CHECK_EVERY_MS") || options.checkEveryMs;
  const log = work === undefined ? runtime.env("TRANSMUTE_LOG") || options.log || "error" : "off";
  const offline = runtime.env("TRANSMUTE_OFFLINE");
  const cacheDir = runtime.env("TRANSMUTE_CACHE_DIR") || options.cacheDir || defaultCacheDir();
  const trial = runtime.env(TRIAL_VARIABLE);
  return {
    app,
    trial: trial?.startsWith(`${app}@`) ? Number(trial.slice(app.length + 1)) : null,
    cacheDir: absolutePath(cacheDir, cacheDir.startsWith("/") ? "" : runtime.workingDirectory()),
    trust: options.trust ?? {},
    channel: channelOf(options.channel ?? "stable"),
    strategy: oneOf("strategy", options.strategy ?? "first", ["first", "best"]),
    log: oneOf("log", log as ResolvedOptions["log"], LOG_LEVELS),
    offline: offline === undefined || offline === "" ? options.offline ?? false : offline !== "0",
    checkEveryMs: interval === undefined ? ONE_DAY_MS : intervalMs("checkEveryMs", interval),
    background,
    backgroundLifeMs: timerMs(
      positive("backgroundLifeMs", options.backgroundLifeMs ?? 10 * 60 * 1000),
    ),
    budgetMs: numberVariable("TRANSMUTE_BUDGET_MS") ??
      positive("budgetMs", options.budgetMs ?? 1500),
    maxDownloadBytes: positive("maxDownloadBytes", options.maxDownloadBytes ?? 256 * 1024 ** 2),
    maxUnpackedBytes: positive("maxUnpackedBytes", options.maxUnpackedBytes ?? 1024 ** 3),
    fetch: options.fetch ?? globalThis.fetch,
    now: options.now ?? Date.now,
    random: options.random ?? Math.random,
    ...(work === undefined ? {} : { backgroundWork: work }),
    probationStarts: positive("probationStarts", options.probationStarts ?? 3),
    confirm: oneOf("confirm", options.confirm ?? "auto", ["auto", "manual"]),
    confirmAfterMs: positive("confirmAfterMs", options.confirmAfterMs ?? 60_000),
    fallback: oneOf("fallback", options.fallback ?? "next-start", ["next-start", "same-start"]),
    keepGenerations: positive("keepGenerations", options.keepGenerations ?? 3),
    hookTimeoutMs: positive("hookTimeoutMs", options.hookTimeoutMs ?? 30_000),
    ...Object.fromEntries(
      OPTIONAL_OPTIONS.filter((name) => options[name] !== undefined)
        .map((name) => [name, options[name]]),
    ),
  };
}
