/**
 * Executables as eggs: laid out as a package of npm with one command would be.
 *
 * @module
 */

import type Zlib from "node:zlib";
import { describeError } from "../errors.ts";
import type { ExecutableFile, Manifest } from "../model/egg.ts";
import { manifestOfExecutable } from "../model/executable.ts";
import { runtime } from "../runtime/current.ts";
import { refusedArchive } from "./entry_names.ts";
import type { ArchiveEntry } from "./unpack.ts";

/** How the programs of the systems begin. */
const BEGINNINGS: Record<string, number[][]> = {
  linux: [[0x7f, 0x45, 0x4c, 0x46]],
  win32: [[0x4d, 0x5a]],
  // One processor, and several in one file.
  darwin: [[0xcf, 0xfa, 0xed, 0xfe], [0xca, 0xfe, 0xba, 0xbe]],
};

/** The `package.json` of an executable. */
export function packageOfExecutable(file: ExecutableFile): Manifest & { bin: object } {
  const manifest = manifestOfExecutable(file);
  // Nothing of it is to be imported.
  const exports = { "./package.json": "./package.json" };
  return { ...manifest, bin: { [file.project]: file.program }, exports } as Manifest & {
    bin: object;
  };
}

/**
 * Unpacks an executable, in memory.
 *
 * @throws {TransmuteError} `archive-invalid` for what is damaged, too large, or no program of the
 * system that its name says; of a wheel also `path-escapes`, `digest-mismatch`
 */
export async function unpackExecutable(
  bytes: Uint8Array,
  file: ExecutableFile,
  maxUnpackedBytes: number,
): Promise<{ entries: ArchiveEntry[]; manifest: Manifest }> {
  const program = await expanded(bytes, file, maxUnpackedBytes);
  const manifest = packageOfExecutable(file);
  const isProgram = BEGINNINGS[manifest.os![0]].some((beginning) =>
    beginning.every((byte, index) => program[index] === byte)
  );
  if (!isProgram) throw refusedArchive(`found no program of ${file.target} in it`);
  const text = new TextEncoder().encode(JSON.stringify(manifest, null, 2));
  return {
    entries: [
      { path: "package.json", bytes: text, executable: false },
      { path: file.program, bytes: program, executable: true },
    ],
    manifest,
  };
}

async function expanded(
  bytes: Uint8Array,
  file: ExecutableFile,
  maxBytes: number,
): Promise<Uint8Array> {
  const { packing } = file;
  if (packing === null) {
    if (bytes.length <= maxBytes) return bytes;
    throw refusedArchive(`found ${bytes.length} bytes, wanted at most ${maxBytes}`);
  }
  if (packing === "whl") {
    const { programOfWheel } = await import("./executable_wheel.ts");
    return await programOfWheel(bytes, file, maxBytes);
  }
  try {
    if (packing === "gz") return await runtime.gunzip(bytes, maxBytes);
    const { zstdDecompressSync } = await runtime.builtin<typeof Zlib>("zlib");
    return zstdDecompressSync(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    throw refusedArchive(
      `found it damaged, or larger than ${maxBytes} bytes (${describeError(error)})`,
      error,
    );
  }
}
