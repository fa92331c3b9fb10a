/**
 * Which generation to go back to.
 *
 * @module
 */

import type { Requirement } from "../model/requirement.ts";
import { asPython, recordedName, requirementKey } from "../model/requirement.ts";
import type { Generation } from "../model/state.ts";
import { samePlatform } from "../model/state.ts";
import type { Platform } from "../runtime/platform.ts";
import type { StorePaths } from "./cache.ts";
import { isWhole, listGenerations, readGeneration } from "./generations.ts";
import { isProven } from "./marks.ts";

/** What a generation must be good for. */
export interface Needs {
  requirements: Requirement[];
  platform: Platform;
}

/**
 * The newest proven ancestor of a generation that is whole and meets what is needed; `null` when
 * there is none. Where a record is lost, the next older generation stands for it.
 */
export async function newestProvenAncestor(
  paths: StorePaths,
  of: Pick<Generation, "generation" | "parent">,
  needs: Needs,
): Promise<Generation | null> {
  const numbers = listGenerations(paths);
  let candidate = of.parent;
  let below = of.generation;
  while (candidate !== null) {
    const number: number = candidate < below ? candidate : below - 1;
    const generation = readGeneration(paths, number);
    if (
      generation !== null && isProven(paths, generation) && isWhole(paths, generation) &&
      await meets(generation, needs)
    ) return generation;
    below = number;
    candidate = generation === null
      ? numbers.findLast((other) => other < number) ?? null
      : generation.parent;
  }
  return null;
}

/** Whether a generation has what the application requires, on this machine. */
export async function meets(
  generation: Generation,
  { requirements, platform }: Needs,
): Promise<boolean> {
  if (!samePlatform(generation.platform, platform)) return false;
  const known = new Set(generation.requirements);
  const others = requirements.filter((requirement) => !known.has(requirementKey(requirement)));
  if (others.length === 0) return true;
  // It was made for requirements that were written otherwise.
  const { isValidRange, satisfiesRange } = await import("../model/version.ts");
  const isOfPython = (requirement: Requirement) =>
    requirement.ecosystem === "python" ||
    (requirement.ecosystem === null && !Object.hasOwn(generation.eggs, requirement.project));
  if (others.some(isOfPython)) {
    const { satisfiesSpecifier } = await import("../model/python_version.ts");
    const met = others.filter(isOfPython).map(asPython).every(({ project, range }) => {
      const egg = generation.eggs[recordedName("python", project)];
      return egg !== undefined && satisfiesSpecifier(egg.version, range, { prereleases: true });
    });
    if (!met) return false;
  }
  return others.filter((requirement) => !isOfPython(requirement)).every(({ project, range }) => {
    if (!Object.hasOwn(generation.eggs, project)) return false;
    const { version } = generation.eggs[project];
    return !isValidRange(range) || satisfiesRange(version, range, { prereleases: true });
  });
}
