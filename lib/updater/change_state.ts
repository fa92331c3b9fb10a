/**
 * Changing the state of an application: read again under the lock, changed, and replaced in one
 * step, so that no two processes undo one another's changes.
 *
 * @module
 */

import { describeError, isTransmuteError } from "../errors.ts";
import type { State } from "../model/state.ts";
import { emptyState } from "../model/state.ts";
import { runtime } from "../runtime/current.ts";
import type { StorePaths } from "../store/cache.ts";
import { diskFailure, prepareStore } from "../store/files.ts";
import { listGenerations, newestGeneration, writeState } from "../store/generations.ts";
import { appendHistory } from "../store/history.ts";
import type { Unlock } from "../store/lock.ts";
import { acquireLock } from "../store/lock.ts";
import { readRejection } from "../store/marks.ts";
import { readState } from "../store/state.ts";
import type { UpdateRequest } from "./request.ts";

/** How long a change that its user asked for waits for another process's update. */
export const CHANGE_WAIT_MS = 60_000;

/** The part of a request that telling needs. */
type Telling = Pick<UpdateRequest, "paths" | "tell" | "drain">;

/**
 * Changes the state under the lock.
 *
 * @param wait how long to wait for the lock; one that has fired tries once
 * @param change gives the new state, or the one it was given when nothing is to change
 * @param afterwards called when a new state is on the disk, still under the lock
 * @throws {TransmuteError} `lock-timeout`, `disk-failure`; what `change` throws
 */
export async function changeState(
  request: Telling,
  wait: AbortSignal,
  change: (state: State) => State | Promise<State>,
  afterwards?: () => void,
): Promise<State> {
  const { paths } = request;
  prepareStore(paths);
  const unlock = await lockFor(request, wait);
  try {
    const reading = readState(paths);
    const state = reading.damaged ? recoveredState(request) : reading.state;
    const next = await change(state);
    if (next !== state || reading.damaged) writeState(paths, next);
    if (next !== state) afterwards?.();
    return next;
  } catch (error) {
    throw isTransmuteError(error) ? error : diskFailure("change the state", error);
  } finally {
    unlock();
    writeHistory(request);
  }
}

/**
 * Takes the courtesy lock. Where the file system has none, the work goes on without it, and tells.
 *
 * @throws {TransmuteError} `lock-timeout` when `wait` fired before
 */
export async function lockFor(
  { paths, tell }: Pick<UpdateRequest, "paths" | "tell">,
  wait: AbortSignal,
): Promise<Unlock> {
  const { lock } = paths;
  try {
    return await acquireLock(lock, wait, () => tell("debug", "waiting", { lock }));
  } catch (error) {
    if (isTransmuteError(error)) throw error;
    tell("warn", "unlocked", { lock, message: describeError(error) });
    return () => {};
  }
}

/**
 * What can be had instead of a damaged state: the newest generation that is whole and not
 * rejected, what rejections say, and what of the state itself still makes sense.
 */
export function recoveredState({ paths, tell }: Pick<UpdateRequest, "paths" | "tell">): State {
  const active = newestGeneration(paths);
  tell("warn", "recovered", { generation: active?.generation ?? null });
  const refused = listGenerations(paths)
    .flatMap((generation) => readRejection(paths, generation)?.refused ?? []);
  return { ...emptyState(), active, refused, ...savedHolds(paths) };
}

/** The projects that are held, where a damaged state still tells. */
function savedHolds(paths: StorePaths): Pick<State, "held"> {
  try {
    const { held } = JSON.parse(runtime.readTextFile(paths.state));
    const isList = Array.isArray(held) && held.every((project) => typeof project === "string");
    return isList ? { held } : {};
  } catch {
    return {};
  }
}

/** A line lost from the history is no reason to call a change failed. */
export function writeHistory({ paths, tell, drain }: Telling): void {
  try {
    appendHistory(paths, drain());
  } catch (error) {
    tell("warn", "unrecorded", { message: describeError(error) });
  }
}
