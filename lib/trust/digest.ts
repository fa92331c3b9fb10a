/**
 * Digests: bytes in, verdict out. Written as `algorithm:hex` everywhere.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";

const ALGORITHMS: Record<string, { name: string; hexLength: number }> = {
  sha512: { name: "SHA-512", hexLength: 128 },
  sha384: { name: "SHA-384", hexLength: 96 },
  sha256: { name: "SHA-256", hexLength: 64 },
  // Old npm releases have nothing better.
  sha1: { name: "SHA-1", hexLength: 40 },
};

/** The hexadecimal digest of bytes. @param algorithm `sha512`, `sha384`, `sha256` or `sha1` */
export async function digestHex(algorithm: string, bytes: Uint8Array): Promise<string> {
  const { name } = ALGORITHMS[algorithm];
  const digest = new Uint8Array(await crypto.subtle.digest(name, bytes as BufferSource));
  let hex = "";
  for (const byte of digest) hex += byte.toString(16).padStart(2, "0");
  return hex;
}

/** What proven bytes were proven by. */
export interface Proof {
  /** The digest that names the archive in the store: always SHA-512, in hexadecimal. */
  sha512: string;
  /** The claims that were checked, as `size` or `algorithm:hex`. */
  checked: string[];
}

/**
 * Proves bytes against what their listing claims: the size, and every digest.
 *
 * @throws {TransmuteError} `size-mismatch`, `digest-mismatch`
 */
export async function proveBytes(
  bytes: Uint8Array,
  claims: { sizeBytes?: number; digests: string[] },
  about: { egg: string; source: string },
): Promise<Proof> {
  const checked: string[] = [];
  if (claims.sizeBytes !== undefined) {
    if (claims.sizeBytes !== bytes.length) {
      throw new TransmuteError(
        "size-mismatch",
        `Cannot accept ${about.egg}: found ${bytes.length} bytes, wanted ${claims.sizeBytes}`,
        about,
      );
    }
    checked.push("size");
  }
  const sha512 = await digestHex("sha512", bytes);
  for (const claim of claims.digests) {
    const [algorithm, wanted] = claim.split(":");
    const known = ALGORITHMS[algorithm];
    if (known === undefined || wanted?.length !== known.hexLength || !/^[0-9a-f]+$/.test(wanted)) {
      throw new TransmuteError(
        "digest-mismatch",
        `Cannot accept ${about.egg}: its listing gives "${claim}", wanted a digest such as sha256:<64 hexadecimal digits>`,
        about,
      );
    }
    const found = algorithm === "sha512" ? sha512 : await digestHex(algorithm, bytes);
    if (found !== wanted) {
      throw new TransmuteError(
        "digest-mismatch",
        `Cannot accept ${about.egg}: found ${algorithm}:${found}, wanted ${claim}`,
        about,
      );
    }
    checked.push(claim);
  }
  return { sha512, checked };
}
