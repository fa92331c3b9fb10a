/**
 * Signing what a registry holds: the bytes stay there, and names, digests and freshness come from the
 * signed repository from then on.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { eggName } from "../model/egg.ts";
import { nameInAddress } from "../model/python_file.ts";
import { normalizeProjectName } from "../model/python_requirement.ts";
import { comparePythonVersions } from "../model/python_version.ts";
import { openSource } from "../sources/open.ts";
import type { Source, SourceContext } from "../sources/source.ts";
import { proveBytes } from "../trust/digest.ts";
import type { Egg } from "./amend.ts";
import { parseEgg } from "./amend.ts";
import { readPythonRelease } from "./python_release.ts";
import type { Release } from "./release.ts";
import { readRelease } from "./release.ts";

/** What one release may take to arrive. */
const FETCH_MS = 10 * 60 * 1000;
const MAX_DOWNLOAD_BYTES = 256 * 1024 ** 2;
/** Registries that clients know the bytes of. */
const ADDRESS = /^(npm|pypi):(.+)$/;

/**
 * The registry and the egg that `npm:chalk@5.3.0` or `pypi:six@1.17.0` names; `null` for the path of
 * an archive.
 */
export function parseRegistryEgg(text: string): { origin: "npm" | "pypi"; egg: Egg } | null {
  const [, origin, name] = ADDRESS.exec(text) ?? [];
  return origin === undefined ? null : { origin: origin as "npm" | "pypi", egg: parseEgg(name) };
}

/**
 * Brings a release of a registry, proven by what that says of it, ready to be signed: one archive,
 * or of a Python project all wheels and eggs of the version.
 *
 * @param source the registry; by default the one of the user's own configuration
 * @throws {TransmuteError} `release-missing`, `archive-invalid`, and what sources throw
 */
export async function readRegistryReleases(text: string, source?: Source): Promise<Release[]> {
  const { origin, egg } = parseRegistryEgg(text)!;
  const registry = source ?? openSource(`${origin}:`);
  return origin === "npm"
    ? [await readNpmRelease(text, egg, registry)]
    : await readPypiReleases(text, egg, registry);
}

async function readPypiReleases(text: string, egg: Egg, source: Source): Promise<Release[]> {
  const context = contextOf();
  const { listing } = await source.list(normalizeProjectName(egg.project), context, "python");
  const files = listing.releases.filter(({ version, python }) =>
    comparePythonVersions(version, egg.version) === 0 && python!.file.kind !== "sdist"
  );
  if (files.length === 0) throw missing(text, egg, source);
  const releases: Release[] = [];
  for (const { artifact } of files) {
    const name = nameInAddress(artifact.locator);
    const fetched = await source.fetch(artifact, context);
    const bytes = fetched instanceof Uint8Array ? fetched : fetched.bytes;
    await proveBytes(bytes, artifact, { egg: eggName(egg), source: source.id });
    releases.push(signedWhereItIs(await readPythonRelease(bytes, name), "pypi"));
  }
  return releases;
}

function contextOf(): SourceContext {
  return {
    signal: AbortSignal.timeout(FETCH_MS),
    fetch,
    listings: { read: () => null, write() {} },
    maxDownloadBytes: MAX_DOWNLOAD_BYTES,
  };
}

function missing(text: string, egg: Egg, source: Source): TransmuteError {
  return new TransmuteError(
    "release-missing",
    `Cannot sign ${text}: ${source.id} has no such release`,
    { egg: eggName(egg), source: source.id },
  );
}

/** The release, whose bytes stay in its registry. */
function signedWhereItIs(release: Release, origin: "npm" | "pypi"): Release {
  const custom = { ...release.target.custom, origin };
  return { ...release, objectPath: null, target: { ...release.target, custom } };
}

async function readNpmRelease(text: string, egg: Egg, source: Source): Promise<Release> {
  const context = contextOf();
  const { listing } = await source.list(egg.project, context);
  const found = listing.releases.find(({ version }) => version === egg.version);
  if (found === undefined) throw missing(text, egg, source);
  const fetched = await source.fetch(found.artifact, context);
  const bytes = fetched instanceof Uint8Array ? fetched : fetched.bytes;
  await proveBytes(bytes, found.artifact, { egg: eggName(egg), source: source.id });
  const release = await readRelease(bytes, text);
  if (release.project !== egg.project || release.version !== egg.version) {
    throw new TransmuteError(
      "archive-invalid",
      `Cannot sign ${text}: found ${eggName(release)} in its archive`,
      { egg: eggName(egg), source: source.id },
    );
  }
  return signedWhereItIs(release, "npm");
}
