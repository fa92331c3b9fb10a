/**
 * The keys that a profile stands for: its own, those of a role, of a web identity, or of a program.
 *
 * @module
 */

import type { AwsLookup } from "./aws_lookup.ts";
import { lookupFailure, variable } from "./aws_lookup.ts";
import { keysOf } from "./aws_keys.ts";
import type { AwsProfile, AwsProfiles } from "./aws_profiles.ts";
import { namedProfile, readAwsProfiles } from "./aws_profiles.ts";
import type { Role } from "./aws_roles.ts";
import type { AwsSettings } from "./aws_settings.ts";
import type { AwsCredentials } from "./aws_signature.ts";

/** Other places that `credential_source` may name. */
export type NamedSources = Record<string, () => Promise<AwsCredentials | null>>;

/** Settings of what this module does not do; the tools of AWS turn all of it into plain keys. */
const INTERACTIVE = ["mfa_serial", "sso_session", "sso_start_url", "login_session"];

/**
 * The keys of the profile that is set, or of the one named `default`; `null` when it has none.
 *
 * In the AWS SDK's order: a role, keys, a web identity, a program.
 *
 * @param sources the places that `credential_source` may name
 * @throws {TransmuteError} `option-invalid`, and whatever keeps what it names from giving keys
 */
export function profileKeys(
  lookup: AwsLookup,
  settings: AwsSettings,
  sources: NamedSources,
): Promise<AwsCredentials | null> {
  const profiles = readAwsProfiles(lookup);
  const name = settings.profile ?? "default";
  const profile = settings.profile === null
    ? profiles.profile(name) ?? {}
    : namedProfile(lookup, profiles, name);
  return keysOfProfile({ lookup, settings, sources, profiles }, name, profile, []);
}

interface Profiles {
  lookup: AwsLookup;
  settings: AwsSettings;
  sources: NamedSources;
  profiles: AwsProfiles;
}

/** @param above the profiles that take their keys from this one */
async function keysOfProfile(
  all: Profiles,
  name: string,
  profile: AwsProfile,
  above: string[],
): Promise<AwsCredentials | null> {
  const { lookup, settings } = all;
  const place = `the profile ${name}`;
  const ownKeys = () =>
    keysOf(lookup, place, {
      accessKeyId: profile.aws_access_key_id,
      secretAccessKey: profile.aws_secret_access_key,
      sessionToken: profile.aws_session_token,
    });
  const hasKeys = profile.aws_access_key_id !== undefined;
  // A role may be assumed with the keys of its own profile, so these end the search.
  if (hasKeys && (above.length > 0 || profile.role_arn === undefined)) return ownKeys();
  if (above.includes(name)) {
    const found = `its source_profile leads back to it: ${[...above, name].join(" → ")}`;
    throw lookupFailure(lookup, "option-invalid", place, found);
  }
  if (profile.web_identity_token_file !== undefined) {
    const { assumeRoleWithToken } = await import("./aws_roles.ts");
    const role = roleOf(profile);
    return await assumeRoleWithToken(lookup, settings, role, profile.web_identity_token_file);
  }
  if (profile.role_arn !== undefined && profile.mfa_serial === undefined) {
    return await roleKeys(all, name, profile, above);
  }
  if (profile.credential_process !== undefined) {
    const { programKeys } = await import("./aws_program.ts");
    return await programKeys(lookup, name, profile.credential_process);
  }
  const interactive = INTERACTIVE.find((setting) => profile[setting] !== undefined);
  if (interactive === undefined) return null;
  throw lookupFailure(
    lookup,
    "option-invalid",
    place,
    `${interactive} needs somebody who signs in, which is not done here`,
    {
      hint: "Give it a credential_process that does, such as: " +
        `aws configure export-credentials --profile ${name} --format process`,
    },
  );
}

function roleOf(profile: AwsProfile): Role {
  return {
    arn: profile.role_arn ?? "",
    sessionName: profile.role_session_name,
    externalId: profile.external_id,
    durationSeconds: profile.duration_seconds,
    region: profile.region,
  };
}

async function roleKeys(
  all: Profiles,
  name: string,
  profile: AwsProfile,
  above: string[],
): Promise<AwsCredentials> {
  const { lookup, settings, sources, profiles } = all;
  const place = `the profile ${name}`;
  const { source_profile: other, credential_source: source } = profile;
  const named = source !== undefined && Object.hasOwn(sources, source)
    ? sources[source]
    : undefined;
  if ((other === undefined) === (named === undefined)) {
    const known = Object.keys(sources).join(", ");
    throw lookupFailure(
      lookup,
      "option-invalid",
      place,
      `its role_arn needs one of source_profile and credential_source (${known})`,
    );
  }
  const base = named === undefined
    ? await keysOfProfile(all, other, namedProfile(lookup, profiles, other), [...above, name])
    : await named();
  if (base === null) {
    const found = `${other ?? source} has no keys to assume ${profile.role_arn} with`;
    throw lookupFailure(lookup, "option-invalid", place, found);
  }
  const { assumeRole } = await import("./aws_roles.ts");
  return await assumeRole(lookup, settings, roleOf(profile), base);
}

/** What the variables of a web identity say (as Kubernetes sets them); `null` when not set. */
export async function webIdentityKeys(
  lookup: AwsLookup,
  settings: AwsSettings,
): Promise<AwsCredentials | null> {
  const file = variable(lookup, "AWS_WEB_IDENTITY_TOKEN_FILE");
  const arn = variable(lookup, "AWS_ROLE_ARN");
  if (file === undefined || arn === undefined) return null;
  const sessionName = variable(lookup, "AWS_ROLE_SESSION_NAME");
  const { assumeRoleWithToken } = await import("./aws_roles.ts");
  return await assumeRoleWithToken(lookup, settings, { arn, sessionName }, file);
}
