/**
 * The metadata of Python eggs: `METADATA` and `PKG-INFO` (core metadata), and `requires.txt` of
 * setuptools.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { PythonManifest } from "./python.ts";
import { normalizeProjectName } from "./python_requirement.ts";

/** More requirements than this in one egg are taken for a mistake or an attack. */
const MAX_REQUIREMENTS = 5000;

/**
 * Reads core metadata of any version. What is not acted on is passed over, and so is the
 * description after the headers.
 *
 * @throws {TransmuteError} `archive-invalid` when it has no name or version
 *
 * @example
 * ```ts
 * import { readCoreMetadata } from "./python_metadata.ts";
 *
 * const { requires } = readCoreMetadata("Metadata-Version: 2.1\nName: a\nVersion: 1\nRequires-Dist: b>1\n");
 * if (requires[0] !== "b>1") throw new Error("never");
 * ```
 */
export function readCoreMetadata(text: string): PythonManifest {
  const headers: [name: string, value: string][] = [];
  for (const line of text.replace(/^\ufeff/, "").split(/\r?\n/)) {
    if (line === "") break;
    const last = headers.at(-1);
    if (/^[ \t]/.test(line) && last !== undefined) last[1] += ` ${line.trim()}`;
    else {
      const colon = line.indexOf(":");
      if (colon > 0) {
        headers.push([line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]);
      }
    }
  }
  const all = (name: string) => headers.filter(([key]) => key === name).map(([, value]) => value);
  const [name] = all("name");
  const [version] = all("version");
  if (!name || !version) {
    throw new TransmuteError(
      "archive-invalid",
      "Cannot read the metadata of a Python egg: found no name and version in it",
    );
  }
  const [requiresPython] = all("requires-python");
  // `Requires` is what was there before PEP 345, and named modules.
  const requires = all("requires-dist");
  if (requires.length > MAX_REQUIREMENTS) throw tooMany(requires.length);
  return {
    name,
    version,
    ...(requiresPython ? { requiresPython } : {}),
    requires,
    extras: all("provides-extra").map(normalizeProjectName),
  };
}

function tooMany(count: number): TransmuteError {
  return new TransmuteError(
    "archive-invalid",
    `Cannot read the metadata of a Python egg: found ${count} requirements, wanted at most ${MAX_REQUIREMENTS}`,
  );
}

/**
 * Reads `requires.txt` as setuptools writes it: requirements, then those of `[extra]`, of
 * `[:marker]` and of `[extra:marker]`.
 *
 * @returns requirements of PEP 508, each with its marker
 */
export function readRequiresText(text: string): { requires: string[]; extras: string[] } {
  const requires: string[] = [];
  const extras = new Set<string>();
  let condition = "";
  for (const line of text.split(/\r?\n/).map((one) => one.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    const section = /^\[([^:\]]*)(?::(.*))?\]$/.exec(line);
    if (section !== null) {
      const extra = normalizeProjectName(section[1].trim());
      if (extra !== "") extras.add(extra);
      condition = [
        ...(section[2] ? [`(${section[2].trim()})`] : []),
        ...(extra === "" ? [] : [`extra == "${extra}"`]),
      ].join(" and ");
      continue;
    }
    const [requirement, own] = line.split(/;(.*)/s, 2);
    const marker = [...(own?.trim() ? [`(${own.trim()})`] : []), ...(condition ? [condition] : [])]
      .join(" and ");
    requires.push(marker === "" ? requirement.trim() : `${requirement.trim()} ; ${marker}`);
    if (requires.length > MAX_REQUIREMENTS) throw tooMany(requires.length);
  }
  return { requires, extras: [...extras] };
}
