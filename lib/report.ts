/**
 * What an application is told of an update.
 *
 * @module
 */

import type { TransmuteError } from "./errors.ts";
import type { Generation, Refusal, RolledBack } from "./model/state.ts";

/** The reason that nothing changed. */
export type UnchangedReason =
  | "not-due"
  | "already-newest"
  | "offline"
  | "held-by-requirement"
  | "held"
  | "vetoed"
  | "source-failed"
  | "opted-out"
  | "in-ci";

/** What an `update()` came to. */
export interface UpdateReport {
  /**
   * `updated`: a newer generation is active. `unchanged`: see `reason`. `deferred`: the budget
   * was spent; the program runs on what it has. `rolled-back`: an older generation is active again.
   */
  outcome: "updated" | "unchanged" | "deferred" | "rolled-back";
  /** Why nothing changed; absent when something did. */
  reason?: UnchangedReason;
  /**
   * How what there was no time for goes on: in a process of its own, in a thread of this program,
   * or not before the next start. Absent when all was done.
   */
  background?: "process" | "in-process" | "off";
  /** The number of the active generation. */
  generation: number;
  /** From which generation this start, or this call, went back to which, and why. */
  rolledBack?: RolledBack;
  /** Every active egg, and the version it replaced, if it did. */
  eggs: { project: string; version: string; from?: string }[];
  /** Whether new code can be imported right here, or older copies are already loaded. */
  relaunch: "not-needed" | "relaunch-needed";
  /** What is refused, and why: eggs that failed their proof. */
  refused: Refusal[];
  /** What went wrong without harm: what is active serves. */
  problems: TransmuteError[];
}

/** The part of a report that follows from what is active, before and now. */
export function reportOn(
  before: Generation | null,
  active: Generation | null,
  loadedElsewhere: string[],
): Pick<UpdateReport, "generation" | "eggs" | "relaunch"> {
  return {
    generation: active?.generation ?? 0,
    eggs: Object.entries(active?.eggs ?? {}).map(([project, { version }]) => {
      const from = before?.eggs[project]?.version;
      return { project, version, ...(from === undefined || from === version ? {} : { from }) };
    }),
    relaunch: loadedElsewhere.length > 0 ? "relaunch-needed" : "not-needed",
  };
}
