/**
 * Which profile, region and endpoint the user means, where the source's own options do not say.
 *
 * The files of profiles are read when a profile is named or no region is set: a program that has
 * its keys and its region in variables need not be allowed to read them.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { AwsLookup } from "./aws_lookup.ts";
import { variable } from "./aws_lookup.ts";
import type { AwsProfile, AwsProfiles } from "./aws_profiles.ts";
import { namedProfile, readAwsProfiles } from "./aws_profiles.ts";
import type { S3Options } from "./s3_address.ts";
import { endpointUrl, isRegion } from "./s3_address.ts";

/** What is set for a source. */
export interface AwsSettings {
  /** The profile that is named, if one is. */
  profile: string | null;
  /** The region to begin with; `null` when nothing says. */
  region: string | null;
  /** The service to ask; `null` for AWS. */
  endpoint: URL | null;
  /** Where roles are assumed; `null` for AWS. */
  rolesEndpoint: URL | null;
}

/**
 * Reads variables, and profiles where needed.
 *
 * @throws {TransmuteError} `permission-missing`, `option-invalid`
 */
export function readAwsSettings(lookup: AwsLookup, options: S3Options): AwsSettings {
  const profile = options.profile ?? variable(lookup, "AWS_PROFILE") ?? null;
  const region = options.region ?? variable(lookup, "AWS_REGION") ??
    variable(lookup, "AWS_DEFAULT_REGION");
  const isComplete = profile === null && region !== undefined;
  const profiles = isComplete ? null : readAwsProfiles(lookup);
  const settings = profiles === null
    ? {}
    : profile === null
    ? profiles.profile("default") ?? {}
    : namedProfile(lookup, profiles, profile);
  const found = region ?? settings.region ?? null;
  if (found !== null && !isRegion(found)) {
    throw invalid(lookup, `the region ${JSON.stringify(found)}, wanted one such as "eu-west-1"`);
  }
  const endpointFor = (service: "s3" | "sts") => {
    const text = endpointOf(lookup, service, settings, profiles);
    const url = text === undefined ? null : endpointUrl(text, options.allowHttp);
    if (typeof url === "string") throw invalid(lookup, url);
    return url;
  };
  return {
    profile,
    region: found,
    endpoint: options.endpoint === undefined
      ? endpointFor("s3")
      : new URL(endpointUrl(options.endpoint, options.allowHttp)),
    rolesEndpoint: endpointFor("sts"),
  };
}

/** What the variables, or else the profile, say of a service's address. */
function endpointOf(
  lookup: AwsLookup,
  service: "s3" | "sts",
  profile: AwsProfile,
  profiles: AwsProfiles | null,
): string | undefined {
  const ignored = variable(lookup, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") ??
    profile.ignore_configured_endpoint_urls;
  if (ignored?.toLowerCase() === "true") return undefined;
  const services = profile.services === undefined ? null : profiles?.services(profile.services);
  return variable(lookup, `AWS_ENDPOINT_URL_${service.toUpperCase()}`) ??
    variable(lookup, "AWS_ENDPOINT_URL") ??
    services?.[`${service}.endpoint_url`] ?? profile.endpoint_url;
}

function invalid({ source }: AwsLookup, found: string): TransmuteError {
  return new TransmuteError(
    "option-invalid",
    `Cannot use the settings of AWS: ${found.startsWith("found") ? found : `found ${found}`}`,
    { source, hint: "They come from the variables AWS_* and the files in ~/.aws" },
  );
}
