/**
 * An update that is due: its turn among other processes, and what is noted before and after. The
 * work itself is loaded when the turn has come: most of many starts at once find that it was done.
 *
 * @module
 */

import { isTransmuteError } from "../errors.ts";
import { isCheckDue, isUsable } from "../model/schedule.ts";
import type { State } from "../model/state.ts";
import { diskFailure, prepareStore } from "../store/files.ts";
import { writeState } from "../store/generations.ts";
import type { Unlock } from "../store/lock.ts";
import { removeStale } from "../store/staging.ts";
import { readState } from "../store/state.ts";
import { lockFor, recoveredState, writeHistory } from "./change_state.ts";
import { withAttempts } from "./record.ts";
import type { UpdateRequest, UpdateResult } from "./request.ts";

/** How long a program without anything to run on waits for another process's update. */
const LOCK_WAIT_MS = 5 * 60 * 1000;

/**
 * Runs an update that is due.
 *
 * @throws {TransmuteError} when it failed; what was active is untouched
 */
export async function updateNow(request: UpdateRequest): Promise<UpdateResult> {
  const { paths, tell, signal, question } = request;
  let unlock: Unlock | null = null;
  // Requests that nobody waits for any longer end with the update.
  const end = new AbortController();
  try {
    prepareStore(paths);
    const wait = isUsable(question) ? signal : AbortSignal.timeout(LOCK_WAIT_MS);
    unlock = await lockFor(request, wait);
    signal.throwIfAborted();
    request.onBegin?.();
    const state = currentState(request);
    const due = dueSources(request, state);
    if (due === null) return { state, plan: null, refused: [], problems: [], unfinished: false };
    const attempted = isUsable({ ...question, state }) ? withAttempts(state, due, request) : null;
    if (attempted !== null) writeState(paths, attempted);
    const { updateLocked } = await import("./pipeline.ts");
    const both = { ...request, signal: AbortSignal.any([signal, end.signal]) };
    const result = await updateLocked(both, state, due);
    removeStale(paths, Date.now());
    return result;
  } catch (error) {
    const failure = isTransmuteError(error) ? error : diskFailure("update", error);
    const { code, message } = failure;
    // What fails for lack of a right fails at every start, until somebody is told.
    if (!isUsable(question)) tell("info", "failed", { code, message });
    else tell(code === "permission-missing" ? "error" : "info", "kept", { code, message });
    throw failure;
  } finally {
    end.abort(new DOMException("The update has ended", "AbortError"));
    unlock?.();
    writeHistory(request);
  }
}

/** Which sources are to be asked now that nobody else is updating; `null` when none is. */
function dueSources(request: UpdateRequest, state: State): Set<string> | null {
  const { question, options, continuing } = request;
  // By a clock read now: what another process did while this one waited is not of the future.
  const answer = isCheckDue({ ...question, now: options.now(), state });
  const due = new Set(answer.due ? answer.sources : []);
  if (continuing) {
    for (const { id, kind } of question.sources) {
      const mayAsk = kind === "local" || !question.offline;
      if (mayAsk && state.checks[id]?.failures !== undefined) due.add(id);
    }
  }
  return answer.due || due.size > 0 ? due : null;
}

/** The state under the lock: another process may have updated, or a disk may have failed. */
function currentState(request: UpdateRequest): State {
  const { state, damaged } = readState(request.paths);
  return damaged ? recoveredState(request) : state;
}
