/**
 * Which release of a listing is wanted: npm's own rule, so that what npm would install is what
 * runs. Pure.
 *
 * @module
 */

import type { Listing, Manifest, Release } from "../model/egg.ts";
import {
  compareVersions,
  exactVersion,
  isPrerelease,
  isValidRange,
  satisfiesRange,
} from "../model/version.ts";
import type { Platform } from "../runtime/platform.ts";

/** The machine, and what else keeps a release from being taken. */
export interface SelectionContext {
  platform: Platform;
  /** The version of Node whose interface the runtime offers, for `engines`. */
  nodeVersion: string;
  /** Why this release may not be taken (it was refused, it is too young), or `null`. */
  isExcluded(release: Release): string | null;
}

/** A release that was not selected, and why. */
export interface PassedOver {
  /** As its source writes it. */
  version: string;
  /** As in "does not satisfy ^1", "deprecated: …", "needs node >=30", "for darwin only". */
  reason: string;
}

/** The release to take, or `null` when none may be. */
export interface Selection {
  release: Release | null;
  /**
   * Highest first: every release when none was selected, else only those of a higher version.
   * Worked out when read, because most selections are never asked.
   */
  readonly passedOver: PassedOver[];
}

/** The tag that a publisher moves to what everyone should use. */
const DEFAULT_TAG = "latest";

/** Whether npm's `os`, `cpu` or `libc` list admits `value`; `!` before a name excludes it. */
function admits(list: string[] | undefined, value: string | undefined): boolean {
  if (list === undefined || (list.length === 1 && list[0] === "any")) return true;
  if (value === undefined) return list.length === 0;
  if (list.includes(`!${value}`)) return false;
  return list.includes(value) || list.every((entry) => entry.startsWith("!"));
}

function listText(list: string[]): string {
  const excluded = list.filter((entry) => entry.startsWith("!"));
  return excluded.length === list.length
    ? `not for ${excluded.map((entry) => entry.slice(1)).join(" or ")}`
    : `for ${list.filter((entry) => !entry.startsWith("!")).join(" or ")} only`;
}

/** Why a release made for another kind of machine cannot run here, or `null`. */
export function platformMismatch(
  manifest: Pick<Manifest, "os" | "cpu" | "libc"> | undefined,
  platform: Platform,
): string | null {
  if (manifest === undefined) return null;
  for (const kind of ["os", "cpu", "libc"] as const) {
    if (!admits(manifest[kind], platform[kind])) return listText(manifest[kind]!);
  }
  return null;
}

function fitsEngine(manifest: Manifest | undefined, nodeVersion: string): boolean {
  const wanted = manifest?.engines?.node;
  return !wanted || satisfiesRange(nodeVersion, wanted, { prereleases: true });
}

/** Lower is better: neither deprecated nor misfit, then only deprecated, then only misfit. */
function rank(release: Release, nodeVersion: string): number {
  return (fitsEngine(release.manifest, nodeVersion) ? 0 : 2) +
    (release.manifest?.deprecated ? 1 : 0);
}

function isUsable(release: Release, context: SelectionContext): boolean {
  return platformMismatch(release.manifest, context.platform) === null &&
    context.isExcluded(release) === null;
}

/** The best of those that the range admits: by rank, then the highest version. */
function best(releases: Release[], context: SelectionContext): Release | null {
  let chosen: Release | null = null;
  let chosenRank = Infinity;
  for (const release of releases) {
    const itsRank = rank(release, context.nodeVersion);
    if (itsRank > chosenRank) continue;
    if (itsRank === chosenRank && compareVersions(release.version, chosen!.version) <= 0) continue;
    if (!isUsable(release, context)) continue;
    chosen = release;
    chosenRank = itsRank;
  }
  return chosen;
}

/** How the text after the `@` is read, and which releases it admits. */
interface Wanted {
  /** Why a release is not admitted, or `null` when it is. */
  misses(release: Release): string | null;
  /** The tag's release, which is preferred to a higher version when it is in good order. */
  preferred: Release | undefined;
}

function read(listing: Listing, range: string): Wanted {
  const tagged = (tag: string) =>
    Object.hasOwn(listing.tags, tag)
      ? listing.releases.find((release) => release.version === listing.tags[tag])
      : undefined;
  const exact = exactVersion(range);
  if (exact !== null) {
    // Most projects name exact versions as they are listed; reading every other one would be slow.
    const literally = listing.releases.some((release) => release.version === exact);
    const misses = ({ version }: Release) =>
      version === exact || (!literally && exactVersion(version) === exact)
        ? null
        : `is not ${range}`;
    return { misses, preferred: undefined };
  }
  if (!isValidRange(range) && !(range === DEFAULT_TAG && !Object.hasOwn(listing.tags, range))) {
    const release = tagged(range);
    const misses = (other: Release) => other === release ? null : `is not tagged ${range}`;
    return { misses, preferred: undefined };
  }
  const wanted = range === DEFAULT_TAG || range === "" ? "*" : range;
  const latest = tagged(DEFAULT_TAG);
  const misses = (release: Release) => {
    if (satisfiesRange(release.version, wanted)) return null;
    const only = isPrerelease(release.version) &&
      satisfiesRange(release.version, wanted, { prereleases: true });
    return only ? "is a pre-release" : `does not satisfy ${wanted}`;
  };
  // The tag may name a pre-release: whoever asks for nothing in particular gets it.
  const preferred = latest !== undefined && (wanted === "*" || misses(latest) === null)
    ? latest
    : undefined;
  return { misses, preferred };
}

/**
 * Selects the release of `listing` that `range` means on this machine.
 *
 * `range` is an exact version, a tag, or a SemVer range. Of a range, the release tagged `latest`
 * when it is admitted, not deprecated and fits `engines`; otherwise the best by: fits `engines`
 * and is not deprecated, fits, is not deprecated, highest version. Pre-releases only where the
 * range names one, or as the tag of `*`. A listing without the tag `latest`, such as a folder's,
 * reads it as `*`. Never a release for another `os`, `cpu` or `libc`, nor an excluded one: then
 * the next best. A release whose manifest is not known yet is taken to have no constraints.
 *
 * @example
 * ```ts
 * import { selectRelease } from "./select.ts";
 *
 * const releases = ["1.0.0", "1.1.0", "2.0.0"].map((version) => ({
 *   project: "hello",
 *   version,
 *   artifact: { locator: `/dist/hello-${version}.tgz`, digests: [], validator: version },
 * }));
 * const { release } = selectRelease({ project: "hello", releases, tags: {} }, "^1", {
 *   platform: { os: "linux", cpu: "x64", libc: "glibc" },
 *   nodeVersion: "24.0.0",
 *   isExcluded: () => null,
 * });
 * if (release?.version !== "1.1.0") throw new Error("never");
 * ```
 */
export function selectRelease(
  listing: Listing,
  range: string,
  context: SelectionContext,
): Selection {
  const wanted = read(listing, range);
  const { preferred } = wanted;
  const release = preferred !== undefined && rank(preferred, context.nodeVersion) === 0 &&
      isUsable(preferred, context)
    ? preferred
    : best(listing.releases.filter((one) => wanted.misses(one) === null), context);
  return {
    release,
    get passedOver() {
      return explain(listing, release, wanted, context);
    },
  };
}

function explain(
  listing: Listing,
  selected: Release | null,
  wanted: Wanted,
  context: SelectionContext,
): PassedOver[] {
  const reasonFor = (release: Release): string => {
    const { manifest } = release;
    const firm = release === wanted.preferred ? null : wanted.misses(release);
    const unusable = firm ?? platformMismatch(manifest, context.platform) ??
      context.isExcluded(release);
    if (unusable !== null) return unusable;
    if (!fitsEngine(manifest, context.nodeVersion)) return `needs node ${manifest!.engines!.node}`;
    if (manifest?.deprecated) return `deprecated: ${manifest.deprecated}`;
    return `${selected?.version} is tagged ${DEFAULT_TAG}`;
  };
  return listing.releases
    .filter((release) =>
      release !== selected &&
      (selected === null || compareVersions(release.version, selected.version) > 0)
    )
    .sort((one, other) => compareVersions(other.version, one.version))
    .map((release) => ({ version: release.version, reason: reasonFor(release) }));
}
