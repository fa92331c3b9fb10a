/**
 * Where a program's AWS credentials are, and keeping them fresh.
 *
 * Looked for when they are needed, in the AWS SDK's order, with the names that the predecessor
 * took as well:
 *
 * 1. variables, unless a profile is named: `AWS_ACCESS_KEY_ID` with `AWS_SECRET_ACCESS_KEY` and
 *    `AWS_SESSION_TOKEN`, or `AWS_ACCESS_KEY` with `AWS_SECRET_KEY` and `AWS_SECURITY_TOKEN`;
 * 2. the file of `AWS_CREDENTIAL_FILE`, unless a profile is named;
 * 3. the profile (`AWS_PROFILE` or `default`);
 * 4. a web identity (`AWS_WEB_IDENTITY_TOKEN_FILE` with `AWS_ROLE_ARN`);
 * 5. the container (`AWS_CONTAINER_CREDENTIALS_…`), and only without one of those:
 * 6. the machine's own service (EC2).
 *
 * Where something is set and wrong, that is an error, and not a reason to look further.
 *
 * @module
 */

import type { AwsLookup } from "./aws_lookup.ts";
import { lookupFailure, readNamed, variable } from "./aws_lookup.ts";
import { keysOf } from "./aws_keys.ts";
import type { AwsSettings } from "./aws_settings.ts";
import type { AwsCredentials } from "./aws_signature.ts";

/** What was found; without credentials, in words why there are none. */
export type FoundCredentials =
  | { credentials: AwsCredentials }
  | { credentials: null; reason: string };

/** Keys are looked for again when less than this is left of them. */
export const FRESH_MS = 5 * 60 * 1000;

/**
 * Looks for credentials in all places.
 *
 * @throws {TransmuteError} `option-invalid`, `permission-missing`, `source-denied`,
 * `source-unreachable`, `source-timeout`
 */
export async function findCredentials(
  lookup: AwsLookup,
  settings: AwsSettings,
): Promise<FoundCredentials> {
  if (settings.profile === null) {
    const credentials = variableKeys(lookup) ?? fileKeys(lookup);
    if (credentials !== null) return { credentials };
  }
  const { containerKeys, instanceKeys } = await import("./aws_metadata.ts");
  const { profileKeys, webIdentityKeys } = await import("./aws_profile_keys.ts");
  const machine = async () => {
    const found = await instanceKeys(lookup);
    return typeof found === "string" ? null : found;
  };
  const credentials = await profileKeys(lookup, settings, {
    Environment: () => Promise.resolve(variableKeys(lookup)),
    EcsContainer: () => containerKeys(lookup),
    Ec2InstanceMetadata: machine,
  }) ?? await webIdentityKeys(lookup, settings) ?? await containerKeys(lookup);
  if (credentials !== null) return { credentials };
  const found = await instanceKeys(lookup);
  return typeof found === "string" ? { credentials: null, reason: found } : { credentials: found };
}

/** The keys in variables, by the names of today or those of the predecessor. */
function variableKeys(lookup: AwsLookup): AwsCredentials | null {
  const names = [
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"],
    ["AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SECURITY_TOKEN"],
  ];
  for (const [key, secret, token] of names) {
    const [accessKeyId, secretAccessKey] = [variable(lookup, key), variable(lookup, secret)];
    if (accessKeyId === undefined || secretAccessKey === undefined) continue;
    return keysOf(lookup, `the variables ${key} and ${secret}`, {
      accessKeyId,
      secretAccessKey,
      sessionToken: variable(lookup, token),
      expiration: key === "AWS_ACCESS_KEY_ID"
        ? variable(lookup, "AWS_CREDENTIAL_EXPIRATION")
        : undefined,
    });
  }
  return null;
}

/** The keys in the file that the first tools of AWS had: `AWSAccessKeyId=…`, `AWSSecretKey=…`. */
function fileKeys(lookup: AwsLookup): AwsCredentials | null {
  const path = variable(lookup, "AWS_CREDENTIAL_FILE");
  if (path === undefined) return null;
  const text = readNamed(lookup, "AWS_CREDENTIAL_FILE", path);
  const valueOf = (name: string) => new RegExp(`^\\s*${name}\\s*=\\s*(\\S+)`, "m").exec(text)?.[1];
  return keysOf(lookup, path, {
    accessKeyId: valueOf("AWSAccessKeyId"),
    secretAccessKey: valueOf("AWSSecretKey"),
  });
}

/** Credentials that are looked for once, and again when they end. */
export class CredentialKeeper {
  readonly #find: (lookup: AwsLookup) => Promise<FoundCredentials>;
  #found: FoundCredentials | null = null;
  #looking: Promise<FoundCredentials> | null = null;
  /** Until when what was found is good, in milliseconds since the epoch. */
  #freshUntil = 0;

  constructor(find: (lookup: AwsLookup) => Promise<FoundCredentials>) {
    this.#find = find;
  }

  /** The credentials of now; those in hand while they last, when no new ones can be had. */
  async current(lookup: AwsLookup): Promise<FoundCredentials> {
    if (this.#found !== null && lookup.now() < this.#freshUntil) return this.#found;
    try {
      return await this.#look(lookup);
    } catch (error) {
      const endsAt = this.#found?.credentials?.expiration?.getTime() ?? 0;
      if (this.#found === null || endsAt <= lookup.now()) throw error;
      return this.#found;
    }
  }

  /** Looks again, because a service calls what is in hand expired. */
  renewed(lookup: AwsLookup): Promise<FoundCredentials> {
    return this.#look(lookup);
  }

  #look(lookup: AwsLookup): Promise<FoundCredentials> {
    return this.#looking ??= this.#find(lookup).then((found) => {
      this.#found = found;
      const endsAt = found.credentials?.expiration?.getTime();
      // That there are none is asked again too: a machine may be given a role.
      this.#freshUntil = found.credentials === null
        ? lookup.now() + FRESH_MS
        : endsAt === undefined
        ? Infinity
        : endsAt - FRESH_MS;
      return found;
    }).finally(() => this.#looking = null);
  }
}

/** Credentials that the application itself gives, once they are known to be usable. */
export async function givenCredentials(
  lookup: AwsLookup,
  given: AwsCredentials | (() => AwsCredentials | Promise<AwsCredentials>),
): Promise<FoundCredentials> {
  const place = "the option credentials";
  let found;
  try {
    found = typeof given === "function" ? await given() : given;
  } catch (error) {
    // The text is the application's own; it may say anything.
    throw lookupFailure(lookup, "source-denied", place, "it failed", { cause: error });
  }
  const { expiration } = found;
  return {
    credentials: {
      ...keysOf(lookup, place, { ...found, expiration: undefined }),
      ...(expiration === undefined ? {} : { expiration: new Date(expiration) }),
    },
  };
}
