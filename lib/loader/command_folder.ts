/**
 * A folder for `PATH` that has the commands of active eggs of JavaScript: one small script of the
 * system's shell for each, which runs the egg's file with this runtime.
 *
 * @module
 */

import { fingerprintOf } from "../model/fingerprint.ts";
import type { Generation } from "../model/state.ts";
import { scriptCommand } from "../runtime/child.ts";
import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";
import type { Command } from "../runtime/runtime.ts";
import type { StorePaths } from "../store/cache.ts";
import { randomName } from "../store/files.ts";
import { commandOfFile, scriptFiles } from "./script_commands.ts";

/** A name that is a file's on every system, and no more than that. */
const FILE_NAME = /^[A-Za-z0-9_@+][\w@+.-]*$/;

/**
 * The folder; `null` when there is no command, or none can be written, which keeps nobody from
 * running the rest. It is made once for each generation and runtime, and goes with its generation.
 *
 * @param denoFlags the flags of `deno run` for scripts
 */
export function commandFolder(
  paths: StorePaths,
  active: Generation | null,
  denoFlags?: string[],
): string | null {
  if (active === null) return null;
  try {
    const files = [...scriptFiles(paths, active)]
      .filter(([name, path]) => FILE_NAME.test(name) && runtime.status(path) !== null);
    // Named by what the scripts are made of, so that they are made once: a closure never changes.
    const content = fingerprintOf(JSON.stringify([files, runtimeCommand(paths, denoFlags)]));
    const folder = joinPath(paths.commands, `${active.generation}-${content}`);
    if (runtime.status(folder) === null) {
      const scripts = shellScripts(paths, files, denoFlags);
      if (scripts.size === 0) return null;
      writeAll(paths, folder, scripts);
    }
    return folder;
  } catch {
    return null;
  }
}

/** How this runtime runs a script; `null` for a single executable, which runs none. */
function runtimeCommand({ root }: StorePaths, denoFlags?: string[]): Command | null {
  try {
    return scriptCommand("", root, denoFlags);
  } catch {
    return null;
  }
}

/** Makes the folder whole or not at all; another process may have been faster. */
function writeAll(paths: StorePaths, folder: string, scripts: Map<string, string>): void {
  const staging = joinPath(paths.staging, randomName());
  runtime.makeDirectory(staging, { recursive: true, mode: 0o700 });
  try {
    for (const [name, text] of scripts) {
      const bytes = new TextEncoder().encode(text);
      runtime.writeFile(joinPath(staging, name), bytes, { exclusive: true, mode: 0o700 });
    }
    runtime.makeDirectory(paths.commands, { recursive: true, mode: 0o700 });
    runtime.rename(staging, folder);
  } catch (error) {
    if (runtime.status(staging) !== null) runtime.remove(staging, { recursive: true });
    if (runtime.status(folder) === null) throw error;
  }
}

/** The scripts by file name. */
function shellScripts(
  paths: StorePaths,
  files: [name: string, path: string][],
  denoFlags: string[] | undefined,
): Map<string, string> {
  const scripts = new Map<string, string>();
  for (const [name, path] of files) {
    try {
      const { command } = commandOfFile(path, paths, denoFlags);
      if (runtime.platform().os === "win32") scripts.set(`${name}.cmd`, batchScript(command));
      else scripts.set(name, shellScript(command));
    } catch { /* this program is a single executable, which runs no scripts */ }
  }
  return scripts;
}

function shellScript({ path, args, env }: Command): string {
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const variables = Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}\n`);
  return `#!/bin/sh\n${variables.join("")}exec ${[path, ...args].map(quoted).join(" ")} "$@"\n`;
}

function batchScript({ path, args, env }: Command): string {
  const quoted = (text: string) => `"${text.replaceAll("%", "%%")}"`;
  const variables = Object.entries(env)
    .map(([name, value]) => `set ${quoted(`${name}=${value}`)}\r\n`);
  return `@echo off\r\nsetlocal\r\n${variables.join("")}` +
    `${[path, ...args].map(quoted).join(" ")} %*\r\n`;
}
