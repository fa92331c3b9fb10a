/**
 * The contract of a source: where eggs are listed and fetched.
 *
 * A source only lists and brings bytes. It never decides which version is wanted, never proves
 * bytes and never writes to the store. Anyone may write one and register it for a scheme.
 *
 * @module
 */

import type { Artifact, Ecosystem, Listing, Release } from "../model/egg.ts";
import type { Tell } from "../model/event.ts";

/** The last answer of a source, kept so that the next question can be conditional. */
export interface StoredListing {
  /** The source's own validators, such as `etag`. */
  validators: Record<string, string>;
  /** What the source needs of the answer to give it again; its own form. */
  body: string;
}

/** Keeps answers between runs; `null` when there is none. */
export interface ListingCache {
  /** The answer kept under `key`. */
  read(key: string): StoredListing | null;
  /** Keeps an answer; failing to costs a longer answer next time and nothing else. */
  write(key: string, listing: StoredListing): void;
}

/** The beginning of an archive that did not arrive whole. */
export interface PartialArchive {
  /** The validator of the answer that it is from. */
  readonly validator: string;
  /** What was there when it was taken; empty of one that was begun. */
  readonly bytes: Uint8Array;
  /** Keeps more of it. */
  append(bytes: Uint8Array): void;
  /** Lets go of it. */
  remove(): void;
}

/**
 * Keeps what came of archives that broke off, so that the next fetch can go on from there, also
 * in another process. Failing to costs a longer fetch and nothing else.
 */
export interface PartialArchives {
  /** Takes what an earlier fetch left under `key`: nobody else has it then. */
  take(key: string): PartialArchive | null;
  /** Begins to keep an archive whose bytes are those of `validator`. */
  begin(key: string, validator: string): PartialArchive;
}

/** What a source is given with every question. */
export interface SourceContext {
  /** Ends every request when it fires. */
  signal: AbortSignal;
  /** The web's `fetch`, or the application's own. */
  fetch: typeof fetch;
  /** Answers of earlier runs. */
  listings: ListingCache;
  /** Beginnings of archives; absent when nothing may be kept, as in a check. */
  partials?: PartialArchives;
  /** An archive larger than this is not read to its end. */
  maxDownloadBytes: number;
  /** Tells an event; absent where nobody listens. */
  tell?: Tell;
}

/** A listing, and whether the source merely confirmed an earlier one. */
export interface Answer {
  /** What is offered. */
  listing: Listing;
  /** True when the source answered "not modified". */
  cached: boolean;
}

/** Bytes, and what the source learnt only while it brought them. */
export interface Fetched {
  /** The archive, unproven. */
  bytes: Uint8Array;
  /** What they are to be proven by besides the artifact's own digests, as `algorithm:hex`. */
  digests?: string[];
  /** True when they are of several answers: if they fail their proof, they are fetched once more. */
  resumed?: boolean;
}

/** A question for one file below a source's address. */
export interface FileQuestion {
  /** Below the address, with slashes: `metadata/timestamp.json`. */
  path: string;
  /** A larger file is not read to its end. */
  maxBytes: number;
  /** Those of an earlier answer, to be told that it still holds. */
  validators?: Record<string, string>;
  /** Whether a server that denies the file is taken to not have it, as buckets do it. */
  absentWhenDenied?: boolean;
}

/** The answer to a `FileQuestion`. */
export type FileAnswer =
  & (
    | { status: "read"; bytes: Uint8Array; validators: Record<string, string> }
    | { status: "absent" | "not-modified" }
  )
  & {
    /** The other side's clock in milliseconds since the epoch, where it told. Nobody vouches for it. */
    servedAt?: number;
  };

/** Files below a source's address by their paths: what a signed repository is read from. */
export interface SourceFiles {
  /** What `fetch` takes as the locator of the file at a path. */
  locate(path: string): Promise<string>;
  /**
   * Reads one file.
   *
   * @throws {TransmuteError} as `list`; `size-mismatch` above `maxBytes`
   */
  read(question: FileQuestion, context: SourceContext): Promise<FileAnswer>;
}

/** A place where eggs are listed and fetched. */
export interface Source {
  /** The address, canonical and without credentials: what messages and records call it. */
  readonly id: string;
  /** Local sources are looked at on every start, network sources every `checkEveryMs`. */
  readonly kind: "local" | "network";
  /**
   * A cheap text that changes when a local source does, `null` when it cannot be reached.
   * Called on the start-up path: no library, no `node:` module. Absent on network sources.
   */
  readonly fingerprint?: () => string | null;
  /** The worlds that it lists projects of. @default {["js"]} */
  readonly ecosystems?: readonly Ecosystem[];
  /**
   * What is offered for `project`; an empty listing when the source has no such project.
   *
   * @param ecosystem the world of the project, which is one of `ecosystems`; `"js"` when absent. Of
   * a Python project, `project` is the normalised name, and every release has `python`
   * @throws {TransmuteError} `source-unreachable`, `source-timeout`, `source-denied`,
   * `listing-invalid`, `permission-missing`
   */
  list(project: string, context: SourceContext, ecosystem?: Ecosystem): Promise<Answer>;
  /**
   * The bytes of an artifact that `list` named, unproven; with digests where an answer or the
   * artifact's companion gives some.
   *
   * @throws {TransmuteError} `egg-missing`, `source-unreachable`, `source-timeout`,
   * `source-denied`, `size-mismatch` above `maxDownloadBytes`
   */
  fetch(artifact: Artifact, context: SourceContext): Promise<Uint8Array | Fetched>;
  /**
   * When each version of a project was published, in milliseconds since the epoch: a further and
   * longer question, where the listing does not tell. Absent where a source knows no times.
   *
   * @throws {TransmuteError} as `list`
   */
  publishTimes?(project: string, context: SourceContext): Promise<Map<string, number>>;
  /**
   * The metadata of a Python release by `release.python.metadata`, unproven. Absent where a source
   * has none apart from archives.
   *
   * @throws {TransmuteError} as `list`; `egg-missing`, `size-mismatch`
   */
  pythonMetadata?(release: Release, context: SourceContext): Promise<Uint8Array>;
  /** Its files by path; absent where it has none. Without them it cannot be a signed repository. */
  readonly files?: SourceFiles;
}

/** Makes a source from an address of a registered scheme. */
export type SourceFactory = (address: string) => Source;
