/**
 * The structural gate for tar archives: reads the one form that every reader understands alike,
 * and refuses everything else by the name of the entry.
 *
 * What is read: POSIX ustar headers (and GNU's, where they do not differ) of regular files and
 * folders, each with at most one pax header before it whose keys change nothing but the path; then
 * two zero blocks, then zeros to the end. Owners and times are not read, for nothing uses them.
 *
 * @see POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header"
 * @module
 */

import { EntryNames, quoted, refusedArchive, refusedEntry } from "./entry_names.ts";

const BLOCK = 512;
/** Real pax headers have a path and a few numbers. */
const MAX_PAX_BYTES = 64 * 1024;
const SET_ID_BITS = 0o7000;
const EXECUTE_BITS = 0o111;

const FILE = "0";
/** How the time before POSIX wrote a file, and some packers still do, `deno pack` among them. */
const OLD_FILE = "\0";
const FOLDER = "5";
const PAX_NEXT = "x";
const PAX_ALL = "g";

/** What other types are, for messages. */
const TYPES: Record<string, string> = {
  "1": "a hard link",
  "2": "a symbolic link",
  "3": "a character device",
  "4": "a block device",
  "6": "a FIFO",
  "7": "a contiguous file",
  D: "a GNU folder dump",
  K: "a GNU long link name",
  L: "a GNU long name",
  M: "a continuation of another volume",
  S: "a GNU sparse file",
  V: "a GNU volume label",
};

/** Keys of a pax header that change nothing that is read here. */
const HARMLESS_KEY =
  /^(?:[amc]time|[ug]id|[ug]name|comment|LIBARCHIVE\.creationtime|SCHILY\.(?:dev|ino|nlink|fflags|acl\..+)|(?:LIBARCHIVE|SCHILY)\.xattr\..+|NODETAR\..+|RHT\.security\..+)$/;
/** Extended attributes are bytes, not text. */
const BINARY_KEY = /^SCHILY\.xattr\./;

const PADDED_OCTAL = /^ *([0-7]+)[ \0]*$/;
const USTAR = "ustar\x0000";
const GNU = "ustar  \0";

/** Strict: what is not UTF-8 has different names for different readers. */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** For messages about names that may be no text. */
const LENIENT = new TextDecoder("utf-8", { ignoreBOM: true });
const ASCII = /^[\0-\x7f]*$/;

/** One file or folder of a tar archive. */
export interface TarMember {
  kind: "file" | "folder";
  /** '/'-separated, as in the archive, without a slash at its end. */
  path: string;
  /** A view of the archive, not a copy; empty for a folder. */
  bytes: Uint8Array;
  executable: boolean;
}

interface TarHeader {
  type: string;
  /** The entry's path as messages show it, even when it is no text. */
  label: string;
  sizeBytes: number;
}

function isZero(bytes: Uint8Array, start = 0, end = bytes.length): boolean {
  for (let index = start; index < end; index++) if (bytes[index] !== 0) return false;
  return true;
}

/** The bytes of a text field: up to its first NUL, or all of it. */
function textField(header: Uint8Array, start: number, end: number): Uint8Array {
  const nul = header.indexOf(0, start);
  return header.subarray(start, nul < 0 || nul > end ? end : nul);
}

/** The few bytes of a short field, each as the character of its number. */
function shortText(bytes: Uint8Array): string {
  // Not by spreading, which walks an iterator and cost a third of the whole gate.
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}

/** A number field: octal digits, padded; `null` for anything else, GNU's binary numbers too. */
function octalField(header: Uint8Array, start: number, end: number): number | null {
  const digits = PADDED_OCTAL.exec(shortText(header.subarray(start, end)))?.[1];
  return digits === undefined ? null : parseInt(digits, 8);
}

function decodeText(bytes: Uint8Array, label: string, what: string): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw refusedEntry(label, `found ${what} that is not UTF-8`);
  }
}

function hasChecksum(header: Uint8Array): boolean {
  let sum = 8 * 0x20;
  for (let index = 0; index < 148; index++) sum += header[index];
  for (let index = 156; index < BLOCK; index++) sum += header[index];
  return octalField(header, 148, 156) === sum;
}

/**
 * Whether nothing follows the end of the prefix. GNU keeps other things in this field. npm's own
 * packer writes access and change times into its last 24 bytes, which a shorter prefix leaves free.
 */
function isPrefixFieldClean(header: Uint8Array, magic: string): boolean {
  const end = 345 + textField(header, 345, 500).length;
  if (isZero(header, end, 500)) return magic === USTAR || end === 345;
  return magic === USTAR && end < 476 && isZero(header, end, 476) &&
    octalField(header, 476, 488) !== null && octalField(header, 488, 500) !== null;
}

/** The path in the header itself: prefix and name. */
function headerPath(header: Uint8Array, decoder: TextDecoder): string {
  const prefix = textField(header, 345, 500);
  const name = decoder.decode(textField(header, 0, 100));
  return prefix.length === 0 ? name : `${decoder.decode(prefix)}/${name}`;
}

/** Reads what all headers have in common, and refuses those that readers disagree about. */
function readHeader(header: Uint8Array, paxPath: string | undefined, at: number): TarHeader {
  const label = paxPath ?? headerPath(header, LENIENT);
  if (!hasChecksum(header)) {
    throw refusedEntry(label, `found a header at byte ${at} whose checksum is wrong`);
  }
  const magic = shortText(header.subarray(257, 265));
  if (magic !== USTAR && magic !== GNU) {
    throw refusedEntry(label, `found the tar format ${quoted(magic)}, wanted ustar`);
  }
  const written = String.fromCharCode(header[156]);
  const type = written === OLD_FILE ? FILE : written;
  // Readers that know the old form take this for a folder, others for a file.
  if (written === OLD_FILE && headerPath(header, LENIENT).endsWith("/")) {
    throw refusedEntry(label, "found a folder of a tar from before POSIX, wanted files");
  }
  if (type !== FILE && type !== FOLDER && type !== PAX_NEXT && type !== PAX_ALL) {
    throw refusedEntry(
      label,
      `found ${TYPES[type] ?? `an entry of the type ${quoted(type)}`}, wanted files and folders`,
      type === "L" || type === "K" || type === "S"
        ? { hint: "Pack it with npm pack, or with tar --format=pax" }
        : {},
    );
  }
  const sizeBytes = octalField(header, 124, 136);
  if (sizeBytes === null) throw refusedEntry(label, "found a size that is no octal number");
  if (!isZero(header, 157, 257)) throw refusedEntry(label, "found the target of a link");
  if (
    !isPrefixFieldClean(header, magic) || !isZero(header, 500, 512) ||
    !isZero(header, textField(header, 0, 100).length, 100)
  ) throw refusedEntry(label, "found bytes in the unused parts of its header, wanted zeros");
  return { type, label, sizeBytes };
}

/** Takes a pax header apart: `length key=value\n`, where the length counts all of it. */
function readPax(body: Uint8Array, label: string, isKeyAllowed: (key: string) => boolean) {
  const records = new Map<string, string>();
  for (let start = 0; start < body.length;) {
    const space = body.indexOf(0x20, start);
    const digits = shortText(body.subarray(start, Math.min(space, start + 6)));
    const end = start + Number(digits);
    if (
      space < 0 || !/^[1-9]\d*$/.test(digits) || digits.length !== space - start ||
      end > body.length || end <= space || body[end - 1] !== 0x0a
    ) throw refusedEntry(label, "found a pax header that is not made of records");
    const equals = body.indexOf(0x3d, space);
    if (equals < 0 || equals >= end) {
      throw refusedEntry(label, "found a pax header with a record that has no key");
    }
    const key = decodeText(body.subarray(space + 1, equals), label, "a pax key");
    if (!isKeyAllowed(key)) {
      throw refusedEntry(label, `found a pax header that sets ${quoted(key)}`);
    }
    if (records.has(key)) throw refusedEntry(label, `found a pax header with two of ${key}`);
    const bytes = body.subarray(equals + 1, end - 1);
    const value = BINARY_KEY.test(key) ? "" : decodeText(bytes, label, "a pax value");
    if (value.includes("\0")) throw refusedEntry(label, `found a NUL in the pax value of ${key}`);
    records.set(key, value);
    start = end;
  }
  return records;
}

/** The permissions of a file, or a refusal; those of folders are never applied. */
function isExecutable(header: Uint8Array, { type, label }: TarHeader): boolean {
  const mode = octalField(header, 100, 108);
  if (mode === null) throw refusedEntry(label, "found a mode that is no octal number");
  const fileType = mode >> 12;
  if (fileType !== 0 && fileType !== (type === FILE ? 0o10 : 0o4)) {
    throw refusedEntry(label, `found the mode 0${mode.toString(8)}, which is of another type`);
  }
  if (type === FOLDER) return false;
  if ((mode & SET_ID_BITS) !== 0) {
    throw refusedEntry(
      label,
      `found the mode 0${mode.toString(8)}, wanted no set-id and no sticky bits`,
    );
  }
  return (mode & EXECUTE_BITS) !== 0;
}

/**
 * Reads a whole tar archive. When it returns, every member is a file or a folder with a path that
 * stays inside, is unique on every supported system, and lies where every reader sees it.
 *
 * @throws {TransmuteError} `archive-invalid` and `path-escapes`, naming the entry
 */
export function readTarMembers(tar: Uint8Array, limits: { maxEntries: number }): TarMember[] {
  const members: TarMember[] = [];
  const names = new EntryNames(limits.maxEntries);
  let pax: Map<string, string> | null = null;
  let at = 0;

  for (;; at += BLOCK) {
    if (at + BLOCK > tar.length) {
      throw refusedArchive("found its end without the two zero blocks that close a tar");
    }
    const header = tar.subarray(at, at + BLOCK);
    if (isZero(header)) break;

    const entry = readHeader(header, pax?.get("path"), at);
    const { type, label, sizeBytes } = entry;
    const start = at + BLOCK;
    const next = start + Math.ceil(sizeBytes / BLOCK) * BLOCK;
    if (next > tar.length) {
      throw refusedEntry(
        label,
        `found a size of ${sizeBytes} bytes, wanted at most the ${tar.length - start} that follow`,
      );
    }
    const bytes = tar.subarray(start, start + sizeBytes);
    if (!isZero(tar, start + sizeBytes, next)) {
      throw refusedEntry(label, "found bytes in the unused part of its last block, wanted zeros");
    }

    if (type === PAX_NEXT || type === PAX_ALL) {
      if (pax !== null) throw refusedEntry(label, "found a second pax header for one entry");
      if (sizeBytes > MAX_PAX_BYTES) {
        throw refusedEntry(
          label,
          `found a pax header of ${sizeBytes} bytes, wanted at most ${MAX_PAX_BYTES}`,
        );
      }
      if (type === PAX_NEXT) {
        pax = readPax(
          bytes,
          label,
          (key) => key === "path" || key === "size" || HARMLESS_KEY.test(key),
        );
      } else if (at === 0) readPax(bytes, label, (key) => HARMLESS_KEY.test(key));
      else throw refusedEntry(label, "found a global pax header in the middle of the archive");
    } else {
      members.push(readMember(header, entry, bytes, pax, names));
      pax = null;
    }
    at = next - BLOCK;
  }

  if (pax !== null) throw refusedArchive("found a pax header at its end, wanted an entry after it");
  if (tar.length - at < 2 * BLOCK) {
    throw refusedArchive("found one zero block at its end, wanted the two that close a tar");
  }
  if (!isZero(tar, at)) throw refusedArchive("found bytes after the zero blocks that close a tar");
  if (tar.length % BLOCK !== 0) {
    throw refusedArchive(`found ${tar.length} bytes, wanted whole blocks`);
  }
  return members;
}

/** The path of a member: that of its pax header, or else that of its own. */
function memberPath(header: Uint8Array, label: string, paxPath: string | undefined): string {
  if (paxPath !== undefined) {
    // What a reader without pax would take instead may be cut short, but must not leave the egg.
    const other = headerPath(header, LENIENT);
    if (other.startsWith("/") || other.split("/").includes("..")) {
      throw refusedEntry(label, `found the path ${quoted(other)} in its header, outside the egg`, {
        code: "path-escapes",
      });
    }
    return paxPath;
  }
  if (header[0] === 0) throw refusedEntry(label, "found an entry without a name");
  if (ASCII.test(label)) return label;
  try {
    return headerPath(header, UTF8);
  } catch {
    throw refusedEntry(label, "found a name that is not UTF-8");
  }
}

function readMember(
  header: Uint8Array,
  entry: TarHeader,
  bytes: Uint8Array,
  pax: Map<string, string> | null,
  names: EntryNames,
): TarMember {
  const { type, label, sizeBytes } = entry;
  const paxSize = pax?.get("size");
  if (paxSize !== undefined && paxSize !== String(sizeBytes)) {
    throw refusedEntry(
      label,
      `found the size ${quoted(paxSize)} in its pax header, wanted ${sizeBytes} as in its header`,
    );
  }
  const executable = isExecutable(header, entry);
  const path = memberPath(header, label, pax?.get("path"));
  if (type === FILE) {
    names.addFile(path);
    return { kind: "file", path, bytes, executable };
  }
  if (sizeBytes !== 0) throw refusedEntry(label, `found a folder with ${sizeBytes} bytes in it`);
  const folder = path.endsWith("/") ? path.slice(0, -1) : path;
  names.addFolder(folder);
  return { kind: "folder", path: folder, bytes, executable: false };
}
