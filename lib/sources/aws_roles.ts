/**
 * Roles: keys that the Security Token Service of AWS lends, for other keys or for the token of an
 * identity provider (as in Kubernetes).
 *
 * @module
 */

import type { AwsLookup } from "./aws_lookup.ts";
import { askRepeatedly, lookupFailure, readNamed } from "./aws_lookup.ts";
import { keysOf } from "./aws_keys.ts";
import type { AwsSettings } from "./aws_settings.ts";
import type { AwsCredentials } from "./aws_signature.ts";
import { signedHeaders } from "./aws_signature.ts";

/** A role, and how it is asked for. */
export interface Role {
  arn: string;
  /** @default {"transmute-" and the time} */
  sessionName?: string | undefined;
  externalId?: string | undefined;
  durationSeconds?: string | undefined;
  /** The region whose service is asked; without it the source's. */
  region?: string | undefined;
}

const API_VERSION = "2011-06-15";
const DEFAULT_REGION = "us-east-1";

/**
 * Keys for a role, lent for keys that may assume it.
 *
 * @throws {TransmuteError} `source-denied`, `source-unreachable`, `source-timeout`
 */
export function assumeRole(
  lookup: AwsLookup,
  settings: AwsSettings,
  role: Role,
  base: AwsCredentials,
): Promise<AwsCredentials> {
  const { externalId, durationSeconds } = role;
  const parameters = {
    Action: "AssumeRole",
    ...(externalId === undefined ? {} : { ExternalId: externalId }),
    ...(durationSeconds === undefined ? {} : { DurationSeconds: durationSeconds }),
  };
  return askForRole(lookup, settings, role, parameters, base);
}

/**
 * Keys for a role, lent for the token in a file. The file is read each time: tokens are renewed.
 *
 * @throws {TransmuteError} as `assumeRole`; `option-invalid` when the file is not there
 */
export function assumeRoleWithToken(
  lookup: AwsLookup,
  settings: AwsSettings,
  role: Role,
  tokenFile: string,
): Promise<AwsCredentials> {
  const token = readNamed(lookup, "the file of a web identity's token", tokenFile).trim();
  const parameters = { Action: "AssumeRoleWithWebIdentity", WebIdentityToken: token };
  return askForRole(lookup, settings, role, parameters);
}

async function askForRole(
  lookup: AwsLookup,
  { rolesEndpoint, region: sourceRegion }: AwsSettings,
  role: Role,
  parameters: Record<string, string>,
  base?: AwsCredentials,
): Promise<AwsCredentials> {
  const place = `the role ${role.arn}`;
  const region = role.region ?? sourceRegion ?? DEFAULT_REGION;
  const domain = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  const url = rolesEndpoint ?? new URL(`https://sts.${region}.${domain}/`);
  const body = new URLSearchParams({
    ...parameters,
    RoleArn: role.arn,
    RoleSessionName: role.sessionName ?? `transmute-${lookup.now()}`,
    Version: API_VERSION,
  }).toString();
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const { status, text } = await askRepeatedly(lookup, place, {
    method: "POST",
    url,
    body,
    headers: base === undefined ? headers : await signedHeaders(
      { method: "POST", url, headers, body },
      { credentials: base, service: "sts", region, at: lookup.now() },
    ),
  });
  if (status !== 200) {
    const code = /<Code>([A-Za-z.]{1,64})<\/Code>/.exec(text)?.[1];
    const found = `${url.host} answered ${status}${code === undefined ? "" : ` (${code})`}`;
    throw lookupFailure(lookup, "source-denied", place, found);
  }
  return keysOf(lookup, place, await lentKeys(lookup, place, text));
}

/** The keys in an answer of the service. */
async function lentKeys(lookup: AwsLookup, place: string, text: string) {
  const { childText, readXml, XmlError } = await import("./xml.ts");
  try {
    const [result] = (await readXml(text)).children.filter(({ name }) => name.endsWith("Result"));
    const keys = result?.children.find(({ name }) => name === "Credentials");
    if (keys === undefined) throw new XmlError("found no element Credentials");
    return {
      accessKeyId: childText(keys, "AccessKeyId"),
      secretAccessKey: childText(keys, "SecretAccessKey"),
      sessionToken: childText(keys, "SessionToken"),
      expiration: childText(keys, "Expiration"),
    };
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    const found = "it answered what is no list of credentials";
    throw lookupFailure(lookup, "source-denied", place, found);
  }
}
