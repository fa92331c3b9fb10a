/**
 * The courtesy lock: keeps two processes from doing the same update twice. Nothing rests on it:
 * closures are named by content and the switch is one rename.
 *
 * SQLite's exclusive transaction excludes across runtimes and is free at once when its holder is
 * killed, its machine restarted or its host cut off: the lock is the system's, and no number of a
 * process is written down that another could have tomorrow. The file must never be opened any
 * other way: POSIX locks of a process fall when it closes any descriptor of the file.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { runtime } from "../runtime/current.ts";

type Sqlite = typeof import("node:sqlite");

/** The first pause between two tries; each is half as long again, and partly random. */
const RETRY_AFTER_MS = 10;
/** The longest of them. A hundred processes that wait must leave the processor to the one. */
const LONGEST_RETRY_MS = 200;
/** Numbers of SQLite, and what it says for them: Deno gives the words only. */
const BUSY = { number: 5, words: /database is locked|busy/i };
const NOT_A_DATABASE = { number: 26, words: /not a database/i };

/** Gives the lock up. */
export type Unlock = () => void;

/** What is needed of a database. */
export interface LockFile {
  exec(statement: string): void;
  close(): void;
}

/** Opens a database, making its file. */
export type OpenLockFile = (path: string) => Promise<LockFile>;

const openWithSqlite: OpenLockFile = async (path) => {
  const { DatabaseSync } = await runtime.builtin<Sqlite>("sqlite");
  return new DatabaseSync(path);
};

function saysSqlite(error: unknown, what: typeof BUSY): boolean {
  const { errcode, message } = error as { errcode?: number; message?: string };
  return errcode === what.number || what.words.test(message ?? "");
}

/**
 * Waits for the lock until `signal` fires.
 *
 * @param onWait called once, when another process holds it
 * @param open for tests: opens the file
 * @throws {TransmuteError} `lock-timeout` when `signal` fired first
 * @throws what SQLite throws where the file system cannot lock
 */
export async function acquireLock(
  path: string,
  signal: AbortSignal,
  onWait: () => void,
  open: OpenLockFile = openWithSqlite,
): Promise<Unlock> {
  const database = await openSound(path, open);
  let pauseMs = RETRY_AFTER_MS;
  let waited = false;
  try {
    while (true) {
      try {
        database.exec("BEGIN EXCLUSIVE");
        return () => database.close();
      } catch (error) {
        if (!saysSqlite(error, BUSY)) throw error;
      }
      if (!waited) onWait();
      waited = true;
      if (signal.aborted) {
        throw new TransmuteError(
          "lock-timeout",
          `Cannot update: another process has been updating all the time that there was`,
          { hint: `The lock is ${path}; it is free when its process ends` },
        );
      }
      await pause(pauseMs * (0.5 + Math.random()), signal);
      pauseMs = Math.min(pauseMs * 1.5, LONGEST_RETRY_MS);
    }
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Opens the file; one that something else was written into is made anew. */
async function openSound(path: string, open: OpenLockFile): Promise<LockFile> {
  const database = await open(path);
  try {
    database.exec("PRAGMA schema_version");
  } catch (error) {
    if (!saysSqlite(error, NOT_A_DATABASE)) return database;
    database.close();
    runtime.remove(path);
    return await open(path);
  }
  return database;
}

/** Waits, or less when `signal` fires. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}
