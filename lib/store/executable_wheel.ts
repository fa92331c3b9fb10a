/**
 * Programs in wheels: proven and laid out as every wheel is, of which the one script is taken. No
 * interpreter is needed for it.
 *
 * @module
 */

import type { ExecutableFile } from "../model/egg.ts";
import { normalizeProjectName } from "../model/python_requirement.ts";
import { refusedArchive } from "./entry_names.ts";
import { unpackPythonEgg } from "./python_egg.ts";
import { COMMANDS } from "./python_layout.ts";

/**
 * The program that a wheel holds among its scripts.
 *
 * @throws {TransmuteError} `archive-invalid` when it has none of that name, or is no wheel of the
 * project and version; `path-escapes`, `digest-mismatch`
 */
export async function programOfWheel(
  wheel: Uint8Array,
  { project, version, program }: ExecutableFile,
  maxUnpackedBytes: number,
): Promise<Uint8Array> {
  const file = { kind: "wheel" as const, project: normalizeProjectName(project), version };
  const { entries } = await unpackPythonEgg(wheel, file, { maxUnpackedBytes });
  const script = entries.find(({ path }) => path === `${COMMANDS}/${program}`);
  if (script !== undefined) return script.bytes;
  throw refusedArchive(`found no program ${program} among the scripts of the wheel`);
}
