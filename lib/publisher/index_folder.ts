/**
 * Makes the index of a folder, so that programs ask one question instead of reading a listing, and
 * have a digest of every archive to prove it by.
 *
 * @module
 */

import { describeError, isTransmuteError, TransmuteError } from "../errors.ts";
import { archiveStem } from "../model/egg.ts";
import { parseExecutableName } from "../model/executable.ts";
import { parsePythonFileName } from "../model/python_file.ts";
import { runtime } from "../runtime/current.ts";
import { absolutePath, joinPath } from "../runtime/paths.ts";
import { companionDigest, companionName, isEggFile, versionInName } from "../sources/egg_files.ts";
import type { IndexedFile } from "../sources/folder_index.ts";
import { INDEX_NAME, writeFolderIndex } from "../sources/folder_index.ts";
import { diskFailure, writeAtomically } from "../store/files.ts";
import { unpackExecutable } from "../store/executable_egg.ts";
import { unpackPythonEgg } from "../store/python_egg.ts";
import { readManifest, unpackTarball } from "../store/unpack.ts";
import { digestHex } from "../trust/digest.ts";

/** Web servers run as other users. */
const READABLE_BY_ALL = 0o644;

/** What an index was made of. */
export interface FolderIndexReport {
  /** The path of the index. */
  path: string;
  /** What it lists, by name. */
  files: IndexedFile[];
  /** Archives that no program could take, and why; they are not in the index. */
  leftOut: { name: string; reason: string }[];
  /** False when the index was there already, byte for byte: it is not touched then. */
  changed: boolean;
}

/**
 * Makes or replaces `index.json` in a folder of archives, in one step. The same archives give the
 * same bytes.
 *
 * Every archive is unpacked in memory and passes the gate that programs put before their store; one
 * that does not, that is another egg than its name says, or that its `.sha256` file does not fit, is
 * left out.
 *
 * @param folder its path
 * @param options `maxUnpackedBytes`: an archive that expands to more is left out, 1 GiB by default
 * @throws {TransmuteError} `disk-failure` when the folder cannot be read or written,
 * `permission-missing`
 *
 * @example
 * ```ts ignore
 * import { indexFolder } from "./index_folder.ts";
 *
 * const { files, leftOut } = await indexFolder("dist");
 * for (const { name, reason } of leftOut) console.warn(`${name}: ${reason}`);
 * console.log(`${files.length} archives`);
 * ```
 */
export async function indexFolder(
  folder: string,
  options: { maxUnpackedBytes?: number } = {},
): Promise<FolderIndexReport> {
  const { maxUnpackedBytes = 1024 ** 3 } = options;
  const root = absolutePath(folder, runtime.workingDirectory());
  const report: FolderIndexReport = {
    path: joinPath(root, INDEX_NAME),
    files: [],
    leftOut: [],
    changed: false,
  };
  const names = listFolder(root);
  const present = new Set(names);
  for (const name of names) {
    if (!isEggFile(name) || name.endsWith(companionName(""))) continue;
    try {
      report.files.push(await indexFile(root, name, present, maxUnpackedBytes));
    } catch (error) {
      if (isTransmuteError(error, "permission-missing")) throw error;
      report.leftOut.push({ name, reason: describeError(error) });
    }
  }
  const text = writeFolderIndex(report.files);
  report.changed = text !== textOf(report.path);
  if (report.changed) writeAtomically(report.path, text, { mode: READABLE_BY_ALL });
  return report;
}

function listFolder(root: string): string[] {
  try {
    return runtime.list(root).sort();
  } catch (error) {
    throw diskFailure(`index ${root}`, error);
  }
}

/** The text of a file, or `null` when there is none. */
function textOf(path: string): string | null {
  try {
    return runtime.readTextFile(path);
  } catch {
    return null;
  }
}

async function indexFile(
  root: string,
  name: string,
  present: Set<string>,
  maxUnpackedBytes: number,
): Promise<IndexedFile> {
  const path = joinPath(root, name);
  const kind = runtime.status(path)?.kind;
  if (kind !== "file") throw leftOut(`found a ${kind ?? "file that is gone"}, wanted a file`);
  const bytes = runtime.readFile(path);
  const sha256 = await digestHex("sha256", bytes);
  const companion = companionName(name);
  if (present.has(companion)) {
    const wanted = companionDigest(runtime.readTextFile(joinPath(root, companion)));
    if (wanted !== `sha256:${sha256}`) {
      throw leftOut(`found sha256:${sha256}, wanted ${wanted} as in ${companion}`);
    }
  }
  const file = { name, sizeBytes: bytes.length, sha256 };
  // It is read for its digest's sake: whoever resolves needs no archive then.
  if (name.endsWith(".metadata")) return file;
  const executable = parseExecutableName(name);
  if (executable !== null) {
    await unpackExecutable(bytes, executable, maxUnpackedBytes);
    return file;
  }
  if (await isPythonEgg(bytes, name, maxUnpackedBytes)) return file;
  const manifest = readManifest(await unpackTarball(bytes, { maxUnpackedBytes }));
  const claimed = versionInName(manifest.name, name);
  if (claimed === null || withoutBuild(claimed) !== withoutBuild(manifest.version)) {
    throw leftOut(
      `it is ${manifest.name}@${manifest.version}, wanted the name ` +
        `${archiveStem(manifest.name)}-${manifest.version}.tgz`,
    );
  }
  return { ...file, manifest };
}

/**
 * Whether an archive is a Python egg. One that can be nothing else, and is not as its name says, is
 * an error.
 */
async function isPythonEgg(
  bytes: Uint8Array,
  name: string,
  maxUnpackedBytes: number,
): Promise<boolean> {
  const file = parsePythonFileName(name);
  if (file === null) return false;
  try {
    await unpackPythonEgg(bytes, file, { maxUnpackedBytes });
    return true;
  } catch (error) {
    // npm's archives have the ending of source archives.
    if (file.kind !== "sdist" || !name.endsWith(".tar.gz")) throw error;
    return false;
  }
}

function leftOut(reason: string): TransmuteError {
  return new TransmuteError("archive-invalid", reason);
}

/** What follows a plus does not tell versions apart. */
function withoutBuild(version: string): string {
  return version.replace(/^v/, "").replace(/\+.*$/, "");
}
