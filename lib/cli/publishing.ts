/**
 * What the author's commands have in common: where the repository is, its root, and the keys.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { Signing } from "../publisher/commit.ts";
import type { Destination } from "../publisher/destination.ts";
import { openKeys } from "../publisher/keys.ts";
import type { Document, Root } from "../publisher/metadata.ts";
import { documentBytes } from "../publisher/metadata.ts";
import { publisherMemory } from "../publisher/memory.ts";
import { openDestination } from "../publisher/open_destination.ts";
import { readRoot } from "../publisher/repository.ts";
import { runtime } from "../runtime/current.ts";
import { absolutePath } from "../runtime/paths.ts";
import { diskFailure, writeAtomically } from "../store/files.ts";
import { storeRoot } from "./application.ts";
import type { CommandOptions, CommandRequest } from "./command.ts";
import { askedPassphrases } from "./passphrase.ts";

/** Where keygen puts keys. */
export const KEY_FOLDER = "keys";
const ROOT_FILE = "root.json";
/** Roots are public. */
const ROOT_MODE = 0o644;

/** Where the repository is that `--to` names. */
export async function destinationOf({ to }: CommandOptions): Promise<Destination> {
  if (to !== undefined) return await openDestination(to);
  throw new TransmuteError(
    "option-invalid",
    "Cannot tell which repository is meant: wanted the option --to",
    { hint: "Such as: --to dist, or --to s3://bucket/prefix" },
  );
}

/** The path of the root that the author holds. */
export function rootPath({ root = ROOT_FILE }: CommandOptions): string {
  return absolutePath(root, runtime.workingDirectory());
}

/**
 * The root that the author holds: what is in the repository is only trusted by it.
 *
 * @throws {TransmuteError} `repository-missing`, `repository-invalid`
 */
export async function heldRoot(options: CommandOptions): Promise<Document<Root>> {
  const path = rootPath(options);
  if (runtime.status(path) === null) {
    throw new TransmuteError(
      "repository-missing",
      `Cannot read the root of the repository: there is no file ${path}`,
      { hint: "transmute init-repository writes it; keep it with the application, or use --root" },
    );
  }
  return await readRoot(runtime.readFile(path), path);
}

/** Writes the root that the author holds from then on. False when it is there already. */
export function writeRoot(options: CommandOptions, root: Document<Root>): boolean {
  return writeDocument(rootPath(options), root);
}

/** Writes a document to a file of the author's. False when it is there already. */
export function writeDocument(path: string, document: Document): boolean {
  const text = `${new TextDecoder().decode(documentBytes(document))}\n`;
  try {
    if (runtime.status(path) !== null && runtime.readTextFile(path) === text) return false;
    writeAtomically(path, text, { mode: ROOT_MODE });
  } catch (error) {
    throw diskFailure(`write ${path}`, error);
  }
  return true;
}

/** The keys that `--key` names, or those in the folder `keys`. */
export async function signingOf(
  { options, now }: Pick<CommandRequest, "options" | "now">,
): Promise<Signing> {
  const addresses = options.key ?? [KEY_FOLDER];
  const memory = publisherMemory(storeRoot());
  return { keys: await openKeys(addresses, askedPassphrases()), now, memory };
}

/** Everything that a command needs to change a repository. */
export async function openPublishing(
  request: Pick<CommandRequest, "options" | "now">,
): Promise<{ destination: Destination; root: Document<Root>; signing: Signing }> {
  const destination = await destinationOf(request.options);
  const root = await heldRoot(request.options);
  return { destination, root, signing: await signingOf(request) };
}
