/**
 * Metadata of signed repositories that was verified before. It saves requests, and remembers which
 * versions were seen; it is never what trust begins with.
 *
 * @module
 */

import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";
import type { StorePaths } from "./cache.ts";
import { hexDigest, makeFolder, randomName, writeAtomically } from "./files.ts";

/** What is remembered of the last time that a repository was asked. */
export interface LastSeen {
  /** When, by this machine's clock, in milliseconds since the epoch. */
  checkedAt: number;
  /** The validators of `timestamp.json` then. */
  validators: Record<string, string>;
}

/** The metadata of one repository. */
export interface RepositoryMetadata {
  /** The bytes kept under a name such as `timestamp`, or `null`. */
  read(name: string): Uint8Array | null;
  /** Keeps bytes in place of those before. */
  write(name: string, bytes: Uint8Array): void;
  lastSeen(): LastSeen | null;
  see(seen: LastSeen): void;
}

const LAST_SEEN = "last-seen";

/**
 * Opens what is kept of a repository.
 *
 * @param id the address of its source
 * @param writable whether anything is written; else it is remembered for as long as this lives
 */
export async function openMetadata(
  paths: StorePaths,
  id: string,
  writable: boolean,
): Promise<RepositoryMetadata> {
  const name = await hexDigest("SHA-256", new TextEncoder().encode(id));
  const folder = joinPath(paths.metadata, name);
  const written = new Map<string, Uint8Array>();
  let isMade = false;
  const pathOf = (file: string) => joinPath(folder, `${encodeURIComponent(file)}.json`);

  function read(file: string): Uint8Array | null {
    const recent = written.get(file);
    if (recent !== undefined) return recent;
    const path = pathOf(file);
    return runtime.status(path)?.kind === "file" ? runtime.readFile(path) : null;
  }

  function write(file: string, bytes: Uint8Array): void {
    written.set(file, bytes);
    if (!writable) return;
    if (!isMade) makeFolder(paths.root, folder);
    isMade = true;
    writeAtomically(pathOf(file), bytes);
  }

  return {
    read,
    write,
    lastSeen() {
      try {
        const seen = JSON.parse(new TextDecoder().decode(read(LAST_SEEN)!));
        return Number.isFinite(seen.checkedAt) && typeof seen.validators === "object" ? seen : null;
      } catch {
        return null;
      }
    },
    see: (seen) => write(LAST_SEEN, new TextEncoder().encode(JSON.stringify(seen))),
  };
}

/**
 * The random id that decides which releases this machine is offered first. It never leaves it.
 *
 * @param writable whether it is kept where there is none yet
 */
export function clientId(paths: StorePaths, writable: boolean): string {
  const path = joinPath(paths.metadata, "client-id");
  try {
    const id = runtime.readTextFile(path).trim();
    if (/^[0-9a-f]{24}$/.test(id)) return id;
  } catch { /* there is none yet */ }
  const id = randomName();
  if (writable) {
    makeFolder(paths.root, paths.metadata);
    writeAtomically(path, `${id}\n`);
  }
  return id;
}
