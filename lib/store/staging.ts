/**
 * What killed processes leave behind: half-written closures, and temporary files that were never
 * renamed. They do no harm but take room.
 *
 * @module
 */

import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";
import type { StorePaths } from "./cache.ts";

/**
 * Work that has not been touched for so long is nobody's. Age and not the writer decides: other
 * applications of the same store stage there too, under locks of their own, and a process cannot
 * be asked for in every runtime.
 */
const STALE_AFTER_MS = 24 * 60 * 60 * 1000;
/** What came of an archive is of use until the archive is asked for again, days later perhaps. */
const PARTIAL_STALE_AFTER_MS = 7 * STALE_AFTER_MS;

/** The endings of files that are renamed or removed by whoever made them, if that lives. */
const UNFINISHED = [".tmp", ".trial"];

/**
 * Removes unfinished work of more than a day ago, and archives that did not arrive whole within a
 * week. What cannot be removed stays.
 *
 * @param now milliseconds since the epoch, by the clock of the file system
 */
export function removeStale(paths: StorePaths, now: number): void {
  const { root, closures, archives, listings, partials, staging, app, generations } = paths;
  for (const folder of [root, closures, archives, listings, staging, app, generations]) {
    for (const name of namesIn(folder)) {
      if (folder === staging || UNFINISHED.some((ending) => name.endsWith(ending))) {
        removeIfOlder(joinPath(folder, name), now - STALE_AFTER_MS);
      }
    }
  }
  for (const name of namesIn(partials)) {
    removeIfOlder(joinPath(partials, name), now - PARTIAL_STALE_AFTER_MS);
  }
}

function namesIn(folder: string): string[] {
  try {
    return runtime.list(folder);
  } catch {
    return []; // it is not there yet
  }
}

function removeIfOlder(path: string, than: number): void {
  try {
    const status = runtime.status(path);
    if (status === null || status.modifiedAt > than) return;
    runtime.remove(path, { recursive: true });
  } catch { /* another process was faster, or the next update will be luckier */ }
}
