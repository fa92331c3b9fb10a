/**
 * The mark that one process finishes an application's update, so that no second one is started.
 *
 * Such a process has a hard end, so a mark is nobody's when that time has passed: whether its
 * process hangs, cannot be seen from here, or ran on another host of a shared home. Where it can be
 * seen that its process is gone, or never came, the mark is nobody's at once.
 *
 * @module
 */

import { CLOCK_TOLERANCE_MS } from "../model/schedule.ts";
import { runtime } from "../runtime/current.ts";
import type { ProcessIdentity } from "../runtime/processes.ts";
import { livenessOf, ownProcess } from "../runtime/processes.ts";
import type { StorePaths } from "./cache.ts";
import { randomName, writeAtomically } from "./files.ts";

/** What a process is given beyond its life before its mark is nobody's. */
const GRACE_MS = 30 * 1000;
/** A process that has not signed for so long after it was started never will. */
const SIGNS_WITHIN_MS = 60 * 1000;

/** The content of the mark. */
interface BackgroundMark {
  token: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  lifeMs: number;
  /** Who it is; known when it has started. */
  owner?: ProcessIdentity;
}

function readMark(paths: StorePaths): BackgroundMark | null {
  try {
    return JSON.parse(runtime.readTextFile(paths.background));
  } catch {
    return null;
  }
}

function writeMark(paths: StorePaths, mark: BackgroundMark): void {
  writeAtomically(paths.background, JSON.stringify(mark), { flush: false });
}

function isAtWork({ startedAt, lifeMs, owner }: BackgroundMark, now: number): boolean {
  const longestMs = owner === undefined ? SIGNS_WITHIN_MS : lifeMs + GRACE_MS;
  if (now < startedAt - CLOCK_TOLERANCE_MS || now > startedAt + longestMs) return false;
  const liveness = owner === undefined ? "unknown" : livenessOf(owner);
  return liveness !== "gone" && liveness !== "interrupted";
}

/**
 * Claims the right to start a process that finishes the update. To be called by whoever holds the
 * courtesy lock.
 *
 * @param now milliseconds since the epoch
 * @param lifeMs milliseconds after which the process ends, done or not
 * @returns the token to give to it, or `null` when one is at work
 */
export function claimBackground(paths: StorePaths, now: number, lifeMs: number): string | null {
  const mark = readMark(paths);
  if (mark !== null && isAtWork(mark, now)) return null;
  const token = randomName();
  writeMark(paths, { token, startedAt: now, lifeMs });
  return token;
}

/** Signs the mark, and tells whether it is still one's own. */
export function signBackground(paths: StorePaths, token: string): boolean {
  const mark = readMark(paths);
  if (mark?.token !== token) return false;
  writeMark(paths, { ...mark, owner: ownProcess() });
  return true;
}

/** Takes the mark away, if it is one's own. */
export function releaseBackground(paths: StorePaths, token: string): void {
  if (readMark(paths)?.token !== token) return;
  try {
    runtime.remove(paths.background);
  } catch { /* it holds until its time has passed */ }
}
