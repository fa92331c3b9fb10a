/**
 * Handing the rest of an update over when the budget is spent: to a process of its own, to a
 * thread of this one, or to the next start.
 *
 * @module
 */

import type { TransmuteOptions } from "../options.ts";
import type { Command } from "../runtime/runtime.ts";
import {
  maySpawn,
  prepareThreads,
  programCommand,
  scriptCommand,
  spawnDetached,
  startThread,
} from "../runtime/beside.ts";
import { isOwnScheme } from "../sources/open.ts";
import { claimBackground, releaseBackground } from "../store/background_marker.ts";
import { acquireLock } from "../store/lock.ts";
import type { BackgroundRequest, BackgroundWork } from "./background.ts";
import { BACKGROUND_VARIABLE } from "./background.ts";
import type { UpdateRequest } from "./request.ts";

/** What an update cannot take from its request: how the program put it. */
export interface Remainder {
  /** The options as they were given. */
  given: TransmuteOptions;
  /** The address of `lib/transmute.ts`, or of the file that it was bundled into. */
  here: string | undefined;
}

/** Longer texts do not fit into a variable on every system. */
const MAX_WORK_LENGTH = 96 * 1024;

/** What becomes of the rest. `promise`: what is under way in this program goes on. */
export type Way = "process" | "in-process" | "off" | "promise";

/**
 * The address of the module that applications import, when this code lies where it was put; `null`
 * in a bundle of somebody else's making, or a single executable.
 */
export function moduleAddress(here: string | undefined): string | null {
  if (here === undefined || !/^(?:file|https?):/.test(here)) return null;
  const path = new URL(here).pathname;
  if (path.endsWith("/lib/transmute.ts")) return new URL("../mod.ts", here).href;
  return path.endsWith("/mod.js") ? here : null;
}

/** What can be written down and means the same in another process. */
function isPlain(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (typeof value !== "object") return typeof value !== "function" && typeof value !== "symbol";
  if (Array.isArray(value)) return value.every(isPlain);
  return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isPlain);
}

/** The request in words, for a process that is not this program; `null` when it has none. */
function describe({ sources, requirements, options }: UpdateRequest, { given }: Remainder) {
  const { sources: _sources, onEvent: _onEvent, background: _background, ...rest } = given;
  const addresses = sources.filter(({ implied }) => !implied)
    .map(({ address, checkEveryMs, trust }) => {
      if (address === undefined || !isOwnScheme(address)) return null;
      if (checkEveryMs === undefined && trust === undefined) return address;
      return { source: address, checkEveryMs, trust };
    });
  if (!isPlain(rest) || !isPlain(addresses) || addresses.includes(null)) return null;
  const { app, cacheDir } = options;
  return {
    options: { ...rest, app, cacheDir, log: "off", sources: addresses },
    requirements: requirements.map(({ text }) => text),
  } as BackgroundRequest;
}

/** A module's text that does the work it finds as `work`, and is silent. */
function scriptText(module: string, work: string): string {
  return `try {
  const work = ${work};
  const { request } = JSON.parse(work);
  const { Transmute } = await import(${JSON.stringify(module)});
  const transmute = new Transmute({ ...request.options, background: work });
  transmute.require(request.requirements);
  await transmute.update();
} catch {}`;
}

const WORK_OF_PROCESS =
  `globalThis.Deno ? Deno.env.get("${BACKGROUND_VARIABLE}") : process.env.${BACKGROUND_VARIABLE}`;
const WORK_OF_THREAD = `(await import("node:worker_threads")).workerData`;

/**
 * Hands the rest of an update over.
 *
 * @param holdsLock whether this process holds the courtesy lock; without it, nothing is started
 * while another process is updating
 */
export async function handOver(
  request: UpdateRequest,
  remainder: Remainder,
  { holdsLock }: { holdsLock: boolean },
): Promise<Way> {
  const { options, paths } = request;
  if (options.background === "off") return "off";
  if (holdsLock) return await start(request, remainder);
  let unlock: () => void;
  try {
    unlock = await acquireLock(paths.lock, AbortSignal.abort(), () => {});
  } catch {
    return "off";
  }
  try {
    return await start(request, remainder);
  } finally {
    unlock();
  }
}

/** What can be started for the rest of an update, best first. */
interface Choice {
  /** A process, and what it runs. */
  child: { command: Command; runs: "transmute" | "program" } | null;
  /** A thread's script, and what that imports. */
  thread: { script: string; module: string } | null;
  /** The request in words, unless only the program itself knows it. */
  request?: BackgroundRequest;
}

function choose(request: UpdateRequest, remainder: Remainder): Choice {
  const { background, denoFlags } = request.options;
  const module = moduleAddress(remainder.here);
  const described = module === null ? null : describe(request, remainder);
  const script = (work: string) => described === null ? null : scriptText(module!, work);
  const text = script(WORK_OF_THREAD);
  const thread = text === null ? null : { script: text, module: module! };
  const whole = described === null ? {} : { request: described };
  if (background !== "process") return { child: null, thread, ...whole };
  const own = script(WORK_OF_PROCESS);
  const ownCommand = own === null ? null : scriptCommand(own, denoFlags);
  const command = ownCommand ?? programCommand(denoFlags);
  const runs = ownCommand === null ? "program" as const : "transmute" as const;
  const child = command !== null && maySpawn(command) ? { command, runs } : null;
  return { child, thread, ...whole };
}

/** Loads what handing over will need. */
export async function prepareHandOver(request: UpdateRequest, remainder: Remainder): Promise<void> {
  if (request.options.background === "off") return;
  const { child, thread } = choose(request, remainder);
  if (child === null && thread !== null) await prepareThreads();
}

async function start(request: UpdateRequest, remainder: Remainder): Promise<Way> {
  const { options } = request;
  const choice = choose(request, remainder);
  const work: BackgroundWork = { app: options.app, lifeMs: options.backgroundLifeMs };
  if (choice.child !== null && startProcess(choice, work, request)) return "process";
  if (choice.thread !== null) {
    const { script, module } = choice.thread;
    const text = JSON.stringify({ ...work, thread: true, request: choice.request });
    if (await startThread(script, text, module).catch(() => false)) return "in-process";
  }
  return options.background === "in-process" ? "promise" : "off";
}

/** Starts a process; false where none can be started. */
function startProcess(
  { child, request }: Choice,
  work: BackgroundWork,
  { paths, options, tell }: UpdateRequest,
): boolean {
  const { command, runs } = child!;
  let token: string | null = null;
  try {
    token = claimBackground(paths, options.now(), work.lifeMs);
    if (token === null) return true;
    const told = runs === "program" || request === undefined ? {} : { request };
    const text = JSON.stringify({ ...work, ...told, token });
    if (text.length > MAX_WORK_LENGTH) throw new RangeError("The request is too long");
    const env = { ...command.env, [BACKGROUND_VARIABLE]: text };
    tell("info", "background-started", { pid: spawnDetached({ ...command, env }), runs });
    return true;
  } catch {
    // No more processes, no such program, no room: a thread may still do it.
    if (token !== null) releaseBackground(paths, token);
    return false;
  }
}
