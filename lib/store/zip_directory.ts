/**
 * The central directory of a zip archive, and how it closes the file: read in the one form that
 * every reader finds alike, whichever end it begins at.
 *
 * @see PKWARE's APPNOTE.TXT, "Central directory structure" and "End of central directory record"
 * @module
 */

import { quoted, refusedArchive, refusedEntry } from "./entry_names.ts";

const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
const END_64_BYTES = 56;
const LOCATOR_64_BYTES = 20;
const MAX_COMMENT_BYTES = 0xffff;

const SIZE_64 = 0x0001;
const UNICODE_PATH = 0x7075;
const UNICODE_COMMENT = 0x6375;
const UNIX_SYSTEM = 3;

/** How the sizes of an entry are written down. */
const SATURATED = 0xffffffff;
/** Its name is UTF-8. */
export const UTF8_FLAG = 0x800;
/** Its size and digest follow its content. */
export const DESCRIPTOR_FLAG = 0x8;
/** How hard the packer tried, which no reader needs. */
const EFFORT_FLAGS = 0x6;

/** One entry, as the central directory has it. */
export interface ZipEntry {
  /** Its name for messages, even when it is no text. */
  label: string;
  name: Uint8Array;
  flags: number;
  method: number;
  time: number;
  date: number;
  crc: number;
  packedBytes: number;
  unpackedBytes: number;
  /** Where its own header begins. */
  offset: number;
  /** Its Unix mode, or 0 where there is none. */
  mode: number;
  /** Whether DOS attributes say that it is a folder. */
  isFolder: boolean;
}

/** The directory of an archive. */
export interface ZipDirectory {
  entries: ZipEntry[];
  /** Where the directory begins: right after the last entry. */
  offset: number;
}

/** Reads numbers of a zip file, least byte first. */
export class ZipView {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u16(at: number): number {
    return this.#view.getUint16(at, true);
  }

  u32(at: number): number {
    return this.#view.getUint32(at, true);
  }

  /** A number of 64 bits; `NaN` for one that no file on earth needs. */
  u64(at: number): number {
    const value = this.u32(at) + this.u32(at + 4) * 2 ** 32;
    return Number.isSafeInteger(value) ? value : NaN;
  }
}

/** The text of a name for messages. */
export function labelOf(name: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(name);
}

/** The extra fields of a header: well formed, none twice, none that gives another name. */
export function readExtra(extra: Uint8Array, label: string): Map<number, Uint8Array> {
  const view = new ZipView(extra);
  const fields = new Map<number, Uint8Array>();
  for (let at = 0; at < extra.length;) {
    const end = at + 4 <= extra.length ? at + 4 + view.u16(at + 2) : Infinity;
    if (end > extra.length) throw refusedEntry(label, "found extra fields that are cut off");
    const id = view.u16(at);
    if (fields.has(id)) throw refusedEntry(label, `found two extra fields of the kind ${id}`);
    if (id === UNICODE_PATH || id === UNICODE_COMMENT) {
      throw refusedEntry(label, "found an extra field with another name, wanted one name");
    }
    fields.set(id, extra.subarray(at + 4, end));
    at = end;
  }
  return fields;
}

/**
 * The numbers of a header, those of 64 bits in place of those that do not fit.
 *
 * @param isStreamed whether the entry's own header leaves its sizes to what follows its content
 */
export function wideNumbers(
  numbers: number[],
  extra: Map<number, Uint8Array>,
  label: string,
  isStreamed = false,
): number[] {
  const field = extra.get(SIZE_64);
  const wide = numbers.filter((number) => number === SATURATED).length;
  if (field === undefined) {
    if (wide > 0) throw refusedEntry(label, "found a size without the extra field that has it");
    return numbers;
  }
  // Such a header says by the mere field that its descriptor has 64 bits.
  if (isStreamed && field.length === 0) return numbers;
  if (field.length !== wide * 8 || wide === 0) {
    throw refusedEntry(label, `found ${field.length} bytes of large sizes, wanted ${wide * 8}`);
  }
  const view = new ZipView(field);
  let at = 0;
  return numbers.map((number) => {
    if (number !== SATURATED) return number;
    at += 8;
    const value = view.u64(at - 8);
    if (Number.isNaN(value)) throw refusedEntry(label, "found a size beyond all files");
    return value;
  });
}

/** Whether a header says that its numbers have 64 bits. */
export function isWide(extra: Map<number, Uint8Array>): boolean {
  return extra.has(SIZE_64);
}

/**
 * Reads the directory of an archive, which must end with it.
 *
 * @throws {TransmuteError} `archive-invalid`
 */
export function readZipDirectory(zip: Uint8Array, maxEntries: number): ZipDirectory {
  const view = new ZipView(zip);
  const end = findEnd(view);
  const [disk, firstDisk, here, count] = [4, 6, 8, 10].map((at) => view.u16(end + at));
  const [bytes, offset] = [view.u32(end + 12), view.u32(end + 16)];
  const numbers = { disk, firstDisk, here, count, bytes, offset };
  const isSaturated = [disk, firstDisk, here, count].includes(0xffff) ||
    [bytes, offset].includes(SATURATED);
  const locator = end - LOCATOR_64_BYTES;
  const hasWide = locator >= 0 && view.u32(locator) === LOCATOR_64;
  if (isSaturated && !hasWide) {
    throw refusedArchive("found a directory of unknown size, wanted a zip64 record of it");
  }
  const directory = hasWide ? readWideEnd(view, locator, numbers) : { ...numbers, closesAt: end };
  if (directory.disk !== 0 || directory.firstDisk !== 0 || directory.here !== directory.count) {
    throw refusedArchive("found a part of a zip in several parts");
  }
  if (directory.offset + directory.bytes !== directory.closesAt) {
    throw refusedArchive("found bytes between the directory of the zip and its end");
  }
  if (directory.count > maxEntries) {
    throw refusedArchive(`found ${directory.count} entries, wanted at most ${maxEntries}`);
  }
  return { entries: readEntries(view, directory), offset: directory.offset };
}

/** The record at the very end; a comment may follow it that holds nothing like a record. */
function findEnd(view: ZipView): number {
  const { bytes } = view;
  const lowest = Math.max(0, bytes.length - END_BYTES - MAX_COMMENT_BYTES);
  for (let at = bytes.length - END_BYTES; at >= lowest; at--) {
    if (view.u32(at) !== END) continue;
    const comment = bytes.subarray(at + END_BYTES);
    if (view.u16(at + 20) !== comment.length) {
      throw refusedArchive("found bytes after the end of the zip");
    }
    if (!comment.every((byte) => byte >= 0x20 && byte < 0x7f) || labelOf(comment).includes("PK")) {
      throw refusedArchive("found a comment of the zip that is no plain text");
    }
    return at;
  }
  throw refusedArchive(`found ${bytes.length} bytes that are no zip`);
}

interface EndNumbers {
  disk: number;
  firstDisk: number;
  here: number;
  count: number;
  bytes: number;
  offset: number;
}

function readWideEnd(view: ZipView, locator: number, narrow: EndNumbers) {
  const at = locator - END_64_BYTES;
  const isWhole = at >= 0 && view.u32(at) === END_64 && view.u64(at + 4) === END_64_BYTES - 12;
  if (!isWhole || view.u64(locator + 8) !== at || view.u32(locator + 4) !== 0) {
    throw refusedArchive("found a zip64 record that is not where the zip says");
  }
  if (view.u32(locator + 16) !== 1) throw refusedArchive("found a part of a zip in several parts");
  const wide: EndNumbers = {
    disk: view.u32(at + 16),
    firstDisk: view.u32(at + 20),
    here: view.u64(at + 24),
    count: view.u64(at + 32),
    bytes: view.u64(at + 40),
    offset: view.u64(at + 48),
  };
  for (const name of Object.keys(wide) as (keyof EndNumbers)[]) {
    const full = name === "bytes" || name === "offset" ? SATURATED : 0xffff;
    if (Number.isNaN(wide[name]) || (narrow[name] !== full && narrow[name] !== wide[name])) {
      throw refusedArchive("found two sizes of the directory of the zip that differ");
    }
  }
  return { ...wide, closesAt: at };
}

function readEntries(
  view: ZipView,
  { count, offset, closesAt }: EndNumbers & { closesAt: number },
): ZipEntry[] {
  const entries: ZipEntry[] = [];
  let at = offset;
  for (let index = 0; index < count; index++) {
    if (at + CENTRAL_BYTES > closesAt || view.u32(at) !== CENTRAL) {
      throw refusedArchive("found a directory of the zip with fewer entries than it says");
    }
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => view.u16(at + field));
    const next = at + CENTRAL_BYTES + nameBytes + extraBytes + commentBytes;
    if (next > closesAt) throw refusedArchive("found an entry of the zip's directory cut off");
    entries.push(readEntry(view, at, nameBytes, extraBytes));
    at = next;
  }
  if (at !== closesAt) {
    throw refusedArchive("found a directory of the zip with more entries than it says");
  }
  return entries;
}

function readEntry(view: ZipView, at: number, nameBytes: number, extraBytes: number): ZipEntry {
  const from = at + CENTRAL_BYTES;
  const name = view.bytes.subarray(from, from + nameBytes);
  const label = labelOf(name);
  const extra = readExtra(
    view.bytes.subarray(from + nameBytes, from + nameBytes + extraBytes),
    label,
  );
  const flags = view.u16(at + 8);
  if ((flags & 1) !== 0) throw refusedEntry(label, "found it encrypted");
  if ((flags & ~(UTF8_FLAG | DESCRIPTOR_FLAG | EFFORT_FLAGS)) !== 0) {
    throw refusedEntry(label, `found the flags 0x${flags.toString(16)}, wanted none of those`);
  }
  const method = view.u16(at + 10);
  if (method !== 0 && method !== 8) {
    throw refusedEntry(label, `found the method ${method}, wanted stored or deflated`);
  }
  if (view.u16(at + 34) !== 0) throw refusedEntry(label, "found it in another part of the zip");
  const sizes = [view.u32(at + 24), view.u32(at + 20), view.u32(at + 42)];
  const [unpackedBytes, packedBytes, offset] = wideNumbers(sizes, extra, label);
  const attributes = view.u32(at + 38);
  const isUnix = view.u16(at + 4) >> 8 === UNIX_SYSTEM;
  if (name.length === 0) throw refusedArchive("found an entry without a name");
  if (name.includes(0)) throw refusedEntry(label, `found a NUL in the name ${quoted(label)}`);
  return {
    label,
    name,
    flags,
    method,
    time: view.u16(at + 12),
    date: view.u16(at + 14),
    crc: view.u32(at + 16),
    packedBytes,
    unpackedBytes,
    offset,
    mode: isUnix ? attributes >>> 16 : 0,
    isFolder: (attributes & 0x10) !== 0,
  };
}
