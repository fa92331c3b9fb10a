/**
 * The history of an application: one event a line, newest last.
 *
 * @module
 */

import type { TransmuteEvent } from "../model/event.ts";
import { runtime } from "../runtime/current.ts";
import type { StorePaths } from "./cache.ts";
import { assertOwnFile, makeFolder, writeAtomically } from "./files.ts";

/** A history longer than this starts anew, keeping the one before as `history.1.jsonl`. */
const MAX_HISTORY_BYTES = 1024 * 1024;

const olderHistory = (paths: StorePaths) => paths.history.replace(/\.jsonl$/, ".1.jsonl");

/** Appends events, one write for all. */
export function appendHistory(paths: StorePaths, events: TransmuteEvent[]): void {
  if (events.length === 0) return;
  makeFolder(paths.root, paths.app);
  assertOwnFile(paths.history);
  if ((runtime.status(paths.history)?.sizeBytes ?? 0) > MAX_HISTORY_BYTES) {
    runtime.rename(paths.history, olderHistory(paths));
  }
  const lines = events.map((event) => `${JSON.stringify(event)}\n`);
  // A line that a crash cut off must not spoil the next one.
  runtime.appendTextFile(paths.history, [isCutOff(paths.history) ? "\n" : "", ...lines].join(""));
}

function isCutOff(path: string): boolean {
  return runtime.status(path) !== null && /[^\n]$/.test(runtime.readTextFile(path));
}

/** The files that hold the history, the older first. */
export function historyFiles(paths: StorePaths): string[] {
  return [olderHistory(paths), paths.history].filter((path) => runtime.status(path) !== null);
}

/** The events on record, oldest first. A line cut off by a crash is left out. */
export function readHistory(paths: StorePaths): TransmuteEvent[] {
  return historyFiles(paths).flatMap((path) => readLines(path).flatMap(({ event }) => event ?? []));
}

/** How many lines of a history's file cannot be read, but for a last one that a crash cut off. */
export function damagedLines(path: string): number {
  const lines = readLines(path);
  if (isCutOff(path)) lines.pop();
  return lines.filter(({ event }) => event === null).length;
}

/** Writes a history's file anew, without what cannot be read. */
export function dropDamagedLines(path: string): void {
  const whole = readLines(path).filter(({ event }) => event !== null);
  writeAtomically(path, whole.map(({ line }) => `${line}\n`).join(""));
}

function readLines(path: string): { line: string; event: TransmuteEvent | null }[] {
  return runtime.readTextFile(path).split("\n").filter((line) => line !== "").map((line) => {
    try {
      const event = JSON.parse(line);
      return { line, event: typeof event?.kind === "string" ? event : null };
    } catch {
      return { line, event: null };
    }
  });
}
