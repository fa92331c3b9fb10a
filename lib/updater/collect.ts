/**
 * Clearing up after updates, and when somebody asks for it.
 *
 * @module
 */

import { describeError } from "../errors.ts";
import type { State } from "../model/state.ts";
import { diskFailure } from "../store/files.ts";
import type { GarbageOptions, GarbageReport } from "../store/gc.ts";
import { collectGarbage } from "../store/gc.ts";
import { writeHistory } from "./change_state.ts";
import type { UpdateRequest } from "./request.ts";

/** Updates clear up no more often than this. */
const COLLECT_EVERY_MS = 24 * 60 * 60 * 1000;

/**
 * Collects garbage now.
 *
 * @throws {TransmuteError} `disk-failure`
 */
export async function collectNow(
  request: UpdateRequest,
  given: GarbageOptions,
): Promise<GarbageReport> {
  const { paths, options: { keepGenerations, now }, tell } = request;
  let report: GarbageReport;
  try {
    report = await collectGarbage(paths, { ...given, keepGenerations, now: now() });
  } catch (error) {
    throw diskFailure(`clear up ${paths.root}`, error);
  }
  const { generations, closures, archives, freedBytes, dryRun } = report;
  if (!dryRun && (generations.length > 0 || freedBytes > 0)) {
    tell("info", "collected", {
      generations: generations.length,
      closures: closures.length,
      archives: archives.length,
      freedBytes,
    });
    writeHistory(request);
  }
  return report;
}

/** Whether an update that activates something is to clear up after itself. */
export function isCollectionDue({ collectedAt }: State, now: number): boolean {
  return collectedAt === undefined || now - collectedAt >= COLLECT_EVERY_MS || now < collectedAt;
}

/** Collects garbage after an update, which succeeds whatever comes of this. */
export async function collectAfterUpdate(request: UpdateRequest): Promise<void> {
  try {
    // The program goes on first.
    await new Promise((resolve) => setTimeout(resolve, 0));
    await collectNow(request, {});
  } catch (error) {
    request.tell("debug", "not-collected", { message: describeError(error) });
  }
}
