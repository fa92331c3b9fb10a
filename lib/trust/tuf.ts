/**
 * A signed repository, as a client trusts it: from the root that the application carries to the
 * targets of one project. Bytes in, verdict out; files and the network are given.
 *
 * The order of every step is that of the client workflow of The Update Framework, done by its
 * library. What was kept from earlier is never an anchor: it saves requests, and remembers which
 * versions were seen, so that older ones are refused.
 *
 * @module
 */

import { describeError, isTransmuteError, TransmuteError } from "../errors.ts";
import type { ErrorCode } from "../errors.ts";
import type { Ecosystem } from "../model/egg.ts";
import { pathsOfProject, roleOfProject } from "../model/signed_target.ts";
import {
  checkMetadata,
  MAX_METADATA_BYTES,
  MAX_ROOT_ROTATIONS,
  metadataKind,
  MetadataRefused,
} from "./metadata_limits.ts";
import type { MetadataFailure, SignedTargets } from "./tuf_library.ts";
import { kindOfFailure, METADATA_URL, NotThere, Updater } from "./tuf_library.ts";

/** The kinds of keys in repositories of ours: the one that every runtime verifies alike. */
export const KEY_TYPES: readonly string[] = ["ed25519"];

/** Metadata of earlier updates, by name: `timestamp`, `snapshot`, `js-hello`, roots as `3.root`. */
export interface KeptMetadata {
  /** The bytes kept under a name, or `null`. */
  read(name: string): Uint8Array | null;
  /** Keeps what was verified. */
  write(name: string, bytes: Uint8Array): void;
}

/** What a repository is opened with. */
export interface RepositoryOptions {
  /** The repository's address, for messages. */
  source: string;
  /** The root that the application carries. */
  root: Uint8Array;
  kept: KeptMetadata;
  /**
   * Brings a file of `metadata/` by name, `7.snapshot.json`; `null` when there is none.
   *
   * @param maxBytes more than this need not be read
   */
  bring(file: string, maxBytes: number): Promise<Uint8Array | null>;
  /** Milliseconds since the epoch, by this machine's clock. */
  now: number;
  /** The kinds of keys that are taken, `null` for all; @default {KEY_TYPES} */
  keyTypes?: readonly string[] | null;
}

/** A target as its role has it: `length`, `hashes`, `custom`. Signed, and nothing more is known. */
export type RawTarget = Record<string, unknown>;

const CODES: Record<MetadataFailure, ErrorCode> = {
  expired: "metadata-expired",
  downgrade: "downgrade-refused",
  unsigned: "signature-invalid",
  altered: "digest-mismatch",
  other: "listing-invalid",
};

/** A repository whose metadata is verified piece by piece, as it is asked for. */
export class SignedRepository {
  readonly #options: RepositoryOptions;
  #updater: Updater;
  /** The last file that was looked at, and why it was not brought, for messages. */
  #file = "";
  #notBrought: unknown = null;
  /** Whether roots that were kept are used, and whether the last file was one. */
  #usesHistory = true;
  #isHistory = false;
  #refreshed: Promise<void> | undefined;

  /** @throws {TransmuteError} `option-invalid` when the application's root is none */
  constructor(options: RepositoryOptions) {
    this.#options = options;
    this.#updater = this.#start();
  }

  #start(): Updater {
    const { source, root, kept, now } = this.#options;
    const folder = {
      // The updater begins with the application's root, whatever was kept.
      read: (role: string) => {
        const bytes = role === "root" ? root : kept.read(role);
        if (bytes === null) throw new NotThere();
        this.#check(role, bytes);
        return bytes;
      },
      keep: (role: string, bytes: Uint8Array) => {
        const { version } = this.#updater.trustedSet.root.signed;
        if (role !== "root") kept.write(role, bytes);
        else if (!this.#isHistory) kept.write(`${version}.root`, bytes);
      },
    };
    try {
      return new Updater(folder, (url, max) => this.#bring(url, max), now, MAX_ROOT_ROTATIONS);
    } catch (error) {
      throw new TransmuteError(
        "option-invalid",
        `Cannot trust ${source}: the application's root is not one (${describeError(error)})`,
        { source, cause: error, hint: "Give a root.json of the repository as trust.root" },
      );
    }
  }

  #check(role: string, bytes: Uint8Array): void {
    const { keyTypes = KEY_TYPES } = this.#options;
    checkMetadata(role, bytes, keyTypes);
  }

  async #bring(url: string, maxBytes: number): Promise<Uint8Array> {
    const file = decodeURIComponent(url.slice(METADATA_URL.length));
    const role = file.replace(/\.json$/, "").replace(/^\d+\./, "");
    this.#file = file;
    this.#notBrought = null;
    const root = role === "root" && this.#usesHistory
      ? this.#options.kept.read(file.replace(/\.json$/, ""))
      : null;
    this.#isHistory = root !== null;
    try {
      const limit = Math.min(maxBytes, MAX_METADATA_BYTES[metadataKind(role)]);
      const bytes = root ?? await this.#options.bring(file, limit);
      if (bytes === null) throw new NotThere();
      if (bytes.length > limit) {
        throw new MetadataRefused(`found ${bytes.length} bytes, wanted at most ${limit}`);
      }
      this.#check(role, bytes);
      return bytes;
    } catch (error) {
      this.#notBrought = error;
      throw error;
    }
  }

  /**
   * Verifies the newest root, timestamp, snapshot and targets. Done once.
   *
   * @throws {TransmuteError} `metadata-expired`, `downgrade-refused`, `signature-invalid`,
   * `digest-mismatch`, `listing-invalid`, and what `bring` throws
   */
  refresh(): Promise<void> {
    return this.#refreshed ??= this.#refresh();
  }

  async #refresh(): Promise<void> {
    try {
      await this.#updater.refresh();
    } catch (error) {
      if (!this.#isHistory) throw this.#failure(error);
      // A root that was kept is damaged: ask the repository for all of them.
      this.#usesHistory = false;
      this.#updater = this.#start();
      try {
        await this.#updater.refresh();
      } catch (again) {
        throw this.#failure(again);
      }
    }
  }

  /** The newest trusted version of a role that was verified, or `null`. */
  version(role: "root" | "timestamp" | "snapshot" | "targets"): number | null {
    return this.#updater.trustedSet[role as "root"]?.signed.version ?? null;
  }

  /** When what was verified last expires, in milliseconds since the epoch. */
  get expiresAt(): number {
    return Date.parse(this.#updater.trustedSet.timestamp?.signed.expires ?? "") || 0;
  }

  /** Whether targets lie under names that begin with their digest. */
  get isConsistent(): boolean {
    return this.#updater.trustedSet.root.signed.consistentSnapshot;
  }

  /**
   * A target by its path, after the workflow's own search through all delegations; `null` when no
   * role that is trusted with it lists it.
   *
   * @throws {TransmuteError} as `refresh`
   */
  async target(path: string): Promise<RawTarget | null> {
    await this.refresh();
    return await this.#search(path);
  }

  /**
   * Everything that the role of a project lists, by path; empty when the repository has no such
   * project.
   *
   * @throws {TransmuteError} as `refresh`; `listing-invalid` when the project's paths are not
   * delegated to its own role in the way of `docs/repository-format.md`
   */
  async project(ecosystem: Ecosystem, project: string): Promise<Map<string, RawTarget>> {
    const role = roleOfProject(ecosystem, project);
    const paths = pathsOfProject(ecosystem, project);
    await this.refresh();
    const delegations = this.#updater.trustedSet.getRole("targets")?.signed.delegations;
    const delegated = delegations?.roles?.[role];
    if (delegated === undefined) return new Map();
    // A file that cannot be: the search for it verifies the roles that any of them would be in.
    const probe = paths.replace("*", "-");
    const [first] = delegations!.rolesForTarget(probe);
    const isOwn = first?.role === role && delegated.terminating &&
      delegated.paths?.length === 1 && delegated.paths[0] === paths;
    if (!isOwn) {
      throw this.#refusal("listing-invalid", "targets", `found ${paths} not delegated to ${role}`);
    }
    if (!Object.hasOwn(this.#updater.trustedSet.snapshot!.signed.meta, `${role}.json`)) {
      throw this.#refusal("listing-invalid", "snapshot", `found no ${role}.json in it`);
    }
    await this.#search(probe);
    const signed = this.#updater.trustedSet.getRole(role)?.signed;
    return rawTargets(signed, paths.slice(0, -1));
  }

  async #search(path: string): Promise<RawTarget | null> {
    try {
      return (await this.#updater.getTargetInfo(path))?.toJSON() ?? null;
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** The error that says what happened, out of what the library made of it. */
  #failure(error: unknown): TransmuteError {
    const brought = this.#notBrought;
    if (isTransmuteError(brought)) return brought;
    const cause = brought ?? this.#updater.failure ?? error;
    if (cause instanceof NotThere) {
      return this.#refusal("listing-invalid", this.#file, "the repository has no such file", cause);
    }
    const kind = kindOfFailure(cause);
    if (kind === "expired") return this.#expired(cause);
    return this.#refusal(CODES[kind], this.#file, describeError(cause), cause);
  }

  #expired(cause: unknown): TransmuteError {
    const role = /(\S+)\.json is expired$/.exec(describeError(cause))?.[1] ?? "";
    const expires = this.#updater.trustedSet.getRole(role)?.signed.expires ?? "before now";
    return this.#refusal("metadata-expired", `${role}.json`, `it expired ${expires}`, cause);
  }

  #refusal(code: ErrorCode, file: string, found: string, cause?: unknown): TransmuteError {
    const { source, now } = this.#options;
    const hint = code === "metadata-expired"
      ? `This machine's clock says ${new Date(now).toISOString()}: if it is wrong, set it. ` +
        "Else the repository must be signed anew, or somebody holds back what is newer"
      : undefined;
    return new TransmuteError(code, `Cannot trust ${file} of ${source}: ${found}`, {
      source,
      cause,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

/** The targets of a role that lie in its project's own folder. */
function rawTargets(signed: SignedTargets | undefined, folder: string): Map<string, RawTarget> {
  const found = new Map<string, RawTarget>();
  for (const [path, target] of Object.entries(signed?.targets ?? {})) {
    const file = path.startsWith(folder) ? path.slice(folder.length) : "/";
    if (!file.includes("/")) found.set(path, target.toJSON());
  }
  return found;
}
