/**
 * Keys to sign with, and where they come from: files, environment variables, commands.
 *
 * A secret is only asked for when something is to be signed that its key may sign, and is never
 * part of a message.
 *
 * @module
 */

import { describeError, isTransmuteError, TransmuteError } from "../errors.ts";
import { runtime } from "../runtime/current.ts";
import { absolutePath, joinPath } from "../runtime/paths.ts";
import { splitCommand } from "../sources/aws_program.ts";
import { canonicalBytes } from "./canonical.ts";
import { readKeyFile } from "./key_file.ts";
import type { PublicKey } from "./public_key.ts";
import {
  bytesOfBase64,
  bytesOfHex,
  hexOf,
  isSignedBy,
  pem,
  publicKeyOf,
  readPublicKey,
} from "./public_key.ts";

/** Endings of the files of private and of public keys. */
export const PRIVATE_ENDING = ".pem";
export const PUBLIC_ENDING = ".pub";

/** A signature of 64 bytes. */
const SIGNATURE_BYTES = 64;
/** Somebody may have to touch a key, or confirm on a phone. */
const COMMAND_MS = 5 * 60 * 1000;

/** A key to sign with. */
export interface SigningKey {
  /** For messages: where it comes from, never what it is. */
  readonly name: string;
  readonly public: PublicKey;
  /**
   * A signature of `bytes`, in hexadecimal, proven to be one by this key.
   *
   * @throws {TransmuteError} `key-invalid`, `permission-missing`
   */
  sign(bytes: Uint8Array): Promise<string>;
}

/** What reading keys needs of its surroundings. */
export interface KeySurroundings {
  /**
   * Asks for a passphrase.
   *
   * @param name of the key, for whoever is asked
   * @param again true when the last one did not fit
   */
  passphrase(name: string, again: boolean): Promise<string>;
}

/**
 * Opens keys by their addresses:
 *
 * - `keys/online.pem`: a file; with `online.pub` beside it, it is read only when it is to sign
 * - `keys`: all such files of a folder
 * - `env:ONLINE_KEY`: a variable with the text of such a file, or with its base64
 * - `command:online.pub program arguments…`: the program reads what is to be signed from standard
 *   input and writes the signature, in base64 or hexadecimal, to standard output
 *
 * @throws {TransmuteError} `key-missing`, `key-invalid`, `permission-missing`
 */
export async function openKeys(
  addresses: readonly string[],
  surroundings: KeySurroundings,
): Promise<SigningKey[]> {
  const keys: SigningKey[] = [];
  for (const address of addresses) {
    if (address.startsWith("env:")) keys.push(await variableKey(address, surroundings));
    else if (address.startsWith("command:")) keys.push(await commandKey(address));
    else keys.push(...await pathKeys(address, surroundings));
  }
  return keys;
}

function missing(address: string, found: string, hint?: string): TransmuteError {
  return new TransmuteError("key-missing", `Cannot open the key ${address}: ${found}`, {
    ...(hint === undefined ? {} : { hint }),
  });
}

async function pathKeys(address: string, surroundings: KeySurroundings): Promise<SigningKey[]> {
  const path = absolutePath(address, runtime.workingDirectory());
  const status = runtime.status(path);
  if (status === null) {
    throw missing(address, "there is no such file or folder", "transmute keygen makes keys");
  }
  if (status.kind !== "directory") return [await fileKey(path, address, surroundings)];
  const names = runtime.list(path).filter((name) => name.endsWith(PRIVATE_ENDING)).sort();
  return await Promise.all(
    names.map((name) => fileKey(joinPath(path, name), joinPath(address, name), surroundings)),
  );
}

async function fileKey(
  path: string,
  name: string,
  surroundings: KeySurroundings,
): Promise<SigningKey> {
  const beside = path.replace(/\.pem$/, "") + PUBLIC_ENDING;
  const open = () =>
    readKeyFile(
      runtime.readTextFile(path),
      name,
      (again) => surroundings.passphrase(name, again),
    );
  if (runtime.status(beside)?.kind !== "file") return await openedKey(name, open);
  return signingKey(name, await readPublicKey(runtime.readTextFile(beside), beside), open);
}

async function variableKey(address: string, surroundings: KeySurroundings): Promise<SigningKey> {
  const content = runtime.env(address.slice("env:".length))?.trim();
  if (!content) throw missing(address, "the variable is not set");
  const bytes = content.startsWith("-----") ? null : bytesOfBase64(content);
  const decoded = bytes === null ? content : new TextDecoder().decode(bytes);
  const text = decoded.startsWith("-----") || bytes === null ? decoded : pem("PRIVATE KEY", bytes);
  return await openedKey(
    address,
    () => readKeyFile(text, address, (again) => surroundings.passphrase(address, again)),
  );
}

/** A key whose public half can only be known by opening it. */
async function openedKey(
  name: string,
  open: () => ReturnType<typeof readKeyFile>,
): Promise<SigningKey> {
  const opened = await open();
  const publicKey = await publicKeyOf(opened.publicBytes);
  return signingKey(name, publicKey, () => Promise.resolve(opened));
}

function signingKey(
  name: string,
  publicKey: PublicKey,
  open: () => ReturnType<typeof readKeyFile>,
): SigningKey {
  let opened: ReturnType<typeof readKeyFile> | undefined;
  return {
    name,
    public: publicKey,
    async sign(bytes) {
      const key = await (opened ??= open());
      return await proven(name, publicKey, hexOf(key.sign(bytes)), bytes);
    },
  };
}

/** A signature by another key than was thought would only be found out by every client. */
async function proven(
  name: string,
  { key }: PublicKey,
  signature: string,
  bytes: Uint8Array,
): Promise<string> {
  if (await isSignedBy(key, signature, bytes)) return signature;
  throw new TransmuteError(
    "key-invalid",
    `Cannot sign with ${name}: its signature is not by the public key ${key.keyval.public}`,
    { hint: `Is the ${PUBLIC_ENDING} file that of another key?` },
  );
}

async function commandKey(address: string): Promise<SigningKey> {
  const isWindows = runtime.platform().os === "win32";
  const words = splitCommand(address.slice("command:".length), isWindows) ?? [];
  const [publicPath, program, ...args] = words;
  if (program === undefined) {
    throw new TransmuteError(
      "key-invalid",
      `Cannot open the key ${address}: wanted the file of a public key and a program`,
      { hint: 'Such as: "command:online.pub sign-with-kms --key 7"' },
    );
  }
  const path = absolutePath(publicPath, runtime.workingDirectory());
  if (runtime.status(path)?.kind !== "file") {
    throw missing(address, `there is no file ${publicPath}`);
  }
  const publicKey = await readPublicKey(runtime.readTextFile(path), publicPath);
  // Without the arguments: they may hold a secret.
  const name = `command:${publicPath} ${program}`;
  return {
    name,
    public: publicKey,
    async sign(bytes) {
      const signature = await runCommand(name, program, args, bytes);
      return await proven(name, publicKey, signature, bytes);
    },
  };
}

async function runCommand(
  name: string,
  program: string,
  args: string[],
  bytes: Uint8Array,
): Promise<string> {
  const failed = (found: string) =>
    new TransmuteError("key-invalid", `Cannot sign with ${name}: ${found}`);
  const output = await runtime.run(
    { path: program, args, env: {} },
    AbortSignal.timeout(COMMAND_MS),
    { input: bytes, showErrors: true },
  ).catch((error) => {
    if (isTransmuteError(error)) throw error;
    throw failed(`it cannot be started or did not end (${describeError(error)})`);
  });
  if (output.code !== 0) throw failed(`it ended with code ${output.code}`);
  const text = output.stdout.trim();
  const signature = bytesOfHex(text.toLowerCase()) ?? bytesOfBase64(text);
  if (signature?.length === SIGNATURE_BYTES) return hexOf(signature);
  throw failed(`it wrote ${text.length} characters, wanted 64 bytes in base64 or hexadecimal`);
}

/** The signature of a value's canonical form, as documents have it. */
export async function signatureOf(
  key: SigningKey,
  signed: unknown,
): Promise<{ keyid: string; sig: string }> {
  return { keyid: key.public.id, sig: await key.sign(canonicalBytes(signed)) };
}
