/**
 * Running another program to its end. Loaded only for that.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { runtime } from "./current.ts";
import type { Command } from "./runtime.ts";

/** How a child ended. */
export interface ChildEnd {
  /** Its exit code; `null` when it was ended, by a signal or for taking too long. */
  code: number | null;
  /** The end of what it wrote to both its streams. */
  output: string;
  /** True when it took too long. */
  late: boolean;
}

/** What is kept of a child's output. */
const OUTPUT_CHARACTERS = 2000;

interface NodeGlobals {
  process: typeof import("node:process") & { getBuiltinModule<T>(name: string): T };
  Bun?: { isStandaloneExecutable?: boolean };
}

/**
 * Runs a command without input, and ends it when it takes too long.
 *
 * @throws {TransmuteError} `permission-missing`
 * @throws what the system says when there is no such program
 */
export function runChild(command: Command, timeoutMs: number): Promise<ChildEnd> {
  return runtime.name === "deno" ? runInDeno(command, timeoutMs) : runInNode(command, timeoutMs);
}

async function runInDeno({ path, args, env }: Command, timeoutMs: number): Promise<ChildEnd> {
  if (Deno.permissions.querySync({ name: "run", command: path }).state !== "granted") {
    throw new TransmuteError(
      "permission-missing",
      `Cannot run ${path}: this program runs without the permission --allow-run=${path}`,
      { hint: `Add --allow-run=${path} to the flags of deno run` },
    );
  }
  const child = new Deno.Command(path, {
    ...{ args, env, stdin: "null", stdout: "piped", stderr: "piped" },
  } as Deno.CommandOptions).spawn();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  let output = "";
  const read = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) output = tail(output + decoder.decode(chunk));
  };
  // A child of the child may hold the streams longer: its end is enough.
  const streams = Promise.all([read(child.stdout), read(child.stderr)]);
  const { code, signal } = await child.status;
  clearTimeout(timer);
  await Promise.race([streams, new Promise((resolve) => setTimeout(resolve, 100))]);
  return { code: signal === null && !late ? code : null, output, late };
}

function runInNode({ path, args, env }: Command, timeoutMs: number): Promise<ChildEnd> {
  const { process } = globalThis as unknown as NodeGlobals;
  const { spawn } = process.getBuiltinModule<typeof import("node:child_process")>(
    "node:child_process",
  );
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let late = false;
    let output = "";
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, timeoutMs);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => output = tail(output + text));
    }
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on("exit", (code) => {
      clearTimeout(timer);
      // What it wrote last may still be on its way.
      const ended = () => resolve({ code: late ? null : code, output, late });
      const patience = setTimeout(ended, 100);
      child.on("close", () => {
        clearTimeout(patience);
        ended();
      });
    });
  });
}

function tail(text: string): string {
  return text.slice(-OUTPUT_CHARACTERS);
}

/**
 * The command that runs a script in this runtime.
 *
 * @param denoFlags the flags of `deno run`; by default all permissions where this program has them,
 * else to read `readable` alone
 * @throws {TransmuteError} `option-invalid` in a single executable, which runs no scripts
 */
export function scriptCommand(script: string, readable: string, denoFlags?: string[]): Command {
  const { process, Bun } = globalThis as unknown as NodeGlobals;
  const isStandalone = runtime.name === "deno"
    ? Deno.build.standalone
    : Bun?.isStandaloneExecutable === true;
  if (isStandalone) {
    throw new TransmuteError(
      "option-invalid",
      "Cannot run an egg's entry: this program is a single executable, which runs no scripts",
      { hint: "Give the option smoke as a program and its arguments" },
    );
  }
  if (runtime.name !== "deno") return { path: process.execPath, args: [script], env: {} };
  const flags = denoFlags ?? (hasAllPermissions() ? ["-A"] : [`--allow-read=${readable}`]);
  // Scripts of npm's projects need not say that they are CommonJS.
  const args = ["run", "--no-prompt", "--unstable-detect-cjs", ...flags, script];
  return { path: Deno.execPath(), args, env: {} };
}

function hasAllPermissions(): boolean {
  const names = ["run", "read", "write", "net", "env", "sys", "ffi"] as const;
  return names.every((name) => Deno.permissions.querySync({ name }).state === "granted");
}
