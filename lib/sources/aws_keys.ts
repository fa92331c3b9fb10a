/**
 * Reading keys out of what files, programs and services say.
 *
 * @module
 */

import type { AwsLookup } from "./aws_lookup.ts";
import { lookupFailure } from "./aws_lookup.ts";
import type { AwsCredentials } from "./aws_signature.ts";

/** Keys as they were found, nothing of them believed. */
export interface FoundKeys {
  accessKeyId: unknown;
  secretAccessKey: unknown;
  sessionToken?: unknown;
  /** A time in ISO 8601. */
  expiration?: unknown;
}

/** What a header can carry. */
const SENDABLE = /^[\x21-\x7e]+$/;

/**
 * The keys, once they are known to be usable.
 *
 * @throws {TransmuteError} `option-invalid`; the message shows nothing of them
 */
export function keysOf(lookup: AwsLookup, place: string, found: FoundKeys): AwsCredentials {
  const { accessKeyId, secretAccessKey, sessionToken = "", expiration = "" } = found;
  const refuse = (what: string) => lookupFailure(lookup, "option-invalid", place, what);
  if (!isSendable(accessKeyId) || !isSendable(secretAccessKey)) {
    throw refuse("found no pair of an access key and its secret");
  }
  if (sessionToken !== "" && sessionToken !== null && !isSendable(sessionToken)) {
    throw refuse("found a session token that cannot be sent");
  }
  const endsAt = typeof expiration === "string" ? Date.parse(expiration) : NaN;
  return {
    accessKeyId,
    secretAccessKey,
    ...(isSendable(sessionToken) ? { sessionToken } : {}),
    ...(Number.isNaN(endsAt) ? {} : { expiration: new Date(endsAt) }),
  };
}

function isSendable(value: unknown): value is string {
  return typeof value === "string" && SENDABLE.test(value);
}

/**
 * A JSON text that should be an object.
 *
 * @throws {TransmuteError} `source-denied`
 */
export function jsonObject(
  lookup: AwsLookup,
  place: string,
  text: string,
): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch { /* said below, without the text: it may hold a secret */ }
  throw lookupFailure(lookup, "source-denied", place, "it answered what is no JSON object");
}
