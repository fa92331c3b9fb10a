/**
 * When a source is to be asked again, after an answer or a failure. Pure; chance is a value.
 *
 * @module
 */

import { LONGEST_PAUSE, LONGEST_REST_MS, SHORTEST_PAUSE } from "./schedule.ts";

/** The average rest after a first failure, doubled by each further one. */
export const FIRST_REST_MS = 15 * 60 * 1000;
/** The first rest where `checkEveryMs` is shorter than that; even zero is no reason to insist. */
export const SHORTEST_REST_MS = 60 * 1000;
/** Rests grow to this, or to `checkEveryMs` where that is longer. */
const REST_GROWS_TO_MS = 60 * 60 * 1000;
/** What a server's wish to be left alone is stretched by at most. */
const LONGEST_STRETCH = 1.5;

/** What came of asking a source. */
export interface CheckOutcome {
  /** Milliseconds between questions to this source, on average. */
  checkEveryMs: number;
  /** Failures in a row; 0 after an answer. */
  failures: number;
  /** How long the source asked to be left alone, in milliseconds. */
  retryAfterMs?: number;
}

/** `ms` times a chance value of the range that pauses are drawn from. */
function spread(ms: number, random: number): number {
  return ms * (SHORTEST_PAUSE + random * (LONGEST_PAUSE - SHORTEST_PAUSE));
}

/**
 * When a source is to be asked again.
 *
 * Every pause is drawn anew. Nothing is derived from an identity of the machine: there is none to
 * keep, and machines that were copied from one image part at their first check.
 *
 * @param now milliseconds since the epoch
 * @param random at least 0, less than 1
 * @returns milliseconds since the epoch, whole
 */
export function nextCheckAt(now: number, outcome: CheckOutcome, random: number): number {
  const { checkEveryMs, failures, retryAfterMs = 0 } = outcome;
  if (failures === 0) return now + Math.round(spread(checkEveryMs, random));
  const first = Math.min(FIRST_REST_MS, Math.max(SHORTEST_REST_MS, checkEveryMs));
  const longest = Math.max(REST_GROWS_TO_MS, checkEveryMs);
  const rest = spread(Math.min(first * 2 ** (failures - 1), longest), random);
  // Everyone was told the same: stretched, so that not everyone comes back at once.
  const wished = Math.min(retryAfterMs, LONGEST_REST_MS) *
    (1 + random * (LONGEST_STRETCH - 1));
  return now + Math.round(Math.max(rest, wished));
}
