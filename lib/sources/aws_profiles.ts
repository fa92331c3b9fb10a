/**
 * The files that the tools of AWS share: `~/.aws/credentials` and `~/.aws/config`, or where
 * `AWS_SHARED_CREDENTIALS_FILE` and `AWS_CONFIG_FILE` say.
 *
 * Read by the rules of the AWS SDK and not by npm's `ini`, which takes a `#` or a `;` inside a
 * value for a comment, and a dot in a profile's name for a section below another.
 *
 * @module
 */

import type { AwsLookup } from "./aws_lookup.ts";
import { lookupFailure, readIfThere, userFile, variable } from "./aws_lookup.ts";

/** The settings of a profile; those below `s3 =` are named `s3.endpoint_url` and so on. */
export type AwsProfile = Record<string, string>;

/** All profiles of both files. */
export interface AwsProfiles {
  /** What both files say of a profile, the credentials file in front; `null` for nothing. */
  profile(name: string): AwsProfile | null;
  /** The section `[services name]`. */
  services(name: string): AwsProfile | null;
  /** Where the profiles are, for messages. */
  places: string;
}

const SECTION = /^\[\s*(?:(profile|services|sso-session)\s+)?(["']?)(.+?)\2\s*\]$/;
const COMMENT = /(?:^|\s)[#;].*$/;

/** Sections and their settings: `profile x`, `services y`, or a name alone. */
export function parseAwsFile(text: string): Map<string, AwsProfile> {
  const sections = new Map<string, AwsProfile>();
  let current: AwsProfile | null = null;
  let group = "";
  for (const line of text.replace(/^\ufeff/, "").split(/\r?\n/)) {
    const content = line.replace(COMMENT, "").trim();
    const section = SECTION.exec(content);
    const equals = content.indexOf("=");
    if (section !== null) {
      const key = section[1] === undefined ? section[3] : `${section[1]} ${section[3]}`;
      current = sections.get(key) ?? Object.create(null) as AwsProfile;
      sections.set(key, current);
      group = "";
    } else if (current !== null && equals > 0) {
      const name = content.slice(0, equals).trim();
      const value = content.slice(equals + 1).trim();
      if (!/^\s/.test(line)) group = "";
      if (value === "" && group === "") group = `${name}.`;
      else current[`${group}${name}`] = value;
    }
  }
  return sections;
}

/**
 * Reads both files; one that does not exist says nothing.
 *
 * @throws {TransmuteError} `permission-missing`, `option-invalid`
 */
export function readAwsProfiles(lookup: AwsLookup): AwsProfiles {
  const paths = [
    variable(lookup, "AWS_SHARED_CREDENTIALS_FILE") ?? userFile(lookup, "credentials"),
    variable(lookup, "AWS_CONFIG_FILE") ?? userFile(lookup, "config"),
  ];
  const [credentials, config] = paths.map((path) =>
    parseAwsFile(path === null ? "" : readIfThere(lookup, path) ?? "")
  );
  return {
    places: paths.filter((path) => path !== null).join(" and "),
    profile(name) {
      const named = config.get(`profile ${name}`) ??
        (name === "default" ? config.get(name) : undefined);
      const secret = credentials.get(name);
      return named === undefined && secret === undefined ? null : { ...named, ...secret };
    },
    services: (name) => config.get(`services ${name}`) ?? null,
  };
}

/**
 * The profile that a setting names.
 *
 * @throws {TransmuteError} `option-invalid` when there is none
 */
export function namedProfile(lookup: AwsLookup, profiles: AwsProfiles, name: string): AwsProfile {
  const profile = profiles.profile(name);
  if (profile !== null) return profile;
  const found = `there is none in ${profiles.places}`;
  throw lookupFailure(lookup, "option-invalid", `the profile ${name}`, found);
}
