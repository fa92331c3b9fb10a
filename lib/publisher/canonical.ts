/**
 * The form of a value that signatures and names of keys are made of.
 *
 * @module
 */

// OLPC's canonical JSON, as every TUF client makes it of what it read.
import { canonicalize } from "npm:@tufjs/canonical-json@2.0.0";

/**
 * The canonical JSON of a value, as bytes.
 *
 * @throws {TypeError} for what it has no form for: fractions, `undefined`
 */
export function canonicalBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(canonicalize(value));
}
