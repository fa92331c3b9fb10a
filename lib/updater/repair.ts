/**
 * Mending a damaged store: what can be made anew from what is on the disk is; else the sources are
 * asked; else the application goes on with another generation that is whole. What cannot be mended
 * is taken out of the way, so that nothing damaged is imported.
 *
 * @module
 */

import { describeError, isTransmuteError } from "../errors.ts";
import type { Generation, RolledBack, State } from "../model/state.ts";
import { runtime } from "../runtime/current.ts";
import { baseName, joinPath } from "../runtime/paths.ts";
import type { StorePaths } from "../store/cache.ts";
import { setAside } from "../store/closure.ts";
import { writeAtomically } from "../store/files.ts";
import {
  isWhole,
  listGenerations,
  readGeneration,
  removeGeneration,
} from "../store/generations.ts";
import { dropDamagedLines } from "../store/history.ts";
import { isProven, markRejected, readRejection } from "../store/marks.ts";
import { rebuildClosure } from "../store/rebuild.ts";
import { readState } from "../store/state.ts";
import type { StoreProblem, StoreReport } from "../store/verify.ts";
import { verifyStore } from "../store/verify.ts";
import { CHANGE_WAIT_MS, changeState, writeHistory } from "./change_state.ts";
import type { UpdateRequest } from "./request.ts";
import { updateNow } from "./update.ts";

/** Why a generation is left whose eggs cannot be had any more; they are not to blame. */
const LOST = "its eggs were damaged on this disk, and no source had them";

/** What mending came to. */
export interface Repaired {
  report: StoreReport;
  state: State;
  rolledBack?: RolledBack;
}

/**
 * Verifies and mends the store.
 *
 * @throws {TransmuteError} `lock-timeout`, `disk-failure`
 */
export async function repairNow(request: UpdateRequest): Promise<Repaired> {
  const { paths, tell } = request;
  const report = await verifyStore(paths);
  for (const { path, message } of report.problems) tell("warn", "damaged", { path, message });
  let state = await mendLocally(request, report.problems);
  const lost = report.problems.filter(({ kind, repair }) => kind === "closure" && !repair);
  let rolledBack: RolledBack | undefined;
  if (!isUsable(paths, state)) {
    state = await fetchAgain(request, state, lost);
    if (!isUsable(paths, state)) {
      ({ state, rolledBack } = await fallBack(request, state.active!, lost));
    }
  }
  for (const problem of lost) problem.repair ??= "removed";
  giveUpLost(request, state, rolledBack?.from);
  for (const { path, repair } of report.problems) {
    if (repair === "rebuilt") tell("info", "repaired", { path, from: "disk" });
    if (repair === "fetched") tell("info", "repaired", { path, from: "sources" });
  }
  writeHistory(request);
  return { report, state, ...(rolledBack === undefined ? {} : { rolledBack }) };
}

function isUsable(paths: StorePaths, { active }: State): boolean {
  return active === null || isWhole(paths, active);
}

/** Generations whose eggs are gone for good are not gone back to, nor verified again. */
function giveUpLost(
  { paths, options }: UpdateRequest,
  { active }: State,
  left: number | undefined,
): void {
  const at = new Date(options.now()).toISOString();
  for (const number of listGenerations(paths)) {
    const generation = readGeneration(paths, number);
    if (generation === null || number === active?.generation) continue;
    if (isWhole(paths, generation) && number !== left) continue;
    if (readRejection(paths, number) !== null) continue;
    markRejected(paths, number, { at, reason: LOST, refused: [] });
  }
}

/** What the disk itself can mend; closures that it cannot are taken out of their place. */
async function mendLocally(request: UpdateRequest, problems: StoreProblem[]): Promise<State> {
  const { paths, options } = request;
  const closures = new Map<string, StoreProblem[]>();
  for (const problem of problems) {
    if (problem.kind !== "closure") continue;
    const name = baseName(problem.path);
    closures.set(name, [...closures.get(name) ?? [], problem]);
  }
  return await changeState(request, AbortSignal.timeout(CHANGE_WAIT_MS), async (state) => {
    for (const [name, ofIt] of closures) {
      if (await rebuilt(request, name, options.maxUnpackedBytes)) {
        for (const problem of ofIt) problem.repair = "rebuilt";
      } else setAside(paths, name);
    }
    for (const problem of problems) {
      const path = joinPath(paths.root, problem.path);
      switch (problem.kind) {
        case "state": // the change itself writes what can be recovered
          problem.repair = "rebuilt";
          break;
        case "generation":
          problem.repair = mendGeneration(paths, state, path);
          break;
        case "archive":
        case "listing":
          runtime.remove(path);
          problem.repair = "removed";
          break;
        case "history":
          dropDamagedLines(path);
          problem.repair = "removed";
      }
    }
    return state;
  });
}

async function rebuilt(
  { paths, tell }: UpdateRequest,
  name: string,
  maxUnpackedBytes: number,
): Promise<boolean> {
  try {
    return await rebuildClosure(paths, name, maxUnpackedBytes);
  } catch (error) {
    if (!isTransmuteError(error) || error.code === "disk-failure") throw error;
    tell("debug", "skipped", { egg: name, message: describeError(error) });
    return false;
  }
}

/** The state still has the active generation; another one without a record is none. */
function mendGeneration(
  paths: StorePaths,
  { active }: State,
  path: string,
): StoreProblem["repair"] {
  const number = Number.parseInt(baseName(path));
  if (active?.generation === number) {
    writeAtomically(path, JSON.stringify(active, null, 1));
    return "rebuilt";
  }
  removeGeneration(paths, number);
  return "removed";
}

/** Brings what is lost from the sources, as an update does. */
async function fetchAgain(
  request: UpdateRequest,
  state: State,
  lost: StoreProblem[],
): Promise<State> {
  const { paths, question } = request;
  try {
    const forced = { ...question, state, force: true };
    const result = await updateNow({ ...request, question: forced });
    const { active } = result.state;
    for (const problem of lost) {
      const isBack = runtime.status(joinPath(paths.root, problem.path)) !== null;
      // Another egg may have taken its place: its source has it no longer, or has a newer one.
      const isReplaced = active !== null && isWhole(paths, active) &&
        Object.values(state.active?.eggs ?? {})
          .some(({ closure }) => problem.path.endsWith(closure));
      if (isBack || isReplaced) problem.repair = "fetched";
    }
    return result.state;
  } catch (error) {
    if (!isTransmuteError(error)) throw error;
    return readState(paths).state; // told by the update itself
  }
}

/** Goes on with the newest generation that is whole. The lost one is not at fault. */
async function fallBack(
  request: UpdateRequest,
  lost: Generation,
  problems: StoreProblem[],
): Promise<{ state: State; rolledBack?: RolledBack }> {
  const { paths, tell } = request;
  const target = newestWhole(paths, lost.generation);
  for (const problem of problems) problem.repair = target === null ? "failed" : "fell-back";
  if (target === null) return { state: readState(paths).state };
  const rolledBack = { from: lost.generation, to: target.generation, reason: LOST };
  const state = await changeState(
    request,
    AbortSignal.timeout(CHANGE_WAIT_MS),
    (current) => ({ ...current, active: target }),
    () => tell("warn", "rolled-back", { ...rolledBack, eggs: eggNames(target) }),
  );
  return { state, rolledBack };
}

function eggNames({ eggs }: Generation): string[] {
  return Object.entries(eggs).map(([project, { version }]) => `${project}@${version}`);
}

/** The newest whole generation but this one, proven ones first. */
function newestWhole(paths: StorePaths, but: number): Generation | null {
  const whole = listGenerations(paths).reverse()
    .filter((number) => number !== but && readRejection(paths, number) === null)
    .flatMap((number) => readGeneration(paths, number) ?? [])
    .filter((generation) => isWhole(paths, generation));
  const proven = whole.find((generation) => isProven(paths, generation));
  if (proven === undefined) return whole[0] ?? null;
  const { probation: _probation, ...active } = proven;
  return active;
}
