/**
 * Scripts that tell whether an error ended them, which their exit codes do not: a linter that found
 * something ends with 1 too. Loaded only for commands of a generation on probation.
 *
 * @module
 */

import { runtime } from "./current.ts";
import type { Command } from "./runtime.ts";

/** The variable that names the mark; the script itself does not see it. */
const VARIABLE = "TRANSMUTE_FAILED";

/** Runs before the script. In Deno nothing tells that a module is missing, so the mark comes first. */
const IN_DENO = `try {
  const mark = Deno.env.get("${VARIABLE}");
  if (mark) {
    Deno.env.delete("${VARIABLE}");
    Deno.writeTextFileSync(mark, "");
    addEventListener("unload", () => Deno.removeSync(mark));
  }
} catch { /* it may not: then it tells nothing */ }
`;

const IN_NODE = `const mark = process.env.${VARIABLE};
if (mark) {
  delete process.env.${VARIABLE};
  const failed = () => {
    if (process.listenerCount("uncaughtException") > 0) return;
    try {
      process.getBuiltinModule("node:fs").writeFileSync(mark, "");
    } catch { /* it tells nothing */ }
  };
  process.on("uncaughtExceptionMonitor", failed);
  // Bun's monitor does not see rejections. Handed back, this one ends the program as before.
  const rejected = (reason) => {
    if (process.listenerCount("unhandledRejection") > 1) return;
    failed();
    process.off("unhandledRejection", rejected);
    Promise.reject(reason);
  };
  if (globalThis.Bun) process.on("unhandledRejection", rejected);
}
`;

/** A script that is watched. */
export interface WatchedScript {
  command: Command;
  /** Whether an error ended it, once it has ended. Asked once: what was written for it goes. */
  hasFailed(): boolean;
}

/**
 * Watches the script that a command runs in this runtime. Nothing changes for the script, and one
 * that may not write tells nothing.
 *
 * @param command what `scriptCommand` gave
 * @param mark a path at which nothing is, in a folder of this user's own
 * @throws what the disk says
 */
export function watchScript({ path, args, env }: Command, mark: string): WatchedScript {
  const text = runtime.name === "deno" ? IN_DENO : IN_NODE;
  const written = [mark];
  let module = `data:text/javascript,${encodeURIComponent(text)}`;
  if (runtime.name === "bun") {
    // Bun passes over modules that are no files.
    module = `${mark}.mjs`;
    written.push(module);
    runtime.writeFile(module, new TextEncoder().encode(text), { mode: 0o600, exclusive: true });
  }
  const flagged = runtime.name === "deno"
    ? ["run", `--preload=${module}`, ...args.slice(1)]
    : [runtime.name === "bun" ? `--preload=${module}` : `--import=${module}`, ...args];
  return {
    command: { path, args: flagged, env: { ...env, [VARIABLE]: mark } },
    hasFailed() {
      const failed = runtime.status(mark) !== null;
      for (const file of written) if (runtime.status(file) !== null) runtime.remove(file);
      return failed;
    },
  };
}
