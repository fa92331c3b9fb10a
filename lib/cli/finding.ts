/**
 * What `transmute doctor` finds: a sentence each, and whether it is good.
 *
 * @module
 */

/** How much a finding matters: all is well, worth knowing, or to be mended. */
export type FindingLevel = "good" | "note" | "problem";

/** What a finding is about. */
export type FindingSubject =
  | "store"
  | "disk"
  | "settings"
  | "clock"
  | "state"
  | "egg"
  | "proof"
  | "source"
  | "record";

/** One sentence, and what to do about it. */
export interface Finding {
  level: FindingLevel;
  about: FindingSubject;
  text: string;
  hint?: string;
}

/** Makes a finding. */
export function finding(
  level: FindingLevel,
  about: FindingSubject,
  text: string,
  hint?: string,
): Finding {
  return { level, about, text, ...(hint === undefined ? {} : { hint }) };
}
