/**
 * What it means for an update that a source failed.
 *
 * @module
 */

import type { ErrorCode } from "../errors.ts";
import { isTransmuteError, TransmuteError } from "../errors.ts";
import type { Source } from "../sources/source.ts";

/** The codes that speak of the source as a whole and not of one project in it. */
export const SOURCE_IS_DOWN = new Set<ErrorCode>([
  "source-unreachable",
  "source-timeout",
  "permission-missing",
]);

/**
 * Whether a source is a folder that is not there, and so has nothing. Where its signed repository is
 * elsewhere and was not reached, nobody knows what it has.
 */
export function isMissingFolder({ id, kind }: Source, failure: unknown): boolean {
  return kind === "local" && isTransmuteError(failure, "source-unreachable") &&
    (failure.source ?? id) === id;
}

/** The error for a source whose answer others do not wait for. */
export function tooLate(source: string): TransmuteError {
  return new TransmuteError(
    "source-timeout",
    `Cannot wait for ${source}: others have answered, and the time is running out`,
    { source },
  );
}
