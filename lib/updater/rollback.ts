/**
 * Going back to an older generation: because starts on the newer one failed, or because somebody
 * says so. All eggs of a generation go back together. Needs no source: closures of kept
 * generations stay.
 *
 * @module
 */

import type { ErrorCode } from "../errors.ts";
import { describeError, TransmuteError } from "../errors.ts";
import { projectOf } from "../model/requirement.ts";
import type { Generation, Refusal, RolledBack, State } from "../model/state.ts";
import type { RollbackOptions } from "../options.ts";
import { newestProvenAncestor } from "../store/ancestors.ts";
import { isWhole, readGeneration } from "../store/generations.ts";
import { settleLeases } from "../store/leases.ts";
import { isProven, markRejected, unmarkRejected } from "../store/marks.ts";
import { CHANGE_WAIT_MS, changeState, writeHistory } from "./change_state.ts";
import { changeBetween, runHook } from "./hooks.ts";
import type { UpdateRequest } from "./request.ts";

/** What going back came to. */
export interface RollbackResult {
  state: State;
  rolledBack: RolledBack;
}

/**
 * Goes back because the application or its user says so.
 *
 * @throws {TransmuteError} `nothing-to-roll-back-to`, `lock-timeout`, `disk-failure`
 */
export async function rollbackNow(
  request: UpdateRequest,
  { to }: RollbackOptions,
): Promise<RollbackResult> {
  const choose = (state: State) => targetOf(request, state, to);
  const wait = AbortSignal.timeout(CHANGE_WAIT_MS);
  return (await goBack(request, wait, "rollback() was called", choose))!;
}

/**
 * Makes the generation that `choose` gives the active one, and rejects the one that was. `null`
 * when `choose` gives none. Writes the state first: a crash in between leaves the newer generation
 * or the older one, and nothing half rejected.
 *
 * @throws {TransmuteError} `lock-timeout`, `disk-failure`; what `choose` throws
 */
export async function goBack(
  request: UpdateRequest,
  wait: AbortSignal,
  reason: string,
  choose: (state: State) => Promise<Generation | null>,
): Promise<RollbackResult | null> {
  let switched: { from: Generation; target: Generation; refused: Refusal[] } | null = null;
  const change = async (state: State): Promise<State> => {
    const target = await choose(state);
    if (target === null) return state;
    const from = state.active!;
    const refused = isForward(from, target) ? [] : refusalsOf(from, target, reason);
    switched = { from, target, refused };
    const others = remainingRefusals(state.refused, refused, target);
    const active = asActive(target, isProven(request.paths, target));
    return { ...state, active, refused: [...others, ...refused] };
  };
  const state = await changeState(request, wait, change, () => {
    const { from, target, refused } = switched!;
    record(request, reason, from, target, refused);
  });
  if (switched === null) return null;
  const { from, target } = switched as { from: Generation; target: Generation };
  const rolledBack = { from: from.generation, to: target.generation, reason };
  await tellHook(request, state, rolledBack);
  return { state, rolledBack };
}

/** Whoever goes on to a newer generation has nothing against the older one. */
function isForward(from: Generation, target: Generation): boolean {
  return target.generation > from.generation;
}

/** Tells later starts and the history what became of the newer generation. */
function record(
  { paths, options, tell }: UpdateRequest,
  reason: string,
  from: Generation,
  target: Generation,
  refused: Refusal[],
): void {
  const at = new Date(options.now()).toISOString();
  if (!isForward(from, target)) markRejected(paths, from.generation, { at, reason, refused });
  unmarkRejected(paths, target.generation);
  settleLeases(paths, from.generation, options.now());
  const eggs = Object.entries(target.eggs).map(([project, { version }]) => `${project}@${version}`);
  tell("warn", "rolled-back", { from: from.generation, to: target.generation, reason, eggs });
}

/** The generation to go to; the one that the user names need not be an older one. */
async function targetOf(
  { paths, requirements, question }: UpdateRequest,
  { active }: State,
  to?: number,
): Promise<Generation> {
  const refuse = (found: string, hint: string) =>
    new TransmuteError("nothing-to-roll-back-to", `Cannot roll back: ${found}`, { hint });
  if (active === null) throw refuse("nothing is active", "Await update() first");
  if (to === undefined) {
    const needs = { requirements, platform: question.platform };
    const target = await newestProvenAncestor(paths, active, needs);
    if (target !== null) return target;
    throw refuse(
      `found no older generation than ${active.generation} that is proven, whole and meets the requirements`,
      "status() lists the generations on record; rollback({ to }) takes any that is whole",
    );
  }
  if (to === active.generation) {
    throw refuse(`generation ${to} is the active one`, "status() lists the generations on record");
  }
  const target = readGeneration(paths, to);
  if (target === null || !isWhole(paths, target)) {
    throw refuse(
      `generation ${to} is ${target === null ? "not on record" : "no longer whole"}`,
      "status() lists the generations on record",
    );
  }
  return target;
}

const keyOf = ({ source, project, version }: Pick<Refusal, "source" | "project" | "version">) =>
  `${source}\n${project}\n${version}`;

/** Refusals that stay: new ones take the place of old ones, and what is wanted again is free. */
function remainingRefusals(before: Refusal[], added: Refusal[], target: Generation): Refusal[] {
  const replaced = new Set(added.map(keyOf));
  const wanted = new Set(
    Object.entries(target.eggs).map(([project, egg]) => keyOf({ project, ...egg })),
  );
  return before.filter((refusal) =>
    !replaced.has(keyOf(refusal)) &&
    !(refusal.code === "generation-rejected" && wanted.has(keyOf(refusal)))
  );
}

/** A generation as the state has it. */
function asActive(generation: Generation, isProven: boolean): Generation {
  if (!isProven) return { ...generation, probation: true };
  const { probation: _probation, ...active } = generation;
  return active;
}

/** What is not offered again: the eggs that the rejected generation does not share. */
function refusalsOf(from: Generation, target: Generation, reason: string): Refusal[] {
  const code: ErrorCode = "generation-rejected";
  return Object.entries(from.eggs)
    .filter(([project, { closure }]) => target.eggs[project]?.closure !== closure)
    .flatMap(([project, { source, version, validator }]) =>
      validator === undefined || target.eggs[project]?.version === version ? [] : [{
        source,
        project: projectOf(project, "python") ?? project,
        version,
        validator,
        code,
        message: `generation ${from.generation} was rejected: ${reason}`,
      }]
    );
}

/** Tells the application that it went back. */
async function tellHook(
  request: UpdateRequest,
  state: State,
  { from, reason }: RolledBack,
): Promise<void> {
  const { paths, options, tell } = request;
  const hook = options.onRollback;
  if (hook === undefined) return;
  const before = readGeneration(paths, from);
  const change = { ...changeBetween(before, state.active!), from, reason };
  try {
    await runHook("onRollback", options.hookTimeoutMs, () => hook(change));
  } catch (error) {
    tell("error", "hook-failed", { hook: "onRollback", message: describeError(error) });
    writeHistory(request);
  }
}
