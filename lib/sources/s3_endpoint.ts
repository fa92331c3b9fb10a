/**
 * Where a bucket is asked: hosts, paths, and in what the services that speak S3 differ.
 *
 * @module
 */

import { isRegion } from "./s3_address.ts";

/** What a service does otherwise than AWS. */
interface S3Service {
  name: string;
  /** Its hosts; the group `region` is the region that they name. */
  host: RegExp;
  /** The region that signatures name when no other is known. */
  region: string;
  /** Whether it is asked for an object's checksum: some refuse headers that they do not know. */
  checksums: boolean;
  /** Whether the bucket's name is the beginning of the path by default. */
  pathStyle: boolean;
}

const AWS: S3Service = {
  name: "AWS",
  host:
    /(?:^|\.)s3(?:-accelerate|[.-](?:dualstack\.)?(?<region>[a-z0-9-]+))?\.(?:vpce\.)?amazonaws\.com(?:\.cn)?$/,
  region: "us-east-1",
  checksums: true,
  pathStyle: false,
};

const SERVICES: S3Service[] = [
  AWS,
  {
    name: "Cloudflare R2",
    host: /\.r2\.cloudflarestorage\.com$/,
    region: "auto",
    checksums: false,
    pathStyle: true,
  },
  {
    name: "Google Cloud Storage",
    host: /^storage\.googleapis\.com$/,
    region: "auto",
    checksums: false,
    pathStyle: true,
  },
  {
    name: "Backblaze B2",
    host: /^s3\.(?<region>[a-z0-9-]+)\.backblazeb2\.com$/,
    region: "us-east-1",
    checksums: true,
    pathStyle: true,
  },
  {
    name: "Wasabi",
    host: /^s3(?:\.(?<region>[a-z0-9-]+))?\.wasabisys\.com$/,
    region: "us-east-1",
    checksums: true,
    pathStyle: true,
  },
];

/** MinIO, Ceph, Swift and whatever else: asked as the tools of AWS ask any service. */
const OTHER: S3Service = {
  name: "S3",
  host: /^/,
  region: "us-east-1",
  checksums: true,
  pathStyle: true,
};

/** A name that can begin a host's name; one with a dot is not under the wildcard's certificate. */
const HOST_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const IP_ADDRESS = /^[\d.]+$|^\[/;

/** A bucket at a service. */
export interface S3Place {
  bucket: string;
  /** `null` for AWS, whose hosts follow from the region. */
  endpoint: URL | null;
  service: S3Service;
  pathStyle: boolean;
}

/**
 * The place of a bucket.
 *
 * @param pathStyle what the user wants, where the names allow both
 */
export function placeOf(bucket: string, endpoint: URL | null, pathStyle?: boolean): S3Place {
  const service = endpoint === null
    ? AWS
    : SERVICES.find(({ host }) => host.test(endpoint.hostname)) ?? OTHER;
  const isHostName = HOST_NAME.test(bucket) && !IP_ADDRESS.test(endpoint?.hostname ?? "");
  return {
    bucket,
    endpoint,
    service,
    pathStyle: !isHostName || (pathStyle ?? (service.pathStyle || bucket.includes("."))),
  };
}

/** The region to begin with when none is known: the one in the endpoint's name, or the service's. */
export function firstRegion({ endpoint, service }: S3Place): string {
  const named = endpoint === null
    ? undefined
    : service.host.exec(endpoint.hostname)?.groups?.region;
  return named ?? service.region;
}

/** The region that a host of AWS names, or `null`. */
export function regionOfHost(hostname: string): string | null {
  const region = AWS.host.exec(hostname)?.groups?.region;
  return region !== undefined && isRegion(region) ? region : null;
}

/**
 * The address of an object, or of the bucket when `key` is empty.
 *
 * @param region one that `isRegion`
 */
export function s3Url(
  { bucket, endpoint, pathStyle }: S3Place,
  region: string,
  key: string,
  query: Record<string, string> = {},
): URL {
  const base = endpoint ?? new URL(`https://s3.${region}.${domainOf(region)}/`);
  const path = encodeKey(key);
  const url = new URL(base);
  if (pathStyle) {
    // Without a slash after the bucket's name: some services take one for a key.
    url.pathname += encodeURIComponent(bucket) + (key === "" ? "" : `/${path}`);
  } else {
    url.hostname = `${bucket}.${base.hostname}`;
    url.pathname += path;
  }
  url.search = Object.keys(query).sort()
    .map((name) => `${encodeStrictly(name)}=${encodeStrictly(query[name])}`).join("&");
  return url;
}

/** China has a domain of its own. */
function domainOf(region: string): string {
  return region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
}

/** As a signature has it: all but letters, digits and `-._~` is encoded. */
function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function encodeKey(key: string): string {
  return key.split("/").map(encodeStrictly).join("/");
}

/** The address that records and messages call an object by, whatever region its bucket is in. */
export function objectLocator(bucket: string, key: string): string {
  return `s3://${bucket}/${encodeKey(key)}`;
}

/** The key that an object's locator names. */
export function keyOfLocator(locator: string): string {
  return decodeURIComponent(locator.replace(/^s3:\/\/[^/]*\//, ""));
}
