/**
 * Stage: bring and store all new closures at once; what cannot be had keeps what is active.
 *
 * @module
 */

import { isTransmuteError, TransmuteError } from "../errors.ts";
import type { ActiveEgg, Generation } from "../model/state.ts";
import type { StoreSettings } from "./activate.ts";
import { storeResolved } from "./activate.ts";
import type { Resolution, ResolvedClosure } from "./resolve.ts";
import { rootEgg } from "./resolve.ts";
import { fired } from "./roots.ts";

type StoredEggs = Record<string, ActiveEgg>;

/** Closures that are being stored, so that a second plan does not begin them again. */
export type Underway = Map<string, Promise<StoredEggs>>;

/** What storing needs to know besides the closures. */
export interface StoreQuestion extends StoreSettings {
  /** What may stay active, if anything may. */
  usable: Generation | null;
  underway: Underway;
  /** Fires when nobody is waited for any longer who keeps others' news from being used. */
  patience?: AbortSignal;
}

function keyOf({ roots, eggs }: ResolvedClosure): string {
  return JSON.stringify([
    roots,
    eggs.map(({ location, source, release }) => [location, source.id, release.artifact.locator]),
  ]);
}

/** The active eggs of a closure's roots, or `null` when one of them has none. */
function activeOf(closure: ResolvedClosure, usable: Generation | null): ActiveEgg[] | null {
  const { roots } = closure;
  const eggs = roots.flatMap((project) => usable?.eggs[rootEgg(closure, project).name] ?? []);
  return eggs.length === roots.length ? eggs : null;
}

/**
 * Stores every new closure of the resolution, and gives all eggs of the next generation. What
 * failed or was not waited for is noted in the resolution as kept.
 *
 * @throws {RefusedCandidate} at once when an egg's bytes are bad
 * @throws {TransmuteError} when something cannot be had and nothing is active in its place
 */
export async function storeClosures(
  resolution: Resolution,
  question: StoreQuestion,
): Promise<StoredEggs> {
  const { usable, underway, patience } = question;
  const stored = new Map<ResolvedClosure, StoredEggs>();
  const failed = new Map<ResolvedClosure, TransmuteError>();
  const pending = new Map(resolution.closures.map((closure) => {
    const key = keyOf(closure);
    const storing = underway.get(key) ?? storeResolved(closure, question);
    underway.set(key, storing);
    const noted = storing.then((eggs) => void stored.set(closure, eggs), (error) => {
      if (!isTransmuteError(error) || activeOf(closure, usable) === null) throw error;
      failed.set(closure, error);
    }).finally(() => pending.delete(closure));
    return [closure, noted];
  }));
  const all = Promise.all(pending.values());
  const mayLeave = () =>
    stored.size > 0 && [...pending.keys()].every((closure) => activeOf(closure, usable) !== null);
  await (patience === undefined ? all : Promise.race([all, fired(patience)]));
  while (pending.size > 0 && !mayLeave()) await Promise.race(pending.values());
  all.catch(() => {});
  for (const closure of pending.keys()) {
    for (const { source } of closure.eggs) resolution.unfinished.add(source.id);
    failed.set(closure, tooLate(closure));
  }

  // By the order of the resolution, whatever order they arrived in.
  const eggs: StoredEggs = {};
  for (const closure of resolution.closures) {
    const error = failed.get(closure);
    if (error === undefined) continue;
    resolution.problems.push(error);
    const active = activeOf(closure, usable)!;
    closure.roots.forEach((project, index) =>
      resolution.kept.set(rootEgg(closure, project).name, {
        egg: active[index],
        reason: "source-failed",
      })
    );
  }
  resolution.closures = resolution.closures.filter((closure) => stored.has(closure));
  for (const [project, { egg }] of resolution.kept) eggs[project] = egg;
  for (const closure of resolution.closures) Object.assign(eggs, stored.get(closure));
  return eggs;
}

/** The error for a closure that others do not wait for. */
function tooLate({ roots, eggs }: ResolvedClosure): TransmuteError {
  const root = eggs.find(({ release }) => roots.includes(release.project))!;
  return new TransmuteError(
    "source-timeout",
    `Cannot wait for ${roots.join(", ")}: others have arrived, and the time is running out`,
    { source: root.source.id },
  );
}
