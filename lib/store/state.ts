/**
 * Reading what a start needs: the state, and the entries of what is active. On the path of every
 * start, so it loads nothing and reads one file.
 *
 * @module
 */

import { isTransmuteError, TransmuteError } from "../errors.ts";
import type { State } from "../model/state.ts";
import { emptyState, generationSum, STATE_FORMAT } from "../model/state.ts";
import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";
import type { StorePaths } from "./cache.ts";
import { assertPrivate } from "./cache.ts";

/** What reading the state found. */
export interface StateReading {
  state: State;
  /** True when there is a file that cannot be read or is not as it was written: a disk failed. */
  damaged: boolean;
}

/** What a single wrong bit makes of the format's number or name. No format has these numbers. */
const ONE_BIT_FROM_FORMAT: unknown[] = [undefined, 0, 3, 5, 9];

const damagedState = (): StateReading => ({ state: emptyState(), damaged: true });

const isObject = (value: unknown) =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether an application without a state has had one: its generations are still on record. */
function hasRecords({ generations }: StorePaths): boolean {
  return runtime.status(generations) !== null &&
    runtime.list(generations).some((name) => name.endsWith(".json"));
}

/** Whether all is there that a start relies on, and the active generation is as it was recorded. */
function isWellFormed({ active, checks, refused, held }: State): boolean {
  if (!isObject(checks) || !Array.isArray(refused)) return false;
  if (held !== undefined && !Array.isArray(held)) return false;
  if (active === null) return true;
  return isObject(active) && isObject(active.eggs) && isObject(active.platform) &&
    Array.isArray(active.requirements) &&
    // Older versions wrote no sum.
    (active.sum === undefined || active.sum === generationSum(active));
}

/**
 * The state of the application; the empty state when there is none yet.
 *
 * @throws {TransmuteError} `store-not-private`, `store-format-unknown`, `permission-missing`
 */
export function readState(paths: StorePaths): StateReading {
  if (!assertPrivate(paths.root)) return { state: emptyState(), damaged: false };
  let text: string;
  try {
    text = runtime.readTextFile(paths.state);
  } catch (error) {
    const kind = runtime.fileErrorKind(error);
    if (kind === "missing") return { state: emptyState(), damaged: hasRecords(paths) };
    if (isTransmuteError(error)) throw error;
    return damagedState();
  }
  let state: State;
  try {
    state = JSON.parse(text);
  } catch {
    return damagedState();
  }
  if (!isObject(state)) return damagedState();
  if (state.format !== STATE_FORMAT) {
    if (ONE_BIT_FROM_FORMAT.includes(state.format) && isWellFormed(state)) return damagedState();
    throw new TransmuteError(
      "store-format-unknown",
      `Cannot read ${paths.state}: its format is ${
        JSON.stringify(state.format)
      }, wanted ${STATE_FORMAT}`,
      { hint: "A newer Transmute wrote it; update this program's copy" },
    );
  }
  return isWellFormed(state) ? { state, damaged: false } : damagedState();
}

/**
 * The state as a smoke command has it: a generation that is tried out takes the place of the active
 * one.
 */
export function onTrial(paths: StorePaths, { state }: StateReading, trial: number): StateReading {
  const record = joinPath(paths.generations, `${String(trial).padStart(6, "0")}.trial`);
  const { probation: _probation, ...active } = JSON.parse(runtime.readTextFile(record));
  return { state: { ...state, active }, damaged: false };
}

/** The folder of a closure. */
export function closureFolder(paths: StorePaths, closure: string): string {
  return joinPath(paths.closures, closure);
}

/** All entries of `project` in a closure, from the closure's record. */
export function readEntries(
  paths: StorePaths,
  closure: string,
  project: string,
): Record<string, string> {
  const record = JSON.parse(runtime.readTextFile(joinPath(paths.closures, `${closure}.json`)));
  return record.entries[project] ?? {};
}
