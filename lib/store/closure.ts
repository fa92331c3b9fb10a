/**
 * Closures: eggs unpacked and linked to their exact dependencies, named by content, written once.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { Ecosystem } from "../model/egg.ts";
import { fingerprintOf } from "../model/fingerprint.ts";
import type { PythonFile } from "../model/python.ts";
import { runtime } from "../runtime/current.ts";
import { Pace } from "../runtime/pace.ts";
import { joinPath, parentPath } from "../runtime/paths.ts";
import type { StorePaths } from "./cache.ts";
import { foldPath } from "./entry_names.ts";
import { diskFailure, hexDigest, randomName, writeAtomically } from "./files.ts";
import { linkTree } from "./link.ts";
import type { ArchiveEntry } from "./unpack.ts";

/** Raised when the linker's output changes, so that old closures are not mistaken for new. */
const LINKER_VERSION = 1;
/** The same of what Python eggs are made into. */
const PYTHON_LAYOUT_VERSION = 2;
const FILE_MODE = 0o444;
const EXECUTABLE_MODE = 0o555;
/** Open files at once while waiting for the disk; below any usual limit of a process. */
const FLUSH_TOGETHER = 128;

/** Where an egg goes in a closure, and which bytes it is. */
export interface ClosureMember {
  /** `node_modules/express/node_modules/debug`; `site` of every Python egg. */
  location: string;
  project: string;
  version: string;
  /** The digest of its archive, in hexadecimal. */
  sha512: string;
  /** Of a Python egg: what the archive's name says, without which it cannot be unpacked again. */
  file?: PythonFile;
}

/** A member with what was unpacked and how it was proven. */
export interface ClosurePart extends ClosureMember {
  entries: ArchiveEntry[];
  /** Of a Python egg: its commands by name, each with its path below the closure. */
  commands?: Record<string, string>;
  source: string;
  /** The claims that were checked, as `size` or `algorithm:hex`. */
  checked: string[];
}

/** What a closure's record holds. */
export interface ClosureRecord {
  format: 1;
  /** Absent of eggs of JavaScript. */
  ecosystem?: "python";
  packages: (ClosureMember & { source: string; checked: string[] })[];
  /** By project: subpath → entry; of a Python egg `command:<name>` → a path. */
  entries: Record<string, Record<string, string>>;
  /** SHA-256 of every file, by its path below the closure. */
  files: Record<string, string>;
  /** What the linker left as it was, in words. */
  notes: string[];
  /** What `recordSum` gives: tells a damaged record from a whole one. Older versions wrote none. */
  sum?: string;
}

function recordSum({ sum: _sum, ...record }: ClosureRecord): string {
  return fingerprintOf(JSON.stringify(record));
}

/** The content name of the closure that these members make, imported by these projects. */
export function closureName(
  members: ClosureMember[],
  roots: string[],
  ecosystem: Ecosystem = "js",
): Promise<string> {
  const lines = members
    .map(({ location, project, version, sha512 }) => `${location} ${project} ${version} ${sha512}`)
    .sort();
  const kind = ecosystem === "js"
    ? `closure ${LINKER_VERSION}`
    : `python closure ${PYTHON_LAYOUT_VERSION}`;
  const head = [kind, ...roots.toSorted().map((root) => `root ${root}`)];
  return hexDigest("SHA-256", new TextEncoder().encode([...head, ...lines, ""].join("\n")));
}

/** The record of a closure, or `null` when the store does not have both. */
export function readClosure(paths: StorePaths, name: string): ClosureRecord | null {
  if (runtime.status(joinPath(paths.closures, name))?.kind !== "directory") return null;
  return readClosureRecord(paths, name);
}

/** The record of a closure, whether or not that is there; `null` when it is damaged. */
export function readClosureRecord(paths: StorePaths, name: string): ClosureRecord | null {
  try {
    const record: ClosureRecord = JSON.parse(
      runtime.readTextFile(joinPath(paths.closures, `${name}.json`)),
    );
    const isWhole = record.sum === undefined
      ? Array.isArray(record.packages) && typeof record.entries === "object"
      : record.sum === recordSum(record);
    return isWhole ? record : null;
  } catch {
    return null;
  }
}

/** What a closure is made of, before anything is written. */
export interface Assembled {
  /** By their paths below the closure. */
  files: Map<string, { bytes: Uint8Array; executable: boolean }>;
  /** By project. */
  entries: Map<string, Record<string, string>>;
  /** What is unusual about it, in words. */
  notes: string[];
}

/** All files of the closure by their path below it, linked. */
async function assemble(
  parts: ClosurePart[],
  roots: Map<string, string>,
  pace: Pace,
): Promise<Assembled> {
  const files: Assembled["files"] = new Map();
  const folded = new Map<string, string>();
  for (const { location, entries } of parts) {
    for (const { path, bytes, executable } of entries) {
      const whole = `${location}/${path}`;
      // The gate saw each archive alone; a bundled dependency may still meet a placed one.
      const twin = folded.get(foldPath(whole));
      if (twin !== undefined) {
        throw new TransmuteError(
          "archive-invalid",
          `Cannot store ${whole}: found it in one archive and ${twin} in another, wanted one of them`,
        );
      }
      folded.set(foldPath(whole), whole);
      files.set(whole, { bytes, executable });
    }
  }
  const linked = await linkTree(
    parts.map(({ location, entries }) => ({
      location,
      files: new Map(entries.map(({ path, bytes }) => [path, bytes])),
    })),
    [...roots.values()],
    pace,
  );
  for (const [path, bytes] of linked.rewritten) {
    files.set(path, { bytes, executable: files.get(path)?.executable ?? false });
  }
  for (const [path, bytes] of linked.added) files.set(path, { bytes, executable: false });
  const entries = new Map(
    Array.from(roots, ([project, location]) => [project, linked.entries.get(location) ?? {}]),
  );
  return { files, entries, notes: linked.notes };
}

/**
 * Writes a closure, unless the store has it: to a private folder, flushed, then renamed into its
 * place. Whoever comes second leaves the first one's work alone.
 *
 * @param name what `closureName` gives for the parts
 * @param roots the projects that are imported from it, and their locations
 * @param options `replace`: the one in its place is damaged, and makes room. `signal` ends the work
 * where it stands; what was written is removed
 * @throws {TransmuteError} `disk-failure`, `archive-invalid`
 */
export async function storeClosure(
  paths: StorePaths,
  name: string,
  parts: ClosurePart[],
  roots: Map<string, string>,
  options: { ecosystem?: Ecosystem; replace?: boolean; signal?: AbortSignal } = {},
): Promise<ClosureRecord> {
  const pace = new Pace(options.signal);
  const isPython = options.ecosystem === "python";
  const { files, entries, notes } = isPython
    ? (await import("./python_closure.ts")).assemblePython(parts, [...roots.keys()])
    : await assemble(parts, roots, pace);
  const staging = joinPath(paths.staging, randomName());
  try {
    // Digests are taken on other threads while this one writes.
    const digests = Promise.all(
      Array.from(
        files,
        async ([path, { bytes }]) => [path, await hexDigest("SHA-256", bytes)] as const,
      ),
    );
    digests.catch(() => {});
    const folders = await writeFiles(staging, files, pace);
    const record: ClosureRecord = {
      format: 1,
      ...(isPython ? { ecosystem: "python" } : {}),
      packages: parts.map(({ entries: _entries, commands: _commands, ...member }) => member),
      entries: Object.fromEntries(entries),
      files: Object.fromEntries(await digests),
      notes,
    };
    record.sum = recordSum(record);
    await flushAll([...files.keys()].map((path) => `${staging}/${path}`), pace);
    await flushAll([...folders], pace);
    writeAtomically(joinPath(paths.closures, `${name}.json`), JSON.stringify(record));
    if (options.replace) setAside(paths, name);
    rename(staging, joinPath(paths.closures, name));
    await runtime.flush([paths.closures]);
    return record;
  } catch (error) {
    throw diskFailure(`store ${parts.map((part) => part.project).join(", ")}`, error);
  } finally {
    if (runtime.status(staging) !== null) runtime.remove(staging, { recursive: true });
  }
}

/** Moves a closure out of its place in one step, and removes it there. */
export function setAside(paths: StorePaths, name: string): void {
  const aside = joinPath(paths.staging, randomName());
  try {
    runtime.rename(joinPath(paths.closures, name), aside);
  } catch (error) {
    if (runtime.fileErrorKind(error) === "missing") return;
    throw error;
  }
  try {
    runtime.remove(aside, { recursive: true });
  } catch { /* what is left in staging is removed with other stale work */ }
}

/** Writes every file exclusively; returns the folders made. */
async function writeFiles(
  root: string,
  files: Map<string, { bytes: Uint8Array; executable: boolean }>,
  pace: Pace,
): Promise<Set<string>> {
  const folders = new Set<string>();
  for (const [path, { bytes, executable }] of files) {
    await pace.step();
    const whole = `${root}/${path}`;
    const folder = parentPath(whole);
    if (!folders.has(folder)) {
      runtime.makeDirectory(folder, { recursive: true, mode: 0o700 });
      for (let made = folder; made.length >= root.length && !folders.has(made);) {
        folders.add(made);
        made = parentPath(made);
      }
    }
    runtime.writeFile(whole, bytes, {
      exclusive: true,
      mode: executable ? EXECUTABLE_MODE : FILE_MODE,
    });
  }
  return folders;
}

async function flushAll(paths: string[], pace: Pace): Promise<void> {
  for (let start = 0; start < paths.length; start += FLUSH_TOGETHER) {
    await pace.step();
    await runtime.flush(paths.slice(start, start + FLUSH_TOGETHER));
  }
}

function rename(from: string, to: string): void {
  try {
    runtime.rename(from, to);
  } catch (error) {
    const kind = runtime.fileErrorKind(error);
    if (kind !== "not-empty" && kind !== "exists") throw error;
  }
}
