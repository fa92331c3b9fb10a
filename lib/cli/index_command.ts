/**
 * `transmute index`: makes the index of a folder of eggs.
 *
 * @module
 */

import { indexFolder } from "../publisher/index_folder.ts";
import type { CommandRequest, Outcome } from "./command.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import { counted } from "./wording.ts";

/** Makes `index.json`, and tells what it lists and what was left out. */
export async function run({ args: [folder], style }: CommandRequest): Promise<Outcome> {
  const { path, files, leftOut, changed } = await indexFolder(folder);
  return {
    value: {
      path,
      changed,
      files: files.map(({ name, sizeBytes, sha256 }) => ({ name, sizeBytes, sha256 })),
      leftOut,
    },
    lines: [
      `${path} lists ${counted(files.length, "archive")}${changed ? "" : ", as before"}`,
      ...leftOut.map(({ name, reason }) => `${style.warning("left out:")} ${name}: ${reason}`),
    ],
    quietLines: leftOut.map(({ name }) => name),
    exitCode: leftOut.length === 0 ? EXIT_CODES.done : EXIT_CODES.unsound,
  };
}
