/**
 * Stage: store what was proven and switch to it in one step.
 *
 * @module
 */

import { eggName } from "../model/egg.ts";
import type { Tell } from "../model/event.ts";
import type { ActiveEgg, Generation, State } from "../model/state.ts";
import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";
import type { StorePaths } from "../store/cache.ts";
import type { ClosurePart, ClosureRecord } from "../store/closure.ts";
import { closureName, readClosure, storeClosure } from "../store/closure.ts";
import { writeState } from "../store/generations.ts";
import { closureFolder } from "../store/state.ts";
import type { EggFetcher } from "./fetch.ts";
import type { ResolvedClosure } from "./resolve.ts";
import { rootEgg } from "./resolve.ts";
import type { PlacedEgg } from "./tree.ts";

/** More entries than this are read from the closure's record when they are imported. */
const INLINE_ENTRIES = 32;

/** What storing needs of its surroundings. */
export interface StoreSettings {
  paths: StorePaths;
  fetcher: EggFetcher;
  tell: Tell;
  /** Ends the work between eggs and within them. */
  signal: AbortSignal;
}

/** The SHA-512 that a listing promises, if it promises one. */
function promisedSha512({ release }: PlacedEgg): string | null {
  const digest = release.artifact.digests.find((claim) => claim.startsWith("sha512:"));
  return digest?.slice("sha512:".length) ?? null;
}

/** The closure by the digests that listings promise, when the store already has it. */
async function alreadyStored(
  paths: StorePaths,
  { eggs, roots, interpreter }: ResolvedClosure,
): Promise<{ name: string; record: ClosureRecord } | null> {
  const members = eggs.map((egg) => ({
    location: egg.location,
    project: egg.release.project,
    version: egg.release.version,
    sha512: promisedSha512(egg),
  }));
  if (members.some(({ sha512 }) => sha512 === null)) return null;
  const proven = members.map((one) => ({ ...one, sha512: one.sha512! }));
  const name = await closureName(proven, roots, interpreter === undefined ? "js" : "python");
  const record = readClosure(paths, name);
  return record === null ? null : { name, record };
}

/**
 * Brings, proves and stores one closure.
 *
 * @throws {RefusedCandidate} when an egg's bytes are bad
 */
export async function storeResolved(
  closure: ResolvedClosure,
  { paths, fetcher, tell, signal }: StoreSettings,
): Promise<Record<string, ActiveEgg>> {
  const { eggs, roots } = closure;
  const ecosystem = closure.interpreter === undefined ? "js" : "python";
  let stored = await alreadyStored(paths, closure);
  if (stored === null) {
    const parts = await Promise.all(eggs.map(async (egg): Promise<ClosurePart> => {
      const { proof, entries, python } = await fetcher.obtain(egg);
      return {
        location: egg.location,
        project: egg.release.project,
        version: egg.release.version,
        sha512: proof.sha512,
        source: egg.source.id,
        checked: proof.checked,
        entries,
        ...(python === undefined
          ? {}
          : { commands: python.commands, file: egg.release.python!.file }),
      };
    }));
    const name = await closureName(parts, roots, ecosystem);
    stored = {
      name,
      record: readClosure(paths, name) ??
        await storeNew(closure, { name, parts, paths, tell, signal }),
    };
  }
  const { name, record } = stored;
  const folder = closureFolder(paths, name);
  return Object.fromEntries(roots.map((project) => {
    const root = rootEgg(closure, project);
    const entries = record.entries[project] ?? {};
    return [root.name, activeEgg(root.egg, name, entries, (entry) => entryBytes(folder, entry))];
  }));
}

/** Writes a closure that the store does not have yet. */
async function storeNew(
  closure: ResolvedClosure,
  { name, parts, paths, tell, signal }:
    & { name: string; parts: ClosurePart[] }
    & Pick<StoreSettings, "paths" | "tell" | "signal">,
): Promise<ClosureRecord> {
  const { roots, interpreter } = closure;
  const ecosystem = interpreter === undefined ? "js" : "python";
  const locations = new Map(roots.map((project) => [project, `node_modules/${project}`]));
  const record = await storeClosure(paths, name, parts, locations, { ecosystem, signal });
  for (const project of roots) {
    const { egg } = rootEgg(closure, project);
    tell("info", "stored", {
      egg: eggName(egg.release),
      closure: name,
      files: Object.keys(record.files).length,
    });
  }
  return record;
}

/** The size of an entry's file; 0 where there is none, as an egg's own mistake has it. */
function entryBytes(folder: string, entry: string): number {
  return runtime.status(joinPath(folder, entry.replace(/^(?:cjs|json):/, "")))?.sizeBytes ?? 0;
}

function activeEgg(
  { release, source }: PlacedEgg,
  closure: string,
  entries: Record<string, string>,
  bytesOf: (entry: string) => number,
): ActiveEgg {
  const subpaths = Object.keys(entries);
  const inline = subpaths.length <= INLINE_ENTRIES ? subpaths : subpaths.filter((it) => it === ".");
  return {
    version: release.version,
    closure,
    source: source.id,
    entries: Object.fromEntries(inline.map((subpath) => [subpath, entries[subpath]])),
    entryBytes: inline.map((subpath) => bytesOf(entries[subpath])),
    validator: release.artifact.validator,
    ...(inline.length < subpaths.length ? { moreEntries: true } : {}),
  };
}

/** Makes a recorded generation the active one by replacing the state. */
export function activate(
  paths: StorePaths,
  state: State,
  generation: Generation,
  tell: Tell,
): State & { active: Generation } {
  const active = { ...state, active: generation };
  writeState(paths, active);
  tell("info", "activated", {
    generation: generation.generation,
    eggs: Object.entries(generation.eggs).map(([project, { version }]) => `${project}@${version}`),
  });
  return active;
}
