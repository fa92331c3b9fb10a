/**
 * Commands of active eggs of JavaScript: what their `package.json` has under `bin`.
 *
 * @module
 */

import type { Generation } from "../model/state.ts";
import { runtime } from "../runtime/current.ts";
import { scriptCommand } from "../runtime/child.ts";
import { joinPath } from "../runtime/paths.ts";
import type { Command } from "../runtime/runtime.ts";
import type { StorePaths } from "../store/cache.ts";
import { closureFolder } from "../store/state.ts";

/** No script is larger. */
const MAX_SCRIPT_BYTES = 4 * 1024 ** 2;

/** A command, and whether it is a script that the runtime runs. */
export interface EggCommand {
  command: Command;
  isScript: boolean;
}

/** The files of all commands by name. Of two eggs with one name, the first has it. */
export function scriptFiles(paths: StorePaths, active: Generation | null): Map<string, string> {
  const files = new Map<string, string>();
  for (const [project, { closure }] of Object.entries(active?.eggs ?? {})) {
    if (project.startsWith("python:")) continue;
    const folder = joinPath(closureFolder(paths, closure), "node_modules", project);
    let bin: unknown;
    try {
      ({ bin } = JSON.parse(runtime.readTextFile(joinPath(folder, "package.json"))));
    } catch {
      continue;
    }
    const own = project.replace(/^@[^/]*\//, "");
    const commands = typeof bin === "string" ? { [own]: bin } : bin ?? {};
    for (const [name, file] of Object.entries(commands)) {
      if (!files.has(name)) files.set(name, joinPath(folder, String(file)));
    }
  }
  return files;
}

/**
 * How the file of a command is run.
 *
 * @throws {TransmuteError} `option-invalid` in a single executable, which runs no scripts
 */
export function commandOfFile(
  path: string,
  { root }: StorePaths,
  denoFlags?: string[],
): EggCommand {
  return isExecutable(path)
    ? { command: { path, args: [], env: {} }, isScript: false }
    : { command: scriptCommand(path, root, denoFlags), isScript: true };
}

/** Whether a command is a program of the system and no script: ELF, PE, or one of macOS's kinds. */
function isExecutable(path: string): boolean {
  const sizeBytes = runtime.status(path)?.sizeBytes ?? 0;
  if (sizeBytes > MAX_SCRIPT_BYTES) return true;
  const head = new TextDecoder("latin1").decode(runtime.readFile(path).subarray(0, 4));
  return /^(?:\x7fELF|MZ|\xcf\xfa\xed\xfe|\xca\xfe\xba\xbe)/.test(head);
}
