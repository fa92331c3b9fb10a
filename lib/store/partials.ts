/**
 * Archives that did not arrive whole, kept for whoever fetches them next. Losing one costs a longer
 * fetch and nothing else, so nothing is flushed and no failure is told.
 *
 * Each file has one owner, who wrote it or renamed it to a name of its own: two processes that
 * fetch the same archive never write to the same file. One that a killed process left may be taken
 * while its owner still writes, if that is alive after all: then the owner's file is gone, and it
 * keeps no more.
 *
 * @module
 */

import { fingerprintOf } from "../model/fingerprint.ts";
import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";
import type { StorePaths } from "./cache.ts";
import { randomName } from "./files.ts";

/** The first line of a file; the archive's bytes follow. */
interface Header {
  key: string;
  validator: string;
}

/** The beginning of one archive. */
interface PartialArchive {
  validator: string;
  bytes: Uint8Array;
  append(bytes: Uint8Array): void;
  remove(): void;
}

/** Opens the partial archives of a store; keys may be any text. */
export function openPartials(paths: StorePaths): {
  take(key: string): PartialArchive | null;
  begin(key: string, validator: string): PartialArchive;
} {
  const pathOf = (key: string) =>
    joinPath(paths.partials, `${fingerprintOf(key)}.${randomName()}.part`);

  return {
    take(key) {
      for (const name of largestFirst(paths, `${fingerprintOf(key)}.`)) {
        const [left, own] = [joinPath(paths.partials, name), pathOf(key)];
        try {
          runtime.rename(left, own);
          const found = read(own);
          if (found?.header.key === key) return archive(own, found.header, found.bytes);
          runtime.remove(own);
        } catch { /* another process was faster */ }
      }
      return null;
    },

    begin(key, validator) {
      const path = pathOf(key);
      const header: Header = { key, validator };
      try {
        const line = new TextEncoder().encode(`${JSON.stringify(header)}\n`);
        runtime.writeFile(path, line, { exclusive: true });
      } catch { /* appending will fail too */ }
      return archive(path, header, new Uint8Array());
    },
  };
}

/** The names of files that begin with `stem`, the one with most of its archive first. */
function largestFirst(paths: StorePaths, stem: string): string[] {
  try {
    return runtime.list(paths.partials)
      .filter((name) => name.startsWith(stem))
      .map((name) => ({
        name,
        sizeBytes: runtime.status(joinPath(paths.partials, name))?.sizeBytes ?? 0,
      }))
      .sort((a, b) => b.sizeBytes - a.sizeBytes)
      .map(({ name }) => name);
  } catch {
    return []; // it is not there yet
  }
}

/** What a file holds, or `null` when it is damaged. */
function read(path: string): { header: Header; bytes: Uint8Array } | null {
  const content = runtime.readFile(path);
  const end = content.indexOf(0x0a);
  try {
    const header = JSON.parse(new TextDecoder().decode(content.subarray(0, end)));
    return typeof header.validator === "string"
      ? { header, bytes: content.subarray(end + 1) }
      : null;
  } catch {
    return null;
  }
}

function archive(path: string, { validator }: Header, bytes: Uint8Array): PartialArchive {
  let isKept = true;
  return {
    validator,
    bytes,
    append(more) {
      if (!isKept) return;
      try {
        runtime.appendFile(path, more);
      } catch {
        // A gap would make all that follows it worthless.
        this.remove();
      }
    },
    remove() {
      isKept = false;
      try {
        runtime.remove(path);
      } catch { /* another process took it */ }
    },
  };
}
