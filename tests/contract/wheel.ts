/**
 * Wheels made in memory by nothing but what every runtime has, so that the contract of sources runs
 * anywhere: files as they are, one after the other, in a zip that compresses nothing.
 *
 * @module
 */

import { digestHex } from "../../lib/trust/digest.ts";
import { crc32 } from "../../lib/store/zip_gate.ts";
import { joined, numbers } from "../fixtures/byte_fields.ts";

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END_OF_DIRECTORY = 0x06054b50;
/** What a reader must understand: nothing beyond files and folders. */
const ZIP_VERSION = 20;
/** The first day that a zip can tell. */
const FIRST_DAY = 0x21;
/** A plain file of Unix that its owner may write to. */
const FILE_MODE = 0o100644;
const UNIX = 3 << 8;

const encoder = new TextEncoder();

/** A wheel, and the file that an index has beside it. */
export interface PackedWheel {
  /** `hello_world-1.0-py3-none-any.whl` */
  filename: string;
  archive: Uint8Array;
  /** The text of its `METADATA`. */
  metadata: Uint8Array;
}

/**
 * Packs a wheel.
 *
 * @param written the project, as its file name and its metadata write it
 * @param tag which interpreters it fits: `py3-none-any`
 */
export async function packWheel(
  written: string,
  version: string,
  { tag, files }: { tag: string; files: Record<string, Uint8Array> },
): Promise<PackedWheel> {
  const stem = `${written.replaceAll("-", "_")}-${version}`;
  const folder = `${stem}.dist-info`;
  const metadata = encoder.encode(
    `Metadata-Version: 2.1\nName: ${written}\nVersion: ${version}\nRequires-Python: >=3.8\n\n`,
  );
  const wheel = `Wheel-Version: 1.0\nGenerator: contract\nRoot-Is-Purelib: true\nTag: ${tag}\n`;
  const entries = new Map<string, Uint8Array>(Object.entries(files));
  entries.set(`${folder}/METADATA`, metadata);
  entries.set(`${folder}/WHEEL`, encoder.encode(wheel));
  const lines: string[] = [];
  for (const [path, bytes] of entries) {
    lines.push(`${path},sha256=${await base64Digest(bytes)},${bytes.length}\n`);
  }
  const record = `${folder}/RECORD`;
  entries.set(record, encoder.encode(`${lines.join("")}${record},,\n`));
  return { filename: `${stem}-${tag}.whl`, archive: zipStored(entries), metadata };
}

async function base64Digest(bytes: Uint8Array): Promise<string> {
  const pairs = (await digestHex("sha256", bytes)).match(/../g)!;
  const text = String.fromCharCode(...pairs.map((pair) => Number.parseInt(pair, 16)));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function zipStored(entries: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const [path, bytes] of entries) {
    const name = encoder.encode(path);
    // Flags, method, time, day, sum, both sizes, and the lengths of the name and of nothing more.
    const common = numbers(
      ...[[ZIP_VERSION, 2], [0, 2], [0, 2], [0, 2], [FIRST_DAY, 2], [crc32(bytes), 4]] as const,
      ...[[bytes.length, 4], [bytes.length, 4], [name.length, 2], [0, 2]] as const,
    );
    parts.push(numbers([LOCAL_HEADER, 4]), common, name, bytes);
    directory.push(
      numbers([CENTRAL_HEADER, 4], [UNIX | ZIP_VERSION, 2]),
      common,
      // No comment, the only disk, no attributes but the mode, and where the entry begins.
      numbers([0, 2], [0, 2], [0, 2], [FILE_MODE * 0x10000, 4], [at, 4]),
      name,
    );
    at += 4 + common.length + name.length + bytes.length;
  }
  const listed = joined(...directory);
  const { size: count } = entries;
  return joined(
    ...parts,
    listed,
    numbers(
      ...[[END_OF_DIRECTORY, 4], [0, 2], [0, 2], [count, 2], [count, 2]] as const,
      ...[[listed.length, 4], [at, 4], [0, 2]] as const,
    ),
  );
}
