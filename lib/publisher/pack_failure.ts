/**
 * How packing fails.
 *
 * @module
 */

import type { ErrorContext } from "../errors.ts";
import { TransmuteError } from "../errors.ts";

/** The error for what cannot become an egg. */
export function cannotPack(found: string, context: ErrorContext = {}): TransmuteError {
  return new TransmuteError("archive-invalid", `Cannot pack an egg: ${found}`, context);
}
