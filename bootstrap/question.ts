/**
 * What the sources of Transmute itself are asked, and what they give.
 *
 * @module
 */

/** A kept file: `<version>-<start of its SHA-512>.mjs`. */
export type Copy = { version: string; digest: string };
/** What is used, when to ask for a newer one, what was used before, and versions that failed. */
export type Pointer = Copy & { checkAt: number; previous?: Copy; rejected?: string[] };
/** A Transmute that a source gave: the one file, proven. */
export type Found = { version: string; bytes: Uint8Array };
/** What the sources are asked. */
export interface Question {
  /** The npm package's name. */
  name: string;
  range: string;
  /** What there is to run on already. */
  kept?: Copy;
  /** Versions that failed and are not taken again. */
  rejected: string[];
  /** Where npm may be started: a folder that is this program's own. */
  folder: string;
  signal: AbortSignal;
}
