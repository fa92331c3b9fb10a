/**
 * The commands of Python eggs: entry points made into small programs, and scripts that are brought
 * as they are.
 *
 * @module
 */

import type { ArchiveEntry } from "./unpack.ts";

/** A command of an egg: what it is called, and what is called when it runs. */
export interface CommandEntryPoint {
  name: string;
  /** `package.module` */
  module: string;
  /** `main` or `Class.method` */
  object: string;
}

const INTERPRETER_LINE = "#!/usr/bin/env python3\n";
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/;
const DOTTED = /^[\p{L}_][\p{L}\p{N}_]*(?:\.[\p{L}_][\p{L}\p{N}_]*)*$/u;

/** The commands among the entry points of an egg. What is not well formed is passed over. */
export function readEntryPoints(text: string): CommandEntryPoint[] {
  const found: CommandEntryPoint[] = [];
  let section = "";
  for (const line of text.split(/\r?\n/).map((one) => one.trim())) {
    const heading = /^\[([^\]]+)\]$/.exec(line)?.[1];
    if (heading !== undefined) section = heading.trim();
    else if (section === "console_scripts" || section === "gui_scripts") {
      const [, name, module, object] = /^([^=#;\s]+)\s*=\s*([^:\s]+)\s*:\s*([^\s[]+)/.exec(line) ??
        [];
      if (object !== undefined && NAME.test(name) && DOTTED.test(module) && DOTTED.test(object)) {
        found.push({ name, module, object });
      }
    }
  }
  return found;
}

/**
 * The text of a command's program. It finds its own closure, wherever it is called from, writes
 * nothing into it, and tells whoever wants to know that it could be imported.
 */
export function commandScript(module: string, object: string): string {
  return `${INTERPRETER_LINE}import sys
from os.path import abspath, dirname, join

here = dirname(abspath(__file__))
site = join(dirname(here), "site")
sys.path[:] = [site] + [path for path in sys.path if path not in (here, site)]
if getattr(sys, "pycache_prefix", None) is None:
    sys.dont_write_bytecode = True

if __name__ == "__main__":
    from importlib import import_module
    from os import environ

    started = environ.pop("TRANSMUTE_STARTED", None)
    entry = import_module("${module}")
    for name in "${object}".split("."):
        entry = getattr(entry, name)
    if started:
        open(started, "w").close()
    sys.exit(entry())
`;
}

/** A script with an interpreter of this machine, where it leaves that to whoever installs it. */
export function withInterpreterLine(entry: ArchiveEntry): ArchiveEntry {
  const head = new TextDecoder("latin1").decode(entry.bytes.subarray(0, 256));
  const line = /^#!\s*(?:\/\S*\/)?pythonw?[\d.]*[^\n]*\n/.exec(head)?.[0];
  if (line === undefined) return entry;
  const first = new TextEncoder().encode(INTERPRETER_LINE);
  const bytes = new Uint8Array(first.length + entry.bytes.length - line.length);
  bytes.set(first);
  bytes.set(entry.bytes.subarray(line.length), first.length);
  return { ...entry, bytes };
}
