/**
 * Unpacking of npm tarballs, all in memory: nothing is written before everything was proven.
 *
 * @module
 */

import { describeError, isTransmuteError } from "../errors.ts";
import type { Manifest } from "../model/egg.ts";
import { runtime } from "../runtime/current.ts";
import { quoted, refusedArchive, refusedEntry } from "./entry_names.ts";
import { hexDigest } from "./files.ts";
import { readTarMembers } from "./tar_gate.ts";

const DEFAULT_MAX_ENTRIES = 50_000;
/** The shortest gzip member: a header of 10 bytes, an empty block of 2, a trailer of 8. */
const MIN_GZIP_BYTES = 20;

/** A file of an unpacked egg. */
export interface ArchiveEntry {
  /** Relative to the egg's root, '/'-separated: the archive's top folder is stripped. */
  path: string;
  /** A view of the expanded archive: a copy is only needed to change it. */
  bytes: Uint8Array;
  /** Whether it is to be stored as a program. */
  executable: boolean;
}

/** What an archive may expand to. */
export interface UnpackLimits {
  /** The most bytes of the expanded tar, headers included. */
  maxUnpackedBytes: number;
  /** The most files and folders, implied ones included; 50,000 by default. */
  maxEntries?: number;
  /** What the expanded tar must be, where that is known beforehand. */
  unpacked?: Unpacked;
}

/** The tar inside an archive: its size, and its digest as `sha512:…` or `sha256:…`. */
export interface Unpacked {
  sizeBytes: number;
  digest: string;
}

/**
 * Expands and reads an npm tarball: gzip, then tar, then files that are proven to stay inside the
 * egg. Folders are implied by their files. Writes nothing and copies no file's content.
 *
 * @throws {TransmuteError} `archive-invalid` and `path-escapes`, naming the entry
 *
 * @example
 * ```ts
 * import { packEntries } from "../publisher/pack.ts";
 * import { readManifest, unpackTarball } from "./unpack.ts";
 *
 * const { archive } = await packEntries({ name: "hello", version: "1.0.0" }, {
 *   "index.js": "export const answer = 42;",
 * });
 * const entries = await unpackTarball(archive, { maxUnpackedBytes: 1024 ** 2 });
 * if (readManifest(entries).name !== "hello") throw new Error("never");
 * ```
 */
export async function unpackTarball(
  archive: Uint8Array,
  limits: UnpackLimits,
): Promise<ArchiveEntry[]> {
  const { unpacked, maxUnpackedBytes } = limits;
  const expected = unpacked?.sizeBytes ?? maxUnpackedBytes;
  const tar = await expand(archive, Math.min(expected, maxUnpackedBytes));
  if (unpacked !== undefined) await assertUnpacked(tar, unpacked);
  return readTar(tar, limits);
}

/** Whether the tar inside is the one that was promised. */
async function assertUnpacked(tar: Uint8Array, promised: Unpacked): Promise<void> {
  if (tar.length !== promised.sizeBytes) {
    throw refusedArchive(`found a tar of ${tar.length} bytes, wanted ${promised.sizeBytes}`);
  }
  const [algorithm] = promised.digest.split(":");
  const found = await hexDigest(algorithm === "sha512" ? "SHA-512" : "SHA-256", tar);
  if (`${algorithm}:${found}` !== promised.digest) {
    throw refusedArchive(`found a tar of ${algorithm}:${found}, wanted ${promised.digest}`);
  }
}

async function expand(archive: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  if (archive.length < MIN_GZIP_BYTES || archive[0] !== 0x1f || archive[1] !== 0x8b) {
    throw refusedArchive(`found ${archive.length} bytes that are not gzip`);
  }
  let expanded: Uint8Array;
  try {
    expanded = await runtime.gunzip(archive, maxBytes);
  } catch (error) {
    if (isTransmuteError(error)) throw error;
    throw error instanceof RangeError
      ? refusedArchive(`found that it expands to more than ${maxBytes} bytes`, error)
      : refusedArchive(
        `found a gzip stream that is damaged or cut off (${describeError(error)})`,
        error,
      );
  }
  // Runtimes disagree about what may follow a gzip member: more members, zeros, nothing. The
  // archive's last four bytes are the member's own length only when nothing does.
  const stated = new DataView(archive.buffer, archive.byteOffset + archive.length - 4, 4)
    .getUint32(0, true);
  if (stated !== expanded.length % 2 ** 32) {
    throw refusedArchive("found bytes after its gzip stream, wanted one stream and nothing else");
  }
  // Not the runtime's own kind of array, whose views are slower and compare differently.
  return new Uint8Array(expanded.buffer, expanded.byteOffset, expanded.length);
}

/**
 * Reads an expanded npm tarball: everything lies in one top folder, whatever its name, which is
 * stripped.
 *
 * @throws {TransmuteError} `archive-invalid` and `path-escapes`, naming the entry
 */
export function readTar(tar: Uint8Array, limits: UnpackLimits): ArchiveEntry[] {
  const { maxUnpackedBytes, maxEntries = DEFAULT_MAX_ENTRIES } = limits;
  if (tar.length > maxUnpackedBytes) {
    throw refusedArchive(`found ${tar.length} bytes, wanted at most ${maxUnpackedBytes}`);
  }
  const entries: ArchiveEntry[] = [];
  let top: string | null = null;
  for (const { kind, path, bytes, executable } of readTarMembers(tar, { maxEntries })) {
    const slash = path.indexOf("/");
    if (slash < 0 && kind === "file") {
      throw refusedEntry(path, "found it beside the top folder, wanted every file inside");
    }
    const folder = slash < 0 ? path : path.slice(0, slash);
    top ??= folder;
    if (folder !== top) {
      throw refusedEntry(path, `found it outside the top folder ${quoted(top)}, wanted one folder`);
    }
    if (kind === "file") entries.push({ path: path.slice(slash + 1), bytes, executable });
  }
  return entries;
}

/**
 * Reads the `package.json` of an egg. Fields of a shape that npm ignores are left out; what a
 * dependency's range means is not decided here.
 *
 * @throws {TransmuteError} `archive-invalid` when there is none, or it has no name and version
 */
export function readManifest(entries: ArchiveEntry[]): Manifest {
  const entry = entries.find(({ path }) => path === "package.json");
  if (entry === undefined) throw refusedArchive("found no package.json in its top folder");
  let manifest: unknown;
  try {
    // Not strict: npm takes a manifest with a byte order mark.
    manifest = JSON.parse(new TextDecoder().decode(entry.bytes));
  } catch (error) {
    throw refusedArchive(`found a package.json that is no JSON (${describeError(error)})`, error);
  }
  if (!isRecord(manifest)) throw refusedArchive("found a package.json that is no object");
  for (const field of ["name", "version"]) {
    if (typeof manifest[field] !== "string" || manifest[field] === "") {
      throw refusedArchive(`found a package.json without a ${field}`);
    }
  }
  return wellFormed(manifest);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

const RECORD_FIELDS = [
  "dependencies",
  "optionalDependencies",
  "peerDependencies",
  "peerDependenciesMeta",
  "engines",
];
const LIST_FIELDS = ["os", "cpu", "libc"];

/** The fields of a manifest that have the shape npm gives them. */
function wellFormed(source: Record<string, unknown>): Manifest {
  const manifest: Record<string, unknown> = { name: source.name, version: source.version };
  for (const field of RECORD_FIELDS) {
    if (isRecord(source[field])) manifest[field] = source[field];
  }
  for (const field of LIST_FIELDS) {
    const value = isString(source[field]) ? [source[field]] : source[field];
    if (Array.isArray(value)) manifest[field] = value.filter(isString);
  }
  // npm knows it by both names.
  const bundled = source.bundleDependencies ?? source.bundledDependencies;
  if (typeof bundled === "boolean") manifest.bundleDependencies = bundled;
  else if (Array.isArray(bundled)) manifest.bundleDependencies = bundled.filter(isString);
  if (isString(source.deprecated)) manifest.deprecated = source.deprecated;
  return manifest as unknown as Manifest;
}
