/**
 * What the state keeps of asking: noted before, so that a process killed in the middle rests like
 * one that failed, and again after.
 *
 * @module
 */

import { nextCheckAt } from "../model/next_check.ts";
import type { ScheduledSource, ScheduleQuestion } from "../model/schedule.ts";
import type { SourceCheck, State } from "../model/state.ts";
import type { ResolvedOptions } from "../options.ts";
import type { Catalog } from "./catalog.ts";
import type { DeclaredSource } from "./roots.ts";

/** Refusals that are remembered, the newest. */
const MAX_REFUSALS = 200;

/** What both notes need to know of an update. */
export interface Asking {
  options: Pick<ResolvedOptions, "now" | "random" | "checkEveryMs">;
  question: ScheduleQuestion;
  sources: DeclaredSource[];
  /** True where this goes on with what an earlier process noted as its own attempt. */
  continuing?: boolean;
}

function intervalOf(source: ScheduledSource, { options }: Asking): number {
  return source.checkEveryMs ?? options.checkEveryMs;
}

/** Failures in a row before this attempt. */
function failuresBefore(check: SourceCheck | undefined, { continuing }: Asking): number {
  const failures = check?.failures ?? 0;
  return continuing ? Math.max(0, failures - 1) : failures;
}

/**
 * The state with an attempt at every due network source, noted as a failure until more is known.
 * `null` when there is nothing to note: a folder that was read by half looks different still.
 */
export function withAttempts(state: State, due: Set<string>, asking: Asking): State | null {
  const now = asking.options.now();
  const checks = { ...state.checks };
  for (const source of asking.question.sources) {
    if (source.kind !== "network" || !due.has(source.id) || asking.continuing) continue;
    const failures = failuresBefore(state.checks[source.id], asking) + 1;
    const outcome = { checkEveryMs: intervalOf(source, asking), failures };
    const nextAt = nextCheckAt(now, outcome, asking.options.random());
    checks[source.id] = { checkedAt: now, nextAt, failures };
  }
  const noted = asking.question.sources.some(({ id }) => checks[id] !== state.checks[id]);
  return noted ? { ...state, checks } : null;
}

/** What an update came to, as far as its sources are concerned. */
export interface Asked {
  due: Set<string>;
  catalog: Catalog;
  /** Ids of the sources of what was left undone for lack of time. */
  unfinished?: Set<string>;
  /** False when it failed or was ended before everything was stored. */
  finished: boolean;
  /** True when only its time was spent. */
  timeSpent: boolean;
}

/** The state with what an update learnt of the sources. */
export function withAnswers(state: State, asked: Asked, asking: Asking): State {
  const { due, catalog } = asked;
  const checks: Record<string, SourceCheck> = {};
  for (const source of asking.question.sources) {
    const before = state.checks[source.id];
    if (due.has(source.id)) checks[source.id] = checkOf(source, before, asked, asking);
    else if (before !== undefined) checks[source.id] = before;
  }
  const known = new Set(asking.sources.map(({ source }) => source.id));
  const refused = catalog.refused.filter((refusal) => known.has(refusal.source));
  return { ...state, checks, refused: refused.slice(-MAX_REFUSALS) };
}

function checkOf(
  source: ScheduledSource,
  before: SourceCheck | undefined,
  { catalog, finished, timeSpent, unfinished }: Asked,
  asking: Asking,
): SourceCheck {
  const now = asking.options.now();
  const failure = catalog.failures.get(source.id);
  // A folder that is not there is looked at on every start anyway.
  const isLeft = !finished || unfinished?.has(source.id) === true;
  const failed = (failure !== undefined || isLeft) && source.fingerprint !== null;
  // A source that was answering when the time was spent is well, and the rest is not far.
  const isWell = isLeft && (timeSpent || finished) && catalog.answered.has(source.id);
  const failures = !failed ? 0 : isWell ? 1 : failuresBefore(before, asking) + 1;
  const outcome = {
    checkEveryMs: intervalOf(source, asking),
    failures,
    ...(failure?.retryAfterMs === undefined ? {} : { retryAfterMs: failure.retryAfterMs }),
  };
  return {
    checkedAt: now,
    nextAt: nextCheckAt(now, outcome, asking.options.random()),
    ...(source.fingerprint === undefined ? {} : { fingerprint: source.fingerprint }),
    ...(failures === 0 ? {} : { failures }),
  };
}
