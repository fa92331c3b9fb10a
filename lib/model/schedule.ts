/**
 * When sources are asked: pure, the clock is a value. On the path of every start; when one is to
 * be asked again is said in `next_check.ts`, which a start does not need.
 *
 * @module
 */

import type { Platform } from "../runtime/platform.ts";
import type { SourceCheck, State } from "./state.ts";
import { samePlatform } from "./state.ts";

/**
 * How far apart two checks may lie, as multiples of the interval. The pause is drawn anew from
 * this range each time, which is as wide as the interval itself: a fleet that was installed in one
 * minute is spread over the whole interval with its second check.
 */
export const SHORTEST_PAUSE = 0.5;
/** The end of that range. */
export const LONGEST_PAUSE = 1.5;
/** What failed rests no longer than this, or `checkEveryMs` where that is longer. */
export const LONGEST_REST_MS = 24 * 60 * 60 * 1000;
/** A check in the future by less than this is another machine's clock, not one set back. */
export const CLOCK_TOLERANCE_MS = 10 * 60 * 1000;

/** Why starts ask nobody by themselves: the user's word, or an automatic build. */
export type Pause = "opted-out" | "in-ci";

/** A source as the schedule sees it. */
export interface ScheduledSource {
  id: string;
  kind: "local" | "network";
  /** What a local source looks like now; `null` when it cannot be reached. */
  fingerprint?: string | null;
  /** Replaces the question's own for this source. */
  checkEveryMs?: number;
}

/** What the decision rests on. */
export interface ScheduleQuestion {
  /** Milliseconds since the epoch. */
  now: number;
  state: State;
  platform: Platform;
  /** Keys of what the application requires. */
  requirements: string[];
  sources: ScheduledSource[];
  /** What the interpreter of the active Python eggs looks like now; `null` without any. */
  interpreter?: string | null;
  /** Milliseconds between questions to a network source, on average. */
  checkEveryMs: number;
  /** The application wants it now. */
  force: boolean;
  /** Network sources may not be asked. */
  offline: boolean;
  /** Why this start asks no more than it must, if it does. */
  pause?: Pause | null;
}

/** Which sources are due, or why none is. */
export type ScheduleAnswer =
  | { due: true; sources: string[]; usable: boolean }
  | { due: false; reason: "not-due" | "offline" | Pause; usable: boolean };

/** Whether what is active meets all that the application requires, on this machine. */
export function isUsable(
  question: Pick<ScheduleQuestion, "state" | "platform" | "requirements">,
): boolean {
  const active = question.state.active;
  if (active === null || !samePlatform(active.platform, question.platform)) return false;
  const met = new Set(active.requirements);
  return question.requirements.every((key) => met.has(key));
}

/** Whether the pause after the last check has passed. A time that is no number has. */
function hasRested(now: number, check: SourceCheck, checkEveryMs: number): boolean {
  // What was recorded under a longer interval, or by a clock that was wrong, holds no longer than
  // what could be recorded today.
  const longest = check.failures === undefined
    ? LONGEST_PAUSE * checkEveryMs
    : LONGEST_PAUSE * Math.max(checkEveryMs, LONGEST_REST_MS);
  const nextAt = Math.min(check.nextAt, check.checkedAt + longest);
  return !(now < nextAt && now > check.checkedAt - CLOCK_TOLERANCE_MS);
}

/**
 * Decides which sources are to be asked. Without a usable generation: all that may be asked,
 * whatever else is wished. Otherwise a local source when it looks different, a network source when
 * its time has come, and either when it failed and has rested. When Python is another one than the
 * active eggs were chosen for, every source that need not rest: there may be other eggs for it.
 */
export function isCheckDue(question: ScheduleQuestion): ScheduleAnswer {
  const { now, state, sources, force, offline } = question;
  const usable = isUsable(question);
  const { interpreter = null } = question;
  const hasOtherPython = interpreter !== null && interpreter !== state.interpreter;
  const pause = usable && !force ? question.pause ?? null : null;
  const askable = sources.filter(({ kind }) =>
    kind === "local" ? pause !== "opted-out" : pause === null && !offline
  );
  const due = askable.filter((source) => {
    const check = state.checks[source.id];
    if (force || !usable || check === undefined) return true;
    if (hasOtherPython && check.failures === undefined) return true;
    const looksDifferent = source.fingerprint !== check.fingerprint;
    if (source.kind === "local" && check.failures === undefined) return looksDifferent;
    return (source.kind === "local" && looksDifferent) ||
      hasRested(now, check, source.checkEveryMs ?? question.checkEveryMs);
  });
  if (due.length > 0 || !usable) {
    return { due: true, sources: due.map((source) => source.id), usable };
  }
  const reason = askable.length < sources.length ? pause ?? "offline" : "not-due";
  return { due: false, reason, usable };
}
