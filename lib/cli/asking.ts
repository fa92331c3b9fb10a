/**
 * Asking sources in an application's place: the same requirements, the same sources, unless the
 * command line gives others.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { TransmuteEvent } from "../model/event.ts";
import { parseRequirement } from "../model/requirement.ts";
import type { Declaration } from "../model/state.ts";
import type { TransmuteOptions } from "../options.ts";
import { openSource } from "../sources/open.ts";
import type { Source } from "../sources/source.ts";
import { Transmute } from "../transmute.ts";
import type { Application } from "./application.ts";
import { declarationOf, isAddress } from "./application.ts";
import type { CommandOptions, CommandRequest } from "./command.ts";
import { listed, requirementText } from "./wording.ts";

const DEFAULT_TIMEOUT_SECONDS = 600;
/** Longer than this, timers cannot wait. */
const MAX_TIMEOUT_SECONDS = 2_000_000;

/**
 * The application as far as its generations and its store go. Its sources are asked only to mend
 * what is damaged, and not even then where its own hooks would have to judge what they bring.
 */
export function upkeepOf(application: Application): Transmute {
  const { requirements, sources, hooks, ...declared } = declarationOf(application);
  const { name } = application;
  // The kinds of source that prefixes would open by themselves.
  const implied = requirements.flatMap((key) => parseRequirement(key).scheme ?? [])
    .map((scheme) => `${scheme}:`);
  const transmute = new Transmute({
    app: name,
    sources: [...sources, ...hooks ? implied : []].map((id) =>
      hooks
        ? closedSource(id, hooksForbid(name, `ask ${id} for it`))
        : isAddress(id)
        ? openSource(id)
        : closedSource(id, unopenable(name, id))
    ),
    ...settingsOf(declared),
  });
  transmute.require(requirements);
  return transmute;
}

/** The options that an application was last made with, as far as they are on record. */
function settingsOf(
  { strategy, checkEveryMs, keepGenerations }: Omit<Declaration, "requirements" | "sources">,
): TransmuteOptions {
  return {
    log: "off",
    ...(strategy === undefined ? {} : { strategy }),
    ...(checkEveryMs === undefined ? {} : { checkEveryMs }),
    ...(keepGenerations === undefined ? {} : { keepGenerations }),
  };
}

/** Stands in for a source that only the application may ask. */
function closedSource(id: string, error: TransmuteError): Source {
  const refuse = () => Promise.reject(error);
  return { id, kind: "network", list: refuse, fetch: refuse };
}

/** What the application lets nothing pass by, a command may not bring past it. */
export function hooksForbid(app: string, action: string): TransmuteError {
  return new TransmuteError(
    "activation-vetoed",
    `Cannot ${action}: ${app} judges eggs by hooks or roots of its own, which only it has`,
    { hint: `Start ${app}: it updates itself` },
  );
}

/** An application's questions, ready to be asked. */
export interface Asking {
  transmute: Transmute;
  /** What is told while it is asked. */
  events: TransmuteEvent[];
  timeoutMs: number;
}

/**
 * Makes ready to ask what an application asks.
 *
 * @throws {TransmuteError} `option-invalid` when nothing is required, a project would be lost, or
 * a number is none; `source-scheme-unknown` for a source that only the application can open
 */
export function askFor(
  application: Application,
  { args, options, progress }: Pick<CommandRequest, "args" | "options" | "progress">,
  settings: Pick<TransmuteOptions, "fetch"> = {},
): Asking {
  const declared = declarationOf(application);
  const requirements = args.length > 0 ? args : declared.requirements.map(requirementText);
  const { name } = application;
  if (requirements.length === 0) {
    throw new TransmuteError(
      "option-invalid",
      `Cannot tell what ${name} requires: nothing is on record of it and nothing was given`,
      { hint: `Such as: transmute update hello@^1 --source dist --app ${name}` },
    );
  }
  assertNothingIsLost(name, declared.requirements, requirements);
  const sources = options.source ?? declared.sources.map((id) => recordedSource(name, id));
  const unplaced = requirements.find((text) => parseRequirement(text).scheme === undefined);
  if (sources.length === 0 && unplaced !== undefined) {
    throw new TransmuteError(
      "option-invalid",
      `Cannot tell where ${name} takes ${
        requirementText(unplaced)
      } from: no source is on record and none was given`,
      { hint: "Name one, such as: --source dist, or --source npm:" },
    );
  }
  const events: TransmuteEvent[] = [];
  const transmute = new Transmute({
    app: name,
    sources: sources.map(openSource),
    ...settingsOf(declared),
    ...settings,
    // A command has a line of progress of its own.
    log: "off",
    onEvent(event) {
      events.push(event);
      const text = progressText(event);
      if (text !== null) progress(text);
    },
  });
  transmute.require(requirements);
  return { transmute, events, timeoutMs: timeoutMsOf(options) };
}

/** Requirements that are given replace those on record, but may not leave a project out. */
function assertNothingIsLost(app: string, recorded: string[], given: string[]): void {
  const projects = new Set(given.map((text) => parseRequirement(text).project));
  const lost = recorded.filter((key) => !projects.has(parseRequirement(key).project));
  if (lost.length === 0) return;
  throw new TransmuteError(
    "option-invalid",
    `Cannot leave out ${listed(lost.map(requirementText))}: ${app} requires ${
      listed(recorded.map(requirementText))
    }`,
    { hint: "Give no requirements, or all of them" },
  );
}

function recordedSource(app: string, id: string): string {
  if (isAddress(id)) return id;
  throw unopenable(app, id);
}

function unopenable(app: string, id: string): TransmuteError {
  return new TransmuteError(
    "source-scheme-unknown",
    `Cannot open the source ${id}: only ${app} itself can, wanted a folder or an address`,
    { source: id, hint: `Start ${app} to update it, or give its sources with --source` },
  );
}

function timeoutMsOf({ timeout }: CommandOptions): number {
  return numberOption("--timeout", timeout ?? String(DEFAULT_TIMEOUT_SECONDS), {
    least: 0.001,
    most: MAX_TIMEOUT_SECONDS,
    wanted: `seconds, ${MAX_TIMEOUT_SECONDS} at most`,
  }) * 1000;
}

/**
 * The number that an option's text says.
 *
 * @throws {TransmuteError} `option-invalid`
 */
export function numberOption(
  name: string,
  text: string,
  { least, most, wanted }: { least: number; most: number; wanted: string },
): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw new TransmuteError(
    "option-invalid",
    `Cannot use the option ${name}: found "${text}", wanted ${wanted}`,
  );
}

/**
 * Waits for work that has a time limit of its own kind; what is still under way is left behind.
 *
 * @throws {TransmuteError} `source-timeout`
 */
export async function withinTime<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const spent = new Promise<never>((_resolve, reject) => {
    const error = new TransmuteError(
      "source-timeout",
      `Cannot go on: ${timeoutMs / 1000} seconds are spent`,
      { hint: "Allow more with --timeout" },
    );
    timer = setTimeout(() => reject(error), timeoutMs);
  });
  try {
    return await Promise.race([work, spent]);
  } finally {
    clearTimeout(timer);
  }
}

/** What someone who waits likes to see of an event. */
function progressText(event: TransmuteEvent): string | null {
  switch (event.kind) {
    case "check-started":
      return `asking ${event.source} for ${event.project}`;
    case "fetch-started":
      return `fetching ${event.egg}`;
    case "fetched":
      return `proved ${event.egg}`;
    case "stored":
      return `stored ${event.egg}`;
    case "waiting":
      return "waiting for another update to end";
    default:
      return null;
  }
}
