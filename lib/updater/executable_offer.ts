/**
 * What a source has of a program of one file: executables and npm packages under its name, and
 * wheels that hold it.
 *
 * @module
 */

import type { Release } from "../model/egg.ts";
import { manifestOfExecutable } from "../model/executable.ts";
import { executablesOfWheel, whyNoExecutable } from "../model/executable_wheel.ts";
import { buildNumber } from "../model/python_file.ts";
import { normalizeProjectName } from "../model/python_requirement.ts";
import type { Answer, Source, SourceContext } from "../sources/source.ts";

/** What may be the name of a Python project too. */
const NAME = /^[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?$/;
/** The versions that mean the same in both worlds. */
const COMMON_VERSION = /^(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}$/;

/** A release, and what orders it among those of its version. */
interface Ranked {
  release: Release;
  reach: number;
  build: number;
}

/**
 * Asks a source for a program, in every world that it lists.
 *
 * @throws {TransmuteError} as `Source.list`
 */
export async function listExecutables(
  source: Source,
  project: string,
  context: SourceContext,
): Promise<Answer> {
  const { ecosystems = ["js"] } = source;
  const mayBeWheel = ecosystems.includes("python") && NAME.test(project);
  const [packages, wheels] = await Promise.all([
    ecosystems.includes("js") ? source.list(project, context, "js") : null,
    mayBeWheel ? source.list(normalizeProjectName(project), context, "python") : null,
  ]);
  const listing = packages?.listing ?? { project, releases: [], tags: {} };
  const releases = [
    ...listing.releases,
    ...executableReleases(project, wheels?.listing.releases ?? []),
  ];
  return {
    listing: { ...listing, releases },
    cached: (packages?.cached ?? true) && (wheels?.cached ?? true),
  };
}

/**
 * The releases of a Python project as those of a program: a wheel has one for each target. What is
 * no wheel, or has a version that is none of SemVer, is left out; a wheel without a program is
 * there, and why it is not taken.
 *
 * Of one version, the wheel comes first that runs on the oldest systems: nothing else about it is
 * less.
 */
export function executableReleases(project: string, releases: Release[]): Release[] {
  return releases.flatMap((release): Ranked[] => {
    const { version, python, heldBack } = release;
    if (python?.file.kind !== "wheel" || !COMMON_VERSION.test(version)) return [];
    const { file: wheel, yanked } = python;
    const build = buildNumber(wheel);
    const why = heldBack ?? (yanked === undefined ? undefined : yankedText(yanked));
    const found = executablesOfWheel(wheel, project).map(({ file, reach }) => ({
      ...{ build, reach },
      release: {
        ...release,
        project,
        manifest: manifestOfExecutable(file),
        executable: file,
        ...(why === undefined ? {} : { heldBack: why }),
      },
    }));
    if (found.length > 0) return found;
    const none = { ...release, project, heldBack: why ?? whyNoExecutable(wheel) };
    return [{ build, reach: -1, release: none }];
  })
    .sort((one, other) => other.reach - one.reach || other.build - one.build)
    .map(({ release }) => release);
}

function yankedText(words: string): string {
  return `was yanked${words === "" ? "" : `: ${words}`}`;
}
