/**
 * Exit codes: what a script may decide by. `docs/command-line.md` has them as a table.
 *
 * @module
 */

import { isTransmuteError } from "../errors.ts";

/** Every exit code of `transmute`; their numbers are stable. */
export const EXIT_CODES = {
  /** Done, or nothing was to be done. */
  done: 0,
  /** It failed: the message says what. What was active is untouched. */
  failed: 1,
  /** The command line is at fault: an unknown command, application, option or requirement. */
  usage: 2,
  /** A source could not be asked: no network, no answer, no right to. Later may be better. */
  sourceFailed: 3,
  /** `doctor`, `verify` or `index` found something that needs mending. */
  unsound: 4,
  /** `check --exit-code`: an update is to be had. */
  updateAvailable: 10,
} as const;

/** One of the exit codes. */
export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

/** The exit code for anything thrown. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!isTransmuteError(error) || error.code === "permission-missing") return EXIT_CODES.failed;
  if (error.phase === "request") return EXIT_CODES.usage;
  return error.phase === "source" ? EXIT_CODES.sourceFailed : EXIT_CODES.failed;
}
