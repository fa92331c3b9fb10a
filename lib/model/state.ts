/**
 * What is recorded of an application: the state that every start reads, and generations.
 *
 * @module
 */

import type { ErrorCode } from "../errors.ts";
import type { Platform } from "../runtime/platform.ts";
import { fingerprintOf } from "./fingerprint.ts";

/** The version of the records below; another number is never read, written or repaired. */
export const STATE_FORMAT = 1;

/** One egg of a generation, with what importing it needs. */
export interface ActiveEgg {
  version: string;
  /** The content name of the closure that holds it. */
  closure: string;
  /** The source it came from; also the only one it may be updated from. */
  source: string;
  /**
   * Subpath → entry, as the linker wrote it: a path below the closure, or `cjs:` or `json:` and
   * a path. Only the first `INLINE_ENTRIES`; the rest is in the closure's record. Of a Python egg,
   * its commands: `command:cowsay` → `bin/cowsay`.
   */
  entries: Record<string, string>;
  /** True when the closure's record has entries that are not here. */
  moreEntries?: true;
  /** Sizes of the entries' files in bytes, in their order: what an import sees of damage. */
  entryBytes?: number[];
  /** The validator of its artifact: what is refused with a rejected generation. */
  validator?: string;
}

/** A numbered, immutable record of what is active together. */
export interface Generation {
  format: typeof STATE_FORMAT;
  generation: number;
  /** The generation that was active before, or `null` for the first. */
  parent: number | null;
  /** ISO 8601. */
  createdAt: string;
  /** The machine it was planned for. */
  platform: Platform;
  /** Keys of the requirements it meets. */
  requirements: string[];
  /** By project; a Python project's name has `python:` before it. */
  eggs: Record<string, ActiveEgg>;
  /**
   * The interpreter that its Python eggs were chosen for; `abi` is the first two parts of its most
   * particular tag, such as `cp312-cp312`.
   */
  python?: { path: string; version: string; abi?: string };
  /**
   * In a generation's own record: it must prove itself before later ones may fall back to it. In
   * the state: it has not done so yet. Absent in what older versions wrote, which counts as proven.
   */
  probation?: true;
  /** What `generationSum` gives: tells a damaged record from a whole one. */
  sum?: string;
}

/** The last question to a source. */
export interface SourceCheck {
  /** When it was asked, in milliseconds since the epoch. */
  checkedAt: number;
  /** When it is to be asked again. */
  nextAt: number;
  /** A local source's fingerprint at that time; `null` when it could not be reached. */
  fingerprint?: string | null;
  /** Failures in a row, one that was never finished among them; absent after an answer. */
  failures?: number;
}

/** An artifact that failed its proof, and is not offered again while it stays the same. */
export interface Refusal {
  /** The source that offers it. */
  source: string;
  /** The project's name. */
  project: string;
  /** The refused version. */
  version: string;
  /** The artifact's validator when it was refused. */
  validator: string;
  /** The code of what was wrong. */
  code: ErrorCode;
  /** What was wrong, in words. */
  message: string;
}

/** What the application asked for last, so that a command can ask the same in its place. */
export interface Declaration {
  /** Keys of the requirements. */
  requirements: string[];
  /** Ids of the sources that it declared, the most trusted first; addresses without credentials. */
  sources: string[];
  /** How a project is looked for, when not in the first source that has it. */
  strategy?: "best";
  /** Milliseconds between questions to a network source; absent where that is not on record. */
  checkEveryMs?: number;
  /** How many generations it keeps; absent where that is not on record. */
  keepGenerations?: number;
  /** It judges eggs or generations by hooks, or sources by roots, that no command has. */
  hooks?: true;
}

/** From which generation to which an application went back, and why. */
export interface RolledBack {
  /** The generation that was active. */
  from: number;
  /** The generation that is active now. */
  to: number;
  /** Why, in words. */
  reason: string;
}

/** The content of `state.json`. */
export interface State {
  format: typeof STATE_FORMAT;
  /** The active generation; `null` before the first. */
  active: Generation | null;
  /** By the source's id. */
  checks: Record<string, SourceCheck>;
  refused: Refusal[];
  /** Projects that stay at their version whatever is offered. */
  held?: string[];
  /** What the interpreter of the Python eggs looked like when they were last compared with it. */
  interpreter?: string;
  /** When the store was last cleared of what nobody needs, in milliseconds since the epoch. */
  collectedAt?: number;
  /** Absent before the first check, and where an earlier version wrote the state. */
  declared?: Declaration;
}

/** The state of an application that was never updated. */
export function emptyState(): State {
  return { format: STATE_FORMAT, active: null, checks: {}, refused: [] };
}

/**
 * Changes when anything of a generation does that never changes. What requirements it meets and
 * whether it is on probation may change in the state.
 */
export function generationSum(
  { generation, parent, createdAt, platform, eggs, python }: Omit<Generation, "format">,
): string {
  const content = [generation, parent, createdAt, platform, eggs];
  return fingerprintOf(JSON.stringify(python === undefined ? content : [...content, python]));
}

/** Whether both are the same kind of machine. */
export function samePlatform(one: Platform, other: Platform): boolean {
  return one.os === other.os && one.cpu === other.cpu && one.libc === other.libc;
}

/**
 * The environment variable that has a program run on a generation that is not active yet, as
 * `app@generation`: a smoke command's.
 */
export const TRIAL_VARIABLE = "TRANSMUTE_TRIAL";

/** The environment variable that tells a relaunched process for which generations it was. */
export const RELAUNCHED_VARIABLE = "TRANSMUTE_RELAUNCHED";
