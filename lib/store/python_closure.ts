/**
 * Closures of Python eggs: all of them side by side below one prefix, as an installer would lay
 * them out, so that namespace packages and metadata are found.
 *
 * @module
 */

import { foldPath, refusedArchive } from "./entry_names.ts";
import type { ArchiveEntry } from "./unpack.ts";

/** How an entry of the closure's record that is a command begins. */
export const COMMAND_PREFIX = "command:";

/** An egg of a closure. */
interface PythonPart {
  project: string;
  entries: ArchiveEntry[];
  commands?: Record<string, string>;
}

function areEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

/** No disk takes a file and a folder of one name, also where they differ in case alone. */
function assertNoFileIsFolder(files: Map<string, unknown>, owners: Map<string, string>): void {
  const folders = new Map<string, string>();
  for (const path of files.keys()) {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const folder = foldPath(path.slice(0, end));
      if (folders.has(folder)) break;
      folders.set(folder, path);
    }
  }
  for (const path of files.keys()) {
    const inside = folders.get(foldPath(path));
    if (inside === undefined) continue;
    throw refusedArchive(
      `found the file ${path} in ${owners.get(path)} and ${inside} in ${owners.get(inside)}`,
    );
  }
}

/**
 * Puts the files of all eggs together. Of two eggs with different files of one name, the one whose
 * project's name is the later has it: the same on every machine, and told in the record.
 *
 * @throws {TransmuteError} `archive-invalid` where names differ in case alone, or one is a file of one
 *   egg and a folder of another
 */
export function assemblePython(parts: PythonPart[], roots: string[]) {
  const files = new Map<string, { bytes: Uint8Array; executable: boolean }>();
  const folded = new Map<string, string>();
  const owners = new Map<string, string>();
  const notes: string[] = [];
  const sorted = parts.toSorted((one, other) => one.project < other.project ? -1 : 1);
  for (const { project, entries } of sorted) {
    for (const { path, bytes, executable } of entries) {
      const twin = folded.get(foldPath(path));
      if (twin !== undefined && twin !== path) {
        throw refusedArchive(`found ${path} in ${project} and ${twin} in another egg`);
      }
      const other = files.get(path);
      if (other !== undefined && !areEqual(other.bytes, bytes)) {
        notes.push(`${path} is that of ${project}, not that of ${owners.get(path)}`);
      }
      folded.set(foldPath(path), path);
      owners.set(path, project);
      files.set(path, { bytes, executable });
    }
  }
  assertNoFileIsFolder(files, owners);
  const commandsOf = new Map(parts.map(({ project, commands }) => [project, commands ?? {}]));
  const entries: Map<string, Record<string, string>> = new Map(roots.map((root) => [
    root,
    Object.fromEntries(
      Object.entries(commandsOf.get(root) ?? {})
        .map(([name, path]) => [`${COMMAND_PREFIX}${name}`, path]),
    ),
  ]));
  return { files, entries, notes };
}
