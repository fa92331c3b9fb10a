/**
 * Stage: bring bytes and prove them. Nothing leaves this file unproven.
 *
 * @module
 */

import { describeError, isTransmuteError, TransmuteError } from "../errors.ts";
import type { Manifest, Release } from "../model/egg.ts";
import type { PythonManifest } from "../model/python.ts";
import { eggName } from "../model/egg.ts";
import type { Tell } from "../model/event.ts";
import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";
import type { Fetched, Source, SourceContext } from "../sources/source.ts";
import type { StorePaths } from "../store/cache.ts";
import { writeAtomically } from "../store/files.ts";
import type { UnpackedPythonEgg } from "../store/python_egg.ts";
import type { ArchiveEntry } from "../store/unpack.ts";
import { readManifest, unpackTarball } from "../store/unpack.ts";
import type { Proof } from "../trust/digest.ts";
import { proveBytes } from "../trust/digest.ts";

/** A release and the source that offers it. */
export interface Candidate {
  source: Source;
  release: Release;
}

/** An archive that was proven and unpacked, in memory. */
export interface ProvenEgg {
  proof: Proof;
  entries: ArchiveEntry[];
  /** Of a Python egg its name and version alone; the rest is in `python`. */
  manifest: Manifest;
  python?: UnpackedPythonEgg;
}

/** A candidate failed its proof: it is to be refused, and the next best taken. */
export class RefusedCandidate extends Error {
  readonly candidate: Candidate;
  override readonly cause: TransmuteError;
  /** Others that are refused with it. */
  readonly others: RefusedCandidate[];

  constructor(candidate: Candidate, cause: TransmuteError, others: RefusedCandidate[] = []) {
    super(cause.message, { cause });
    this.candidate = candidate;
    this.cause = cause;
    this.others = others;
  }
}

/** The codes that mean "these bytes are bad", as against "the bytes did not come". */
const BAD_BYTES = new Set([
  "size-mismatch",
  "digest-mismatch",
  "signature-missing",
  "signature-invalid",
  "archive-invalid",
  "path-escapes",
]);

function isBad(error: unknown): error is TransmuteError {
  return isTransmuteError(error) && BAD_BYTES.has(error.code);
}

/** What errors and events name. */
interface About {
  egg: string;
  source: string;
}

/** How many archives of one source are on their way at once, as package managers have it. */
const PARALLEL_FETCHES = 12;

/** What fetching needs of its surroundings. */
export interface FetchSettings {
  context: SourceContext;
  maxUnpackedBytes: number;
  tell: Tell;
  /** Where proven archives are kept; `null` to keep none (a check changes nothing). */
  store: StorePaths | null;
}

/** `1.2.0` of `v1.2.0+build`: registries leave out what does not order versions. */
function comparable(version: string): string {
  return version.trim().replace(/^[v=]+/, "").replace(/\+.*$/, "");
}

/** Fetches, proves and unpacks each artifact once. */
export class EggFetcher {
  readonly #settings: FetchSettings;
  readonly #eggs = new Map<Release, Promise<ProvenEgg>>();
  /** By the source's id: one that is stuck must not take the others' places. */
  readonly #gates = new Map<string, Gate>();

  constructor(settings: FetchSettings) {
    this.#settings = settings;
  }

  /**
   * The proven content of a candidate.
   *
   * @throws {RefusedCandidate} when its bytes are bad
   * @throws {TransmuteError} when the source did not bring them
   */
  obtain(candidate: Candidate): Promise<ProvenEgg> {
    let egg = this.#eggs.get(candidate.release);
    if (egg === undefined) {
      egg = this.#obtain(candidate);
      this.#eggs.set(candidate.release, egg);
    }
    return egg;
  }

  /**
   * The metadata of a Python release: a file of its own where that is offered with a digest, else
   * that of the archive.
   *
   * @throws as `obtain`
   */
  async pythonManifest(candidate: Candidate, source: Source): Promise<PythonManifest> {
    const { release } = candidate;
    const { digests = [] } = release.python!.metadata ?? {};
    // Without a digest it would be somebody's word alone.
    if (digests.length === 0 || source.pythonMetadata === undefined) {
      return (await this.obtain(candidate)).python!.manifest;
    }
    const about = { egg: eggName(release), source: source.id };
    try {
      const bytes = await source.pythonMetadata(release, this.#settings.context);
      await proveBytes(bytes, { digests }, about);
      const { readCoreMetadata } = await import("../model/python_metadata.ts");
      return readCoreMetadata(new TextDecoder().decode(bytes));
    } catch (error) {
      if (isBad(error)) throw new RefusedCandidate(candidate, error);
      if (!isTransmuteError(error, "egg-missing")) throw error;
      // A mirror may repeat what an index says without having it; the archive says the same.
      return (await this.obtain(candidate)).python!.manifest;
    }
  }

  async #obtain(candidate: Candidate): Promise<ProvenEgg> {
    const { source, release } = candidate;
    const { store, tell } = this.#settings;
    const about = { egg: eggName(release), source: source.id };
    const { digests } = release.artifact;
    const kept = store === null ? null : await this.#keptArchive(store, digests, about);
    try {
      if (kept !== null) return await this.#unpack(candidate, kept, about);
      const fetched = await this.#fetch(candidate, about);
      try {
        return await this.#prove(candidate, fetched, about);
      } catch (error) {
        if (!fetched.resumed || !isBad(error)) throw error;
        // Put together from several answers, it may be of two files: ask for one.
        tell("debug", "skipped", { egg: about.egg, message: describeError(error) });
        return await this.#prove(candidate, await this.#fetch(candidate, about), about);
      }
    } catch (error) {
      if (isBad(error)) throw new RefusedCandidate(candidate, error);
      throw error;
    }
  }

  async #fetch({ source, release }: Candidate, about: About): Promise<Fetched> {
    const { context, tell } = this.#settings;
    const { artifact } = release;
    const gate = this.#gate(source.id);
    await gate.enter();
    try {
      tell("info", "fetch-started", {
        ...about,
        ...(artifact.sizeBytes === undefined ? {} : { sizeBytes: artifact.sizeBytes }),
      });
      const fetched = await source.fetch(artifact, context);
      return "bytes" in fetched ? fetched : { bytes: fetched };
    } finally {
      gate.leave();
    }
  }

  async #prove(
    candidate: Candidate,
    { bytes, digests = [] }: Fetched,
    about: About,
  ): Promise<ProvenEgg> {
    const { store, tell } = this.#settings;
    const { artifact } = candidate.release;
    const claims = { ...artifact, digests: [...artifact.digests, ...digests] };
    const proof = await proveBytes(bytes, claims, about);
    tell("info", "fetched", {
      ...about,
      sizeBytes: bytes.length,
      digest: `sha512:${proof.sha512}`,
    });
    // Proven again whenever it is read, so it need not reach the disk before we go on.
    if (store !== null) {
      writeAtomically(joinPath(store.archives, proof.sha512), bytes, { flush: false });
    }
    return await this.#unpack(candidate, { bytes, proof }, about);
  }

  async #unpack(
    { release }: Candidate,
    { bytes, proof }: { bytes: Uint8Array; proof: Proof },
    about: About,
  ): Promise<ProvenEgg> {
    this.#settings.context.signal.throwIfAborted();
    const checked = [...proof.checked, ...release.vouchedBy ?? []];
    // Before Python: it may be a wheel that holds one.
    if (release.executable !== undefined) {
      const { unpackExecutable } = await import("../store/executable_egg.ts");
      const { maxUnpackedBytes } = this.#settings;
      const { entries, manifest } = await unpackExecutable(
        bytes,
        release.executable,
        maxUnpackedBytes,
      );
      return { proof: { ...proof, checked }, entries, manifest };
    }
    if (release.python !== undefined) {
      const { unpackPythonEgg } = await import("../store/python_egg.ts");
      const { maxUnpackedBytes } = this.#settings;
      const python = await unpackPythonEgg(bytes, release.python.file, { maxUnpackedBytes });
      const { name, version } = python.manifest;
      const { entries } = python;
      return { proof: { ...proof, checked }, entries, manifest: { name, version }, python };
    }
    const entries = await unpackTarball(bytes, {
      maxUnpackedBytes: this.#settings.maxUnpackedBytes,
      ...(release.unpacked === undefined ? {} : { unpacked: release.unpacked }),
    });
    const manifest = readManifest(entries);
    // A folder's file names are only claims of a project; a registry's listing is an identity.
    const claimed = release.manifest?.name;
    if (
      comparable(manifest.version) !== comparable(release.version) ||
      (claimed !== undefined && claimed !== manifest.name)
    ) {
      throw new TransmuteError(
        "archive-invalid",
        `Cannot accept ${about.egg}: its archive is ${manifest.name}@${manifest.version}`,
        about,
      );
    }
    return { proof: { ...proof, checked }, entries, manifest };
  }

  /** The archive from an earlier update, if its listing names it by the digest we keep it under. */
  async #keptArchive(
    store: StorePaths,
    digests: string[],
    about: About,
  ): Promise<{ bytes: Uint8Array; proof: Proof } | null> {
    const name = digests.find((digest) => digest.startsWith("sha512:"))?.slice("sha512:".length);
    if (name === undefined || !/^[0-9a-f]{128}$/.test(name)) return null;
    const path = joinPath(store.archives, name);
    if (runtime.status(path)?.kind !== "file") return null;
    try {
      const bytes = runtime.readFile(path);
      return { bytes, proof: await proveBytes(bytes, { digests }, about) };
    } catch (error) {
      // A copy damaged on this disk says nothing about the source's: fetch it again.
      this.#settings.tell("debug", "skipped", { egg: about.egg, message: describeError(error) });
      return null;
    }
  }

  #gate(source: string): Gate {
    let gate = this.#gates.get(source);
    if (gate === undefined) this.#gates.set(source, gate = new Gate());
    return gate;
  }
}

/** Lets a few through at a time. */
class Gate {
  #underway = 0;
  readonly #queue: (() => void)[] = [];

  async enter(): Promise<void> {
    if (this.#underway >= PARALLEL_FETCHES) {
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    }
    this.#underway++;
  }

  leave(): void {
    this.#underway--;
    this.#queue.shift()?.();
  }
}
