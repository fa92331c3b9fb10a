/**
 * Leases: which program uses which generation, and how far its start came. A file for each
 * process, one line of JSON for each thing that happens to it; lines are only added.
 *
 * A lease is written before the code of a generation on probation first runs, and for any other
 * generation by programs that live long. Its generation and eggs stay while the program does.
 *
 * @module
 */

import type { Liveness, ProcessIdentity } from "../runtime/processes.ts";
import { livenessOf, ownProcess } from "../runtime/processes.ts";
import { runtime } from "../runtime/current.ts";
import { baseName, joinPath } from "../runtime/paths.ts";
import type { StorePaths } from "./cache.ts";

/** How often a program that lives on says so, where others cannot see its process. */
export const ALIVE_EVERY_MS = 60 * 60 * 1000;
/** A program that cannot be seen and has not said anything for so long is gone. */
const SILENT_FOR_MS = 2 * 24 * 60 * 60 * 1000;
/** A start that cannot be seen and has not come further in this time has failed. */
const STUCK_FOR_MS = 5 * 60 * 1000;

/**
 * `starting`: the first code of the generation is being loaded; `running`: that is done;
 * `failed`: the start counts against the generation.
 */
export type LeasePhase = "starting" | "running" | "failed";

/** One program's use of one generation. */
export interface LeaseUse {
  generation: number;
  /** Milliseconds since the epoch. */
  since: number;
  phase: LeasePhase;
  /** When it failed, or was first found to be gone. */
  endedAt?: number;
  /** Why it failed, in words. */
  reason?: string;
}

/** A lease, as it was read. */
export interface Lease {
  /** The file's name: `<pid>-<start>`. */
  name: string;
  owner: ProcessIdentity;
  /** When it last said anything, in milliseconds since the epoch. */
  heardAt: number;
  uses: LeaseUse[];
}

/** A line of a lease: who it is, a use and its phase, or only that it lives. */
type LeaseLine =
  | { owner: ProcessIdentity; at: number }
  | { generation: number; phase: LeasePhase; at: number; reason?: string }
  | { alive: true; at: number }
  | { gone: true; at: number };

/** The lease of this process. */
export class OwnLease {
  readonly #paths: StorePaths;
  readonly #file: string;
  #written = false;

  constructor(paths: StorePaths) {
    this.#paths = paths;
    const { pid, start } = ownProcess();
    const since = start?.replace(/[^\w]+/g, "-") ?? Math.trunc(performance.timeOrigin);
    this.#file = joinPath(paths.leases, `${pid}-${since}`);
  }

  /** Adds a line. @throws what the disk says */
  add(...lines: LeaseLine[]): void {
    if (!this.#written) {
      try {
        runtime.makeDirectory(this.#paths.leases, { mode: 0o700 });
      } catch (error) {
        const isThere = runtime.fileErrorKind(error) === "exists";
        // A link would lead elsewhere what is written below it.
        if (!isThere || runtime.status(this.#paths.leases)?.kind !== "directory") throw error;
      }
      lines.unshift({ owner: ownProcess(), at: lines[0].at });
    }
    runtime.appendTextFile(this.#file, linesText(lines));
    this.#written = true;
  }

  /** Gives the lease up, unless it says that a start failed: that is for later starts to read. */
  remove(): void {
    this.#written = false;
    const name = baseName(this.#file);
    const uses = readLease(this.#paths, name)?.uses ?? [];
    if (!uses.some(({ phase }) => phase === "failed")) removeLease(this.#paths, name);
  }
}

function linesText(lines: LeaseLine[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** Removes a lease; one that another process removed first is no error. */
export function removeLease(paths: StorePaths, name: string): void {
  try {
    runtime.remove(joinPath(paths.leases, name));
  } catch (error) {
    if (runtime.fileErrorKind(error) !== "missing") throw error;
  }
}

/** All leases of the application. What cannot be read, in part or whole, is left out. */
export function listLeases(paths: StorePaths): Lease[] {
  let names: string[];
  try {
    names = runtime.list(paths.leases);
  } catch {
    return []; // nobody has made one yet
  }
  return names.sort().flatMap((name) => readLease(paths, name) ?? []);
}

function readLease(paths: StorePaths, name: string): Lease | null {
  let text: string;
  try {
    text = runtime.readTextFile(joinPath(paths.leases, name));
  } catch {
    return null; // its program has just ended
  }
  const pid = Number(/^(\d+)-/.exec(name)?.[1] ?? 0);
  const lease: Lease = {
    name,
    owner: { pid, start: null, host: null, boot: null },
    heardAt: 0,
    uses: [],
  };
  for (const line of text.split("\n")) {
    try {
      if (line !== "") takeLine(lease, JSON.parse(line));
    } catch { /* cut off by a crash, or damaged */ }
  }
  return lease;
}

function takeLine(lease: Lease, line: LeaseLine): void {
  if (typeof line.at !== "number") return;
  lease.heardAt = Math.max(lease.heardAt, line.at);
  if ("owner" in line) {
    lease.owner = line.owner;
  } else if ("gone" in line) {
    for (const use of lease.uses) use.endedAt ??= line.at;
  } else if ("generation" in line) {
    const { generation, phase, at, reason } = line;
    let use = lease.uses.find((known) => known.generation === generation);
    if (use === undefined) lease.uses.push(use = { generation, since: at, phase });
    use.phase = phase;
    if (phase === "failed") Object.assign(use, { endedAt: at, reason: reason ?? "" });
    else delete use.reason;
    if (phase === "running") delete use.endedAt;
  }
}

/** Whether the program of a lease may still be running. */
export function mayBeRunning({ owner, heardAt }: Lease, now: number): boolean {
  const liveness = livenessOf(owner);
  return liveness === "running" || (liveness === "unknown" && now - heardAt < SILENT_FOR_MS);
}

/** Whether a use counts as a failed start, as far as can be told from here. */
function hasFailed(use: LeaseUse, liveness: Liveness, { owner, heardAt }: Lease, now: number) {
  if (use.phase === "failed") return true;
  if (use.phase === "running") return false;
  if (liveness === "gone") return true;
  // Where processes cannot be seen, only their silence tells.
  return liveness === "unknown" && owner.boot === null && now - heardAt > STUCK_FOR_MS;
}

/** The failed starts of a generation, as far as they can be told. */
export interface FailedStarts {
  /** How many; starts that ran at the same time are one, since one cause can end them all. */
  count: number;
  /** What the last of them says, in words. */
  lastReason: string;
}

/**
 * Counts the failed starts of a generation: those that an error ended, and those whose process was
 * gone before the generation's code was loaded. How a process ended after that tells nothing:
 * a user may have ended it. Nor does the end of a machine.
 *
 * @param options `note`: keep when starts were first found to be gone
 */
export function countFailedStarts(
  paths: StorePaths,
  generation: number,
  now: number,
  { note = false } = {},
): FailedStarts {
  const failed: LeaseUse[] = [];
  for (const lease of listLeases(paths)) {
    const use = lease.uses.find((one) => one.generation === generation);
    if (use === undefined || !hasFailed(use, livenessOf(lease.owner), lease, now)) continue;
    if (use.endedAt === undefined) {
      use.endedAt = now;
      if (note) noteGone(paths, lease, now);
    }
    failed.push(use);
  }
  failed.sort((one, other) => one.endedAt! - other.endedAt!);
  let count = 0;
  let endedAt = -Infinity;
  for (const use of failed) {
    if (use.since < endedAt) continue;
    count++;
    endedAt = use.endedAt!;
  }
  return {
    count,
    lastReason: failed.at(-1)?.reason ?? "the process was gone while eggs were being imported",
  };
}

/** When it was first found to be gone is kept: starts after that did not run beside it. */
function noteGone(paths: StorePaths, { name }: Lease, at: number): void {
  try {
    runtime.appendTextFile(joinPath(paths.leases, name), linesText([{ gone: true, at }]));
  } catch { /* it counts all the same, once */ }
}

/**
 * Forgets starts that vanished while the code of a generation was being loaded: another start has
 * come through that, so the code was not why.
 */
export function forgiveVanished(paths: StorePaths, generation: number, now: number): void {
  for (const lease of listLeases(paths)) {
    const use = lease.uses.find((one) => one.generation === generation);
    if (use?.phase === "starting" && !mayBeRunning(lease, now)) removeLease(paths, lease.name);
  }
}

/** Forgets programs that are gone, unless what they say may count against a generation. */
export function removeEndedLeases(paths: StorePaths, now: number): void {
  for (const lease of listLeases(paths)) {
    const tells = lease.uses.some(({ phase }) => phase !== "running");
    if (!tells && !mayBeRunning(lease, now)) removeLease(paths, lease.name);
  }
}

/** Forgets what leases say of a generation: it has proven itself, or is rejected. */
export function settleLeases(paths: StorePaths, generation: number, now: number): void {
  for (const lease of listLeases(paths)) {
    const concerns = lease.uses.some((use) => use.generation === generation);
    if (concerns && !mayBeRunning(lease, now)) removeLease(paths, lease.name);
  }
}
