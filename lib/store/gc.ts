/**
 * Clearing the store of what nobody needs.
 *
 * Another process may be storing or activating meanwhile, and holds no lock of this application.
 * So what is young stays; what goes is moved aside first, and put back when it has come into use
 * meanwhile; and an update looks again whether all is there before it switches.
 *
 * @module
 */

import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";
import type { StorePaths } from "./cache.ts";
import { readClosureRecord } from "./closure.ts";
import { randomName } from "./files.ts";
import { removeGeneration } from "./generations.ts";
import { removeEndedLeases } from "./leases.ts";
import { removeMarks } from "./marks.ts";
import type { GenerationUse } from "./references.ts";
import { generationUse, neededClosures } from "./references.ts";

/** What is younger may be part of an update that is under way. */
const YOUNG_MS = 24 * 60 * 60 * 1000;
/** An answer of a source that was not renewed for so long is not asked for any more. */
const OLD_LISTING_MS = 90 * 24 * 60 * 60 * 1000;

/** Options of `collectGarbage()`. */
export interface GarbageOptions {
  /** Only tell what would be removed. @default {false} */
  dryRun?: boolean;
  /**
   * How large the store may be, in bytes. Above it, what can be had again from its source goes too:
   * kept archives and answers of sources, the oldest first. What applications run on stays.
   *
   * @default {no limit}
   */
  maxBytes?: number;
}

/** What `collectGarbage()` removed, or would remove. */
export interface GarbageReport {
  /** Numbers of this application's generations. */
  generations: number[];
  /** Content names of closures. */
  closures: string[];
  /** Digests of archives. */
  archives: string[];
  /** How many answers of sources. */
  listings: number;
  /** The bytes of all of it. */
  freedBytes: number;
  /** The bytes of the store that are left. */
  keptBytes: number;
  /** True when nothing was removed because it was only asked for. */
  dryRun: boolean;
}

/** A file of the store that may go. */
interface StoredFile {
  name: string;
  path: string;
  sizeBytes: number;
  modifiedAt: number;
}

/**
 * Removes what no application needs.
 *
 * @param options `now`: milliseconds since the epoch, by the application's clock
 * @throws what the disk says
 */
export async function collectGarbage(
  paths: StorePaths,
  { dryRun = false, maxBytes = Infinity, keepGenerations, now }: GarbageOptions & {
    keepGenerations: number;
    now: number;
  },
): Promise<GarbageReport> {
  const report: GarbageReport = {
    ...{ generations: [], closures: [], archives: [], listings: 0 },
    ...{ freedBytes: 0, keptBytes: 0, dryRun },
  };
  if (runtime.status(paths.app) === null) return report;
  const use = generationUse(paths, keepGenerations, now);
  report.generations = use.dropped;
  if (!dryRun) {
    for (const generation of use.dropped) {
      removeGeneration(paths, generation);
      removeMarks(paths, generation);
      removeCommands(paths, generation);
    }
    removeEndedLeases(paths, now);
  }
  await collectClosures(paths, use, report);
  collectFiles(paths, use, report);
  report.keptBytes = bytesBelow(paths.root) - (dryRun ? report.freedBytes : 0);
  if (report.keptBytes > maxBytes) shrink(paths, maxBytes, report);
  return report;
}

/** Removes what a generation brought to `PATH`. */
function removeCommands({ commands }: StorePaths, generation: number): void {
  if (runtime.status(commands) === null) return;
  for (const name of runtime.list(commands)) {
    if (name.startsWith(`${generation}-`)) {
      runtime.remove(joinPath(commands, name), { recursive: true });
    }
  }
}

async function collectClosures(
  paths: StorePaths,
  use: GenerationUse,
  report: GarbageReport,
): Promise<void> {
  const needed = neededClosures(paths, use.needed);
  if (needed === null) return;
  const present = runtime.list(paths.closures);
  const names = new Set(present.map((name) => name.replace(/\.json$/, "")));
  const candidates = [...names].filter((name) => {
    if (needed.has(name) || !/^[0-9a-f]{64}$/.test(name)) return false;
    return !isYoung(joinPath(paths.closures, `${name}.json`)) &&
      !isYoung(joinPath(paths.closures, name));
  }).sort();
  if (report.dryRun) {
    for (const name of candidates) count(report, paths, name, joinPath(paths.closures, name));
    return;
  }
  const aside = new Map<string, string>();
  for (const name of candidates) {
    const place = joinPath(paths.staging, randomName());
    if (moved(joinPath(paths.closures, name), place)) aside.set(name, place);
  }
  const since = neededClosures(paths, use.needed);
  for (const name of candidates) {
    const place = aside.get(name);
    if (since === null || since.has(name)) {
      if (place !== undefined) moved(place, joinPath(paths.closures, name));
      continue;
    }
    count(report, paths, name, place);
    removeQuietly(joinPath(paths.closures, `${name}.json`));
    removeQuietly(compiledFolder(paths, name));
    if (place !== undefined) removeQuietly(place);
    // A program that clears up in passing has other things to do as well.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** Where Python has what it compiled of a closure: by the closure's path, without a drive. */
function compiledFolder(paths: StorePaths, name: string): string {
  const path = joinPath(paths.closures, name);
  return joinPath(paths.compiled, path.replace(/^[A-Za-z]:/, "").replace(/^[/\\]+/, ""));
}

function count(
  report: GarbageReport,
  paths: StorePaths,
  name: string,
  folder: string | undefined,
): void {
  report.closures.push(name);
  report.freedBytes += folder === undefined ? 0 : bytesBelow(folder);
  report.freedBytes += bytesBelow(joinPath(paths.closures, `${name}.json`));
}

/** By the file system's clock, which also wrote it. */
function isYoung(path: string): boolean {
  const status = runtime.status(path);
  return status !== null && Date.now() - status.modifiedAt < YOUNG_MS;
}

function moved(from: string, to: string): boolean {
  try {
    runtime.rename(from, to);
    return true;
  } catch {
    return false; // it is gone, or stored again meanwhile
  }
}

function removeQuietly(path: string): void {
  try {
    runtime.remove(path, { recursive: true });
  } catch { /* another process was faster, or the next time will be luckier */ }
}

/** Archives of closures that are gone, and answers of sources that nobody has asked for long. */
function collectFiles(paths: StorePaths, use: GenerationUse, report: GarbageReport): void {
  const needed = neededClosures(paths, use.needed);
  if (needed !== null) {
    const gone = new Set(report.closures);
    const archives = new Set(
      runtime.list(paths.closures)
        .flatMap((name) => /^[0-9a-f]{64}(?=\.json$)/.exec(name)?.[0] ?? [])
        .filter((name) => !gone.has(name))
        .flatMap((name) => readClosureRecord(paths, name)?.packages ?? [])
        .map(({ sha512 }) => sha512),
    );
    for (const file of filesIn(paths.archives)) {
      if (archives.has(file.name) || isYoung(file.path)) continue;
      remove(file, report);
      report.archives.push(file.name);
    }
  }
  for (const file of filesIn(paths.listings)) {
    if (Date.now() - file.modifiedAt < OLD_LISTING_MS) continue;
    remove(file, report);
    report.listings++;
  }
}

/** Removes what can be had again, the oldest first, until the store is small enough. */
function shrink(paths: StorePaths, maxBytes: number, report: GarbageReport): void {
  const counted = new Set(report.archives);
  const files = [
    ...filesIn(paths.archives).filter(({ name }) => !counted.has(name)),
    ...filesIn(paths.listings),
  ].sort((one, other) => one.modifiedAt - other.modifiedAt);
  for (const file of files) {
    if (report.keptBytes <= maxBytes) return;
    remove(file, report);
    report.keptBytes -= file.sizeBytes;
    if (file.path.startsWith(`${paths.archives}/`)) report.archives.push(file.name);
    else report.listings++;
  }
}

function remove(file: StoredFile, report: GarbageReport): void {
  report.freedBytes += file.sizeBytes;
  if (!report.dryRun) removeQuietly(file.path);
}

function filesIn(folder: string): StoredFile[] {
  if (runtime.status(folder) === null) return [];
  return runtime.list(folder).sort().flatMap((name) => {
    const path = joinPath(folder, name);
    const status = runtime.status(path);
    if (status?.kind !== "file") return [];
    return { name, path, sizeBytes: status.sizeBytes, modifiedAt: status.modifiedAt };
  });
}

/** The bytes of a file, or of all files below a folder; 0 where there is nothing. */
function bytesBelow(path: string): number {
  const status = runtime.status(path);
  if (status === null) return 0;
  if (status.kind !== "directory") return status.sizeBytes;
  return runtime.list(path).reduce((sum, name) => sum + bytesBelow(joinPath(path, name)), 0);
}
