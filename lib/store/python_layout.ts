/**
 * How Python eggs are laid out when they are unpacked, and how their archives are read.
 *
 * @module
 */

import type { PythonManifest } from "../model/python.ts";
import type { ArchiveEntry, UnpackLimits } from "./unpack.ts";
import { readZipMembers } from "./zip_gate.ts";

const DEFAULT_MAX_ENTRIES = 50_000;
/** The folder of an egg that `PYTHONPATH` names. */
export const SITE = "site";
/** The folder of its commands. */
export const COMMANDS = "bin";

/** What the three formats have in common, before commands are made of entry points. */
export interface PythonLayout {
  entries: ArchiveEntry[];
  manifest: PythonManifest;
  /** The text of `entry_points.txt`, where it has one. */
  entryPoints: string | null;
}

/** The text of a file, which need not be UTF-8 in old eggs. */
export function textOf(entry: ArchiveEntry | undefined): string | null {
  return entry === undefined ? null : new TextDecoder().decode(entry.bytes);
}

/** The files of a zip archive, without its folders. */
export async function readZip(
  archive: Uint8Array,
  { maxUnpackedBytes, maxEntries = DEFAULT_MAX_ENTRIES }: UnpackLimits,
): Promise<ArchiveEntry[]> {
  const members = await readZipMembers(archive, { maxEntries, maxUnpackedBytes });
  return members.filter(({ kind }) => kind === "file")
    .map(({ path, bytes, executable }) => ({ path, bytes, executable }));
}
