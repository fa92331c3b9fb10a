/**
 * The store's folders. Every name carries the version of its format: another format is another
 * folder, and a folder of an unknown one is left alone.
 *
 * ```
 * <cacheDir>/                      0700, owned by this user; refused otherwise
 * ├── CACHEDIR.TAG                 so that backups skip it
 * ├── import-v1.cjs                what some single executables of Node import by
 * ├── eggs-v1/sha256/<hex>/        a closure: node_modules/<name>/…; never changes after its rename
 * ├── eggs-v1/sha256/<hex>.json    its record: projects, origins, proofs, entries, digest of every file
 * ├── archives-v1/<sha512>         an archive as it was fetched
 * ├── listings-v1/<digest>.json    the last answer of a source with its validators
 * ├── partials-v1/<digest>…       the beginning of an archive that did not arrive whole
 * ├── tuf-v1/<digest>/…            verified metadata of a signed repository; client-id, a random id
 * ├── published-v1/<digest>.json   how new a repository was that this user publishes to
 * ├── interpreters-v1/<digest>.json what a Python interpreter said about itself
 * ├── pycache-v1/<path>/           what Python compiled, by the whole path of its folder
 * ├── staging-v1/<random>/         work in progress; after a crash it is garbage
 * └── apps-v1/<app>/
 *     ├── state.json               the ONE file that a start with nothing to do reads
 *     ├── generations/000007.json  what was active together; immutable
 *     ├── generations/000007.confirmed, or .rejected: what became of it, and why
 *     ├── commands/7-<content>     what a generation brings to `PATH`, made when it is wanted
 *     ├── leases/<pid>-<start>     a running program, or a failed start, and its generations
 *     ├── updating.sqlite          the courtesy lock, opened by SQLite and nothing else
 *     ├── background.json          the one process that finishes an update, while there is one
 *     └── history.jsonl            what happened, a line each
 * ```
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";

/** The folders and files of one store, as seen by one application. */
export interface StorePaths {
  root: string;
  closures: string;
  archives: string;
  listings: string;
  partials: string;
  metadata: string;
  staging: string;
  compiled: string;
  app: string;
  state: string;
  generations: string;
  commands: string;
  leases: string;
  lock: string;
  background: string;
  history: string;
}

/** Where everything of `app` is in the store at `cacheDir`. */
export function storePaths(cacheDir: string, app: string): StorePaths {
  const appFolder = joinPath(cacheDir, "apps-v1", app);
  return {
    root: cacheDir,
    closures: joinPath(cacheDir, "eggs-v1/sha256"),
    archives: joinPath(cacheDir, "archives-v1"),
    listings: joinPath(cacheDir, "listings-v1"),
    partials: joinPath(cacheDir, "partials-v1"),
    metadata: joinPath(cacheDir, "tuf-v1"),
    staging: joinPath(cacheDir, "staging-v1"),
    compiled: joinPath(cacheDir, "pycache-v1"),
    app: appFolder,
    state: joinPath(appFolder, "state.json"),
    generations: joinPath(appFolder, "generations"),
    commands: joinPath(appFolder, "commands"),
    leases: joinPath(appFolder, "leases"),
    lock: joinPath(appFolder, "updating.sqlite"),
    background: joinPath(appFolder, "background.json"),
    history: joinPath(appFolder, "history.jsonl"),
  };
}

/**
 * Refuses a store that another user could write to or owns. Returns false when there is none.
 *
 * @throws {TransmuteError} `store-not-private`, with the command that mends it
 */
export function assertPrivate(root: string): boolean {
  const status = runtime.status(root);
  if (status === null) return false;
  const refuse = (found: string, hint: string) =>
    new TransmuteError(
      "store-not-private",
      `Cannot use the store ${root}: ${found}, wanted a folder of this user with mode 0700`,
      { hint },
    );
  if (status.kind !== "directory") {
    throw refuse(`it is a ${status.kind}`, `Remove it, or give another cacheDir`);
  }
  const user = runtime.userId();
  if (user !== null && status.userId !== user) {
    throw refuse(
      `it belongs to user ${status.userId} and this is user ${user}`,
      `Run: chown -R ${user} '${root}'`,
    );
  }
  if (status.mode !== null && (status.mode & 0o077) !== 0) {
    throw refuse(
      `its mode is 0${status.mode.toString(8)}`,
      `Run: chmod 700 '${root}'`,
    );
  }
  return true;
}
