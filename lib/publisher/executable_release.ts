/**
 * What is signed about an executable, made from the executable itself.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { knownTargets, manifestOfExecutable, parseExecutableName } from "../model/executable.ts";
import { unpackExecutable } from "../store/executable_egg.ts";
import type { Release } from "./release.ts";
import { releaseFrom } from "./release.ts";

/** Whether a file's name is that of an executable: `mytool-1.2.3-x86_64-unknown-linux-gnu`. */
export function isExecutableEgg(name: string): boolean {
  return parseExecutableName(name) !== null;
}

/**
 * Reads an executable as a client would.
 *
 * @param name of the file, which says for which machines it is
 * @throws {TransmuteError} `archive-invalid` for what no client would take
 */
export async function readExecutableRelease(
  archive: Uint8Array,
  name: string,
  maxUnpackedBytes = 1024 ** 3,
): Promise<Release> {
  const file = parseExecutableName(name);
  if (file === null) {
    throw new TransmuteError(
      "archive-invalid",
      `Cannot publish ${name}: found a name that is not that of an executable`,
      { hint: `Call it such as mytool-1.2.3-${knownTargets()[0]}` },
    );
  }
  await unpackExecutable(archive, file, maxUnpackedBytes);
  const { project, version } = file;
  const { os, cpu, libc } = manifestOfExecutable(file);
  return await releaseFrom(archive, name, {
    ecosystem: "js",
    project,
    version,
    platform: { os: os!, cpu: cpu!, ...(libc === undefined ? {} : { libc }) },
  });
}
