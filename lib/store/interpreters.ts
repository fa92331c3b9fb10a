/**
 * Which Python interpreter is used, and what it says about itself: asked once, and kept in the
 * store for as long as its program stays the same.
 *
 * @module
 */

import { describeError, isTransmuteError, TransmuteError } from "../errors.ts";
import { fingerprintOf } from "../model/fingerprint.ts";
import type { Interpreter } from "../model/python.ts";
import type { InterpreterFacts } from "../model/python_tags.ts";
import { tagsOf } from "../model/python_tags.ts";
import { satisfiesSpecifier } from "../model/python_version.ts";
import { runtime } from "../runtime/current.ts";
import { realPath } from "../runtime/executable.ts";
import { isAbsolutePath, joinPath } from "../runtime/paths.ts";
import type { FileStatus } from "../runtime/runtime.ts";
import type { StorePaths } from "./cache.ts";
import { assertPrivate } from "./cache.ts";
import { makeFolder, writeAtomically } from "./files.ts";
import { PYTHON_VARIABLE } from "./interpreter_look.ts";
import { ANSWER_MARK, QUESTION } from "./interpreter_question.ts";

/** How long an interpreter may take to answer: a cold disk takes seconds. */
const ANSWER_MS = 30_000;
/** Raised when the question or what is made of its answer changes. */
const ANSWER_VERSION = 2;
/** The names that interpreters have on a machine, the first to try first. */
const NAMES = [
  "python3",
  ...Array.from({ length: 9 }, (_, index) => `python3.${16 - index}`),
  "python",
];

/** What an interpreter is wanted for. */
export interface InterpreterQuestion {
  /** The application's own choice: a path, or a name on `PATH`. */
  python?: string;
  /** Specifiers that its version must meet: `>=3.9`. */
  requiresPython?: readonly string[];
}

interface KeptAnswer {
  version: number;
  /** What the program's file looked like. */
  seen: string;
  interpreter: Interpreter;
}

/** Where the answers are kept. */
function folderOf(paths: StorePaths): string {
  return joinPath(paths.root, "interpreters-v1");
}

/**
 * Finds the interpreter to use: the application's choice, that of `TRANSMUTE_PYTHON`, or else the
 * first on `PATH` that meets every specifier.
 *
 * @throws {TransmuteError} `interpreter-missing`, naming what was tried; `permission-missing`
 */
export async function findInterpreter(
  paths: StorePaths,
  { python, requiresPython = [] }: InterpreterQuestion = {},
): Promise<Interpreter> {
  const chosen = python ?? runtime.env(PYTHON_VARIABLE) ?? "";
  const names = chosen === "" ? NAMES : [chosen];
  const tried: string[] = [];
  for (const name of names) {
    const path = programPath(name);
    if (path === null) continue;
    let interpreter: Interpreter;
    try {
      interpreter = await askInterpreter(paths, path);
    } catch (error) {
      if (isTransmuteError(error, "permission-missing")) throw error;
      tried.push(`${path} does not answer (${describeError(error)})`);
      continue;
    }
    const missed = requiresPython.find((specifier) =>
      !satisfiesSpecifier(interpreter.version, specifier, { prereleases: true })
    );
    if (missed === undefined) return interpreter;
    tried.push(`${path} is ${interpreter.version}, wanted ${missed}`);
  }
  throw new TransmuteError(
    "interpreter-missing",
    `Cannot find a Python interpreter: ${
      tried.join("; ") || `found no ${chosen === "" ? "python3" : chosen} on PATH`
    }`,
    { hint: `Install Python, or name one with the option python or ${PYTHON_VARIABLE}` },
  );
}

/** The absolute path of a program that is named by a path or as on `PATH`; `null` when there is none. */
function programPath(name: string): string | null {
  if (isAbsolutePath(name)) return isProgram(name) ? name : null;
  if (/[/\\]/.test(name)) {
    const path = joinPath(runtime.workingDirectory(), name);
    return isProgram(path) ? path : null;
  }
  const isWindows = runtime.platform().os === "win32";
  for (const folder of (runtime.env("PATH") ?? "").split(isWindows ? ";" : ":")) {
    if (!isAbsolutePath(folder)) continue;
    const path = joinPath(folder, isWindows ? `${name}.exe` : name);
    if (isProgram(path)) return path;
  }
  return null;
}

function isProgram(path: string): boolean {
  try {
    const kind = runtime.status(path)?.kind;
    return kind === "file" || kind === "link";
  } catch {
    return false;
  }
}

/**
 * What its file looks like: changes when the program does, or where its links lead. A system's
 * update replaces the program at the end of the links, and none of the links.
 */
function seenOf(path: string): string {
  const own = runtime.status(path);
  if (own?.kind !== "link") return lookOf(own);
  try {
    const real = realPath(path);
    return `${lookOf(own)} ${real} ${lookOf(runtime.status(real))}`;
  } catch {
    return lookOf(own); // it leads to where this program may not look
  }
}

function lookOf(status: FileStatus | null): string {
  return `${status?.kind} ${status?.sizeBytes} ${status?.modifiedAt}`;
}

/** The interpreter at a path, from the store where it is still the same, or else asked. */
async function askInterpreter(paths: StorePaths, path: string): Promise<Interpreter> {
  const kept = joinPath(folderOf(paths), `${fingerprintOf(path)}.json`);
  const known = readKept(kept);
  const isSame = known !== null && known.version === ANSWER_VERSION &&
    known.seen === `${seenOf(path)} ${seenOf(known.interpreter.path)}`;
  if (isSame) return known.interpreter;
  const command = { path, args: ["-E", "-s", "-c", QUESTION], env: {} };
  const { code, stdout } = await runtime.run(command, AbortSignal.timeout(ANSWER_MS));
  const line = stdout.split("\n").find((text) => text.startsWith(ANSWER_MARK));
  if (code !== 0 || line === undefined) {
    throw new Error(
      `it ended with exit code ${code} and said ${JSON.stringify(stdout.slice(0, 80))}`,
    );
  }
  const interpreter = interpreterOf(path, JSON.parse(line.slice(ANSWER_MARK.length)));
  // A wrapper, such as a version manager's, may start another one tomorrow: it is asked again.
  if (interpreter.path === path && assertPrivate(paths.root)) {
    const seen = `${seenOf(path)} ${seenOf(interpreter.path)}`;
    keep(paths, kept, { version: ANSWER_VERSION, seen, interpreter });
  }
  return interpreter;
}

function readKept(path: string): KeptAnswer | null {
  try {
    const kept: KeptAnswer = JSON.parse(runtime.readTextFile(path));
    return Array.isArray(kept.interpreter.tags) ? kept : null;
  } catch {
    return null;
  }
}

/** Failing to keep an answer costs the question again, and nothing else. */
function keep(paths: StorePaths, path: string, answer: KeptAnswer): void {
  try {
    makeFolder(paths.root, folderOf(paths));
    writeAtomically(path, JSON.stringify(answer), { flush: false });
  } catch { /* asked again next time */ }
}

interface Said {
  path: string;
  facts: { [fact in keyof InterpreterFacts]: InterpreterFacts[fact] | null };
  markers: Interpreter["markers"];
}

function interpreterOf(path: string, { path: own, facts, markers }: Said): Interpreter {
  const known = Object.fromEntries(
    Object.entries(facts).filter(([, value]) => value !== null),
  ) as unknown as InterpreterFacts;
  return {
    // A wrapper may start another program: that one is the interpreter.
    path: own || path,
    version: markers.python_full_version,
    tags: tagsOf(known),
    eggPlatform: known.platform,
    markers,
  };
}
