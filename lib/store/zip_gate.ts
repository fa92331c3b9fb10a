/**
 * The structural gate for zip archives, such as wheels: reads the one form that every reader
 * understands alike, and refuses everything else by the name of the entry.
 *
 * The entries fill the file from its first byte to the directory, in the order of the directory;
 * what an entry's own header says is what the directory says; files and folders only, stored or
 * deflated, as large as promised and with the digest promised.
 *
 * @see PKWARE's APPNOTE.TXT, "Local file header" and "Data descriptor"
 * @module
 */

import type Zlib from "node:zlib";
import { describeError, isTransmuteError } from "../errors.ts";
import { runtime } from "../runtime/current.ts";
import { EntryNames, refusedArchive, refusedEntry } from "./entry_names.ts";
import type { ZipEntry } from "./zip_directory.ts";
import {
  DESCRIPTOR_FLAG,
  isWide,
  labelOf,
  readExtra,
  readZipDirectory,
  UTF8_FLAG,
  wideNumbers,
  ZipView,
} from "./zip_directory.ts";

const LOCAL = 0x04034b50;
const DESCRIPTOR = 0x08074b50;
const LOCAL_BYTES = 30;
const STORED = 0;
const REGULAR = 0o10;
const FOLDER = 0o4;
const SET_ID_BITS = 0o7000;
const EXECUTE_BITS = 0o111;
/** What nothing is when it is deflated: one empty block. */
const EMPTY_DEFLATED_BYTES = 2;

/** One file or folder of a zip archive. */
export interface ZipMember {
  kind: "file" | "folder";
  /** '/'-separated, as in the archive, without a slash at its end. */
  path: string;
  /** Empty for a folder; for a stored file a view of the archive. */
  bytes: Uint8Array;
  executable: boolean;
}

/** What a zip may hold. */
export interface ZipLimits {
  maxEntries: number;
  /** The most bytes of all files together. */
  maxUnpackedBytes: number;
}

/**
 * Reads a whole zip archive. When it returns, every member is a file or a folder with a path that
 * stays inside and is unique on every supported system, and every byte of the archive was a part
 * of one of them or of the directory.
 *
 * @throws {TransmuteError} `archive-invalid` and `path-escapes`, naming the entry
 */
export async function readZipMembers(
  zip: Uint8Array,
  { maxEntries, maxUnpackedBytes }: ZipLimits,
): Promise<ZipMember[]> {
  const view = new ZipView(zip);
  const { entries, offset } = readZipDirectory(zip, maxEntries);
  const names = new EntryNames(maxEntries);
  const parts: { entry: ZipEntry; path: string; packed: Uint8Array; isFolder: boolean }[] = [];
  let at = 0;
  let total = 0;
  // All headers are looked at before anything is expanded.
  for (const entry of entries) {
    if (entry.offset !== at) {
      throw refusedEntry(entry.label, `found it at byte ${entry.offset}, wanted ${at}`);
    }
    const { start, next } = readLocal(view, entry, offset);
    const isFolder = entry.name.at(-1) === 0x2f;
    const path = pathOf(entry);
    assertType(entry, isFolder);
    if (isFolder) names.addFolder(path);
    else names.addFile(path);
    total += entry.unpackedBytes;
    if (total > maxUnpackedBytes) {
      throw refusedArchive(`found that it expands to more than ${maxUnpackedBytes} bytes`);
    }
    parts.push({ entry, path, isFolder, packed: zip.subarray(start, start + entry.packedBytes) });
    at = next;
  }
  if (at !== offset) throw refusedArchive("found bytes between the last entry and the directory");
  const zlib = await runtime.builtin<typeof Zlib>("zlib");
  return parts.map(({ entry, path, packed, isFolder }) => ({
    kind: isFolder ? "folder" : "file",
    path,
    bytes: expand(zlib, entry, packed),
    executable: !isFolder && (entry.mode & EXECUTE_BITS) !== 0,
  }));
}

/** Checks an entry's own header against the directory; gives where its content and the next are. */
function readLocal(view: ZipView, entry: ZipEntry, end: number): { start: number; next: number } {
  const { label, offset: at } = entry;
  const cutOff = () => refusedEntry(label, "found it cut off by the directory of the zip");
  if (at + LOCAL_BYTES > end) throw cutOff();
  if (view.u32(at) !== LOCAL) throw refusedEntry(label, "found no entry where the directory says");
  const [nameBytes, extraBytes] = [view.u16(at + 26), view.u16(at + 28)];
  const start = at + LOCAL_BYTES + nameBytes + extraBytes;
  if (start > end) throw cutOff();
  const nameAt = at + LOCAL_BYTES;
  const name = view.bytes.subarray(nameAt, nameAt + nameBytes);
  if (name.length !== entry.name.length || !name.every((byte, i) => byte === entry.name[i])) {
    throw refusedEntry(label, `found the name ${JSON.stringify(labelOf(name))} in its own header`);
  }
  const extra = readExtra(view.bytes.subarray(nameAt + nameBytes, start), label);
  const flags = view.u16(at + 6);
  const isStreamed = (flags & DESCRIPTOR_FLAG) !== 0;
  // Packers that stream know sizes only afterwards; many leave that flag out of the directory.
  const asListed = (entry.flags & DESCRIPTOR_FLAG) !== 0 ? flags : flags & ~DESCRIPTOR_FLAG;
  const sizes = [view.u32(at + 22), view.u32(at + 18)];
  const [unpacked, packed] = wideNumbers(sizes, extra, label, isStreamed);
  const own = [asListed, view.u16(at + 8), view.u16(at + 10), view.u16(at + 12)];
  const listed = [entry.flags, entry.method, entry.time, entry.date];
  const values = [view.u32(at + 14), unpacked, packed];
  const wanted = isStreamed ? [0, 0, 0] : [entry.crc, entry.unpackedBytes, entry.packedBytes];
  const differs = own.some((value, i) => value !== listed[i]) ||
    values.some((value, i) => value !== wanted[i]);
  if (differs) throw refusedEntry(label, "found another header than in the directory of the zip");
  if (isStreamed && entry.method === STORED) {
    throw refusedEntry(label, "found it stored without its size before it");
  }
  const contentEnd = start + entry.packedBytes;
  const next = isStreamed ? contentEnd + (isWide(extra) ? 24 : 16) : contentEnd;
  if (next > end) throw cutOff();
  if (isStreamed) readDescriptor(view, entry, contentEnd, isWide(extra));
  return { start, next };
}

function readDescriptor(view: ZipView, entry: ZipEntry, at: number, wide: boolean): void {
  const found = wide
    ? [view.u32(at + 4), view.u64(at + 8), view.u64(at + 16)]
    : [view.u32(at + 4), view.u32(at + 8), view.u32(at + 12)];
  const wanted = [entry.crc, entry.packedBytes, entry.unpackedBytes];
  if (view.u32(at) !== DESCRIPTOR || found.some((value, index) => value !== wanted[index])) {
    throw refusedEntry(entry.label, "found other sizes after it than in the directory of the zip");
  }
}

/** An entry's path, which is the same text for every reader. */
function pathOf({ label, name, flags }: ZipEntry): string {
  if ((flags & UTF8_FLAG) === 0 && !name.every((byte) => byte < 0x80)) {
    throw refusedEntry(label, "found a name that is neither ASCII nor marked as UTF-8");
  }
  let path: string;
  try {
    path = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(name);
  } catch {
    throw refusedEntry(label, "found a name that is not UTF-8");
  }
  return path.endsWith("/") ? path.slice(0, -1) : path;
}

function assertType(
  { label, mode, isFolder, unpackedBytes, packedBytes }: ZipEntry,
  named: boolean,
) {
  const type = mode >> 12;
  if (type !== 0 && type !== (named ? FOLDER : REGULAR)) {
    const octal = mode.toString(8);
    throw refusedEntry(label, `found the mode 0${octal}, wanted that of a file or folder`);
  }
  if (!named && (mode & SET_ID_BITS) !== 0) {
    throw refusedEntry(label, `found the mode 0${mode.toString(8)}, wanted no set-id bits`);
  }
  if (!named && isFolder) throw refusedEntry(label, "found a folder with the name of a file");
  // Some packers deflate the nothing in it.
  if (named && (unpackedBytes !== 0 || packedBytes > EMPTY_DEFLATED_BYTES)) {
    throw refusedEntry(label, `found a folder with ${unpackedBytes} bytes in it`);
  }
}

function expand(zlib: typeof Zlib, entry: ZipEntry, packed: Uint8Array): Uint8Array {
  const { label, method, unpackedBytes, crc } = entry;
  const bytes = method === STORED ? packed : inflate(zlib, entry, packed);
  if (bytes.length !== unpackedBytes) {
    throw refusedEntry(label, `found ${bytes.length} bytes, wanted ${unpackedBytes}`);
  }
  if (crc32(bytes) !== crc) throw refusedEntry(label, "found content of another CRC than promised");
  return bytes;
}

function inflate(
  zlib: typeof Zlib,
  { label, unpackedBytes }: ZipEntry,
  packed: Uint8Array,
): Uint8Array {
  try {
    const { buffer, engine } = zlib.inflateRawSync(packed, {
      info: true,
      // At least one: the library takes 0 for no limit.
      maxOutputLength: Math.max(unpackedBytes, 1),
    }) as unknown as { buffer: Uint8Array; engine: { bytesWritten: number } };
    if (engine.bytesWritten === packed.length) return buffer;
    throw refusedEntry(label, "found bytes after the end of its content");
  } catch (error) {
    if (isTransmuteError(error)) throw error;
    throw error instanceof RangeError
      ? refusedEntry(label, `found that it expands to more than ${unpackedBytes} bytes`)
      : refusedEntry(label, `found content that is damaged (${describeError(error)})`);
  }
}

let crcTable: Uint32Array | undefined;

/** The checksum that zip files carry. */
export function crc32(bytes: Uint8Array): number {
  crcTable ??= Uint32Array.from({ length: 256 }, (_, index) => {
    let value = index;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
    return value;
  });
  let value = -1;
  for (let index = 0; index < bytes.length; index++) {
    value = crcTable[(value ^ bytes[index]) & 0xff] ^ (value >>> 8);
  }
  return (value ^ -1) >>> 0;
}
