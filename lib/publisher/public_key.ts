/**
 * Public keys: as TUF metadata names them, and as files hold them. Ed25519 only, which every
 * runtime verifies alike.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { digestHex } from "../trust/digest.ts";
import { canonicalBytes } from "./canonical.ts";

/** A key as TUF metadata has it. */
export interface TufKey {
  keytype: string;
  scheme: string;
  /** `public`: 64 hexadecimal digits. */
  keyval: { public: string };
}

/** A public key and its name. */
export interface PublicKey {
  /** The SHA-256 of its canonical JSON. */
  id: string;
  key: TufKey;
}

/** SubjectPublicKeyInfo of an Ed25519 key, up to the key itself (RFC 8410, "Subject Public Key Info"). */
const SPKI_START = new Uint8Array([0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0]);
const PUBLIC_LABEL = "PUBLIC KEY";
const KEY_BYTES = 32;
const LINE_LENGTH = 64;

/** The public key of 32 bytes. */
export async function publicKeyOf(bytes: Uint8Array): Promise<PublicKey> {
  const key = { keytype: "ed25519", scheme: "ed25519", keyval: { public: hexOf(bytes) } };
  return { id: await keyId(key), key };
}

/** What a key is called: the SHA-256 of its canonical JSON. */
export async function keyId(key: TufKey): Promise<string> {
  return await digestHex("sha256", canonicalBytes(key));
}

/** Whether `signature`, in hexadecimal, is that of `bytes` by a key; false for keys of other kinds. */
export async function isSignedBy(
  { keytype, scheme, keyval }: TufKey,
  signature: string,
  bytes: Uint8Array,
): Promise<boolean> {
  const [raw, signed] = [bytesOfHex(keyval?.public), bytesOfHex(signature)];
  if (keytype !== "ed25519" || scheme !== "ed25519" || raw?.length !== KEY_BYTES) return false;
  if (signed === null) return false;
  const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
  return await crypto.subtle.verify("Ed25519", key, signed, bytes as BufferSource);
}

/** The text of a public key's file, as `openssl pkey -pubout` writes it. */
export function publicKeyText({ key }: PublicKey): string {
  const raw = bytesOfHex(key.keyval.public)!;
  return pem(PUBLIC_LABEL, new Uint8Array([...SPKI_START, ...raw]));
}

/**
 * Reads the text of a public key's file.
 *
 * @param name of the file, for messages
 * @throws {TransmuteError} `key-invalid`
 */
export async function readPublicKey(text: string, name: string): Promise<PublicKey> {
  const bytes = bytesOfPem(PUBLIC_LABEL, text);
  const isEd25519 = bytes?.length === SPKI_START.length + KEY_BYTES &&
    SPKI_START.every((byte, index) => bytes[index] === byte);
  if (isEd25519) return await publicKeyOf(bytes.subarray(SPKI_START.length));
  throw new TransmuteError(
    "key-invalid",
    `Cannot read the public key ${name}: found no Ed25519 key between -----BEGIN PUBLIC KEY----- ` +
      "and its end",
    { hint: "transmute keygen makes one; openssl pkey -pubout writes that of a private key" },
  );
}

/** Bytes between the lines of PEM. */
export function pem(label: string, bytes: Uint8Array): string {
  const base64 = btoa(String.fromCharCode(...bytes));
  const lines = base64.match(new RegExp(`.{1,${LINE_LENGTH}}`, "g")) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** The bytes between the lines of PEM of this label; `null` when there are none. */
function bytesOfPem(label: string, text: string): Uint8Array | null {
  const [, base64] =
    new RegExp(`-----BEGIN ${label}-----([^-]*)-----END ${label}-----`).exec(text) ??
      [];
  if (base64 === undefined) return null;
  return bytesOfBase64(base64);
}

/** The bytes of base64 with white space in it; `null` when it is none. */
export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text.replace(/\s/g, "")), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

/** The bytes of lower-case hexadecimal; `null` when it is none. */
export function bytesOfHex(text: unknown): Uint8Array<ArrayBuffer> | null {
  if (typeof text !== "string" || text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) return null;
  return Uint8Array.from(text.match(/../g) ?? [], (digits) => parseInt(digits, 16));
}

/** Bytes in lower-case hexadecimal. */
export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Keys by their ids, sorted, as documents have them. */
export function keysById(keys: readonly PublicKey[]): Record<string, TufKey> {
  const byId = [...keys].sort((one, other) => one.id < other.id ? -1 : 1);
  return Object.fromEntries(byId.map(({ id, key }) => [id, key]));
}
