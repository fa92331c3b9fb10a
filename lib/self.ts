/**
 * Programs that are one file, and replace themselves: the newest executable that could be proven,
 * and went well before, is what lies in the program's place.
 *
 * The store holds every executable as an egg, the one that this program began with among them. So
 * what an application does for its components holds for the program itself: generations, probation,
 * rollback.
 *
 * @module
 */

import { describeError, isTransmuteError, TransmuteError } from "./errors.ts";
import { parseRequirement, requirementKey } from "./model/requirement.ts";
import type { Generation } from "./model/state.ts";
import type { JudgedEgg, ResolvedOptions, TransmuteOptions } from "./options.ts";
import { resolveOptions } from "./options.ts";
import type { UpdateReport } from "./report.ts";
import { runtime } from "./runtime/current.ts";
import { isStandalone, ownExecutable } from "./runtime/executable.ts";
import { joinPath } from "./runtime/paths.ts";
import type { StorePaths } from "./store/cache.ts";
import { storePaths } from "./store/cache.ts";
import { closureName, readClosureRecord, storeClosure } from "./store/closure.ts";
import { hexDigest, prepareStore } from "./store/files.ts";
import {
  listGenerations,
  readGeneration,
  recordGeneration,
  writeState,
} from "./store/generations.ts";
import { closureFolder, readState } from "./store/state.ts";
import { Transmute } from "./transmute.ts";

/** Options of `self()`: those of an application, and what is the program's own. */
export interface SelfOptions extends Omit<TransmuteOptions, "app"> {
  /** The project that the program is released as, and its name in wheels: `mytool`. */
  name: string;
  /** The version that this very program is. */
  version: string;
  /** What the program is run with to tell its version. @default {"--version"} */
  versionArgument?: string;
  /** Whether the program goes on as the new one at once. @default {"if-needed"} */
  relaunch?: "never" | "if-needed";
}

/** What `self()` came to. */
export interface SelfReport extends Pick<UpdateReport, "rolledBack"> {
  /** As of `update()`; `unchanged` too where this program is not one file. */
  outcome: UpdateReport["outcome"];
  /** Why nothing was done, where that was so. */
  reason?: UpdateReport["reason"] | "not-an-executable";
  /** The version that lies in the program's place now. */
  version: string;
  /** True when that is another than the one that runs. */
  replaced: boolean;
  /** Where the program is; `null` where it is not one file. */
  path: string | null;
  /** What was in the way, such as a folder that this user may not write to. */
  problems: TransmuteError[];
}

const ANSWER_MS = 30_000;
/** Names an executable that was there before there were any releases. */
const OWN_SOURCE = "self";

/** Brings this program up to date, as `self()` says. */
export async function updateSelf(options: SelfOptions): Promise<SelfReport> {
  const { name, version, versionArgument = "--version", relaunch = "if-needed", ...given } =
    options;
  const here = { version, replaced: false, problems: [] };
  if (!isStandalone()) {
    return { ...here, outcome: "unchanged", reason: "not-an-executable", path: null };
  }
  const path = ownExecutable();
  const { verify } = given;
  const settings: TransmuteOptions = {
    ...given,
    app: name,
    async verify(egg: JudgedEgg, folder: string) {
      await assertAnswers(joinPath(folder, programIn(folder, name)), versionArgument, egg.version);
      await verify?.(egg, folder);
    },
  };
  const resolved = resolveOptions(settings);
  const paths = storePaths(resolved.cacheDir, name);
  if (await isUnknown(paths, options)) await beginWith(path, paths, options, resolved);
  const transmute = new Transmute(settings);
  transmute.require(requirementOf(name));
  const report = await transmute.update();
  const active = readState(paths).state.active!;
  const wanted = active.eggs[name].version;
  const told: SelfReport = {
    ...here,
    outcome: report.outcome,
    ...(report.reason === undefined ? {} : { reason: report.reason }),
    ...(report.rolledBack === undefined ? {} : { rolledBack: report.rolledBack }),
    path,
    problems: report.problems,
  };
  if (wanted === version) {
    // While it has to prove itself, it says so before anything else of it runs.
    await transmute.environment();
    return told;
  }
  try {
    const { assertReplaceable, removeLeftovers, replaceProgram } = await import(
      "./loader/replace.ts"
    );
    await assertReplaceable(path, name);
    removeLeftovers(path);
    await replaceProgram(path, await provenProgram(paths, active, name));
  } catch (error) {
    if (!isTransmuteError(error)) throw error;
    return { ...told, problems: [...told.problems, error] };
  }
  if (relaunch === "if-needed") {
    const { relaunchFor, wasRelaunchedFor } = await import("./loader/launch.ts");
    if (!wasRelaunchedFor(name, active.generation)) await relaunchFor(name, active.generation);
  }
  return { ...told, version: wanted, replaced: true };
}

function requirementOf(name: string): string {
  return `executable:${name}`;
}

function programName(name: string): string {
  return runtime.platform().os === "win32" ? `${name}.exe` : name;
}

/**
 * Where the program is in the folder of an egg: its command of that name, as an npm package of one
 * platform has it too.
 */
function programIn(folder: string, name: string): string {
  const { bin } = JSON.parse(runtime.readTextFile(joinPath(folder, "package.json")));
  const path = typeof bin === "string" ? bin : bin?.[name];
  if (typeof path === "string" && !path.split(/[/\\]/).includes("..")) {
    return path.replace(/^\.\//, "");
  }
  throw new TransmuteError("entry-missing", `Cannot find the program: ${name} has no such command`);
}

/** The bytes of the active executable, proven by the record of its closure. */
async function provenProgram(
  paths: StorePaths,
  { eggs }: Generation,
  name: string,
): Promise<Uint8Array> {
  const { closure } = eggs[name];
  const folder = joinPath(closureFolder(paths, closure), "node_modules", name);
  const below = `node_modules/${name}/${programIn(folder, name)}`;
  const wanted = readClosureRecord(paths, closure)?.files[below];
  const content = runtime.readFile(joinPath(closureFolder(paths, closure), below));
  const found = await hexDigest("SHA-256", content);
  if (found === wanted) return content;
  throw new TransmuteError(
    "digest-mismatch",
    `Cannot replace the program: found ${below} with sha256:${found}, wanted sha256:${wanted}`,
    { hint: `Run: transmute verify --repair --app ${name}` },
  );
}

/** What a program may need to start at all. */
const PASSED_VARIABLES = ["PATH", "HOME", "TMPDIR", "TEMP", "SystemRoot", "USERPROFILE"];

/**
 * Runs an executable, with none of this program's secrets and to look for no update of its own, and
 * wants its version for an answer.
 *
 * @throws {Error} when it does not give it
 */
async function assertAnswers(path: string, argument: string, version: string): Promise<void> {
  const passed = PASSED_VARIABLES.map((variable) => [variable, runtime.env(variable)])
    .filter(([, value]) => value !== undefined);
  const env = { ...Object.fromEntries(passed), TRANSMUTE_NO_UPDATE: "1" };
  const command = { path, args: [argument], env };
  const { code, stdout } = await runtime
    .run(command, AbortSignal.timeout(ANSWER_MS), { onlyGivenEnv: true })
    .catch((error) => {
      throw new Error(`it does not run (${describeError(error)})`);
    });
  const words = stdout.split(/[^0-9A-Za-z.+-]+/);
  if (code === 0 && (words.includes(version) || words.includes(`v${version}`))) return;
  throw new Error(
    `with ${argument} it ended with exit code ${code} and said ${
      JSON.stringify(stdout.slice(0, 80))
    }, wanted ${version}`,
  );
}

/**
 * Whether this program is one that the store does not know, and newer than what is active: there is
 * nothing yet, or somebody installed it by hand. One that was gone back from is on record.
 */
async function isUnknown(paths: StorePaths, { name, version }: SelfOptions): Promise<boolean> {
  const { active } = readState(paths).state;
  const known = active?.eggs[name]?.version;
  if (known === undefined) return true;
  if (known === version) return false;
  const { compareVersions } = await import("./model/version.ts");
  if (compareVersions(version, known) < 0) return false;
  return !listGenerations(paths).some((number) =>
    readGeneration(paths, number)?.eggs[name]?.version === version
  );
}

/** Takes this program into the store, as a generation that has proven itself: one to go back to. */
async function beginWith(
  path: string,
  paths: StorePaths,
  { name, version }: SelfOptions,
  { now }: ResolvedOptions,
): Promise<void> {
  prepareStore(paths);
  const content = runtime.readFile(path);
  const location = `node_modules/${name}`;
  const manifest = {
    name,
    version,
    bin: { [name]: programName(name) },
    exports: { "./package.json": "./package.json" },
  };
  const part = {
    location,
    project: name,
    version,
    sha512: await hexDigest("SHA-512", content),
    source: OWN_SOURCE,
    checked: [],
    entries: [
      {
        path: "package.json",
        bytes: new TextEncoder().encode(JSON.stringify(manifest)),
        executable: false,
      },
      { path: programName(name), bytes: content, executable: true },
    ],
  };
  const closure = await closureName([part], [name]);
  await storeClosure(paths, closure, [part], new Map([[name, location]]));
  const { state } = readState(paths);
  const active = recordGeneration(paths, {
    parent: state.active?.generation ?? null,
    createdAt: new Date(now()).toISOString(),
    platform: runtime.platform(),
    requirements: [requirementKey(parseRequirement(requirementOf(name)))],
    eggs: { [name]: { version, closure, source: OWN_SOURCE, entries: {} } },
  });
  writeState(paths, { ...state, active });
}
