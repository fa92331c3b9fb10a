/**
 * From a file of a Python project, wherever it is listed, to a release. Values in, values out.
 *
 * @module
 */

import type { Release } from "../model/egg.ts";
import type { PythonRelease } from "../model/python.ts";
import { mayBePythonFile, parsePythonFileName } from "../model/python_file.ts";
import { normalizeProjectName } from "../model/python_requirement.ts";
import type { EggFile } from "./egg_files.ts";
import { companionName } from "./egg_files.ts";

/** The ending of a file that has a wheel's metadata (PEP 658). */
const METADATA = ".metadata";

/** A file of a Python project, as its listing tells of it. */
export interface PythonEggFile extends Omit<EggFile, "manifest">, Omit<PythonRelease, "file"> {
  /** When it was published, in milliseconds since the epoch. */
  publishedAt?: number;
}

/** The release that a file is of `project` (normalised); `null` when it is no archive of it. */
export function pythonReleaseOf(project: string, found: PythonEggFile): Release | null {
  const file = parsePythonFileName(found.name, project);
  if (file === null) return null;
  const { locator, sizeBytes, digests = [], companion, publishedAt } = found;
  const { requiresPython, yanked, metadata, manifest } = found;
  const beside = companion === undefined ? [] : [companion.sizeBytes, companion.validator];
  return {
    project,
    version: file.version,
    artifact: {
      locator,
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
      digests: [...digests],
      validator: digests.length > 0 && found.validator === undefined
        ? digests.join(" ")
        // Other files of the version may have all the rest in common, where digests are missing.
        : [sizeBytes, found.validator ?? publishedAt, ...digests, ...beside]
          .filter((part) => part !== undefined).concat(digests.length > 0 ? [] : found.name)
          .join(" "),
      ...(companion === undefined ? {} : { companion: companion.locator }),
    },
    ...(publishedAt === undefined ? {} : { publishedAt }),
    python: {
      file,
      ...(requiresPython === undefined ? {} : { requiresPython }),
      ...(yanked === undefined ? {} : { yanked }),
      ...(metadata === undefined ? {} : { metadata }),
      ...(manifest === undefined ? {} : { manifest }),
    },
  };
}

/** The files of a folder by the projects that they may be of, with what lies beside each. */
export class PythonFolder {
  readonly #byProject = new Map<string, PythonEggFile[]>();

  constructor(files: Iterable<EggFile>) {
    const byName = new Map<string, EggFile>();
    for (const file of files) if (!byName.has(file.name)) byName.set(file.name, file);
    for (const file of byName.values()) {
      // npm's archives have the ending of source archives, and a folder may hold both.
      if (!mayBePythonFile(file.name) || file.manifest !== undefined) continue;
      const { manifest: _none, ...found } = file;
      const companion = file.digests?.length ? undefined : byName.get(companionName(file.name));
      const metadata = byName.get(file.name + METADATA);
      const whole: PythonEggFile = {
        ...found,
        ...(companion === undefined ? {} : { companion }),
        ...(metadata === undefined
          ? {}
          : { metadata: { locator: metadata.locator, digests: metadata.digests ?? [] } }),
      };
      for (const project of projectsOf(file.name)) {
        const same = this.#byProject.get(project);
        if (same === undefined) this.#byProject.set(project, [whole]);
        else same.push(whole);
      }
    }
  }

  /** What the folder has of a project (normalised). */
  releases(project: string): Release[] {
    return (this.#byProject.get(project) ?? [])
      .flatMap((file) => pythonReleaseOf(project, file) ?? []);
  }
}

/** The projects that a file may be of: of a source archive, any that its name can be cut into. */
function projectsOf(name: string): Set<string> {
  const file = parsePythonFileName(name);
  if (file !== null && file.kind !== "sdist") return new Set([file.project]);
  const projects = new Set<string>();
  for (let dash = name.indexOf("-"); dash > 0; dash = name.indexOf("-", dash + 1)) {
    projects.add(normalizeProjectName(name.slice(0, dash)));
  }
  return projects;
}
