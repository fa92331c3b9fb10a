/**
 * Values about eggs: what a source lists, what a manifest says, what a closure holds.
 *
 * @module
 */

import type { PythonRelease } from "./python.ts";

/** Which world an egg belongs to: SemVer and npm tarballs, or PEP 440 and wheels. */
export type Ecosystem = "js" | "python";

/** The parts of an egg's `package.json` that Transmute acts on; npm's own words. */
export interface Manifest {
  /** The project, with its scope. */
  name: string;
  /** A SemVer version. */
  version: string;
  /** What it cannot do without: name → range, tag or alias. */
  dependencies?: Record<string, string>;
  /** What it uses where it can be had; wins over `dependencies` of the same name. */
  optionalDependencies?: Record<string, string>;
  /** What it shares with whoever uses it. */
  peerDependencies?: Record<string, string>;
  /** Which peers it can do without. */
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
  /** Names of dependencies that are inside the archive; `true` means all of them. */
  bundleDependencies?: string[] | boolean;
  /** The versions of runtimes that it fits; only `node` is acted on. */
  engines?: Record<string, string>;
  /** The operating systems that it is for, or with `!` is not for. */
  os?: string[];
  /** The processors that it is for, or with `!` is not for. */
  cpu?: string[];
  /** The C libraries that it is for, on Linux. */
  libc?: string[];
  /** The publisher's words, when the release is deprecated. */
  deprecated?: string;
}

/** How an executable is packed in its file; `whl`: it is a script of a wheel. */
export type ExecutablePacking = "gz" | "zst" | "whl" | null;

/** What the name of an executable, or of the wheel that holds it, claims. */
export interface ExecutableFile {
  /** The project's name. */
  project: string;
  /** A SemVer version. */
  version: string;
  /** As compilers write the machine that it is for: `x86_64-unknown-linux-gnu`. */
  target: string;
  /** How it is packed. */
  packing: ExecutablePacking;
  /** The name of the program itself: `mytool`, `mytool.exe`. */
  program: string;
}

/** What a registry itself says about an artifact, to be checked when it is wanted. */
export interface RegistryRecord {
  /** What its signatures are over: `name@version:integrity`. */
  signed: string;
  /** The registry's signatures: which of its keys made each, and base64 of the signature. */
  signatures: { keyid: string; sig: string }[];
  /** Where its attestations are, such as its provenance. */
  attestations?: string;
}

/** One file of a release, as its source offers it. */
export interface Artifact {
  /** Where the source fetches it: an absolute path or URL, without credentials. */
  locator: string;
  /** Size of the file in bytes, where the listing says. */
  sizeBytes?: number;
  /** Digests to prove it by, as `algorithm:hex`; empty where the listing has none. */
  digests: string[];
  /**
   * Changes when the file does: its digest, an ETag, or size and time. A refused artifact is not
   * offered again until this changes.
   */
  validator: string;
  /** Where a file beside it with its digest is, when the listing has not read that yet. */
  companion?: string;
  /** What its registry says about it. */
  record?: RegistryRecord;
}

/** One version of a project, at one source. */
export interface Release {
  /** The project's name. */
  project: string;
  /** As its source writes it. */
  version: string;
  /** The file to fetch. */
  artifact: Artifact;
  /** Absent where it can only be read from the archive itself. */
  manifest?: Manifest;
  /** When it was published, in milliseconds since the epoch, where its source tells. */
  publishedAt?: number;
  /** Why it is not offered to this client, at least not now: "is rolled out to 10 % so far". */
  heldBack?: string;
  /** True when its publisher has withdrawn it: whoever runs it goes to another, also a lower one. */
  withdrawn?: true;
  /** The tar inside its archive, where its source tells: its size and its digest. */
  unpacked?: { sizeBytes: number; digest: string };
  /** What vouches for it besides its digests, in words, as far as that was checked. */
  vouchedBy?: string[];
  /**
   * What is known of it as a file of a Python project. One version of such a project has as many
   * releases as files; `project` is the normalised name, and `manifest` is absent.
   */
  python?: PythonRelease;
  /** What its name says, when it is an executable. One version has a release for each target. */
  executable?: ExecutableFile;
}

/** What a source offers for one project. */
export interface Listing {
  /** The project asked for. */
  project: string;
  /** In no particular order. Empty when the source has no such project. */
  releases: Release[];
  /** Named versions, such as `latest`. */
  tags: Record<string, string>;
  /** When anything of it changed last, in milliseconds since the epoch, where the source tells. */
  modifiedAt?: number;
}

/** The name of an egg with its version, for messages: `hello@1.0.0`. */
export function eggName(egg: { project: string; version: string }): string {
  return `${egg.project}@${egg.version}`;
}

const ARCHIVE_NAME = /^(.+?)-v?(\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]*)?)\.(?:tgz|tar\.gz)$/;

/**
 * What an archive's file name claims, or `null` when it is not the name of an npm tarball.
 *
 * `npm pack` writes `@types/node` as `types-node-24.0.0.tgz`, so the project is only a claim:
 * the manifest inside decides.
 */
export function parseArchiveName(name: string): { project: string; version: string } | null {
  const match = ARCHIVE_NAME.exec(name);
  return match === null ? null : { project: match[1], version: match[2] };
}

/** The name that `npm pack` gives to archives of `project`, without version and ending. */
export function archiveStem(project: string): string {
  return project.replace(/^@/, "").replace("/", "-");
}
