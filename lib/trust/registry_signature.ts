/**
 * Signatures of npm registries: over the name, version and digest of an egg, by a key that the
 * registry publishes. Bytes in, verdict out.
 *
 * @see npm's documentation, "About ECDSA registry signatures"
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { RegistryRecord } from "../model/egg.ts";
import { isObject } from "../model/json.ts";

/** A key that a registry signs with. */
export interface RegistryKey {
  /** Its name: `SHA256:` and base64 of its digest. */
  keyid: string;
  /** The key, as base64 of SPKI. */
  key: string;
  /** When it ceased to be used, in milliseconds since the epoch; `null` while it is in use. */
  expiresAt: number | null;
}

const P256_HALF_BYTES = 32;
const MAX_KEYS = 100;

/**
 * Reads the keys that a registry publishes. Keys of other kinds are passed over.
 *
 * @throws {TransmuteError} `listing-invalid` for what is no list of keys
 */
export function readRegistryKeys(text: string, source: string): RegistryKey[] {
  const invalid = (found: string) =>
    new TransmuteError("listing-invalid", `Cannot read the keys of ${source}: ${found}`, {
      source,
    });
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw invalid("found text that is not JSON");
  }
  const keys = isObject(answer) ? answer.keys : null;
  if (!Array.isArray(keys) || keys.length > MAX_KEYS) throw invalid("found no list of keys");
  return keys.flatMap((found: unknown): RegistryKey[] => {
    const { keyid, key, scheme, expires = null } = isObject(found) ? found : {};
    if (typeof keyid !== "string" || typeof key !== "string") return [];
    if (scheme !== "ecdsa-sha2-nistp256") return [];
    const expiresAt = expires === null ? null : Date.parse(String(expires));
    // A key that ends at no time that can be read ended long ago.
    return [{ keyid, key, expiresAt: Number.isNaN(expiresAt) ? 0 : expiresAt }];
  });
}

/**
 * Proves that a registry signed an egg.
 *
 * @param publishedAt when the registry says that it was published, in milliseconds since the epoch
 * @returns the id of the key that signed
 * @throws {TransmuteError} `signature-missing` when there is no signature, `signature-invalid`
 * when none of a published key fits
 */
export async function verifyRegistrySignature(
  { signed, signatures }: RegistryRecord,
  keys: RegistryKey[],
  about: { egg: string; source: string },
  publishedAt?: number,
): Promise<string> {
  const refuse = (code: "signature-missing" | "signature-invalid", found: string) =>
    new TransmuteError(code, `Cannot accept ${about.egg}: ${found}`, about);
  if (signatures.length === 0) {
    throw refuse("signature-missing", "found no signature of its registry, wanted one");
  }
  const known = signatures.flatMap(({ keyid, sig }) => {
    const key = keys.find((one) => one.keyid === keyid);
    return key === undefined ? [] : [{ key, sig }];
  });
  if (known.length === 0) {
    const names = signatures.map(({ keyid }) => JSON.stringify(keyid)).join(", ");
    throw refuse("signature-invalid", `found it signed by ${names}, wanted a published key`);
  }
  for (const { key, sig } of known) {
    if (key.expiresAt !== null && publishedAt !== undefined && publishedAt >= key.expiresAt) {
      throw refuse(
        "signature-invalid",
        `found it signed by ${key.keyid}, which had ended when it was published`,
      );
    }
    if (!await isSignedBy(signed, key, sig)) {
      throw refuse("signature-invalid", `found a signature that is not ${key.keyid}'s over it`);
    }
  }
  return known[0].key.keyid;
}

async function isSignedBy(text: string, { key }: RegistryKey, sig: string): Promise<boolean> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const raw = rawSignature(bytesOfBase64(sig));
  const spki = bytesOfBase64(key);
  if (raw === null || spki === null) return false;
  try {
    const imported = await crypto.subtle.importKey(
      "spki",
      spki as BufferSource,
      algorithm,
      false,
      ["verify"],
    );
    return await crypto.subtle.verify(
      { name: "ECDSA", hash: "SHA-256" },
      imported,
      raw as BufferSource,
      new TextEncoder().encode(text),
    );
  } catch {
    return false;
  }
}

function bytesOfBase64(text: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

/** DER's two integers as Web Crypto has them: each of 32 bytes, one after the other. */
function rawSignature(der: Uint8Array | null): Uint8Array | null {
  if (der === null || der[0] !== 0x30 || der[1] !== der.length - 2) return null;
  const raw = new Uint8Array(2 * P256_HALF_BYTES);
  let at = 2;
  for (const half of [1, 2]) {
    if (der[at] !== 0x02) return null;
    const end = at + 2 + der[at + 1];
    let start = at + 2;
    while (start < end - 1 && der[start] === 0) start++;
    if (end > der.length || end - start > P256_HALF_BYTES) return null;
    raw.set(der.subarray(start, end), half * P256_HALF_BYTES - (end - start));
    at = end;
  }
  return at === der.length ? raw : null;
}
