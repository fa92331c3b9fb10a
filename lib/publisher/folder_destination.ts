/**
 * A repository in a folder of this machine, perhaps one that a web server serves.
 *
 * @module
 */

import { runtime } from "../runtime/current.ts";
import { absolutePath, joinPath, parentPath, pathOfFileUrl } from "../runtime/paths.ts";
import { diskFailure, randomName } from "../store/files.ts";
import type { Destination } from "./destination.ts";

/** Web servers run as other users. */
const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;
/** Ends the names of files that are being written. */
const TEMPORARY = ".tmp";

/**
 * Opens a folder as a destination; it and the folders below are made when something is written.
 *
 * @param address a path, absolute or relative to the working directory, or a `file:` URL
 */
export function folderDestination(address: string): Destination {
  const path = address.startsWith("file:") ? pathOfFileUrl(address) : address;
  const root = absolutePath(path, runtime.workingDirectory());
  const placeOf = (path: string) => joinPath(root, path);
  return {
    id: root,
    read: (path) => attempt(`read ${placeOf(path)}`, () => readIfThere(placeOf(path))),
    writeIfAbsent: (path, bytes) =>
      attempt(
        `write ${placeOf(path)}`,
        () => writing(placeOf(path), bytes, (temporary) => linkIfAbsent(temporary, placeOf(path))),
      ),
    write: (path, bytes) =>
      attempt(`write ${placeOf(path)}`, async () => {
        await writing(placeOf(path), bytes, (temporary) => {
          runtime.rename(temporary, placeOf(path));
          return true;
        });
      }),
    list: (folder) => attempt(`list ${placeOf(folder)}`, () => listIfThere(placeOf(folder))),
    remove: (path) =>
      attempt(`remove ${placeOf(path)}`, () => {
        if (runtime.status(placeOf(path)) !== null) runtime.remove(placeOf(path));
      }),
  };
}

async function attempt<T>(action: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw diskFailure(action, error);
  }
}

function readIfThere(path: string): Uint8Array | null {
  try {
    // Not the runtime's own kind of array, which compares differently.
    return new Uint8Array(runtime.readFile(path));
  } catch (error) {
    if (runtime.fileErrorKind(error) === "missing") return null;
    throw error;
  }
}

function listIfThere(path: string): string[] {
  if (runtime.status(path) === null) return [];
  return runtime.list(path)
    .filter((name) =>
      !name.endsWith(TEMPORARY) && runtime.status(joinPath(path, name))?.kind === "file"
    );
}

/** Writes a temporary file beside `path` and puts it into place; what is left of it is removed. */
async function writing(
  path: string,
  bytes: Uint8Array,
  place: (temporary: string) => boolean,
): Promise<boolean> {
  const folder = parentPath(path);
  runtime.makeDirectory(folder, { recursive: true, mode: FOLDER_MODE });
  const temporary = `${path}.${randomName()}${TEMPORARY}`;
  try {
    runtime.writeFile(temporary, bytes, { exclusive: true, flush: true, mode: FILE_MODE });
    const placed = place(temporary);
    // What is written later must not reach the disk before it.
    if (placed) await runtime.flush([folder]);
    return placed;
  } finally {
    if (runtime.status(temporary) !== null) runtime.remove(temporary);
  }
}

/** Gives a file its name unless something has it: a link fails then, as a rename does not. */
function linkIfAbsent(temporary: string, path: string): boolean {
  try {
    runtime.link(temporary, path);
    return true;
  } catch (error) {
    if (runtime.status(path) !== null) return false;
    // Some file systems have no links. There, two publishers at the very same moment can be two.
    if (runtime.fileErrorKind(error) === "missing") throw error;
    runtime.rename(temporary, path);
    return true;
  }
}
