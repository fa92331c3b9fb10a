/**
 * What a piece of repository metadata may be before the library reads it: so many bytes, so many
 * entries, keys of these kinds. Pure.
 *
 * @module
 */

import type { Json } from "../model/json.ts";
import { isObject } from "../model/json.ts";
import { MAX_TARGETS_OF_PROJECT } from "../model/signed_target.ts";

/** The most that is read of each kind of metadata, in bytes. */
export const MAX_METADATA_BYTES = {
  root: 128 * 1024,
  timestamp: 16 * 1024,
  snapshot: 4 * 1024 ** 2,
  targets: 8 * 1024 ** 2,
  project: 2 * 1024 ** 2,
} as const;

/** Newer roots that are fetched in one update. */
export const MAX_ROOT_ROTATIONS = 64;

const MAX_ROLES = 20_000;
const MAX_KEYS = 1_000;
const MAX_SIGNATURES = 1_000;
/** Deeper metadata is somebody's attempt to exhaust a reader; signed data of ours is 8 deep. */
const MAX_DEPTH = 32;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** Which kind of metadata a role has. */
export type MetadataKind = keyof typeof MAX_METADATA_BYTES;

/** The kind of metadata that the role of this name has. */
export function metadataKind(role: string): MetadataKind {
  return Object.hasOwn(MAX_METADATA_BYTES, role) && role !== "project"
    ? role as MetadataKind
    : "project";
}

/** Metadata that is not looked at any further; the message says what was found. */
export class MetadataRefused extends Error {}

/**
 * Whether brackets nest deeper than allowed, told from the text: parsing it may end the process.
 */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (inString) {
      if (unit === 0x5c) index++;
      else if (unit === 0x22) inString = false;
    } else if (unit === 0x22) inString = true;
    else if (unit === 0x7b || unit === 0x5b) {
      if (++depth > MAX_DEPTH) return true;
    } else if (unit === 0x7d || unit === 0x5d) depth--;
  }
  return false;
}

/**
 * Looks at metadata before it is verified.
 *
 * @param keyTypes the kinds of keys that may be listed, or `null` for any
 * @throws {MetadataRefused} for what is too large, too deep, or nothing that could be verified
 */
export function checkMetadata(
  role: string,
  bytes: Uint8Array,
  keyTypes: readonly string[] | null,
): void {
  const kind = metadataKind(role);
  const maxBytes = MAX_METADATA_BYTES[kind];
  if (bytes.length > maxBytes) {
    throw new MetadataRefused(`found ${bytes.length} bytes, wanted at most ${maxBytes}`);
  }
  let metadata: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (isTooDeep(text)) throw new MetadataRefused(`found it nested more than ${MAX_DEPTH} deep`);
    metadata = JSON.parse(text);
  } catch (error) {
    if (error instanceof MetadataRefused) throw error;
    throw new MetadataRefused("found bytes that are no JSON");
  }
  const signed = isObject(metadata) ? metadata.signed : null;
  if (!isObject(metadata) || !isObject(signed)) throw new MetadataRefused("found nothing signed");
  checkCount("signatures", metadata.signatures, MAX_SIGNATURES);
  const { version, expires } = signed;
  if (!Number.isSafeInteger(version) || (version as number) < 1) {
    throw new MetadataRefused(`found the version ${JSON.stringify(version)}, wanted 1 or more`);
  }
  if (typeof expires !== "string" || !TIME.test(expires)) {
    throw new MetadataRefused(
      `found that it expires ${JSON.stringify(expires)}, wanted a time like 2027-01-31T00:00:00Z`,
    );
  }
  checkCount("roles", signed.meta, MAX_ROLES);
  checkCount("targets", signed.targets, kind === "project" ? MAX_TARGETS_OF_PROJECT : MAX_ROLES);
  const delegations = isObject(signed.delegations) ? signed.delegations : {};
  checkCount("delegations", delegations.roles, MAX_ROLES);
  for (const keys of [signed.keys, delegations.keys]) {
    checkCount("keys", keys, MAX_KEYS);
    if (keyTypes !== null && isObject(keys)) checkKeyTypes(keys, keyTypes);
  }
}

function checkCount(what: string, entries: unknown, max: number): void {
  const count = typeof entries === "object" && entries !== null ? Object.keys(entries).length : 0;
  if (count > max) throw new MetadataRefused(`found ${count} ${what}, wanted at most ${max}`);
}

function checkKeyTypes(keys: Json, keyTypes: readonly string[]): void {
  for (const key of Object.values(keys)) {
    const type = isObject(key) ? key.keytype : undefined;
    if (typeof type !== "string" || !keyTypes.includes(type)) {
      const found = JSON.stringify(type) ?? "none";
      throw new MetadataRefused(
        `found a key of the type ${found}, wanted ${keyTypes.join(" or ")}`,
      );
    }
  }
}
