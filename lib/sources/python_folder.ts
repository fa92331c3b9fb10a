/**
 * The Python eggs of a folder on this disk. Loaded only when one is asked for.
 *
 * @module
 */

import type { Release } from "../model/egg.ts";
import { normalizeProjectName } from "../model/python_requirement.ts";
import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";
import type { EggFile } from "./egg_files.ts";
import { companionDigest, companionName } from "./egg_files.ts";
import { PythonFolder } from "./python_files.ts";

/**
 * What a folder has of a Python project (normalised).
 *
 * @param names of all its files
 * @param assertSafe refuses a file that others may write to
 */
export function pythonReleasesIn(
  folder: string,
  names: ReadonlySet<string>,
  project: string,
  assertSafe: (path: string, mode: number | null) => void,
): Release[] {
  const files: EggFile[] = [];
  for (const name of names) {
    if (!normalizeProjectName(name).startsWith(`${project}-`)) continue;
    const locator = joinPath(folder, name);
    const status = runtime.status(locator);
    if (status?.kind !== "file") continue;
    assertSafe(locator, status.mode);
    const companion = companionName(name);
    const digests = names.has(companion)
      ? [companionDigest(runtime.readTextFile(joinPath(folder, companion)))]
      : [];
    const { sizeBytes, modifiedAt } = status;
    files.push({ name, locator, sizeBytes, validator: String(modifiedAt), digests });
  }
  return new PythonFolder(files).releases(project);
}
