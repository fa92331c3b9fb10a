/**
 * The names in an archive: which ones may become files on any supported system, and that no two
 * of them can mean the same file on one of them.
 *
 * Names are refused, never mended: a mended name is one that its publisher never saw.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";

/** Longer than any path found in a registry, short enough to bound the folders it implies. */
const MAX_PATH_LENGTH = 1024;
/** What Linux, macOS and Windows allow one component of a path. */
const MAX_SEGMENT_BYTES = 255;
const SHOWN_LENGTH = 160;

const DRIVE = /^[A-Za-z]:/;
/** Windows drops dots and spaces at the end, so all of these are the folder above there. */
const FOLDER_ABOVE = /^\.\.[. ]*$/;
/** Control characters, line and paragraph separators, half surrogates, direction marks. */
const INVISIBLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/u;
const DOT_OR_SPACE_AT_END = /[. ]$/;
/** Windows opens a device for these, whatever follows the first dot. */
const DEVICE = /^(?:con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³]|conin\$|conout\$) *(?:\.|$)/i;
const PLAIN = /^[\x20-\x7e]*$/;

/** A name as a message may show it: quoted, nothing invisible in it, not endless. */
export function quoted(name: string): string {
  const shown = name.length > SHOWN_LENGTH ? `${name.slice(0, SHOWN_LENGTH)}…` : name;
  return JSON.stringify(shown).replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

/** The refusal of an entry, as every check of an archive words it. */
export function refusedEntry(
  entry: string,
  found: string,
  options: { code?: "archive-invalid" | "path-escapes"; hint?: string } = {},
): TransmuteError {
  const { code = "archive-invalid", hint } = options;
  return new TransmuteError(
    code,
    `Cannot unpack ${quoted(entry)}: ${found}`,
    hint === undefined ? {} : { hint },
  );
}

/** The refusal of an archive for what no single entry is to blame for. */
export function refusedArchive(found: string, cause?: unknown): TransmuteError {
  return new TransmuteError("archive-invalid", `Cannot unpack the archive: ${found}`, { cause });
}

function escapes(path: string, found: string): TransmuteError {
  return refusedEntry(path, `${found}, wanted a path inside the egg`, { code: "path-escapes" });
}

/** @param entry the path that `segment` is a part of, for messages */
function assertSegment(segment: string, entry: string): void {
  if (FOLDER_ABOVE.test(segment)) throw escapes(entry, 'found ".." in its path');
  if (segment.includes("\\")) throw escapes(entry, "found a backslash in its path");
  if (DRIVE.test(segment)) throw escapes(entry, "found a drive letter in its path");
  if (segment === "" || segment === ".") {
    throw refusedEntry(
      entry,
      'found "." or nothing between two slashes of its path, wanted a name',
    );
  }
  if (INVISIBLE.test(segment)) {
    throw refusedEntry(entry, "found a control character in its path, wanted a visible name");
  }
  if (segment.includes(":")) {
    throw refusedEntry(entry, 'found ":" in its path, which names a stream on Windows');
  }
  if (DOT_OR_SPACE_AT_END.test(segment)) {
    throw refusedEntry(entry, "found a dot or space at the end of a name, which Windows drops");
  }
  if (DEVICE.test(segment)) {
    throw refusedEntry(entry, "found the name of a Windows device in its path");
  }
  // One UTF-16 unit is at most three bytes.
  if (segment.length * 3 <= MAX_SEGMENT_BYTES) return;
  const bytes = new TextEncoder().encode(segment).length;
  if (bytes > MAX_SEGMENT_BYTES) {
    throw refusedEntry(
      entry,
      `found a name of ${bytes} bytes in its path, wanted at most ${MAX_SEGMENT_BYTES}`,
    );
  }
}

/**
 * The same text for paths that some file system takes for one: they differ only by case, by
 * Unicode's ways to write a character, or by characters without a shape.
 */
export function foldPath(path: string): string {
  if (PLAIN.test(path)) return path.toLowerCase();
  return path.normalize("NFKC").replace(/\p{Default_Ignorable_Code_Point}/gu, "")
    .toUpperCase().toLowerCase();
}

/**
 * The files and folders of one archive, added one by one.
 *
 * A folder may be listed once and be implied by any number of files; a file has its name to
 * itself. A folder spelled in two ways is a collision too: where case does not matter, two
 * folders of the archive would become one.
 */
export class EntryNames {
  readonly #maxEntries: number;
  /** How each folded path is spelled. */
  readonly #spellings = new Map<string, string>();
  /** The folders, and whether the archive lists them or only implies them. */
  readonly #folders = new Map<string, boolean>();

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  /**
   * Adds the name of a file.
   *
   * @throws {TransmuteError} `path-escapes` or `archive-invalid`, naming the entry
   */
  addFile(path: string): void {
    const folded = this.#enter(path, path);
    const spelling = this.#spellings.get(folded);
    if (spelling === undefined) return this.#claim(folded, path, path);
    if (spelling !== path) throw collision(path, path, spelling);
    throw refusedEntry(
      path,
      this.#folders.has(path)
        ? "found a file with the name of a folder"
        : "found it twice in the archive, wanted every name once",
    );
  }

  /**
   * Adds the name of a folder, without a slash at its end.
   *
   * @throws {TransmuteError} `path-escapes` or `archive-invalid`, naming the entry
   */
  addFolder(path: string): void {
    if (this.#folders.get(path)) {
      throw refusedEntry(path, "found it twice in the archive, wanted every name once");
    }
    if (!this.#folders.has(path)) this.#makeFolder(path, path);
    this.#folders.set(path, true);
  }

  /** Checks a path and makes the folders above it; returns the path folded. */
  #enter(path: string, entry: string): string {
    if (path.startsWith("/")) throw escapes(entry, "found an absolute path");
    if (path.length > MAX_PATH_LENGTH) {
      throw refusedEntry(
        entry,
        `found a path of ${path.length} characters, wanted at most ${MAX_PATH_LENGTH}`,
      );
    }
    const slash = path.lastIndexOf("/");
    assertSegment(path.slice(slash + 1), entry);
    if (slash >= 0) {
      const parent = path.slice(0, slash);
      if (!this.#folders.has(parent)) this.#makeFolder(parent, entry);
    }
    return foldPath(path);
  }

  /** @param entry what lists or implies the folder, for messages */
  #makeFolder(path: string, entry: string): void {
    const folded = this.#enter(path, entry);
    const spelling = this.#spellings.get(folded);
    if (spelling === path) throw refusedEntry(entry, `found the file ${quoted(path)} as a folder`);
    if (spelling !== undefined) throw collision(entry, path, spelling);
    this.#claim(folded, path, entry);
    this.#folders.set(path, false);
  }

  #claim(folded: string, path: string, entry: string): void {
    if (this.#spellings.size >= this.#maxEntries) {
      throw refusedEntry(
        entry,
        `found more than ${this.#maxEntries} files and folders in the archive`,
      );
    }
    this.#spellings.set(folded, path);
  }
}

function collision(entry: string, path: string, other: string): TransmuteError {
  return refusedEntry(
    entry,
    `found ${quoted(path)} and ${quoted(other)}, one name where case or Unicode form do not count`,
  );
}
