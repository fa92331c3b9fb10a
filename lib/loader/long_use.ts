/**
 * The lease of a program that lives long: it keeps the generation that the program runs on, whose
 * files may yet be imported. Short programs take none: clearing up leaves what was in use lately.
 *
 * @module
 */

import { later } from "../runtime/later.ts";
import { watchEnding } from "../runtime/processes.ts";
import type { StorePaths } from "../store/cache.ts";
import { ALIVE_EVERY_MS, OwnLease } from "../store/leases.ts";

/** Takes the lease, until the program ends. A disk that takes none is no harm to the program. */
export function leaseGeneration(paths: StorePaths, generation: number, now: () => number): void {
  const lease = new OwnLease(paths);
  try {
    lease.add({ generation, phase: "running", at: now() });
  } catch {
    return;
  }
  watchEnding({
    failed() {},
    survived() {},
    ended() {
      try {
        lease.remove();
      } catch { /* whoever clears up finds that its program is gone */ }
    },
  });
  keepAlive(lease, now);
}

async function keepAlive(lease: OwnLease, now: () => number): Promise<void> {
  try {
    while (true) {
      await later(ALIVE_EVERY_MS);
      lease.add({ alive: true, at: now() });
    }
  } catch { /* the store is gone, or full: the process itself can still be seen */ }
}
