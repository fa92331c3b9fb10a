/**
 * The TUF client workflow of `tuf-js`, with its files and its network taken out: an updater that
 * reads and keeps metadata where it is told to.
 *
 * Loaded only when a signed source is asked. Two readers of the library take time that grows with
 * the square of the entries (28 s for 10,000); they are made to read in parts.
 *
 * @module
 */

// The client workflow that npm itself ships; it passes the conformance suite.
import tuf from "npm:tuf-js@6.0.2";
import failures from "npm:tuf-js@6.0.2/dist/error.js";
// The metadata's own readers, one copy with the client's.
import models from "npm:@tufjs/models@5.0.2";
import modelFailures from "npm:@tufjs/models@5.0.2/dist/error.js";
import type { Json } from "../model/json.ts";
import { isObject } from "../model/json.ts";

/** Where an updater has its metadata, by role: `root`, `timestamp`, `js-hello`. */
export interface MetadataFolder {
  /** The bytes kept of a role; throws when there are none. */
  read(role: string): Uint8Array;
  /** Keeps what was verified. */
  keep(role: string, bytes: Uint8Array): void;
}

/** Brings one file of a repository; throws `NotThere` when there is none. */
export type BringFile = (url: string, maxBytes: number) => Promise<Uint8Array>;

/** What a repository may still be trusted for after a role was verified. */
interface TrustedSet {
  referenceTime: Date;
  readonly root: { signed: { version: number; consistentSnapshot: boolean } };
  readonly timestamp?: { signed: { version: number; expires: string } };
  readonly snapshot?: { signed: { version: number; meta: Record<string, unknown> } };
  getRole(role: string): { signed: SignedTargets } | undefined;
  [update: `update${string}`]: (...args: unknown[]) => unknown;
}

/** The signed part of a targets role. */
export interface SignedTargets {
  version: number;
  expires: string;
  targets: Record<string, { toJSON(): Record<string, unknown> }>;
  delegations?: {
    roles?: Record<string, { name: string; terminating: boolean; paths?: string[] }>;
    rolesForTarget(path: string): Iterable<{ role: string; terminating: boolean }>;
  };
}

/** What is used of the library's updater, its private parts included: the version is pinned. */
interface LibraryUpdater {
  dir: MetadataFolder;
  trustedSet: TrustedSet;
  refresh(): Promise<void>;
  getTargetInfo(path: string): Promise<{ toJSON(): Record<string, unknown> } | undefined>;
}

/** There is no such file in the repository; the library takes it for the end of the roots. */
export class NotThere extends failures.DownloadHTTPError {
  constructor() {
    super("there is no such file", 404);
  }
}

const Library = tuf.Updater as unknown as new (options: unknown) => LibraryUpdater;

/** The library's updater on a folder of ours. Its workflow is the library's, unchanged. */
export class Updater extends Library {
  /** Why the last piece of metadata that was looked at is not trusted, if it is not. */
  failure: unknown = null;

  constructor(folder: MetadataFolder, bring: BringFile, now: number, maxRootRotations: number) {
    super({
      // The library keeps this value for the two methods below and looks at it nowhere else.
      metadataDir: folder,
      metadataBaseUrl: METADATA_URL,
      fetcher: {
        downloadBytes: async (url: string, maxBytes: number) =>
          readable(await bring(url, maxBytes)),
        downloadFile: () => Promise.reject(new Error("targets are fetched by their source")),
      },
      config: { maxRootRotations },
    });
    this.trustedSet.referenceTime = new Date(now);
    for (const update of ["Root", "Timestamp", "Snapshot", "DelegatedTargets"]) {
      this.#watch(`update${update}`);
    }
  }

  /** What refuses metadata is lost in the library's own messages, so it is noted. */
  #watch(name: `update${string}`): void {
    const update = this.trustedSet[name].bind(this.trustedSet);
    this.trustedSet[name] = (...args) => {
      try {
        const result = update(...args);
        this.failure = null;
        return result;
      } catch (error) {
        this.failure = error instanceof failures.EqualVersionError ? null : error;
        throw error;
      }
    };
  }

  loadLocalMetadata(role: string): Uint8Array {
    return readable(this.dir.read(role));
  }

  persistMetadata(role: string, bytes: Uint8Array): void {
    this.dir.keep(role, bytes);
  }
}

/** The address that files of a repository are asked under; it is never resolved. */
export const METADATA_URL = "https://metadata.invalid/";

/** The library asks for text as of Node's buffers; a copy that answers, strictly. */
function readable(bytes: Uint8Array): Uint8Array {
  const text = () => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  return Object.defineProperty(bytes.slice(), "toString", { value: text });
}

/** How a piece of metadata failed; `other` when it is not even well formed. */
export type MetadataFailure = "expired" | "downgrade" | "unsigned" | "altered" | "other";

/** What kind of failure the library means by an error. */
export function kindOfFailure(error: unknown): MetadataFailure {
  if (error instanceof failures.ExpiredMetadataError) return "expired";
  if (error instanceof failures.BadVersionError) return "downgrade";
  if (error instanceof modelFailures.UnsignedMetadataError) return "unsigned";
  if (error instanceof modelFailures.LengthOrHashMismatchError) return "altered";
  return "other";
}

/** Entries that are read at once: enough to be quick, few enough for the square to stay small. */
const PART = 64;

/** Reads a long table part by part, into one without a prototype. */
function inParts<T>(table: Json, read: (part: Json) => Record<string, T>): Record<string, T> {
  const entries = Object.entries(table);
  const whole: Record<string, T> = Object.create(null);
  for (let start = 0; start < entries.length; start += PART) {
    const part = read(Object.fromEntries(entries.slice(start, start + PART)));
    for (const [key, value] of Object.entries(part)) whole[key] = value;
  }
  return whole;
}

/** A model class as this file changes it. */
interface Model<T> {
  fromJSON(data: Json): T;
  prototype: { toJSON(this: T): Json };
}

/** An object like `model` with other fields in place of its own. */
function withFields<T extends object>(model: T, fields: Partial<T>): T {
  return Object.assign(Object.create(Object.getPrototypeOf(model)), model, fields);
}

/** The JSON form of a table's values. */
function tableJson(table: Record<string, { toJSON(): unknown }>): Json {
  const json: Json = Object.create(null);
  for (const [key, value] of Object.entries(table)) json[key] = value.toJSON();
  return json;
}

type SnapshotModel = { meta: Record<string, { toJSON(): unknown }> };

function readSnapshotsInParts(Snapshot: Model<SnapshotModel>): void {
  const read = Snapshot.fromJSON.bind(Snapshot);
  Snapshot.fromJSON = (data) => {
    if (!isObject(data.meta)) return read(data);
    const snapshot = read({ ...data, meta: {} });
    snapshot.meta = inParts(data.meta, (meta) => read({ ...data, meta }).meta);
    return snapshot;
  };
  const write = Snapshot.prototype.toJSON;
  Snapshot.prototype.toJSON = function () {
    return { ...write.call(withFields(this, { meta: {} })), meta: tableJson(this.meta) };
  };
}

interface TargetsModel {
  targets: Record<string, { toJSON(): unknown }>;
  delegations?: { roles?: Record<string, unknown>; keys: Record<string, unknown> };
}

function readTargetsInParts(Targets: Model<TargetsModel>): void {
  const read = Targets.fromJSON.bind(Targets);
  Targets.fromJSON = (data) => {
    const { targets, delegations } = data;
    const bare = { ...data, targets: {}, delegations: undefined };
    const whole = read({
      ...data,
      targets: isObject(targets) ? {} : targets,
      delegations: isObject(delegations) ? withoutEntries(delegations) : delegations,
    });
    if (isObject(targets)) {
      whole.targets = inParts(targets, (part) => read({ ...bare, targets: part }).targets);
    }
    if (isObject(delegations)) {
      const readPart = (part: Json) => read({ ...bare, delegations: part }).delegations!;
      readDelegations(whole.delegations!, delegations, readPart);
    }
    return whole;
  };
  const write = Targets.prototype.toJSON;
  Targets.prototype.toJSON = function () {
    return { ...write.call(withFields(this, { targets: {} })), targets: tableJson(this.targets) };
  };
}

/** Delegations without their entries; what is no table or list stays, to be refused. */
function withoutEntries(delegations: Json): Json {
  return {
    ...delegations,
    keys: isObject(delegations.keys) ? {} : delegations.keys,
    ...(Array.isArray(delegations.roles) ? { roles: [] } : {}),
  };
}

function readDelegations(
  whole: NonNullable<TargetsModel["delegations"]>,
  { keys, roles }: Json,
  read: (part: Json) => NonNullable<TargetsModel["delegations"]>,
): void {
  if (isObject(keys)) whole.keys = inParts(keys, (part) => read({ keys: part, roles: [] }).keys);
  if (!Array.isArray(roles)) return;
  const byName: Record<string, unknown> = Object.create(null);
  for (let start = 0; start < roles.length; start += PART) {
    const part = read({ keys: {}, roles: roles.slice(start, start + PART) }).roles!;
    for (const [name, role] of Object.entries(part)) {
      if (Object.hasOwn(byName, name)) throw new TypeError(`duplicate delegated role: ${name}`);
      byName[name] = role;
    }
  }
  whole.roles = byName;
}

readSnapshotsInParts(models.Snapshot as unknown as Model<SnapshotModel>);
readTargetsInParts(models.Targets as unknown as Model<TargetsModel>);
