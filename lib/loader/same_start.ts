/**
 * Falling back in the very start in which a new generation failed to import: the program goes on
 * with the newest proven one before it, all eggs together.
 *
 * @module
 */

import type { Requirement } from "../model/requirement.ts";
import { parseSpecifier } from "../model/requirement.ts";
import type { Generation } from "../model/state.ts";
import type { Platform } from "../runtime/platform.ts";
import { newestProvenAncestor } from "../store/ancestors.ts";
import type { StorePaths } from "../store/cache.ts";
import { isLoaded, loadEntry, resolveEntry } from "./import.ts";
import type { Probation } from "./probation.ts";

/** What falling back rests on. */
export interface FallbackQuestion {
  paths: StorePaths;
  probation: Probation;
  specifier: string;
  requirements: Requirement[];
  platform: Platform;
}

/** What the program goes on with. */
export interface Fallback<T> {
  active: Generation;
  module: T;
}

/**
 * Imports from the generation before; `null` when that cannot be done: there is none, it fails as
 * well, or other eggs of the new one are already loaded, which would make a mixture of two sets.
 */
export async function importFromBefore<T>(
  { paths, probation, specifier, requirements, platform }: FallbackQuestion,
): Promise<Fallback<T> | null> {
  const { generation } = probation;
  const active = await newestProvenAncestor(paths, generation, { requirements, platform });
  if (active === null) return null;
  const { project } = parseSpecifier(specifier);
  const mixes = Object.entries(generation.eggs).some(([other, { closure }]) =>
    other !== project && active.eggs[other]?.closure !== closure && isLoaded(other, closure)
  );
  if (mixes) return null;
  try {
    const module = await loadEntry<T>(resolveEntry(paths, active, specifier));
    return { active, module };
  } catch {
    // What worked before fails as well: the update is not to blame.
    probation.forgive();
    return null;
  }
}
