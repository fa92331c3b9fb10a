/**
 * The one error class, and every code it can carry.
 *
 * Callers decide by `code`, never by message or `instanceof`: two copies of Transmute can share a
 * process (an application's and its bootstrap's), and their classes differ.
 *
 * @module
 */

/** Every error code, grouped by the phase that reports it. The codes are stable. */
export const ERROR_CODES = {
  request: [
    "requirement-syntax",
    "version-syntax",
    "option-invalid",
    "source-scheme-unknown",
    "permission-missing",
  ],
  source: [
    "source-unreachable",
    "source-timeout",
    "source-denied",
    "listing-invalid",
    "egg-missing",
    "offline",
  ],
  plan: [
    "no-matching-version",
    "requirements-conflict",
    "platform-unsupported",
    "ecosystem-ambiguous",
    "interpreter-missing",
    "dependency-unsupported",
  ],
  trust: [
    "size-mismatch",
    "digest-mismatch",
    "signature-missing",
    "signature-invalid",
    "metadata-expired",
    "downgrade-refused",
  ],
  store: [
    "archive-invalid",
    "path-escapes",
    "lock-timeout",
    "store-format-unknown",
    "store-not-private",
    "disk-failure",
  ],
  activate: [
    "verify-failed",
    "activation-vetoed",
    "generation-rejected",
    "nothing-to-roll-back-to",
  ],
  load: [
    "egg-not-active",
    "entry-missing",
    "closure-missing",
    "command-missing",
    "already-loaded",
    "relaunch-failed",
    "replace-refused",
    "hook-unsupported",
  ],
  publish: [
    "key-missing",
    "key-invalid",
    "repository-missing",
    "repository-invalid",
    "repository-exists",
    "release-exists",
    "release-missing",
    "publish-conflict",
  ],
} as const;

/** The phase of an update in which an error arose. */
export type ErrorPhase = keyof typeof ERROR_CODES;

/** A stable error code, such as `"digest-mismatch"`. */
export type ErrorCode = (typeof ERROR_CODES)[ErrorPhase][number];

/** What an error is about; all fields optional. */
export interface ErrorContext {
  /** The requirement that was being met, as the application wrote it. */
  requirement?: string;
  /** The egg concerned, as `name@version`. */
  egg?: string;
  /** The source concerned: its address without credentials. */
  source?: string;
  /** Advice to the reader; the message itself keeps to facts. */
  hint?: string;
  /** The milliseconds for which the source asked to be left alone. */
  retryAfterMs?: number;
  /** The error underneath. */
  cause?: unknown;
}

const BRAND = Symbol.for("transmute.error");

const PHASE_OF = new Map<ErrorCode, ErrorPhase>(
  (Object.keys(ERROR_CODES) as ErrorPhase[]).flatMap((phase) =>
    ERROR_CODES[phase].map((code) => [code, phase] as [ErrorCode, ErrorPhase])
  ),
);

/**
 * A failure that Transmute reports.
 *
 * The message states the action that failed, a colon, and the current value against the wanted
 * one. Advice is in `hint`.
 *
 * @example
 * ```ts
 * import { isTransmuteError, TransmuteError } from "./errors.ts";
 *
 * const error = new TransmuteError("offline", "Cannot check: no source may be asked", {
 *   hint: "Unset TRANSMUTE_OFFLINE",
 * });
 * if (!isTransmuteError(error, "offline")) throw new Error("never");
 * ```
 */
export class TransmuteError extends Error {
  /** The stable code to decide by. */
  readonly code: ErrorCode;
  /** The phase the code belongs to. */
  readonly phase: ErrorPhase;
  /** The requirement that was being met, as the application wrote it. */
  readonly requirement?: string;
  /** The egg concerned, as `name@version`. */
  readonly egg?: string;
  /** The source concerned: its address without credentials. */
  readonly source?: string;
  /** Advice to the reader. */
  readonly hint?: string;
  /** The milliseconds for which the source asked to be left alone. */
  readonly retryAfterMs?: number;

  /** Makes an error with a code, a message and what it is about. */
  constructor(code: ErrorCode, message: string, context: ErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.name = "TransmuteError";
    this.code = code;
    this.phase = PHASE_OF.get(code)!;
    if (context.requirement !== undefined) this.requirement = context.requirement;
    if (context.egg !== undefined) this.egg = context.egg;
    if (context.source !== undefined) this.source = context.source;
    if (context.hint !== undefined) this.hint = context.hint;
    if (context.retryAfterMs !== undefined) this.retryAfterMs = context.retryAfterMs;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/**
 * Whether `error` is a `TransmuteError` of any copy of this module, and of the given code if one
 * is given.
 *
 * @example
 * ```ts
 * import { isTransmuteError } from "./errors.ts";
 *
 * if (isTransmuteError(new Error("other"), "offline")) throw new Error("never");
 * ```
 */
export function isTransmuteError(error: unknown, code?: ErrorCode): error is TransmuteError {
  return typeof error === "object" && error !== null && BRAND in error &&
    (code === undefined || (error as unknown as TransmuteError).code === code);
}

/** The text of anything thrown, for a message or a log line. */
export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
