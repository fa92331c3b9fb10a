/**
 * Running programs on what is active: an egg's own command, or any other.
 *
 * @module
 */

import { describeError, isTransmuteError, TransmuteError } from "../errors.ts";
import type { Generation } from "../model/state.ts";
import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";
import type { Command, ExitStatus } from "../runtime/runtime.ts";
import type { ForegroundOptions } from "../runtime/spawning.ts";
import { runInForeground } from "../runtime/spawning.ts";
import type { WatchedScript } from "../runtime/watched_script.ts";
import type { StorePaths } from "../store/cache.ts";
import { randomName } from "../store/files.ts";
import { PYTHON_VARIABLE } from "../store/interpreter_look.ts";
import { closureFolder } from "../store/state.ts";
import { environmentOf, pythonClosure } from "./environment.ts";
import { commandOfFile, scriptFiles } from "./script_commands.ts";

/** The variable that names a file which a command of a Python egg makes when it could be imported. */
const STARTED_VARIABLE = "TRANSMUTE_STARTED";
/** Signals that a program brings on itself; all others are somebody's wish that it ends. */
const CRASHES: ReadonlySet<string> = new Set(["SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE"]);
const PYTHON_NAMES = new Set(["python", "python3"]);

/** How a program is run. */
export interface SpawnOptions extends ForegroundOptions {
  /** Variables to set besides. */
  env?: Record<string, string>;
}

/** What running a program needs of the application. */
export interface SpawnContext {
  paths: StorePaths;
  active: Generation | null;
  /** The application's choice of an interpreter. */
  python: string | undefined;
  denoFlags: string[] | undefined;
}

/** A command, and what can be told of it besides its exit code. */
interface Found {
  command: Command;
  /** `start`: it tells that it could be imported; `failure`: its runtime can tell of an error. */
  tells?: "start" | "failure";
}

/** The interpreter that Python eggs run with: chosen, or that which they were chosen for. */
async function interpreterOf({ paths, active, python }: SpawnContext): Promise<string> {
  const chosen = python ?? runtime.env(PYTHON_VARIABLE);
  if (chosen) return chosen;
  const recorded = active?.python?.path;
  if (recorded !== undefined && isThere(recorded)) return recorded;
  const { findInterpreter } = await import("../store/interpreters.ts");
  return (await findInterpreter(paths)).path;
}

function isThere(path: string): boolean {
  try {
    return runtime.status(path) !== null;
  } catch (error) {
    // Who may run it need not be allowed to look at it.
    if (isTransmuteError(error, "permission-missing")) return true;
    throw error;
  }
}

/** A command in `bin/` of the Python eggs. */
async function pythonCommand(context: SpawnContext, name: string): Promise<Found | null> {
  const closure = pythonClosure(context.paths, context.active);
  if (closure === null) return null;
  if (PYTHON_NAMES.has(name)) {
    const command = { path: await interpreterOf(context), args: [], env: {} };
    return { command };
  }
  const path = joinPath(closure, "bin", name);
  if (name.includes("/") || runtime.status(path)?.kind !== "file") return null;
  const text = new TextDecoder("latin1").decode(runtime.readFile(path).subarray(0, 4096));
  if (!/^#!.*python/.test(text)) {
    return { command: { path, args: [], env: {} } };
  }
  const command = { path: await interpreterOf(context), args: [path], env: {} };
  return text.includes(STARTED_VARIABLE) ? { command, tells: "start" } : { command };
}

/** A command that an active egg of JavaScript has. */
function scriptOf({ paths, active, denoFlags }: SpawnContext, name: string): Found | null {
  const path = scriptFiles(paths, active).get(name);
  if (path === undefined) return null;
  const { command, isScript } = commandOfFile(path, paths, denoFlags);
  return isScript ? { command, tells: "failure" } : { command };
}

/** The names of all commands of active eggs, sorted. */
export function commandNames(paths: StorePaths, active: Generation | null): string[] {
  const names = new Set(scriptFiles(paths, active).keys());
  for (const [name, { entries }] of Object.entries(active?.eggs ?? {})) {
    if (!name.startsWith("python:")) continue;
    for (const entry of Object.keys(entries)) {
      if (entry.startsWith("command:")) names.add(entry.slice("command:".length));
    }
  }
  return [...names].sort();
}

/** Something may have removed an egg's files from the store. */
function assertPresent(paths: StorePaths, active: Generation | null): void {
  for (const [name, { closure }] of Object.entries(active?.eggs ?? {})) {
    const folder = closureFolder(paths, closure);
    if (runtime.status(folder) !== null) continue;
    throw new TransmuteError("closure-missing", `Cannot run on ${name}: ${folder} is gone`, {
      hint: "repairStore() brings it again",
    });
  }
}

/** A program that ended before it could be imported, or by an error that it did not catch. */
export class StartFailure extends Error {
  readonly status: ExitStatus;

  constructor(name: string, status: ExitStatus, why: string) {
    super(`${name} ended ${status.signal ?? `with exit code ${status.code}`} ${why}`);
    this.status = status;
  }
}

/** A program that is about to run, and what became of it. */
interface Watched {
  command: Command;
  /** Why this end counts against what is active; `null` when it does not. Asked once. */
  fault(status: ExitStatus): string | null;
}

/** Watches a command of a generation on probation, as far as it tells more than its exit code. */
async function watched(paths: StorePaths, { command, tells }: Found): Promise<Watched> {
  const mark = joinPath(paths.staging, randomName());
  if (tells === "start") {
    return {
      command: { ...command, env: { ...command.env, [STARTED_VARIABLE]: mark } },
      fault({ code, signal }) {
        const hasStarted = runtime.status(mark) !== null;
        if (hasStarted) runtime.remove(mark);
        const isKilled = signal !== null && !CRASHES.has(signal);
        return hasStarted || code === 0 || isKilled ? null : "before it had started";
      },
    };
  }
  if (tells === undefined) return { command, fault: () => null };
  const { watchScript } = await import("../runtime/watched_script.ts");
  let script: WatchedScript;
  try {
    script = watchScript(command, mark);
  } catch {
    // A disk that takes no mark is no reason to keep a program from running.
    return { command, fault: () => null };
  }
  return {
    command: script.command,
    // Whoever ends it by a signal says nothing about it.
    fault({ code, signal }) {
      const failed = script.hasFailed() && code !== 0 && signal === null;
      return failed ? "by an error that it did not catch" : null;
    },
  };
}

/**
 * Runs a command to its end, in the environment of what is active.
 *
 * @param name of a command of an active egg, of the interpreter (`python3`), or of any program
 * @throws {StartFailure} on probation, when an egg's command shows that the egg is at fault: one of
 *   Python could not even be imported, one of JavaScript ended by an error that it did not catch
 * @throws {TransmuteError} `command-missing`, `interpreter-missing`, `permission-missing`
 */
export async function spawnCommand(
  context: SpawnContext,
  name: string,
  args: string[],
  { env = {}, ...options }: SpawnOptions = {},
): Promise<ExitStatus> {
  const { paths, active, denoFlags } = context;
  assertPresent(paths, active);
  const found = await pythonCommand(context, name) ?? scriptOf(context, name) ??
    { command: { path: name, args: [], env: {} } };
  const watching = active?.probation === undefined ? null : await watched(paths, found);
  const { command } = watching ?? found;
  const whole: Command = {
    path: command.path,
    args: [...command.args, ...args],
    env: { ...environmentOf(paths, active, denoFlags), ...env, ...command.env },
  };
  let status: ExitStatus;
  try {
    status = await runInForeground(whole, options);
  } catch (error) {
    if (isTransmuteError(error)) throw error;
    const known = commandNames(paths, active);
    throw new TransmuteError(
      "command-missing",
      `Cannot run ${name}: ${describeError(error)}`,
      {
        cause: error,
        hint: known.length === 0
          ? "No active egg has a command"
          : `Commands of active eggs: ${known.join(", ")}`,
      },
    );
  }
  const why = watching?.fault(status) ?? null;
  if (why !== null) throw new StartFailure(name, status, why);
  return status;
}
