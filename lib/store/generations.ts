/**
 * Generations and the switch between them: an immutable file for each, and one rename that makes
 * one of them active.
 *
 * @module
 */

import type { Generation, State } from "../model/state.ts";
import { generationSum, STATE_FORMAT } from "../model/state.ts";
import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";
import type { StorePaths } from "./cache.ts";
import { diskFailure, writeAtomically } from "./files.ts";
import { readRejection } from "./marks.ts";

const FILE_NAME = /^(\d{6,})\.json$/;

function generationFile(paths: StorePaths, generation: number): string {
  return joinPath(paths.generations, `${String(generation).padStart(6, "0")}.json`);
}

/** The numbers of all generations on record, ascending. */
export function listGenerations(paths: StorePaths): number[] {
  return namesIn(paths.generations)
    .flatMap((name) => FILE_NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((one, other) => one - other);
}

function namesIn(folder: string): string[] {
  try {
    return runtime.list(folder);
  } catch (error) {
    if (runtime.fileErrorKind(error) === "missing") return [];
    throw error;
  }
}

/** One generation, or `null` when its file is missing, damaged or was never finished. */
export function readGeneration(paths: StorePaths, generation: number): Generation | null {
  try {
    const record = JSON.parse(runtime.readTextFile(generationFile(paths, generation)));
    if (record?.format !== STATE_FORMAT || record.generation !== generation) return null;
    const isWhole = record.sum === undefined
      ? typeof record.eggs === "object" && Array.isArray(record.requirements)
      : record.sum === generationSum(record);
    return isWhole ? record : null;
  } catch {
    return null;
  }
}

/** Removes a generation's record. */
export function removeGeneration(paths: StorePaths, generation: number): void {
  runtime.remove(generationFile(paths, generation));
}

/** Whether the closures of all its eggs are in the store. */
export function isWhole(paths: StorePaths, { eggs }: Generation): boolean {
  return Object.values(eggs).every(({ closure }) =>
    runtime.status(joinPath(paths.closures, closure))?.kind === "directory"
  );
}

/** What a generation is made of, before it has a number. */
export type GenerationContent = Omit<Generation, "format" | "generation">;

/** The number that the next generation has, unless another process takes it. */
export function nextNumber(paths: StorePaths, { parent }: GenerationContent): number {
  return Math.max(0, parent ?? 0, ...listGenerations(paths)) + 1;
}

function numbered(content: GenerationContent, generation: number): Generation {
  const record: Generation = { format: STATE_FORMAT, generation, ...content };
  record.sum = generationSum(record);
  return record;
}

/**
 * Writes down a generation that is only tried out, under its number to be, while `use` runs.
 *
 * @throws {TransmuteError} `disk-failure`; what `use` throws
 */
export async function withTrial<T>(
  paths: StorePaths,
  content: GenerationContent,
  use: (trial: Generation) => Promise<T>,
): Promise<T> {
  const trial = numbered(content, nextNumber(paths, content));
  const file = generationFile(paths, trial.generation).replace(/\.json$/, ".trial");
  writeAtomically(file, JSON.stringify(trial));
  try {
    return await use(trial);
  } finally {
    runtime.remove(file);
  }
}

/**
 * Records a generation under the next free number. It is not active yet.
 *
 * @throws {TransmuteError} `disk-failure`
 */
export function recordGeneration(paths: StorePaths, content: GenerationContent): Generation {
  let generation = nextNumber(paths, content);
  while (true) {
    const record = numbered(content, generation);
    try {
      runtime.writeFile(
        generationFile(paths, generation),
        new TextEncoder().encode(JSON.stringify(record, null, 1)),
        { exclusive: true, flush: true },
      );
      return record;
    } catch (error) {
      if (runtime.fileErrorKind(error) !== "exists") {
        removeUnfinished(paths, generation);
        throw diskFailure(`record generation ${generation}`, error);
      }
      generation++; // another process took the number
    }
  }
}

/** What was written of a generation's record before the disk failed. */
function removeUnfinished(paths: StorePaths, generation: number): void {
  try {
    removeGeneration(paths, generation);
  } catch { /* it was never made, or stays, and is nobody's */ }
}

/** Makes `state` the one that every later start reads: this rename is the switch. */
export function writeState(paths: StorePaths, state: State): void {
  writeAtomically(paths.state, JSON.stringify(state));
}

/**
 * The newest generation that is whole and not rejected, for when `state.json` was damaged; `null`
 * when none is.
 */
export function newestGeneration(paths: StorePaths): Generation | null {
  for (const number of listGenerations(paths).reverse()) {
    const generation = readGeneration(paths, number);
    if (
      generation !== null && isWhole(paths, generation) && readRejection(paths, number) === null
    ) return generation;
  }
  return null;
}
