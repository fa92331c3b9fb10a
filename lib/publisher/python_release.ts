/**
 * What is signed about a Python egg, made from the egg itself.
 *
 * @module
 */

import { isTransmuteError, TransmuteError } from "../errors.ts";
import { parsePythonFileName } from "../model/python_file.ts";
import { unpackPythonEgg } from "../store/python_egg.ts";
import type { Release } from "./release.ts";
import { releaseFrom } from "./release.ts";

/** Whether a file's name can only be that of a Python egg. */
export function isPythonEgg(name: string): boolean {
  return /\.(?:whl|egg)$/i.test(name);
}

/**
 * Reads a Python egg as a client would.
 *
 * @param name of the file, which says for which interpreters it is
 * @throws {TransmuteError} `archive-invalid`, `path-escapes` and `digest-mismatch` for what no client
 * would take
 */
export async function readPythonRelease(
  archive: Uint8Array,
  name: string,
  maxUnpackedBytes = 1024 ** 3,
): Promise<Release> {
  const file = parsePythonFileName(name);
  if (file === null) {
    throw new TransmuteError(
      "archive-invalid",
      `Cannot publish ${name}: found a name that is not that of a Python egg`,
      { hint: "Leave it the name that it was built with" },
    );
  }
  const { manifest } = await unpackPythonEgg(archive, file, { maxUnpackedBytes })
    .catch((error) => {
      if (!isTransmuteError(error)) throw error;
      const { code, message } = error;
      throw new TransmuteError(code, `Cannot publish ${name}: nobody could take it. ${message}`, {
        cause: error,
      });
    });
  const { project } = file;
  const { version } = manifest;
  return await releaseFrom(archive, name, {
    ecosystem: "python",
    project,
    version,
    metadata: manifest,
  });
}
