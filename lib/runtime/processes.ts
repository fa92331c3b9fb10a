/**
 * Processes as a later one sees them: whether one is still running, though its number may be used
 * again, the machine may have been started anew, and others may share the disk. And how this one
 * ends. Loaded only while a generation is on probation, for long-running programs, and to clear up.
 *
 * @module
 */

import { runtime } from "./current.ts";
import { later } from "./later.ts";

/** What tells a process from all others, as far as this runtime may know. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, by its system's own count; `null` where it is not told. */
  start: string | null;
  /** The machine's name. */
  host: string | null;
  /** Changes when the machine, or the container, is started anew. */
  boot: string | null;
}

/**
 * `gone`: it ended; `interrupted`: it ended with its machine; `unknown`: it cannot be seen from
 * here.
 */
export type Liveness = "running" | "gone" | "interrupted" | "unknown";

/** A program that still runs by then has handled its error, and how it ends is its own choice. */
const SURVIVES_AFTER_MS = 5;

interface NodeGlobals {
  process: typeof import("node:process") & { getBuiltinModule<T>(name: string): T };
  Bun?: { isMainThread: boolean };
}

const isDeno = runtime.name === "deno";
const nodeProcess = () => (globalThis as unknown as NodeGlobals).process;
const system = () => runtime.platform().os;

/** A small text file of the system; `null` where there is none or it may not be read. */
function systemFile(path: string): string | null {
  try {
    return runtime.readTextFile(path).trim();
  } catch {
    return null;
  }
}

/** What a system's own program prints; `null` where it cannot be run. */
function outputOf(program: string, args: string[]): string | null {
  try {
    if (isDeno) {
      if (Deno.permissions.querySync({ name: "run", command: program }).state !== "granted") {
        return null;
      }
      const { success, stdout } = new Deno.Command(program, { args, stderr: "null" }).outputSync();
      return success ? new TextDecoder().decode(stdout).trim() : null;
    }
    const { execFileSync } = nodeProcess().getBuiltinModule<typeof import("node:child_process")>(
      "node:child_process",
    );
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
      .trim();
  } catch {
    return null;
  }
}

function hostName(): string | null {
  try {
    if (!isDeno) {
      return nodeProcess().getBuiltinModule<typeof import("node:os")>("node:os").hostname();
    }
    const { state } = Deno.permissions.querySync({ name: "sys", kind: "hostname" });
    return state === "granted" ? Deno.hostname() : null;
  } catch {
    return null;
  }
}

/** Process numbers mean the same only within one boot and one container. */
function bootIdentity(): string | null {
  if (system() === "darwin") return outputOf("/usr/sbin/sysctl", ["-n", "kern.boottime"]);
  const boot = systemFile("/proc/sys/kernel/random/boot_id");
  return boot === null ? null : `${boot} ${numbersSpace()}`;
}

/** The space that process numbers are from. */
function numbersSpace(): string {
  try {
    const link = "/proc/self/ns/pid";
    return isDeno
      ? Deno.readLinkSync(link)
      : nodeProcess().getBuiltinModule<typeof import("node:fs")>("node:fs").readlinkSync(link);
  } catch {
    return "";
  }
}

/** When a process started, by its system's count; `undefined` when there is none. */
function startOf(pid: number): string | null | undefined {
  if (system() === "darwin") {
    const text = outputOf("/bin/ps", ["-o", "lstart=", "-p", String(pid)]);
    return text === "" ? undefined : text;
  }
  const text = systemFile(`/proc/${pid}/stat`);
  if (text === null) return undefined;
  // The program's name comes second and may hold anything, parentheses too.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  // It ended, and whoever started it has not looked yet.
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  return fields[19];
}

let own: ProcessIdentity | undefined;

/** This process. */
export function ownProcess(): ProcessIdentity {
  return own ??= {
    pid: runtime.pid,
    start: startOf(runtime.pid) ?? null,
    host: hostName(),
    boot: bootIdentity(),
  };
}

/** What can be told of a process from here. */
export function livenessOf(identity: ProcessIdentity): Liveness {
  const here = ownProcess();
  if (here.boot !== null && identity.boot !== null) {
    if (here.boot === identity.boot) {
      const start = startOf(identity.pid);
      return start !== undefined && (identity.start === null || start === identity.start)
        ? "running"
        : "gone";
    }
    return here.host !== null && here.host === identity.host ? "interrupted" : "unknown";
  }
  if (isDeno || here.host === null || here.host !== identity.host) return "unknown";
  try {
    nodeProcess().kill(identity.pid, 0);
    return "running";
  } catch (error) {
    return (error as { code?: string }).code === "ESRCH" ? "gone" : "running";
  }
}

/** Told how this process ends; every call must be done when it returns. */
export interface EndingWatch {
  /** An error that nobody has caught: the end, unless the program handles it. */
  failed(error: unknown): void;
  /** It was not the end. */
  survived(): void;
  /** The process ends with this exit code, by itself or by its own choice. */
  ended(code: number): void;
}

const watches = new Set<EndingWatch>();

/** Whether this is a thread of its own, whose end is not the process's. */
function isWorker(): boolean {
  if (isDeno) return "WorkerGlobalScope" in globalThis;
  const { process, Bun } = globalThis as unknown as NodeGlobals;
  if (Bun !== undefined) return !Bun.isMainThread;
  return !process.getBuiltinModule<typeof import("node:worker_threads")>("node:worker_threads")
    .isMainThread;
}

/**
 * Watches how this process ends, without changing how it does: signals keep their effects, and
 * errors are still printed and handled as they would be.
 */
export function watchEnding(watch: EndingWatch): void {
  if (isWorker()) return;
  if (watches.size === 0) listen();
  watches.add(watch);
}

function failed(error: unknown): void {
  for (const watch of watches) watch.failed(error);
  later(SURVIVES_AFTER_MS).then(() => {
    for (const watch of watches) watch.survived();
  });
}

function ended(code: number): void {
  for (const watch of watches) watch.ended(code);
}

function listen(): void {
  if (isDeno) {
    globalThis.addEventListener("error", (event) => failed(event.error ?? event.message));
    globalThis.addEventListener("unhandledrejection", (event) => failed(event.reason));
    globalThis.addEventListener("unload", () => ended(Deno.exitCode));
    return;
  }
  const process = nodeProcess();
  process.on("uncaughtExceptionMonitor", failed);
  process.on("exit", ended);
  if (runtime.name !== "bun") return;
  // Bun's monitor does not see rejections. Handed back, this one ends the program as before.
  const rejected = (reason: unknown) => {
    if (process.listenerCount("unhandledRejection") > 1) return;
    failed(reason);
    process.off("unhandledRejection", rejected);
    Promise.reject(reason);
  };
  process.on("unhandledRejection", rejected);
}
