/**
 * What an npm registry says of a project: read strictly, and cut down to what is used. Pure.
 *
 * @module
 */

import type { Artifact, Listing, Manifest, Release } from "../model/egg.ts";
import type { Json } from "../model/json.ts";
import { isObject } from "../model/json.ts";
import { readManifest } from "../model/manifest.ts";

/** The parts of a registry's answer that are kept; itself an answer that can be read again. */
export interface Packument {
  name: string;
  "dist-tags": Record<string, string>;
  versions: Record<string, PackumentVersion>;
  /** When each version was published, and when anything changed: ISO 8601, where it is told. */
  time?: Record<string, string>;
}

/** One version: its manifest, and where its archive is. */
export interface PackumentVersion extends Manifest {
  dist: {
    /** An address without credentials. */
    tarball: string;
    integrity?: string;
    shasum?: string;
    size?: number;
    signatures?: { keyid: string; sig: string }[];
    /** The address of its attestations. */
    attestations?: string;
  };
}

/** The answer is not one about the project; the message says what was found. */
export class PackumentError extends Error {}

/** Strong to weak, with the bytes of each; SHA-1 is all that the oldest releases have. */
const DIGEST_BYTES: [algorithm: string, bytes: number][] = [
  ["sha512", 64],
  ["sha384", 48],
  ["sha256", 32],
  ["sha1", 20],
];
/** Two digits for each byte: listings have thousands of digests. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const PLAIN_PATH = /^[A-Za-z0-9@._~+/-]+$/;
const VERSION_SHAPE = /^[0-9A-Za-z][0-9A-Za-z.+-]{0,255}$/;

/**
 * Reads the answer of `registry` about `project`, whole or abbreviated, and keeps what is used.
 *
 * @throws {PackumentError} when it is not an answer about that project
 */
export function readPackument(answer: unknown, project: string, registry: URL): Packument {
  if (!isObject(answer)) throw new PackumentError("found no object");
  if (answer.name !== project) {
    throw new PackumentError(`found an answer about ${JSON.stringify(answer.name)}`);
  }
  const tags = answer["dist-tags"] ?? {};
  const versions = answer.versions ?? {};
  if (!isObject(tags) || !Object.values(tags).every((tag) => typeof tag === "string")) {
    throw new PackumentError("found dist-tags that are not names of versions");
  }
  if (!isObject(versions)) throw new PackumentError("found versions that are no object");
  const time = readTimes(answer);
  return {
    name: project,
    ...(time === undefined ? {} : { time }),
    "dist-tags": Object.fromEntries(Object.entries(tags)) as Record<string, string>,
    versions: Object.fromEntries(
      Object.entries(versions).map(([version, manifest]) => [
        version,
        readVersion(manifest, project, version, registry),
      ]),
    ),
  };
}

function readVersion(
  found: unknown,
  project: string,
  version: string,
  registry: URL,
): PackumentVersion {
  const wrong = (what: string) =>
    new PackumentError(`found version ${JSON.stringify(version)} ${what}`);
  if (!VERSION_SHAPE.test(version)) throw wrong("which is none");
  if (!isObject(found)) throw wrong("without a manifest");
  if (found.version !== version || found.name !== project) {
    throw wrong(`with the manifest of ${String(found.name)}@${String(found.version)}`);
  }
  const { dist } = found;
  const tarball = isObject(dist) ? archiveAddress(dist.tarball, registry) : null;
  if (!isObject(dist) || tarball === null) throw wrong("without the address of its archive");
  return {
    ...readManifest(found, project, version),
    dist: {
      tarball,
      ...(typeof dist.integrity === "string" && dist.integrity.trim() !== ""
        ? { integrity: dist.integrity }
        : typeof dist.shasum === "string"
        ? { shasum: dist.shasum }
        : {}),
      ...(Number.isSafeInteger(dist.size) && dist.size as number > 0
        ? { size: dist.size as number }
        : {}),
      ...readProofs(dist, registry),
    },
  };
}

/** The times of versions; the short form of a listing has at most that of its last change. */
function readTimes({ time, modified }: Json): Record<string, string> | undefined {
  const times = isObject(time) ? time : { modified };
  const texts = Object.entries(times).filter(([, at]) => typeof at === "string");
  return texts.length === 0 ? undefined : Object.fromEntries(texts) as Record<string, string>;
}

/** What proves a version besides its digest; of another form than npm's, it proves nothing. */
function readProofs(
  { signatures, attestations }: Json,
  registry: URL,
): Pick<PackumentVersion["dist"], "signatures" | "attestations"> {
  // As the registry has it, and as it is kept here.
  const at = isObject(attestations) ? attestations.url : attestations;
  const address = at === undefined ? null : archiveAddress(at, registry);
  const made = (Array.isArray(signatures) ? signatures : []).filter((one) =>
    isObject(one) && typeof one.keyid === "string" && typeof one.sig === "string"
  ).map(({ keyid, sig }) => ({ keyid, sig }));
  return {
    ...(made.length === 0 ? {} : { signatures: made }),
    ...(address === null ? {} : { attestations: address }),
  };
}

/** The address to ask, without credentials; `null` for what is no address of the web. */
function archiveAddress(text: unknown, registry: URL): string | null {
  if (typeof text !== "string") return null;
  // Nearly all are of this form, and reading thousands of them as URLs takes its time.
  if (text.startsWith(registry.href) && PLAIN_PATH.test(text.slice(registry.href.length))) {
    return text;
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) return null;
  url.username = "";
  url.password = "";
  // A registry behind a proxy often does not know that it is reached by TLS.
  if (registry.protocol === "https:" && url.protocol === "http:" && url.host === registry.host) {
    url.protocol = "https:";
  }
  return url.href;
}

/** What a packument lists. */
export function listingOf(packument: Packument): Listing {
  const { name, time = {} } = packument;
  const modifiedAt = Date.parse(time.modified);
  return {
    project: name,
    releases: Object.values(packument.versions).map(({ dist, ...manifest }): Release => {
      const publishedAt = Object.hasOwn(time, manifest.version)
        ? Date.parse(time[manifest.version])
        : NaN;
      return {
        project: name,
        version: manifest.version,
        artifact: artifactOf(dist, `${name}@${manifest.version}`),
        manifest,
        ...(Number.isNaN(publishedAt) ? {} : { publishedAt }),
      };
    }),
    tags: packument["dist-tags"],
    ...(Number.isNaN(modifiedAt) ? {} : { modifiedAt }),
  };
}

function artifactOf(dist: PackumentVersion["dist"], egg: string): Artifact {
  const digests = digestsOf(dist);
  const { signatures = [], attestations } = dist;
  const record = signatures.length === 0 && attestations === undefined ? {} : {
    record: {
      signed: `${egg}:${dist.integrity}`,
      signatures,
      ...(attestations === undefined ? {} : { attestations }),
    },
  };
  return {
    locator: dist.tarball,
    ...(dist.size === undefined ? {} : { sizeBytes: dist.size }),
    digests,
    validator: digests[0] ?? dist.tarball,
    ...record,
  };
}

/**
 * The strongest digest of Subresource Integrity text, else the SHA-1. What is malformed is passed
 * on as it is: no bytes will match it, and only its own release is lost.
 */
function digestsOf({ integrity, shasum }: PackumentVersion["dist"]): string[] {
  if (integrity === undefined) return shasum === undefined ? [] : [`sha1:${shasum.toLowerCase()}`];
  const claims = integrity.trim().split(/\s+/);
  for (const [algorithm, bytes] of DIGEST_BYTES) {
    const claim = claims.find((text) => text.startsWith(`${algorithm}-`));
    if (claim === undefined) continue;
    const hex = hexOfBase64(claim.slice(algorithm.length + 1).split("?")[0]);
    return [hex?.length === bytes * 2 ? `${algorithm}:${hex}` : claim];
  }
  return [integrity];
}

function hexOfBase64(text: string): string | null {
  let bytes: string;
  try {
    bytes = atob(text);
  } catch {
    return null;
  }
  let hex = "";
  for (let index = 0; index < bytes.length; index++) hex += HEX[bytes.charCodeAt(index)];
  return hex;
}
