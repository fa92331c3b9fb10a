/**
 * `transmute pack`: makes an egg of a folder.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { BuiltFiles } from "../publisher/pack.ts";
import { packFolder } from "../publisher/pack.ts";
import { runtime } from "../runtime/current.ts";
import { absolutePath, joinPath } from "../runtime/paths.ts";
import { diskFailure, writeAtomically } from "../store/files.ts";
import { digestHex } from "../trust/digest.ts";
import type { CommandOptions, CommandRequest, Outcome } from "./command.ts";
import { fileSize } from "./wording.ts";

const EGG_MODE = 0o644;

/** Packs the folder, and tells what became of it. */
export async function run(
  { args: [folder], options, style, progress }: CommandRequest,
): Promise<Outcome> {
  progress(`packing ${folder}`);
  const built = builtFilesOf(options);
  const { filename, archive, manifest } = options.bundle
    ? await (await import("../publisher/bundle_egg.ts")).packBundle(folder, built)
    : await packFolder(folder, built);
  const { name, version } = manifest;
  const place = absolutePath(options.out ?? ".", runtime.workingDirectory());
  const path = joinPath(place, filename);
  try {
    runtime.makeDirectory(place, { recursive: true });
    writeAtomically(path, archive, { mode: EGG_MODE });
  } catch (error) {
    throw diskFailure(`write ${path}`, error);
  }
  const sha256 = await digestHex("sha256", archive);
  return {
    value: { path, project: name, version, sizeBytes: archive.length, sha256 },
    lines: [
      `${style.strong(`${name} ${version}`)} is packed: ${path}`,
      `  ${fileSize(archive.length)}, sha256:${sha256}`,
    ],
    quietLines: [path],
  };
}

function builtFilesOf({ name, release, entry }: CommandOptions): BuiltFiles | undefined {
  if (name !== undefined && release !== undefined) {
    return { name, version: release, ...(entry === undefined ? {} : { entry }) };
  }
  if (name === undefined && release === undefined && entry === undefined) return undefined;
  throw new TransmuteError(
    "option-invalid",
    "Cannot pack built files: wanted both --name and --release",
  );
}
