/**
 * What this machine has seen of the repositories that it publishes to.
 *
 * Whoever owns the place where a repository lies can put an older state of it there, with all its
 * signatures. A publisher who built on that would sign a withdrawn release anew.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { isObject } from "../model/json.ts";
import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";
import { writeAtomically } from "../store/files.ts";
import { digestHex } from "../trust/digest.ts";
import type { Repository } from "./repository.ts";

const FOLDER = "published-v1";

/** The newest timestamps that were seen. */
export interface PublisherMemory {
  /**
   * Gives what refuses a repository that is older than it was known to be, with
   * `downgrade-refused`. Asked for before the repository is read: another publisher of this machine
   * may well make it newer between the two, and remember that.
   */
  recall(destination: string): Promise<(repository: Repository) => void>;
  /** Remembers how new a repository is; failing to costs the protection and nothing else. */
  remember(destination: string, version: number): Promise<void>;
}

/**
 * A memory in the store.
 *
 * @param cacheDir the store's folder; made when there is something to remember
 */
export function publisherMemory(cacheDir: string): PublisherMemory {
  const folder = joinPath(cacheDir, FOLDER);
  const pathOf = async (destination: string) => {
    const digest = await digestHex("sha256", new TextEncoder().encode(destination));
    return joinPath(folder, `${digest}.json`);
  };
  return {
    async recall(destination) {
      const path = await pathOf(destination);
      const seen = versionIn(path);
      return ({ timestamp: { signed: { version } } }) => {
        if (seen === null || version >= seen) return;
        throw new TransmuteError(
          "downgrade-refused",
          `Cannot build on ${destination}: found its timestamp at version ${version}, and it was ` +
            `${seen} when it was last published to from here`,
          {
            source: destination,
            hint: "Somebody may hold back what is newer. If it was made anew on purpose, remove " +
              path,
          },
        );
      };
    },
    async remember(destination, version) {
      try {
        runtime.makeDirectory(folder, { recursive: true, mode: 0o700 });
        const text = JSON.stringify({ destination, timestamp: version });
        writeAtomically(await pathOf(destination), text);
      } catch { /* as in CI, where every machine is new */ }
    },
  };
}

function versionIn(path: string): number | null {
  try {
    const found: unknown = JSON.parse(runtime.readTextFile(path));
    return isObject(found) && Number.isSafeInteger(found.timestamp)
      ? found.timestamp as number
      : null;
  } catch {
    return null;
  }
}
