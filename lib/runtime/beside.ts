/**
 * What goes on beside the program: processes and threads that outlive a call, without its streams
 * and without keeping it alive; and the terminal it may have. Loaded only when there is need.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { runtime } from "./current.ts";
import { parentPath, pathOfFileUrl } from "./paths.ts";
import type { Command } from "./runtime.ts";

type NodeProcess = typeof import("node:process") & {
  getBuiltinModule<T>(name: string): T;
};
type NodeChildProcess = typeof import("node:child_process");
type NodeWorkerThreads = typeof import("node:worker_threads");

/** Node's and Bun's own; never touched in Deno, where it is expensive. */
const nodeProcess = () => (globalThis as unknown as { process: NodeProcess }).process;
const isDeno = runtime.name === "deno";

/** The width of a terminal that does not tell it. */
const USUAL_COLUMNS = 80;

/** Flags that would open a debugger's port twice, watch files, or run something else. */
const OWN_USE_ONLY =
  /^(?:--inspect|--watch|--test|--cpu-prof|--heap-prof|--input-type|--eval|--print|--check|-[epci]$)/;

function isGranted(descriptor: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(descriptor).state === "granted";
}

/** A variable, or `undefined` also where it may not be read: never a prompt, never an error. */
export function optionalVariable(name: string): string | undefined {
  if (isDeno && !isGranted({ name: "env", variable: name })) return undefined;
  return runtime.env(name);
}

/** Takes a variable out of this process's environment, so that no child inherits it. */
export function forgetVariable(name: string): void {
  if (isDeno) Deno.env.delete(name);
  else delete nodeProcess().env[name];
}

/** Whether this process may start other programs of its own executable. */
export function maySpawn(command: Command): boolean {
  return !isDeno || isGranted({ name: "run", command: command.path });
}

/**
 * The command line that runs `script`, a module's text, in this runtime; `null` where there is
 * none: in a single executable, and in Deno when its flags are not known.
 *
 * @param denoFlags the flags of `deno run`, as for a relaunch
 */
export function scriptCommand(script: string, denoFlags?: string[]): Command | null {
  if (isDeno) {
    if (Deno.build.standalone) return null;
    const own = programCommand(denoFlags);
    if (own === null) return null;
    const flags = own.args.slice(1, own.args.indexOf(Deno.mainModule));
    const address = `data:text/javascript,${encodeURIComponent(script)}`;
    // Not as a flag: the program's own may have it already, and twice is an error.
    const env = { DENO_NO_PROMPT: "1", DENO_NO_UPDATE_CHECK: "1" };
    return { path: own.path, args: ["run", ...flags, address], env };
  }
  if (isSingleExecutable()) return null;
  const asModule = runtime.name === "bun" ? [] : ["--input-type=module"];
  const args = [...inheritedFlags(), ...asModule, "-e", script];
  return { path: nodeProcess().execPath, args, env: {} };
}

/**
 * The command line that starts this program again with the same arguments; `null` where it cannot
 * be known.
 *
 * @param denoFlags the flags of `deno run`, as for a relaunch
 */
export function programCommand(denoFlags?: string[]): Command | null {
  let command: Command;
  try {
    command = runtime.ownCommand(denoFlags);
  } catch (error) {
    if (error instanceof TransmuteError) return null;
    throw error;
  }
  if (isDeno || isSingleExecutable()) return command;
  // What a test runner started is no program to be started again on the quiet.
  const { NODE_TEST_CONTEXT, NODE_ENV } = nodeProcess().env;
  if (NODE_TEST_CONTEXT !== undefined || NODE_ENV === "test") return null;
  const own = command.args.slice(nodeProcess().execArgv.length);
  return { ...command, args: [...inheritedFlags(), ...own] };
}

/** The flags of Node and Bun that another process of this program wants too. */
function inheritedFlags(): string[] {
  return nodeProcess().execArgv.filter((flag) => !OWN_USE_ONLY.test(flag));
}

function isSingleExecutable(): boolean {
  const { Bun } = globalThis as { Bun?: { isStandaloneExecutable?: boolean } };
  if (Bun !== undefined) return Bun.isStandaloneExecutable === true;
  return nodeProcess().getBuiltinModule<{ isSea(): boolean }>("node:sea")?.isSea() ?? false;
}

/**
 * Starts a program that this one neither waits for nor is seen by: no streams, a session of its
 * own, no window.
 *
 * @returns its process id
 * @throws what the runtime throws when it cannot be started
 */
export function spawnDetached({ path, args, env }: Command): number {
  if (isDeno) {
    const child = new Deno.Command(path, {
      args,
      env,
      stdin: "null",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn();
    child.unref();
    return child.pid;
  }
  const process = nodeProcess();
  const { spawn } = process.getBuiltinModule<NodeChildProcess>("node:child_process");
  const child = spawn(path, args, {
    env: { ...process.env, ...env },
    stdio: "ignore",
    detached: true,
    windowsHide: true,
  });
  // A failure to start is told by an event; unheard, it would end the program.
  child.on("error", () => {});
  child.unref();
  if (child.pid === undefined) throw new Error(`${path} did not start`);
  return child.pid;
}

/** Loads what threads need. */
export function prepareThreads(): Promise<NodeWorkerThreads> {
  return runtime.builtin<NodeWorkerThreads>("worker_threads");
}

/**
 * Runs `script`, a module's text, in a thread that ends with the program and does not keep it
 * alive. The script finds `data` as `workerData` of `node:worker_threads`.
 *
 * @param imports what the script imports: in Deno a thread may load only what may be read
 * @returns false where that is not permitted
 */
export async function startThread(script: string, data: string, imports: string): Promise<boolean> {
  if (isDeno && !mayBeLoadedByThreads(imports)) return false;
  const { Worker } = await prepareThreads();
  const address = new URL(`data:text/javascript,${encodeURIComponent(script)}`);
  const thread = new Worker(address, { workerData: data });
  thread.on("error", () => {});
  thread.unref();
  return true;
}

/** The module and, unless it is a single file, all that lies beside it. */
function mayBeLoadedByThreads(url: string): boolean {
  if (!url.startsWith("file:")) return isGranted({ name: "import" });
  const path = pathOfFileUrl(url);
  return isGranted({ name: "read", path: path.endsWith(".js") ? path : parentPath(path) });
}

/** Ends this process. */
export function leave(code: number): never {
  if (isDeno) Deno.exit(code);
  return nodeProcess().exit(code) as never;
}

/** How many characters fit into a line of the terminal on standard error; `null` without one. */
export function terminalColumns(): number | null {
  if (!runtime.isTerminal() || optionalVariable("TERM") === "dumb") return null;
  try {
    return (isDeno ? Deno.consoleSize().columns : nodeProcess().stderr.columns) || USUAL_COLUMNS;
  } catch {
    return USUAL_COLUMNS;
  }
}
