/**
 * The address of a folder in a bucket: `s3://bucket/prefix`, with options after a `?` where a
 * source can only be given as a text.
 *
 * The prefix is taken as it is written, as the tools of AWS do: `%` and `+` mean themselves.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { AwsCredentials } from "./aws_signature.ts";
import { addressKind } from "./private_address.ts";

/** How a bucket is asked; all fields are optional. */
export interface S3Options {
  /**
   * Where the bucket is. Without it: `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile's, or what the
   * service answers, which is kept.
   */
  region?: string;
  /**
   * The address of a service other than AWS. Without it: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`,
   * the profile's, or AWS.
   */
  endpoint?: string;
  /**
   * Whether the bucket's name is the beginning of the path and not of the host.
   *
   * @default {true for services other than AWS, and for names that fit no host}
   */
  pathStyle?: boolean;
  /** Whether this identity pays for its requests. @default {false} */
  requesterPays?: boolean;
  /** Whether an `http:` endpoint on another machine may be used. @default {false} */
  allowHttp?: boolean;
  /** The profile of `~/.aws/credentials` and `~/.aws/config`. Without it: `AWS_PROFILE`. */
  profile?: string;
  /**
   * Keys, or what gives them, such as a provider of the AWS SDK; or `"anonymous"` to ask without.
   *
   * @default {the places where the AWS SDK looks}
   */
  credentials?: "anonymous" | AwsCredentials | (() => AwsCredentials | Promise<AwsCredentials>);
}

/** A folder in a bucket. */
export interface S3Address {
  /** Canonical and without credentials. */
  id: string;
  bucket: string;
  /** Empty, or with a slash at its end. */
  prefix: string;
  options: S3Options;
}

/** Options that an address may carry, and how their texts are read. */
const IN_ADDRESS: Record<string, (text: string) => S3Options | null> = {
  "region": (region) => ({ region }),
  "endpoint": (endpoint) => ({ endpoint }),
  "profile": (profile) => ({ profile }),
  "path-style": flag((pathStyle) => ({ pathStyle })),
  "requester-pays": flag((requesterPays) => ({ requesterPays })),
  "allow-http": flag((allowHttp) => ({ allowHttp })),
  "anonymous": flag((anonymous) => anonymous ? { credentials: "anonymous" } : {}),
};

const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/;
const REGION = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const MAX_REGION_LENGTH = 40;

function flag(set: (value: boolean) => S3Options): (text: string) => S3Options | null {
  return (text) => text === "true" || text === "false" ? set(text === "true") : null;
}

/** Whether a text is the name of a region: what else becomes part of a host's name? */
export function isRegion(text: string): boolean {
  return text.length <= MAX_REGION_LENGTH && REGION.test(text);
}

function invalid(address: string, found: string, hint?: string): TransmuteError {
  return new TransmuteError(
    "option-invalid",
    `Cannot open the source ${JSON.stringify(address.replace(/\/\/[^/@]*@/g, "//"))}: ${found}`,
    hint === undefined ? {} : { hint },
  );
}

/**
 * Reads the address of a folder in a bucket.
 *
 * @param given what the address does not say; wins over what it does
 * @throws {TransmuteError} `option-invalid`
 */
export function readS3Address(address: string, given: S3Options = {}): S3Address {
  const [place, query] = splitOnce(address, "?");
  const [bucket, prefix] = splitOnce(/^s3:\/\/(.*)$/s.exec(place)?.[1] ?? "", "/");
  if (bucket.includes("@")) {
    throw invalid(
      address,
      "found credentials in it",
      "Give them to s3Source(), or put them where the AWS SDK looks",
    );
  }
  if (!BUCKET.test(bucket) || bucket.includes("..")) {
    throw invalid(address, 'wanted an address such as "s3://bucket/prefix"');
  }
  if (bucket.endsWith("--x-s3")) {
    throw invalid(
      address,
      "found a directory bucket of S3 Express, which answers to another protocol",
      "Put the eggs into a general purpose bucket",
    );
  }
  if (prefix.split("/").some((segment) => segment === "." || segment === "..")) {
    throw invalid(address, 'found a segment "." or ".." in it, which no request can carry');
  }
  const options = { ...optionsOf(address, query), ...given };
  const endpoint = checked(address, options);
  const folder = prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`;
  return {
    id: `s3://${bucket}/${folder}${endpoint === null ? "" : `?endpoint=${endpoint.href}`}`,
    bucket,
    prefix: folder,
    options,
  };
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function optionsOf(address: string, query: string): S3Options {
  let options: S3Options = {};
  for (const [name, text] of new URLSearchParams(query)) {
    const read = Object.hasOwn(IN_ADDRESS, name) ? IN_ADDRESS[name] : undefined;
    if (read === undefined) {
      const known = Object.keys(IN_ADDRESS).join(", ");
      throw invalid(address, `found the option ${JSON.stringify(name)}, wanted one of ${known}`);
    }
    const value = read(text);
    if (value === null) {
      throw invalid(
        address,
        `found ${JSON.stringify(text)} for ${name}, wanted "true" or "false"`,
      );
    }
    options = { ...options, ...value };
  }
  return options;
}

/** The endpoint, once the options that become part of an address are known to be good. */
function checked(address: string, { region, endpoint, allowHttp }: S3Options): URL | null {
  if (region !== undefined && !isRegion(region)) {
    throw invalid(address, `found the region ${JSON.stringify(region)}, wanted one as "eu-west-1"`);
  }
  if (endpoint === undefined) return null;
  const url = endpointUrl(endpoint, allowHttp);
  if (typeof url === "string") throw invalid(address, url);
  return url;
}

/** The address of a service, with a slash at its end; or what is wrong with it. */
export function endpointUrl(text: string, allowHttp = false): URL | string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isUsable = url !== null && /^https?:$/.test(url.protocol) &&
    url.search === "" && url.hash === "" && url.username === "" && url.password === "";
  if (!isUsable) return 'found an endpoint that is no address such as "https://s3.example"';
  if (url.protocol === "http:" && !allowHttp && addressKind(url.hostname) !== "loopback") {
    return `found the unencrypted endpoint ${url.href}, wanted "https:" or the option allowHttp`;
  }
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}
