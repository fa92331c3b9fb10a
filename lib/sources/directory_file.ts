/**
 * Reading one file below a folder, as signed repositories are read.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";
import type { FileAnswer, FileQuestion } from "./source.ts";

/**
 * Reads a file below `folder`. Its bytes prove themselves, so it matters not who may write it.
 *
 * @throws {TransmuteError} `size-mismatch`, `source-unreachable` when there is no such folder
 */
export function readFolderFile({ path, maxBytes }: FileQuestion, folder: string): FileAnswer {
  const whole = joinPath(folder, path);
  // Looked at first, so that a missing permission is told of the whole folder; and once more with a
  // dot, which follows a link that may lead to nothing, as where a disk is not mounted.
  const isThere = runtime.status(folder) !== null &&
    runtime.status(`${folder}/.`)?.kind === "directory";
  const status = runtime.status(whole);
  if (status?.kind !== "file") {
    if (isThere) return { status: "absent" };
    throw new TransmuteError(
      "source-unreachable",
      `Cannot read ${whole}: there is no folder ${folder}`,
      { source: folder },
    );
  }
  if (status.sizeBytes > maxBytes) {
    throw new TransmuteError(
      "size-mismatch",
      `Cannot read ${whole}: it has ${status.sizeBytes} bytes, wanted at most ${maxBytes}`,
      { source: folder },
    );
  }
  return { status: "read", bytes: runtime.readFile(whole), validators: {} };
}
