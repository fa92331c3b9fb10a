/**
 * What became of generations: a file each, made once, beside the generation's own. Marks need no
 * lock, since nobody changes them, and outlive a damaged `state.json`.
 *
 * @module
 */

import type { Generation, Refusal } from "../model/state.ts";
import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";
import type { StorePaths } from "./cache.ts";
import { writeAtomically } from "./files.ts";

/** Why a generation is not used again. */
export interface Rejection {
  /** ISO 8601. */
  at: string;
  /** In words. */
  reason: string;
  /** What is not offered again while it stays as it is. */
  refused: Refusal[];
}

function markFile(paths: StorePaths, generation: number, mark: "confirmed" | "rejected"): string {
  return joinPath(paths.generations, `${String(generation).padStart(6, "0")}.${mark}`);
}

/** Marks a generation as proven; false when it was already. */
export function markConfirmed(paths: StorePaths, generation: number, reason: string): boolean {
  try {
    const text = new TextEncoder().encode(`${reason}\n`);
    runtime.writeFile(markFile(paths, generation, "confirmed"), text, { exclusive: true });
    return true;
  } catch (error) {
    if (runtime.fileErrorKind(error) === "exists") return false;
    throw error;
  }
}

/** Whether a generation is proven: it carries the mark, or was never on probation. */
export function isProven(paths: StorePaths, { generation, probation }: Generation): boolean {
  if (readRejection(paths, generation) !== null) return false;
  return probation === undefined ||
    runtime.status(markFile(paths, generation, "confirmed")) !== null;
}

/** Marks a generation as rejected. */
export function markRejected(paths: StorePaths, generation: number, rejection: Rejection): void {
  writeAtomically(markFile(paths, generation, "rejected"), JSON.stringify(rejection));
}

/** Takes a rejection back: its user wants the generation after all. */
export function unmarkRejected(paths: StorePaths, generation: number): void {
  removeFile(markFile(paths, generation, "rejected"));
}

/** Why a generation was rejected, or `null` when it was not. */
export function readRejection(paths: StorePaths, generation: number): Rejection | null {
  const file = markFile(paths, generation, "rejected");
  if (runtime.status(file) === null) return null;
  try {
    const { at, reason, refused } = JSON.parse(runtime.readTextFile(file));
    if (typeof reason === "string" && Array.isArray(refused)) return { at, reason, refused };
  } catch { /* the disk lost why, but not that */ }
  return { at: "", reason: "its record is damaged", refused: [] };
}

/** Removes the marks of a generation that is no longer on record. */
export function removeMarks(paths: StorePaths, generation: number): void {
  for (const mark of ["confirmed", "rejected"] as const) {
    removeFile(markFile(paths, generation, mark));
  }
}

function removeFile(path: string): void {
  try {
    runtime.remove(path);
  } catch (error) {
    if (runtime.fileErrorKind(error) !== "missing") throw error;
  }
}
