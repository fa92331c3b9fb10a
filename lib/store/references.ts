/**
 * What applications need of a store: which of their generations stay, and which closures those are
 * made of.
 *
 * @module
 */

import type { Generation } from "../model/state.ts";
import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";
import type { StorePaths } from "./cache.ts";
import { storePaths } from "./cache.ts";
import { listGenerations, readGeneration } from "./generations.ts";
import { listLeases, mayBeRunning } from "./leases.ts";
import { isProven, readRejection } from "./marks.ts";
import { readState } from "./state.ts";

/**
 * For so long after it was followed by another, a generation stays whatever happens: programs that
 * started on it and have not lived long enough to take a lease may still import its files.
 */
const LATELY_MS = 60 * 60 * 1000;

/** What becomes of the generations of one application. */
export interface GenerationUse {
  /** Those whose closures stay. */
  needed: Generation[];
  /** Numbers of those whose records go. */
  dropped: number[];
}

/**
 * Which generations an application needs: the active one; before it `keepGenerations` less one that
 * are proven, and one at least while the active one is not; those that programs run on or ran on
 * lately; and what an update is about to make active.
 */
export function generationUse(
  paths: StorePaths,
  keepGenerations: number,
  now: number,
): GenerationUse {
  const { state, damaged } = readState(paths);
  const records = listGenerations(paths).flatMap((number) => readGeneration(paths, number) ?? []);
  const active = state.active;
  // Nobody knows what a program would recover from what is here.
  if (damaged || active === null) return { needed: records, dropped: [] };
  const kept = new Set<number>([active.generation]);
  const byNumber = new Map(records.map((record) => [record.generation, record]));
  let older = Math.max(keepGenerations - 1, active.probation === undefined ? 0 : 1);
  for (const record of ancestors(active, byNumber)) {
    if (older === 0) break;
    if (!isProven(paths, record)) continue;
    kept.add(record.generation);
    older--;
  }
  for (const lease of listLeases(paths)) {
    if (!mayBeRunning(lease, now)) continue;
    for (const { generation } of lease.uses) kept.add(generation);
  }
  records.forEach(({ generation, createdAt }, index) => {
    const followedAt = Date.parse(records[index + 1]?.createdAt ?? createdAt);
    const lately = now - followedAt < LATELY_MS;
    if (lately || (generation > active.generation && readRejection(paths, generation) === null)) {
      kept.add(generation);
    }
  });
  const newest = Math.max(...byNumber.keys());
  return {
    needed: [active, ...records.filter(({ generation }) => kept.has(generation))],
    // The newest record stays for its number, which is not to be given again.
    dropped: records.map(({ generation }) => generation)
      .filter((generation) => !kept.has(generation) && generation !== newest),
  };
}

/** The generations before one, newest first; where a record is lost, the next older one. */
function ancestors(of: Generation, records: Map<number, Generation>): Generation[] {
  const found: Generation[] = [];
  let at = of;
  while (at.parent !== null) {
    const parent = at.parent;
    const below = Math.min(parent, at.generation - 1);
    const next = records.get(below) ??
      [...records.values()].findLast(({ generation }) => generation < below);
    if (next === undefined) break;
    found.push(next);
    at = next;
  }
  return found;
}

/**
 * The closures that any application of the store needs; `null` when that cannot be told, because
 * another version of Transmute keeps its own records there.
 *
 * @param own what this application needs; of others, all that is on record counts
 */
export function neededClosures(paths: StorePaths, own: Generation[]): Set<string> | null {
  const needed = new Set<string>();
  const need = (generations: Generation[]) => {
    for (const { eggs } of generations) {
      for (const { closure } of Object.values(eggs)) needed.add(closure);
    }
  };
  need(own);
  for (const name of runtime.list(paths.root)) {
    if (/^apps-v\d+$/.test(name) && name !== "apps-v1") return null;
  }
  for (const app of runtime.list(joinPath(paths.root, "apps-v1"))) {
    const others = storePaths(paths.root, app);
    if (others.app === paths.app) continue;
    try {
      const { active } = readState(others).state;
      need(active === null ? [] : [active]);
      need(listGenerations(others).flatMap((number) => readGeneration(others, number) ?? []));
    } catch {
      return null; // of a format that is not known here, or not to be read
    }
  }
  return needed;
}
