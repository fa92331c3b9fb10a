/**
 * The environment in which programs find what is active: modules and commands of Python's and of
 * JavaScript's eggs.
 *
 * @module
 */

import type { Generation } from "../model/state.ts";
import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";
import type { StorePaths } from "../store/cache.ts";
import { closureFolder } from "../store/state.ts";
import { commandFolder } from "./command_folder.ts";

/** The closure of a generation's Python eggs: all are in one; `null` when it has none. */
export function pythonClosure(paths: StorePaths, active: Generation | null): string | null {
  const egg = Object.entries(active?.eggs ?? {}).find(([name]) => name.startsWith("python:"))?.[1];
  return egg === undefined ? null : closureFolder(paths, egg.closure);
}

/** A list of folders with others before what was there. */
function before(variable: string, folders: string[]): Record<string, string> {
  if (folders.length === 0) return {};
  const separator = runtime.platform().os === "win32" ? ";" : ":";
  const own = new Set(folders);
  const others = (runtime.env(variable) ?? "").split(separator)
    .filter((folder) => folder !== "" && !own.has(folder));
  return { [variable]: [...folders, ...others].join(separator) };
}

/**
 * Keeps what Python compiles out of the closures. One folder for all of them: Python has its own
 * library compiled there too, which takes a second, and once is enough.
 */
function compiledElsewhere(paths: StorePaths, version = ""): Record<string, string> {
  const [major, minor] = version.split(".").map(Number);
  // Older ones know no other place than beside what they compile.
  if (major < 3 || (major === 3 && minor < 8)) return { PYTHONDONTWRITEBYTECODE: "1" };
  if (runtime.env("PYTHONPYCACHEPREFIX") !== undefined) return {};
  return { PYTHONPYCACHEPREFIX: paths.compiled };
}

/**
 * The variables to set: `PYTHONPATH`, `PATH` and `NODE_PATH`, each with what is active in front of
 * what was there, and what keeps Python from writing between eggs.
 *
 * @param denoFlags the flags of `deno run` for commands that are scripts
 */
export function environmentOf(
  paths: StorePaths,
  active: Generation | null,
  denoFlags?: string[],
): Record<string, string> {
  const closures = new Set(
    Object.entries(active?.eggs ?? {})
      .filter(([name]) => !name.startsWith("python:"))
      .map(([, { closure }]) => joinPath(closureFolder(paths, closure), "node_modules")),
  );
  const python = pythonClosure(paths, active);
  const commands = commandFolder(paths, active, denoFlags);
  const bin = python === null ? [] : [joinPath(python, "bin")];
  return {
    ...before("NODE_PATH", [...closures]),
    ...before("PATH", commands === null ? bin : [...bin, commands]),
    ...(python === null ? {} : {
      ...before("PYTHONPATH", [joinPath(python, "site")]),
      ...compiledElsewhere(paths, active?.python?.version),
    }),
  };
}
