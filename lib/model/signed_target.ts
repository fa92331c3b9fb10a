/**
 * What a signed repository says of each egg, and what its roles and files are called; see
 * `docs/repository-format.md`. Pure, and the same for those who write repositories and those who
 * read them.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { isProjectName } from "./dependency.ts";
import type { Ecosystem, Manifest } from "./egg.ts";
import type { Json } from "./json.ts";
import { isObject } from "./json.ts";
import { readManifest } from "./manifest.ts";
import type { PythonManifest } from "./python.ts";
import type { Rollout } from "./rollout.ts";
import { readRollout } from "./rollout.ts";

/** The version of the format that is written and read. */
export const SIGNED_FORMAT = 1;
/** The channel that everyone is on. */
export const STABLE_CHANNEL = "stable";
/** More targets than this in the role of one project are not read. */
export const MAX_TARGETS_OF_PROJECT = 1000;

/** For which machines an artifact is made: npm's words, `!` before a name excludes it. */
export interface PlatformLists {
  os?: string[];
  cpu?: string[];
  libc?: string[];
}

/** The `custom` object of a target: what is signed about one artifact besides its bytes. */
export interface SignedCustom {
  format: typeof SIGNED_FORMAT;
  ecosystem: Ecosystem;
  project: string;
  version: string;
  /** @default {"stable"} */
  channel?: string;
  /** When it was first published: `2026-11-23T10:00:00Z`. */
  publishedAt?: string;
  platform?: PlatformLists;
  /** Who is offered it already; absent when everyone is. */
  rollout?: Rollout;
  /** Lower versions are not to be run any more. */
  minimumVersion?: string;
  /** Withdrawn: why, in the publisher's words, and when. */
  yanked?: { reason: string; at: string };
  /** The tar inside: its size and its digest, `sha512:…` or `sha256:…`. */
  unpacked?: { sizeBytes: number; digest: string };
  /** What is acted on of a `package.json`. */
  manifest?: Manifest;
  /** What is acted on of the core metadata of a Python egg. */
  metadata?: PythonManifest;
  /** The registry that has the bytes; absent when they are below `targets/`. */
  origin?: SignedOrigin;
}

/** A registry whose artifacts a repository may sign without holding them. */
export type SignedOrigin = "npm" | "pypi" | "jsr";

/** One target, checked. */
export interface SignedTarget {
  /** `js/hello/hello-1.0.0.tgz` */
  path: string;
  sizeBytes: number;
  /** As `algorithm:hex`, SHA-512 before SHA-256; at least one. */
  digests: string[];
  custom: SignedCustom & { channel: string };
}

const ECOSYSTEMS: readonly string[] = ["js", "python"] satisfies Ecosystem[];
const ORIGINS: readonly string[] = ["npm", "pypi", "jsr"] satisfies SignedOrigin[];
const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9._+!~-]{0,125}$/;
const VERSION = /^[0-9A-Za-z][0-9A-Za-z.+!-]{0,127}$/;
const CHANNEL = /^[a-z][a-z0-9-]{0,31}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const HEX_LENGTHS: readonly [algorithm: string, length: number][] = [
  ["sha512", 128],
  ["sha256", 64],
];
const MAX_REASON_LENGTH = 1000;

/**
 * The name of the role that signs what a project offers: `js-hello`, `js-scope!name`.
 *
 * @throws {TransmuteError} `listing-invalid` for what is no project's name
 *
 * @example
 * ```ts
 * import { roleOfProject } from "./signed_target.ts";
 *
 * if (roleOfProject("js", "@scope/name") !== "js-scope!name") throw new Error("never");
 * ```
 */
export function roleOfProject(ecosystem: Ecosystem, project: string): string {
  assertProject(project);
  return `${ecosystem}-${project.replace(/^@/, "").replace("/", "!")}`;
}

/** The only path pattern that a project's role is trusted with: `js/hello/*`. */
export function pathsOfProject(ecosystem: Ecosystem, project: string): string {
  assertProject(project);
  return `${ecosystem}/${project}/*`;
}

/**
 * The path of a target: `js/hello/hello-1.0.0.tgz`.
 *
 * @throws {TransmuteError} `listing-invalid` for what is no project's or no file's name
 */
export function targetPath(ecosystem: Ecosystem, project: string, file: string): string {
  assertProject(project);
  if (!FILE_NAME.test(file)) throw invalid(file, `found ${shown(file)}, wanted a file's name`);
  return `${ecosystem}/${project}/${file}`;
}

/**
 * Where the bytes of a target lie below `targets/`, as consistent snapshots have it.
 *
 * @param digest of the bytes, as `algorithm:hex`
 */
export function storedPath(path: string, digest: string): string {
  const slash = path.lastIndexOf("/") + 1;
  return `${path.slice(0, slash)}${digest.slice(digest.indexOf(":") + 1)}.${path.slice(slash)}`;
}

function assertProject(project: string): void {
  if (!isProjectName(project)) {
    throw invalid(project, `found ${shown(project)}, wanted the name of a project`);
  }
}

function invalid(path: string, found: string): TransmuteError {
  return new TransmuteError("listing-invalid", `Cannot read the signed target ${path}: ${found}`);
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 80);
}

/** Whether a text is a time as signed metadata writes it, and a real one. */
export function isSignedTime(value: unknown): value is string {
  return typeof value === "string" && TIME.test(value) && !Number.isNaN(Date.parse(value));
}

/** Whether a text may name a channel. */
export function isChannelName(value: unknown): value is string {
  return typeof value === "string" && CHANNEL.test(value);
}

/**
 * Reads one target of a project's role. Fields that are not known are passed over.
 *
 * @param path as the role has it
 * @param target `length`, `hashes` and `custom`, as TUF metadata has them
 * @throws {TransmuteError} `listing-invalid`, naming the target and what is wrong with it
 */
export function parseSignedTarget(path: string, target: unknown): SignedTarget {
  if (!isObject(target)) throw invalid(path, `found ${shown(target)}, wanted an object`);
  const { length, hashes } = target;
  if (!Number.isSafeInteger(length) || (length as number) < 1) {
    throw invalid(path, `found the length ${shown(length)}, wanted bytes`);
  }
  const digests = readHashes(path, hashes);
  const custom = readCustom(path, target.custom);
  const { ecosystem, project } = custom;
  const file = path.startsWith(`${ecosystem}/${project}/`)
    ? path.slice(ecosystem.length + project.length + 2)
    : "";
  if (!FILE_NAME.test(file)) {
    throw invalid(
      path,
      `found it signed as a file of ${project}, wanted ${ecosystem}/${project}/…`,
    );
  }
  return { path, sizeBytes: length as number, digests, custom };
}

function readHashes(path: string, hashes: unknown): string[] {
  const digests: string[] = [];
  for (const [algorithm, hexLength] of HEX_LENGTHS) {
    if (!isObject(hashes) || !Object.hasOwn(hashes, algorithm)) continue;
    digests.push(readDigest(path, `${algorithm}:${hashes[algorithm]}`, hexLength));
  }
  if (digests.length === 0) throw invalid(path, "found neither sha512 nor sha256 among its hashes");
  return digests;
}

function readDigest(path: string, digest: unknown, hexLength?: number): string {
  const [, algorithm, hex] = /^(sha512|sha256):([0-9a-f]+)$/.exec(String(digest)) ?? [];
  const wanted = hexLength ?? HEX_LENGTHS.find(([name]) => name === algorithm)?.[1];
  if (hex === undefined || hex.length !== wanted) {
    throw invalid(path, `found the digest ${shown(digest)}, wanted sha512:… or sha256:…`);
  }
  return `${algorithm}:${hex}`;
}

function readCustom(path: string, found: unknown): SignedTarget["custom"] {
  if (!isObject(found)) throw invalid(path, "found no custom object");
  const { format, ecosystem, project, version, channel = STABLE_CHANNEL } = found;
  if (format !== SIGNED_FORMAT) {
    throw invalid(path, `found the format ${shown(format)}, wanted ${SIGNED_FORMAT}`);
  }
  if (typeof ecosystem !== "string" || !ECOSYSTEMS.includes(ecosystem)) {
    throw invalid(path, `found the ecosystem ${shown(ecosystem)}, wanted "js" or "python"`);
  }
  if (typeof project !== "string" || !isProjectName(project)) {
    throw invalid(path, `found the project ${shown(project)}, wanted a name`);
  }
  if (typeof version !== "string" || !VERSION.test(version)) {
    throw invalid(path, `found the version ${shown(version)}, wanted one`);
  }
  if (!isChannelName(channel)) {
    throw invalid(path, `found the channel ${shown(channel)}, wanted a word of lower-case letters`);
  }
  return {
    format,
    ecosystem: ecosystem as Ecosystem,
    project,
    version,
    channel,
    ...readOptional(path, found, { project, version }),
  };
}

/** The fields that may be absent; one that is there must be well formed. */
function readOptional(
  path: string,
  found: Json,
  egg: { project: string; version: string },
): Partial<SignedCustom> {
  const custom: Partial<SignedCustom> = {};
  const { publishedAt, platform, rollout, minimumVersion, yanked, unpacked } = found;
  const { manifest, metadata, origin } = found;
  if (publishedAt !== undefined) custom.publishedAt = readTime(path, "publishedAt", publishedAt);
  if (platform !== undefined) custom.platform = readPlatform(path, platform);
  if (rollout !== undefined) {
    custom.rollout = readRollout(rollout, (what) => invalid(path, what), isSignedTime);
  }
  if (minimumVersion !== undefined) {
    if (typeof minimumVersion !== "string" || !VERSION.test(minimumVersion)) {
      throw invalid(path, `found the minimumVersion ${shown(minimumVersion)}, wanted a version`);
    }
    custom.minimumVersion = minimumVersion;
  }
  if (yanked !== undefined) {
    if (!isObject(yanked) || typeof yanked.reason !== "string") {
      throw invalid(path, `found it yanked with ${shown(yanked)}, wanted a reason and a time`);
    }
    const reason = yanked.reason.slice(0, MAX_REASON_LENGTH);
    custom.yanked = { reason, at: readTime(path, "yanked.at", yanked.at) };
  }
  if (unpacked !== undefined) {
    if (!isObject(unpacked) || !Number.isSafeInteger(unpacked.sizeBytes)) {
      throw invalid(path, `found it unpacked as ${shown(unpacked)}, wanted sizeBytes and digest`);
    }
    const sizeBytes = unpacked.sizeBytes as number;
    custom.unpacked = { sizeBytes, digest: readDigest(path, unpacked.digest) };
  }
  if (manifest !== undefined) {
    if (!isObject(manifest) || manifest.name !== egg.project || manifest.version !== egg.version) {
      throw invalid(path, `found a manifest that is not that of ${egg.project}@${egg.version}`);
    }
    custom.manifest = readManifest(manifest, egg.project, egg.version);
  }
  if (metadata !== undefined) custom.metadata = readMetadata(path, metadata, egg);
  if (origin !== undefined) {
    if (typeof origin !== "string" || !ORIGINS.includes(origin)) {
      throw invalid(path, `found the origin ${shown(origin)}, wanted ${ORIGINS.join(", ")}`);
    }
    custom.origin = origin as SignedOrigin;
  }
  return custom;
}

/** The metadata of a Python egg, whose publisher may write its name in another way. */
function readMetadata(
  path: string,
  found: unknown,
  { version }: { version: string },
): PythonManifest {
  const areTexts = (value: unknown): value is string[] =>
    Array.isArray(value) && value.every((text) => typeof text === "string");
  const { name, requiresPython, requires, extras } = isObject(found) ? found : {};
  const isWhole = isObject(found) && typeof name === "string" && found.version === version &&
    (requiresPython === undefined || typeof requiresPython === "string") &&
    areTexts(requires) && areTexts(extras);
  if (!isWhole) throw invalid(path, `found metadata that is not that of version ${version}`);
  return {
    name,
    version,
    ...(requiresPython === undefined ? {} : { requiresPython }),
    requires,
    extras,
  };
}

function readTime(path: string, field: string, value: unknown): string {
  if (isSignedTime(value)) return value;
  throw invalid(path, `found ${field} ${shown(value)}, wanted a time like 2026-11-23T10:00:00Z`);
}

function readPlatform(path: string, platform: unknown): PlatformLists {
  const lists: PlatformLists = {};
  for (const kind of ["os", "cpu", "libc"] as const) {
    const list = isObject(platform) ? platform[kind] : null;
    if (list === undefined) continue;
    if (!Array.isArray(list) || !list.every((name) => typeof name === "string")) {
      throw invalid(path, `found the platform ${shown(platform)}, wanted lists of names`);
    }
    lists[kind] = list;
  }
  return lists;
}
