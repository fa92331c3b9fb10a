/**
 * Keys that a container or a machine of a cloud is given by a service beside it.
 *
 * @module
 */

import { isTransmuteError, TransmuteError } from "../errors.ts";
import type { AwsLookup, Deadline, ServiceQuestion } from "./aws_lookup.ts";
import {
  askRepeatedly,
  askService,
  lookupFailure,
  readNamed,
  startDeadline,
  variable,
} from "./aws_lookup.ts";
import { jsonObject, keysOf } from "./aws_keys.ts";
import type { AwsCredentials } from "./aws_signature.ts";
import { addressKind } from "./private_address.ts";

/** Where a container of ECS is given its keys. */
const CONTAINER_HOST = "http://169.254.170.2";
/** Hosts that may give keys over plain HTTP, besides this machine: of ECS, and of EKS. */
const CONTAINER_HOSTS = new Set(["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"]);
/** Where a machine of EC2 is given its keys. */
const INSTANCE_HOSTS = { ipv4: "http://169.254.169.254", ipv6: "http://[fd00:ec2::254]" };
/** What a machine's service may take, all in all. Elsewhere nobody answers, at every check. */
export const INSTANCE_MS = 1_000;
const TOKEN_SECONDS = 21_600;

/**
 * The keys of the container that this program runs in; `null` when it is in none that has some.
 *
 * `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` (ECS) or `AWS_CONTAINER_CREDENTIALS_FULL_URI` (EKS), with
 * the token in the file of `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`, which is read each time, or in
 * `AWS_CONTAINER_AUTHORIZATION_TOKEN`.
 *
 * @throws {TransmuteError} `option-invalid`, `source-denied`, `source-unreachable`, `source-timeout`
 */
export async function containerKeys(lookup: AwsLookup): Promise<AwsCredentials | null> {
  const relative = variable(lookup, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const full = variable(lookup, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (relative === undefined && full === undefined) return null;
  const text = relative === undefined ? full! : new URL(relative, CONTAINER_HOST).href;
  const url = containerUrl(lookup, text);
  const place = `the container's service at ${url.host}`;
  const file = variable(lookup, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  const token = file === undefined
    ? variable(lookup, "AWS_CONTAINER_AUTHORIZATION_TOKEN")
    : readNamed(lookup, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file).trim();
  if (token !== undefined && /[^\x20-\x7e]/.test(token)) {
    throw lookupFailure(lookup, "option-invalid", place, "found a token that cannot be sent");
  }
  const headers: Record<string, string> = token === undefined ? {} : { authorization: token };
  const answer = await askRepeatedly(lookup, place, { method: "GET", url, headers });
  if (answer.status !== 200) {
    throw lookupFailure(lookup, "source-denied", place, `it answered ${answer.status}`);
  }
  return keysIn(lookup, place, answer.text);
}

function containerUrl(lookup: AwsLookup, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isTrusted = url?.protocol === "https:" || (url?.protocol === "http:" &&
    (CONTAINER_HOSTS.has(url.hostname) || addressKind(url.hostname) === "loopback"));
  if (isTrusted && url.username === "" && url.password === "") return url;
  throw lookupFailure(
    lookup,
    "option-invalid",
    "the container's service",
    `found ${url === null ? "no address" : `the host ${url.host}`} in ` +
      'AWS_CONTAINER_CREDENTIALS_FULL_URI, wanted one of "https:", of this machine, of ECS or EKS',
  );
}

function keysIn(lookup: AwsLookup, place: string, text: string): AwsCredentials {
  const found = jsonObject(lookup, place, text);
  return keysOf(lookup, place, {
    accessKeyId: found.AccessKeyId,
    secretAccessKey: found.SecretAccessKey,
    sessionToken: found.Token,
    expiration: found.Expiration,
  });
}

/**
 * The keys of the machine that this program runs on, by version 2 of its service only: a token
 * first, which no redirected or forwarded request can have.
 *
 * `AWS_EC2_METADATA_DISABLED` forbids it; `AWS_EC2_METADATA_SERVICE_ENDPOINT` and `…_ENDPOINT_MODE`
 * say where it is.
 *
 * @returns the keys, or in words why there are none
 * @throws {TransmuteError} `permission-missing`, `source-timeout` when the lookup is stopped
 */
export async function instanceKeys(lookup: AwsLookup): Promise<AwsCredentials | string> {
  const disabled = variable(lookup, "AWS_EC2_METADATA_DISABLED")?.toLowerCase();
  if (disabled !== undefined && disabled !== "false") return "AWS_EC2_METADATA_DISABLED is set";
  const mode = variable(lookup, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")?.toLowerCase();
  const configured = variable(lookup, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
  const base = configured ?? INSTANCE_HOSTS[mode === "ipv6" ? "ipv6" : "ipv4"];
  const place = "this machine's own service";
  if (!URL.canParse(base) || !/^https?:/.test(base)) {
    const found = "found no address in AWS_EC2_METADATA_SERVICE_ENDPOINT";
    throw lookupFailure(lookup, "option-invalid", place, found);
  }
  const deadline = startDeadline(lookup, INSTANCE_MS);
  try {
    return await askInstance(lookup, place, new URL(base), deadline);
  } catch (error) {
    // Nobody answers where there is no such service, which is nearly everywhere.
    if (!isTransmuteError(error) || lookup.signal.aborted) throw error;
    if (error.code === "permission-missing") throw orWithoutKeys(error);
    return error.message;
  } finally {
    deadline.end();
  }
}

async function askInstance(
  lookup: AwsLookup,
  place: string,
  base: URL,
  deadline: Deadline,
): Promise<AwsCredentials | string> {
  const ask = (method: ServiceQuestion["method"], path: string, headers: Record<string, string>) =>
    askService(lookup, place, { method, url: new URL(path, base), headers }, deadline);
  const seconds = String(TOKEN_SECONDS);
  const token = await ask("PUT", "/latest/api/token", {
    "x-aws-ec2-metadata-token-ttl-seconds": seconds,
  });
  if (token.status !== 200) return `${base.host} gives no token (it answered ${token.status})`;
  const headers = { "x-aws-ec2-metadata-token": token.text.trim() };
  const roles = "/latest/meta-data/iam/security-credentials/";
  const list = await ask("GET", roles, headers);
  const role = list.text.trim().split(/\s/)[0];
  if (list.status !== 200 || role === "") return "this machine has no role";
  const keys = await ask("GET", roles + encodeURIComponent(role), headers);
  if (keys.status !== 200) return `this machine's role gives no keys (${keys.status})`;
  return keysIn(lookup, place, keys.text);
}

/** For a program that may not ask, and perhaps need not. */
function orWithoutKeys(error: TransmuteError): TransmuteError {
  const { code, message, hint, source } = error;
  return new TransmuteError(code, message, {
    ...(source === undefined ? {} : { source }),
    hint: `${hint}, or set AWS_EC2_METADATA_DISABLED=true where there are no such credentials`,
  });
}
