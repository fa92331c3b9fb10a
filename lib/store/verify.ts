/**
 * Comparing what is in the store with what was recorded of it: every file of every closure that the
 * application's generations on record need, by its digest, and the records themselves.
 *
 * @module
 */

import { describeError } from "../errors.ts";
import type { Generation } from "../model/state.ts";
import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";
import type { StorePaths } from "./cache.ts";
import type { ClosureRecord } from "./closure.ts";
import { closureName, readClosureRecord } from "./closure.ts";
import { hexDigest } from "./files.ts";
import { listGenerations, readGeneration } from "./generations.ts";
import { damagedLines, historyFiles } from "./history.ts";
import { isListingWhole } from "./listings.ts";
import { readRejection } from "./marks.ts";
import { readState } from "./state.ts";

/** Something of the store that is not as it was written. */
export interface StoreProblem {
  /** What it is. */
  kind: "state" | "generation" | "closure" | "archive" | "listing" | "history";
  /** Its path below the store: of a closure, the closure's own. */
  path: string;
  /** What is wrong, in words: found against wanted. */
  message: string;
  /**
   * What was done about it: made anew from what is on the disk, brought from its source, put right
   * by going to another generation, or removed because nothing needs it. Absent while nothing was.
   */
  repair?: "rebuilt" | "fetched" | "fell-back" | "removed" | "failed";
}

/** What verifying or repairing the store found. */
export interface StoreReport {
  /** How many files were compared. */
  files: number;
  /** How many bytes they have. */
  bytes: number;
  /** What is not as it should be; empty when all is well. */
  problems: StoreProblem[];
}

/** Files that are read and digested at once. */
const DIGEST_TOGETHER = 16;

/**
 * Verifies what this application's generations on record need. Reads everything and changes
 * nothing.
 */
export async function verifyStore(paths: StorePaths): Promise<StoreReport> {
  const verifier = new Verifier(paths);
  const generations = verifier.records();
  const closures = new Set(
    generations.flatMap(({ eggs }) => Object.values(eggs).map(({ closure }) => closure)),
  );
  for (const closure of [...closures].sort()) await verifier.closure(closure);
  verifier.listings();
  verifier.history();
  return verifier.report;
}

class Verifier {
  readonly report: StoreReport = { files: 0, bytes: 0, problems: [] };
  readonly #paths: StorePaths;
  readonly #archives = new Set<string>();

  constructor(paths: StorePaths) {
    this.#paths = paths;
  }

  #tell(kind: StoreProblem["kind"], path: string, message: string): void {
    const below = path.startsWith(`${this.#paths.root}/`)
      ? path.slice(this.#paths.root.length + 1)
      : path;
    this.report.problems.push({ kind, path: below, message });
  }

  /** The state and the generations; gives those that can be read. */
  records(): Generation[] {
    const { state, app, generations } = this.#paths;
    const reading = readState(this.#paths);
    if (reading.damaged) this.#tell("state", state, "cannot be read, or is not as it was written");
    const found: Generation[] = reading.state.active === null ? [] : [reading.state.active];
    if (runtime.status(app) === null) return found;
    const numbers = listGenerations(this.#paths);
    for (const { generation } of found) {
      if (numbers.includes(generation)) continue;
      this.#tell("generation", joinPath(generations, recordName(generation)), "is gone");
    }
    for (const number of numbers) {
      this.report.files++;
      const generation = readGeneration(this.#paths, number);
      if (generation !== null) {
        // A rejected one is not gone back to, so what it was made of may be gone.
        if (readRejection(this.#paths, number) === null) found.push(generation);
      } else {
        const message = "cannot be read, or is not as it was written";
        this.#tell("generation", joinPath(generations, recordName(number)), message);
      }
    }
    return found;
  }

  /** One closure: its record, its name, each of its files, and that there are no others. */
  async closure(name: string): Promise<void> {
    const folder = joinPath(this.#paths.closures, name);
    const tell = (message: string) => this.#tell("closure", folder, message);
    const record = readClosureRecord(this.#paths, name);
    if (record === null) return tell("its record is gone or damaged");
    const { packages, entries, ecosystem } = record;
    if (await closureName(packages, Object.keys(entries), ecosystem) !== name) {
      return tell("its record is of other eggs than its name says");
    }
    for (const { sha512 } of record.packages) await this.#archive(sha512);
    if (runtime.status(folder)?.kind !== "directory") return tell("it is gone");
    try {
      for (const message of await this.#compare(folder, record)) tell(message);
    } catch (error) {
      tell(`it cannot be read (${describeError(error)})`);
    }
  }

  async #compare(folder: string, record: ClosureRecord): Promise<string[]> {
    const found = filesBelow(folder);
    const wanted = Object.keys(record.files);
    const messages: string[] = [];
    for (let start = 0; start < wanted.length; start += DIGEST_TOGETHER) {
      const group = wanted.slice(start, start + DIGEST_TOGETHER);
      messages.push(...(await Promise.all(group.map(async (path) => {
        if (!found.delete(path)) return `${path} is gone`;
        const bytes = runtime.readFile(`${folder}/${path}`);
        this.report.files++;
        this.report.bytes += bytes.length;
        const digest = await hexDigest("SHA-256", bytes);
        return digest === record.files[path]
          ? []
          : `${path} has sha256:${digest}, wanted sha256:${record.files[path]}`;
      }))).flat());
    }
    return [...messages, ...Array.from(found, (path) => `${path} is not one of its files`)];
  }

  /** An archive need not be there; one that is must be what its name says. */
  async #archive(sha512: string): Promise<void> {
    const path = joinPath(this.#paths.archives, sha512);
    if (this.#archives.has(sha512) || runtime.status(path) === null) return;
    this.#archives.add(sha512);
    try {
      const bytes = runtime.readFile(path);
      this.report.files++;
      this.report.bytes += bytes.length;
      const digest = await hexDigest("SHA-512", bytes);
      if (digest !== sha512) this.#tell("archive", path, `it has sha512:${digest}`);
    } catch (error) {
      this.#tell("archive", path, `it cannot be read (${describeError(error)})`);
    }
  }

  listings(): void {
    const { listings } = this.#paths;
    if (runtime.status(listings) === null) return;
    for (const name of runtime.list(listings).sort()) {
      if (!name.endsWith(".json")) continue;
      this.report.files++;
      const path = joinPath(listings, name);
      if (!isListingWhole(path)) this.#tell("listing", path, "is not as it was written");
    }
  }

  history(): void {
    for (const path of historyFiles(this.#paths)) {
      this.report.files++;
      const count = damagedLines(path);
      if (count > 0) this.#tell("history", path, `has ${count} lines that cannot be read`);
    }
  }
}

function recordName(generation: number): string {
  return `${String(generation).padStart(6, "0")}.json`;
}

/** The paths of all files below a folder; links and other things among them. */
function filesBelow(root: string, folder = ""): Set<string> {
  const files = new Set<string>();
  for (const name of runtime.list(joinPath(root, folder))) {
    const path = joinPath(folder, name);
    if (runtime.status(`${root}/${path}`)?.kind !== "directory") files.add(path);
    else for (const below of filesBelow(root, path)) files.add(below);
  }
  return files;
}
