/**
 * The index of a folder: one file that says what all the others are, so that a program asks one
 * question instead of reading a listing page by page. Pure; `publisher/index_folder.ts` makes one.
 *
 * ```json
 * {
 *   "transmuteIndex": 1,
 *   "files": [
 *     {
 *       "name": "hello-1.0.0.tgz",
 *       "sizeBytes": 292,
 *       "sha256": "64 hexadecimal digits",
 *       "manifest": { "name": "hello", "version": "1.0.0", "dependencies": { "lodash": "^4" } }
 *     }
 *   ]
 * }
 * ```
 *
 * `transmuteIndex` is the version of the format; another number is not read. `name` is the name of
 * a file in the same folder. `manifest` has those fields of the egg's `package.json` that
 * Transmute acts on, and may be left out. The digest is also the file's validator. Fields and
 * files of other kinds are passed over, so that they can be added without a new version.
 *
 * @module
 */

import type { Manifest } from "../model/egg.ts";
import type { Json } from "../model/json.ts";
import { isObject } from "../model/json.ts";
import { readManifest } from "../model/manifest.ts";
import type { EggFile } from "./egg_files.ts";
import { isEggFile } from "./egg_files.ts";

/** The name of an index in its folder. */
export const INDEX_NAME = "index.json";
/** The version of the format that is written and read. */
export const INDEX_FORMAT = 1;

/** One file, as an index has it. */
export interface IndexedFile {
  name: string;
  sizeBytes: number;
  /** In lower-case hexadecimal. */
  sha256: string;
  manifest?: Manifest;
}

/** A text that should be an index and is none; the message says what was found. */
export class IndexError extends Error {}

/**
 * Reads an index; `null` for a JSON text about something else.
 *
 * @throws {IndexError} when it is no JSON, of another version, or not well formed
 */
export function readFolderIndex(text: string): IndexedFile[] | null {
  let index: unknown;
  try {
    index = JSON.parse(text);
  } catch {
    throw new IndexError(`found text that is not JSON (${text.length} characters)`);
  }
  if (!isObject(index) || !Object.hasOwn(index, "transmuteIndex")) return null;
  if (index.transmuteIndex !== INDEX_FORMAT) {
    throw new IndexError(
      `found the format ${JSON.stringify(index.transmuteIndex)}, wanted ${INDEX_FORMAT}`,
    );
  }
  if (!Array.isArray(index.files)) throw new IndexError("found no list of files");
  const files = index.files.map(readFile);
  const names = new Set<string>();
  for (const { name } of files) {
    if (names.has(name)) throw new IndexError(`found ${JSON.stringify(name)} twice`);
    names.add(name);
  }
  return files;
}

function readFile(file: unknown): IndexedFile {
  if (!isObject(file) || typeof file.name !== "string" || !isFileName(file.name)) {
    throw new IndexError(`found a file without a name of its own: ${shown(file)}`);
  }
  const { name, sizeBytes, sha256, manifest } = file;
  if (!Number.isSafeInteger(sizeBytes) || (sizeBytes as number) < 0) {
    throw new IndexError(`found no size of ${name}: ${shown(sizeBytes)}`);
  }
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw new IndexError(`found no SHA-256 of ${name}: ${shown(sha256)}`);
  }
  return {
    name,
    sizeBytes: sizeBytes as number,
    sha256,
    ...(manifest === undefined ? {} : { manifest: readIndexedManifest(name, manifest) }),
  };
}

function readIndexedManifest(file: string, manifest: unknown): Manifest {
  const { name, version } = isObject(manifest) ? manifest : {};
  if (typeof name !== "string" || typeof version !== "string") {
    throw new IndexError(`found no manifest of ${file}: ${shown(manifest)}`);
  }
  return readManifest(manifest as Json, name, version);
}

/** Whether a name stays in its folder, wherever that is. */
function isFileName(name: string): boolean {
  // deno-lint-ignore no-control-regex
  return name !== "" && name !== "." && name !== ".." && !/[/\\\x00-\x1f\x7f]/.test(name);
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 80);
}

/** The text of an index: the same files give the same bytes, in whatever order they come. */
export function writeFolderIndex(files: IndexedFile[]): string {
  const sorted = [...files].sort((a, b) => a.name < b.name ? -1 : 1);
  const lines = sorted.map(({ name, sizeBytes, sha256, manifest }) =>
    `    ${JSON.stringify({ name, sizeBytes, sha256, manifest: excerptOf(manifest) })}`
  );
  const list = lines.length === 0 ? "[]" : `[\n${lines.join(",\n")}\n  ]`;
  return `{\n  "transmuteIndex": ${INDEX_FORMAT},\n  "files": ${list}\n}\n`;
}

/** The fields that a reader will take, so that an index holds no others. */
function excerptOf(manifest: Manifest | undefined): Manifest | undefined {
  if (manifest === undefined) return undefined;
  return readManifest({ ...manifest }, manifest.name, manifest.version);
}

/** The files of an index as those of a folder at `base`, whose path ends in a slash. */
export function filesOfIndex(index: IndexedFile[], base: URL): EggFile[] {
  return index.filter(({ name }) => isEggFile(name)).map(({ sha256, ...file }) => ({
    ...file,
    locator: base.href + encodeURIComponent(file.name),
    digests: [`sha256:${sha256}`],
  }));
}
