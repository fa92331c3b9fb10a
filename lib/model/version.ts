/**
 * What versions and ranges mean: the words that Transmute needs of SemVer, spoken by npm's own
 * implementation. Versions and ranges are read as npm reads them from a registry: loosely, so
 * that `v1.2.3` and old forms such as `1.2.3beta` have a meaning.
 *
 * The only file that loads the library; nothing on the path of an idle start imports it.
 *
 * @module
 */

// Loose versions, `||`, `x` and hyphen ranges exactly as npm projects mean them.
// @ts-types="npm:@types/semver@7.8.0"
import semver from "npm:semver@7.8.6";

const LOOSE = { loose: true };

/** Whether `version` is a version by the letter of the SemVer specification. */
export function isValidVersion(version: string): boolean {
  return semver.valid(version) === version.replace(/\+.*$/s, "");
}

/** Whether `range` is a SemVer range; the name of a tag is none. */
export function isValidRange(range: string): boolean {
  return semver.validRange(range, LOOSE) !== null;
}

/** The version that `text` names exactly (`1.2.3`, `v1.2.3`, `=1.2.3`), or `null` for a range. */
export function exactVersion(text: string): string | null {
  return semver.valid(text, LOOSE) === null ? null : semver.clean(text, LOOSE);
}

/** Whether `version` has a pre-release part, as `2.0.0-rc.1` has. */
export function isPrerelease(version: string): boolean {
  return semver.prerelease(version, LOOSE) !== null;
}

/**
 * Whether `range` admits `version`. Pre-releases only where the range names one of the same
 * major, minor and patch, or everywhere with `prereleases`. False for what is no version or no
 * range.
 */
export function satisfiesRange(
  version: string,
  range: string,
  options: { prereleases?: boolean } = {},
): boolean {
  return semver.satisfies(version, range, {
    loose: true,
    includePrerelease: options.prereleases ?? false,
  });
}

/**
 * Orders two versions by precedence, then by build metadata so that sorting does not depend on the
 * order before: negative when `one` is the lower. What is no version is lower than any.
 */
export function compareVersions(one: string, other: string): number {
  const [left, right] = [semver.parse(one, LOOSE), semver.parse(other, LOOSE)];
  if (left === null || right === null) return Number(left !== null) - Number(right !== null);
  return left.compare(right) || left.compareBuild(right);
}

/** The highest of the versions in `versions`, or `null` when there is none. */
export function highestVersion(versions: Iterable<string>): string | null {
  let highest: string | null = null;
  for (const version of versions) {
    if (semver.valid(version, LOOSE) === null) continue;
    if (highest === null || compareVersions(version, highest) > 0) highest = version;
  }
  return highest;
}
