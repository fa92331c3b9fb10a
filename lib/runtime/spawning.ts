/**
 * Running another program in the foreground: with this one's streams, and its signals passed on.
 * Loaded only for that.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { runtime } from "./current.ts";
import type { Command, ExitStatus } from "./runtime.ts";

/** How a program in the foreground is run. */
export interface ForegroundOptions {
  /** Its working directory. @default {this program's own} */
  cwd?: string;
}

interface NodeGlobals {
  process: typeof import("node:process") & { getBuiltinModule<T>(name: string): T };
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;
/** What a terminal sends to a whole group of processes, the child among them. */
const FROM_KEYS: readonly string[] = ["SIGINT", "SIGQUIT"];

/**
 * Runs a command to its end. Signals to this program are passed on to it, and end it and not this
 * program.
 *
 * @throws {TransmuteError} `permission-missing`
 * @throws what the system says when there is no such program
 */
export function runInForeground(
  command: Command,
  options: ForegroundOptions = {},
): Promise<ExitStatus> {
  return runtime.name === "deno" ? runInDeno(command, options) : runInNode(command, options);
}

async function runInDeno(
  { path, args, env }: Command,
  { cwd }: ForegroundOptions,
): Promise<ExitStatus> {
  if (Deno.permissions.querySync({ name: "run", command: path }).state !== "granted") {
    throw new TransmuteError(
      "permission-missing",
      `Cannot run ${path}: this program runs without the permission --allow-run=${path}`,
      { hint: `Add --allow-run=${path} to the flags of deno run` },
    );
  }
  const isTerminal = Deno.stdin.isTerminal();
  const child = new Deno.Command(path, {
    ...{ args, env, stdin: "inherit", stdout: "inherit", stderr: "inherit" },
    ...(cwd === undefined ? {} : { cwd }),
  } as Deno.CommandOptions).spawn();
  const listeners = SIGNALS.map((signal) => {
    const pass = () => {
      if (isTerminal && FROM_KEYS.includes(signal)) return;
      try {
        child.kill(signal);
      } catch { /* it has just ended */ }
    };
    try {
      Deno.addSignalListener(signal, pass);
      return () => Deno.removeSignalListener(signal, pass);
    } catch {
      return () => {}; // this system has no such signal
    }
  });
  try {
    const { code, signal } = await child.status;
    return { code, signal };
  } finally {
    for (const remove of listeners) remove();
  }
}

function runInNode(
  { path, args, env }: Command,
  { cwd }: ForegroundOptions,
): Promise<ExitStatus> {
  const { process } = globalThis as unknown as NodeGlobals;
  const { spawn } = process.getBuiltinModule<typeof import("node:child_process")>(
    "node:child_process",
  );
  const { constants } = process.getBuiltinModule<typeof import("node:os")>("node:os");
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, {
      env: { ...process.env, ...env },
      stdio: "inherit",
      ...(cwd === undefined ? {} : { cwd }),
    });
    const listeners = SIGNALS.map((signal) => {
      const pass = () => {
        if (!(process.stdin.isTTY && FROM_KEYS.includes(signal))) child.kill(signal);
      };
      process.on(signal, pass);
      return () => process.removeListener(signal, pass);
    });
    const done = () => listeners.forEach((remove) => remove());
    child.on("error", (error) => {
      done();
      reject(error);
    });
    child.on("exit", (code, signal) => {
      done();
      resolve({ code: code ?? 128 + (constants.signals[signal!] ?? 0), signal });
    });
  });
}
