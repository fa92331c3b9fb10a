/**
 * Making a damaged closure anew from the archives that were kept.
 *
 * @module
 */

import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";
import type { StorePaths } from "./cache.ts";
import type { ClosureMember, ClosurePart } from "./closure.ts";
import { closureName, readClosureRecord, storeClosure } from "./closure.ts";
import { hexDigest } from "./files.ts";
import type { UnpackLimits } from "./unpack.ts";
import { unpackTarball } from "./unpack.ts";

/**
 * Makes a closure anew and puts it in the damaged one's place. False when that cannot be done: its
 * record or an archive is gone or damaged too, or another version of the linker made it.
 *
 * @throws {TransmuteError} `disk-failure`
 */
export async function rebuildClosure(
  paths: StorePaths,
  name: string,
  maxUnpackedBytes: number,
): Promise<boolean> {
  const record = readClosureRecord(paths, name);
  if (record === null) return false;
  const roots = Object.keys(record.entries);
  // The name is made of the archives' digests, so it proves which archives are meant.
  if (await closureName(record.packages, roots, record.ecosystem) !== name) return false;
  const parts: ClosurePart[] = [];
  for (const member of record.packages) {
    const archive = await provenArchive(paths, member.sha512);
    if (archive === null) return false;
    parts.push({ ...member, ...await unpack(archive, member, { maxUnpackedBytes }) });
  }
  const { ecosystem = "js" } = record;
  const locations = new Map(roots.map((project) => [project, `node_modules/${project}`]));
  await storeClosure(paths, name, parts, locations, { ecosystem, replace: true });
  return true;
}

async function unpack(
  archive: Uint8Array,
  { file }: ClosureMember,
  limits: UnpackLimits,
): Promise<Pick<ClosurePart, "entries" | "commands">> {
  if (file === undefined) return { entries: await unpackTarball(archive, limits) };
  const { unpackPythonEgg } = await import("./python_egg.ts");
  const { entries, commands } = await unpackPythonEgg(archive, file, limits);
  return { entries, commands };
}

/** A kept archive, if it is what its name says. */
async function provenArchive(paths: StorePaths, sha512: string): Promise<Uint8Array | null> {
  try {
    const bytes = runtime.readFile(joinPath(paths.archives, sha512));
    return await hexDigest("SHA-512", bytes) === sha512 ? bytes : null;
  } catch {
    return null;
  }
}
