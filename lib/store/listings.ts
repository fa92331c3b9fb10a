/**
 * The last answers of sources, so that the next question can be conditional. Losing one costs a
 * longer answer and nothing else, so they are not flushed and a damaged one is no error.
 *
 * @module
 */

import { fingerprintOf } from "../model/fingerprint.ts";
import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";
import type { StorePaths } from "./cache.ts";
import { writeAtomically } from "./files.ts";

/** One stored answer. */
interface StoredListing {
  validators: Record<string, string>;
  body: string;
}

/** Opens the listings of a store; keys may be any text. */
export function openListings(paths: StorePaths): {
  read(key: string): StoredListing | null;
  write(key: string, listing: StoredListing): void;
} {
  return {
    read(key) {
      try {
        const stored = readWhole(fileOf(paths, key));
        return stored.key === key ? { validators: stored.validators, body: stored.body } : null;
      } catch {
        return null;
      }
    },
    write(key, listing) {
      const content = { key, ...listing };
      const text = JSON.stringify({ ...content, sum: fingerprintOf(JSON.stringify(content)) });
      writeAtomically(fileOf(paths, key), text, { flush: false });
    },
  };
}

/**
 * A stored answer. A wrong bit in it could make another version or digest of it.
 *
 * @throws {Error} when it is not as it was written
 */
function readWhole(path: string): StoredListing & { key: string } {
  const { sum, ...content } = JSON.parse(runtime.readTextFile(path));
  // Older versions wrote no sum.
  if (sum !== undefined && sum !== fingerprintOf(JSON.stringify(content))) {
    throw new Error(`${path} is not as it was written`);
  }
  return content;
}

/** Whether the file of an answer is as it was written. */
export function isListingWhole(path: string): boolean {
  try {
    return typeof readWhole(path).key === "string";
  } catch {
    return false;
  }
}

function fileOf(paths: StorePaths, key: string): string {
  // A readable name that any file system takes; the key inside tells collisions apart.
  const name = key.replace(/[^A-Za-z0-9]+/g, "-").slice(-80);
  return joinPath(paths.listings, `${name}-${fingerprintOf(key)}.json`);
}
