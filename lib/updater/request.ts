/**
 * What an update, and what else changes the state, is given of the application; and what an update
 * came to.
 *
 * @module
 */

import type { TransmuteError } from "../errors.ts";
import type { Tell, TransmuteEvent } from "../model/event.ts";
import type { Requirement } from "../model/requirement.ts";
import type { ScheduleQuestion } from "../model/schedule.ts";
import type { Refusal, State } from "../model/state.ts";
import type { ResolvedOptions } from "../options.ts";
import type { StorePaths } from "../store/cache.ts";
import type { Plan } from "./plan.ts";
import type { DeclaredSource } from "./roots.ts";

/** What an update is given. */
export interface UpdateRequest {
  paths: StorePaths;
  options: ResolvedOptions;
  requirements: Requirement[];
  sources: DeclaredSource[];
  /** What decided that this update is due; its state is read again under the lock. */
  question: ScheduleQuestion;
  /** Ends the update: fires when the budget is spent; never without a usable generation. */
  signal: AbortSignal;
  /** Fires before that: what has arrived by then is used without waiting for the rest. */
  patience?: AbortSignal;
  /** True when an earlier process began this and noted the attempt. */
  continuing?: boolean;
  /** Called when no other process is updating any longer and this one begins. */
  onBegin?: () => void;
  tell: Tell;
  /** Takes the events told since the last call. */
  drain(): TransmuteEvent[];
}

/** What an update came to. */
export interface UpdateResult {
  state: State;
  /** `null` when another process did it meanwhile. */
  plan: Plan | null;
  /** What was refused during this update. */
  refused: Refusal[];
  problems: TransmuteError[];
  /** True when something was left undone for lack of time, and the rest taken. */
  unfinished: boolean;
  /** Clears up. For when the program goes on, or in a process of its own; never fails. */
  afterwards?(): Promise<void>;
}
