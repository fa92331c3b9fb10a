/**
 * Python eggs that are on `PYTHONPATH` already: they hold their projects, as a way to keep an
 * update away.
 *
 * @module
 */

import type { PresentPythonEgg } from "../model/python.ts";
import { parsePythonFileName } from "../model/python_file.ts";
import { normalizeProjectName } from "../model/python_requirement.ts";
import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";

const INFO = /^(.+?)-(\d[^-]*)(?:-py\d\S*)?\.(?:dist-info|egg-info)$/;

/**
 * What the entries of `PYTHONPATH` hold: eggs and wheels themselves, and what is installed in
 * folders. Of two eggs of one project, the first is what Python imports.
 *
 * @param own folders of this store, which hold nothing
 */
export function presentPythonEggs(pythonPath: string, own: string): PresentPythonEgg[] {
  const separator = runtime.platform().os === "win32" ? ";" : ":";
  const found = new Map<string, PresentPythonEgg>();
  for (const entry of pythonPath.split(separator)) {
    if (entry === "" || entry.startsWith(own)) continue;
    for (const egg of eggsAt(entry)) {
      if (!found.has(egg.project)) found.set(egg.project, egg);
    }
  }
  return [...found.values()];
}

function eggsAt(path: string): PresentPythonEgg[] {
  const name = path.split(/[/\\]/).at(-1)!;
  const file = /\.(?:egg|whl)$/.test(name) ? parsePythonFileName(name) : null;
  let names: string[];
  try {
    if (file !== null) {
      // Python passes over what is not there, and so does this.
      if (runtime.status(path) === null) return [];
      return [{ project: file.project, version: file.version, location: path }];
    }
    names = runtime.list(path);
  } catch {
    return [];
  }
  return names.flatMap((inside) => {
    const [, project, version] = INFO.exec(inside) ?? [];
    if (project === undefined) return [];
    return [{
      project: normalizeProjectName(project),
      version: version.replace(/_/g, "-"),
      location: joinPath(path, inside),
    }];
  });
}
