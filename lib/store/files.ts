/**
 * Writing so that a crash leaves the old content or the new, never half of one: a temporary file
 * in the same folder, flushed, then renamed.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { runtime } from "../runtime/current.ts";
import { joinPath, parentPath } from "../runtime/paths.ts";
import type { StorePaths } from "./cache.ts";
import { assertPrivate } from "./cache.ts";

const TAG = "Signature: 8a477f597d28d172789f06886806bc55\n" +
  "# Written by Transmute. Backups may leave this folder out.\n";

/** A name that nobody else uses or can guess. */
export function randomName(): string {
  return Array.from(
    crypto.getRandomValues(new Uint8Array(12)),
    (byte) => byte.toString(16).padStart(2, "0"),
  ).join("");
}

/** A digest in hexadecimal. */
export async function hexDigest(
  algorithm: "SHA-256" | "SHA-512",
  bytes: Uint8Array,
): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest(algorithm, bytes as BufferSource));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Turns a file operation's failure into `disk-failure`, keeping errors of our own. */
export function diskFailure(action: string, error: unknown): TransmuteError {
  if (error instanceof TransmuteError) return error;
  const kind = runtime.fileErrorKind(error);
  return new TransmuteError(
    "disk-failure",
    `Cannot ${action}: ${error instanceof Error ? error.message : String(error)}`,
    {
      cause: error,
      ...(kind === "no-space"
        ? { hint: "The disk is full" }
        : kind === "denied"
        ? { hint: "This user may not write there" }
        : {}),
    },
  );
}

/** Makes the store's folders, private, where they are not there yet. */
export function prepareStore(paths: StorePaths): void {
  try {
    const isThere = assertPrivate(paths.root);
    // Made with its parents: in Deno that needs the permission for this one folder only. Asked for
    // even when it is there, so that a missing permission is told of the whole store.
    runtime.makeDirectory(paths.root, { recursive: true, mode: 0o700 });
    if (!isThere) assertPrivate(paths.root);
    for (
      const folder of [
        paths.closures,
        paths.archives,
        paths.listings,
        paths.partials,
        paths.metadata,
        paths.staging,
        paths.generations,
      ]
    ) makeFolder(paths.root, folder);
    const tag = joinPath(paths.root, "CACHEDIR.TAG");
    if (runtime.status(tag) === null) writeAtomically(tag, TAG);
  } catch (error) {
    throw diskFailure(`prepare the store ${paths.root}`, error);
  }
}

/**
 * Makes a folder of the store, and those above it within the store. A link in their place, planted
 * while the store was open to others, would lead what is written elsewhere.
 *
 * @throws {TransmuteError} `store-not-private` when something else has its name
 */
export function makeFolder(root: string, folder: string): void {
  const kind = runtime.status(folder)?.kind;
  if (kind !== undefined && kind !== "directory") throw foreign(folder, kind, "a folder");
  if (folder.length <= root.length) return;
  makeFolder(root, parentPath(folder));
  if (kind === undefined) runtime.makeDirectory(folder, { recursive: true, mode: 0o700 });
}

/**
 * Refuses a file of the store that is a link or anything else than a file, before it is written to.
 *
 * @throws {TransmuteError} `store-not-private`
 */
export function assertOwnFile(path: string): void {
  const status = runtime.status(path);
  if (status !== null && status.kind !== "file") throw foreign(path, status.kind, "a file");
}

function foreign(path: string, kind: string, wanted: string): TransmuteError {
  return new TransmuteError(
    "store-not-private",
    `Cannot use the store: found a ${kind} at ${path}, wanted ${wanted}`,
    { hint: `Remove it: rm '${path}'` },
  );
}

/**
 * Replaces a file's content in one step; `flush` waits for the disk first. Only this user may read
 * it, unless `mode` says otherwise.
 */
export function writeAtomically(
  path: string,
  content: string | Uint8Array,
  { flush = true, mode = 0o600 }: { flush?: boolean; mode?: number } = {},
): void {
  const temporary = `${path}.${randomName()}.tmp`;
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  try {
    runtime.writeFile(temporary, bytes, { exclusive: true, flush, mode });
    runtime.rename(temporary, path);
  } catch (error) {
    try {
      runtime.remove(temporary);
    } catch { /* it was never made */ }
    throw diskFailure(`write ${path}`, error);
  }
}
