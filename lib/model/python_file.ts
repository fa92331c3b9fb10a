/**
 * What the names of Python archives claim: wheels, eggs and source archives.
 *
 * @module
 */

import { decodedText } from "./encoded_text.ts";
import type { PythonFile } from "./python.ts";
import { normalizeProjectName } from "./python_requirement.ts";

/** No disk takes a longer name, and to cut a very long one would take for ever. */
const MAX_NAME = 255;
/** No wheel is for more: names with thousands of tags would be an attack. */
const MAX_TAGS = 512;
const SDIST = /\.(?:tar\.gz|zip)$/i;
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._]*[A-Za-z0-9])?$/;
const VERSION = /^[0-9A-Za-z!+._]+$/;

/** `name-version[-build]-python-abi-platform.whl`, where the last three may be sets: `py2.py3`. */
function parseWheelName(stem: string): PythonFile | null {
  const parts = stem.split("-");
  if (parts.length !== 5 && parts.length !== 6) return null;
  const [name, version] = parts;
  const build = parts.length === 6 ? parts[2] : undefined;
  const [pythons, abis, platforms] = parts.slice(-3).map((set) => set.toLowerCase().split("."));
  if (!NAME.test(name) || !VERSION.test(version)) return null;
  if (build !== undefined && !/^\d/.test(build)) return null;
  if (pythons.length * abis.length * platforms.length > MAX_TAGS) return null;
  const tags = pythons.flatMap((python) =>
    abis.flatMap((abi) => platforms.map((platform) => `${python}-${abi}-${platform}`))
  );
  return {
    kind: "wheel",
    project: normalizeProjectName(name),
    version,
    tags,
    ...(build === undefined ? {} : { build }),
  };
}

/** `name-version[-pyX.Y[-platform]].egg`, in which setuptools writes `_` for every `-`. */
function parseEggName(stem: string): PythonFile | null {
  const [, name, version, pythonVersion, platform] =
    /^([^-]+)-([^-]+)(?:-py(\d+\.\d+)(?:-(.+))?)?$/.exec(stem) ?? [];
  if (name === undefined || !NAME.test(name) || !VERSION.test(version)) return null;
  return {
    kind: "egg",
    project: normalizeProjectName(name),
    // A local part, or a part that was written with a dash.
    version: version.replace(/_/g, "-"),
    ...(pythonVersion === undefined ? {} : { pythonVersion }),
    ...(platform === undefined ? {} : { platform }),
  };
}

/** `name-version.tar.gz`; old ones have dashes in their names, so only the project tells where to cut. */
function parseSdistName(stem: string, project: string | undefined): PythonFile | null {
  for (let dash = stem.indexOf("-"); dash > 0; dash = stem.indexOf("-", dash + 1)) {
    const [name, version] = [stem.slice(0, dash), stem.slice(dash + 1)];
    const isNamed = project === undefined
      ? !version.includes("-") && /^[0-9]/.test(version)
      : normalizeProjectName(name) === project && /^[0-9v]/.test(version);
    if (isNamed) return { kind: "sdist", project: normalizeProjectName(name), version };
  }
  return null;
}

/**
 * What the name of a Python archive claims, or `null` when it is not the name of one.
 *
 * @param project normalised; without it, the name of a source archive is cut at its last dash
 *
 * @example
 * ```ts
 * import { parsePythonFileName } from "./python_file.ts";
 *
 * const wheel = parsePythonFileName("six-1.17.0-py2.py3-none-any.whl");
 * if (wheel?.tags?.join() !== "py2-none-any,py3-none-any") throw new Error("never");
 * ```
 */
export function parsePythonFileName(name: string, project?: string): PythonFile | null {
  let file: PythonFile | null = null;
  if (name.length > MAX_NAME) return null;
  if (/\.whl$/i.test(name)) file = parseWheelName(name.slice(0, -4));
  else if (/\.egg$/i.test(name)) file = parseEggName(name.slice(0, -4));
  else if (SDIST.test(name)) file = parseSdistName(name.replace(SDIST, ""), project);
  return file !== null && (project === undefined || file.project === project) ? file : null;
}

/** The number that a wheel's build tag begins with. */
export function buildNumber({ build = "0" }: PythonFile): number {
  return Number.parseInt(build);
}

/** Whether a name may be that of a Python archive: `.tar.gz` is npm's too. */
export function mayBePythonFile(name: string): boolean {
  return name.length <= MAX_NAME && /\.(?:whl|egg|tar\.gz|zip)$/i.test(name);
}

/** The name that an address ends in, as it is written where it cannot be decoded. */
export function nameInAddress(address: string): string {
  const path = address.replace(/[?#].*$/, "");
  return decodedText(path.slice(path.lastIndexOf("/") + 1));
}
