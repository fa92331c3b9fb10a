/**
 * Files of private keys: PKCS#8 in PEM, as every tool of the field reads them; with a passphrase,
 * encrypted by the scheme PBES2 (RFC 8018): PBKDF2 with HMAC-SHA-256, AES-256-CBC.
 *
 * OpenSSL reads them, and files that OpenSSL wrote are read here.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { runtime } from "../runtime/current.ts";
import { pem } from "./public_key.ts";

type NodeCrypto = typeof import("node:crypto");

/** A private key that is ready to sign. */
export interface PrivateKey {
  /** 32 bytes. */
  publicBytes: Uint8Array;
  /** The 64 bytes of an Ed25519 signature. */
  sign(bytes: Uint8Array): Uint8Array;
}

/** What OWASP's password storage guidance asks of PBKDF2 with SHA-256. */
const ITERATIONS = 600_000;
const SALT_BYTES = 16;
const VECTOR_BYTES = 16;
/** How often a passphrase is asked for: people mistype. */
const PASSPHRASE_TRIES = 3;
const ENCRYPTED_LABEL = "ENCRYPTED PRIVATE KEY";
const PLAIN_LABEL = "PRIVATE KEY";

/** Object identifiers, encoded. */
const PBES2 = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 0x0d];
const PBKDF2 = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 0x0c];
const HMAC_SHA256 = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 9];
const AES_256_CBC = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 0x2a];

const INTEGER = 2;
const OCTETS = 4;
const NULL = 5;
const IDENTIFIER = 6;
const SEQUENCE = 0x30;

/** One value in DER; nothing here is longer than two bytes of length can say. */
function der(tag: number, ...parts: ArrayLike<number>[]): number[] {
  const content = parts.flatMap((part) => Array.from(part));
  const { length } = content;
  const sizes = length < 0x80
    ? [length]
    : length < 0x100
    ? [0x81, length]
    : [0x82, length >> 8, length & 0xff];
  return [tag, ...sizes, ...content];
}

function integer(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  // The first bit is the sign.
  return der(INTEGER, bytes[0] >= 0x80 ? [0, ...bytes] : bytes);
}

/** Makes a private key, and the text of its file: encrypted, unless there is no passphrase. */
export async function generateKeyFile(
  passphrase: string | null,
): Promise<{ text: string; key: PrivateKey }> {
  const { generateKeyPairSync } = await runtime.builtin<NodeCrypto>("crypto");
  const { privateKey } = generateKeyPairSync("ed25519");
  const plain = new Uint8Array(privateKey.export({ type: "pkcs8", format: "der" }));
  const text = passphrase === null
    ? pem(PLAIN_LABEL, plain)
    : pem(ENCRYPTED_LABEL, await encrypt(plain, passphrase));
  return {
    text,
    key: await readKeyFile(text, "of a moment ago", () => Promise.resolve(passphrase!)),
  };
}

async function encrypt(plain: Uint8Array, passphrase: string): Promise<Uint8Array> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const iv = crypto.getRandomValues(new Uint8Array(VECTOR_BYTES));
  const secret = new TextEncoder().encode(passphrase);
  const base = await crypto.subtle.importKey("raw", secret, "PBKDF2", false, ["deriveKey"]);
  const key = await crypto.subtle.deriveKey(
    { name: "PBKDF2", hash: "SHA-256", salt, iterations: ITERATIONS },
    base,
    { name: "AES-CBC", length: 256 },
    false,
    ["encrypt"],
  );
  const encrypted = await crypto.subtle.encrypt(
    { name: "AES-CBC", iv },
    key,
    plain as BufferSource,
  );
  const derivation = der(
    SEQUENCE,
    der(IDENTIFIER, PBKDF2),
    der(
      SEQUENCE,
      der(OCTETS, salt),
      integer(ITERATIONS),
      der(SEQUENCE, der(IDENTIFIER, HMAC_SHA256), der(NULL)),
    ),
  );
  const cipher = der(SEQUENCE, der(IDENTIFIER, AES_256_CBC), der(OCTETS, iv));
  const scheme = der(SEQUENCE, der(IDENTIFIER, PBES2), der(SEQUENCE, derivation, cipher));
  return new Uint8Array(der(SEQUENCE, scheme, der(OCTETS, new Uint8Array(encrypted))));
}

/** Whether the text of a key file asks for a passphrase. */
export function isEncrypted(text: string): boolean {
  return text.includes(ENCRYPTED_LABEL);
}

/**
 * Reads a private key.
 *
 * @param text of its file
 * @param name for messages
 * @param passphrase asked when there is need of one; again, with `true`, when it did not fit
 * @throws {TransmuteError} `key-invalid` for another kind of key or file, or a wrong passphrase; and
 * what `passphrase` throws
 */
export async function readKeyFile(
  text: string,
  name: string,
  passphrase: (again: boolean) => Promise<string>,
): Promise<PrivateKey> {
  const nodeCrypto = await runtime.builtin<NodeCrypto>("crypto");
  const key = isEncrypted(text)
    ? await decrypted(nodeCrypto, text, name, passphrase)
    : opened(nodeCrypto, text);
  if (key instanceof Error) {
    throw invalid(
      name,
      "found no private key between -----BEGIN PRIVATE KEY----- and its end",
      key,
    );
  }
  if (key.asymmetricKeyType !== "ed25519") {
    throw invalid(name, `found a key for ${key.asymmetricKeyType}, wanted one for ed25519`);
  }
  const spki = nodeCrypto.createPublicKey(key).export({ type: "spki", format: "der" });
  return {
    publicBytes: new Uint8Array(spki.subarray(spki.length - 32)),
    sign: (bytes) => new Uint8Array(nodeCrypto.sign(null, bytes, key)),
  };
}

function invalid(name: string, found: string, cause?: unknown): TransmuteError {
  return new TransmuteError("key-invalid", `Cannot read the key ${name}: ${found}`, { cause });
}

function opened({ createPrivateKey }: NodeCrypto, text: string, passphrase?: string) {
  try {
    const secret = passphrase === undefined ? {} : { passphrase };
    return createPrivateKey({ key: text, format: "pem", ...secret });
  } catch (error) {
    return error as Error;
  }
}

async function decrypted(
  nodeCrypto: NodeCrypto,
  text: string,
  name: string,
  passphrase: (again: boolean) => Promise<string>,
) {
  let last: string | undefined;
  for (let tries = 0;; tries++) {
    const given = await passphrase(tries > 0);
    const key = opened(nodeCrypto, text, given);
    if (!(key instanceof Error)) return key;
    // The same again is not somebody's mistake in typing.
    if (tries + 1 === PASSPHRASE_TRIES || given === last) {
      throw invalid(name, "found that the passphrase does not fit it", key);
    }
    last = given;
  }
}
