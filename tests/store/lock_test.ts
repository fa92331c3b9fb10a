import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { EventKind } from "../../lib/model/event.ts";
import { storePaths } from "../../lib/store/cache.ts";
import type { LockFile } from "../../lib/store/lock.ts";
import { acquireLock } from "../../lib/store/lock.ts";
import { lockFor } from "../../lib/updater/change_state.ts";
import { rejection } from "../fixtures/refusal.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

const NEVER = new AbortController().signal;
const AT_ONCE = AbortSignal.abort();

test("acquireLock() lets in one at a time", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "lock.sqlite");
  const unlock = await acquireLock(path, NEVER, () => assert.fail("nobody is there"));
  let waited = 0;
  const second = acquireLock(path, NEVER, () => {
    waited++;
    unlock();
  });
  (await second)();
  assert.equal(waited, 1);
});

test("acquireLock() gives up when it is told to", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "lock.sqlite");
  const unlock = await acquireLock(path, NEVER, () => {});
  const stop = new AbortController();
  const error = await rejection(acquireLock(path, stop.signal, () => stop.abort()));
  assert.equal(error.code, "lock-timeout");
  unlock();
  (await acquireLock(path, AT_ONCE, () => {}))();
});

test("acquireLock() makes the file anew that something else was written into", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "lock.sqlite");
  writeFileSync(path, "this is no database, and never was one".repeat(100));
  const unlock = await acquireLock(path, AT_ONCE, () => {});
  assert.equal((await rejection(acquireLock(path, AT_ONCE, () => {}))).code, "lock-timeout");
  unlock();
});

/** What SQLite says on file systems that cannot lock, and where there is no room. */
const REFUSALS: [errcode: number, message: string][] = [
  [15, "locking protocol"],
  [10, "disk I/O error"],
  [3850, "disk I/O error"],
  [14, "unable to open database file"],
  [8, "attempt to write a readonly database"],
  [13, "database or disk is full"],
];

for (const [errcode, message] of REFUSALS) {
  test(`acquireLock() does not wait when SQLite says "${message}" (${errcode})`, async () => {
    let closed = 0;
    const file: LockFile = {
      exec() {
        throw Object.assign(new Error(message), { errcode, code: "ERR_SQLITE_ERROR" });
      },
      close: () => void closed++,
    };
    const waited = () => assert.fail("there is nobody to wait for");
    await assert.rejects(
      acquireLock("lock.sqlite", NEVER, waited, () => Promise.resolve(file)),
      { message },
    );
    assert.equal(closed, 1);
  });
}

for (const told of [{ errcode: 5 }, {}]) {
  test(`acquireLock() waits when SQLite is busy (${JSON.stringify(told)})`, async () => {
    let tries = 0;
    const file: LockFile = {
      exec(statement) {
        if (statement === "BEGIN EXCLUSIVE" && ++tries < 3) {
          throw Object.assign(new Error("database is locked"), told);
        }
      },
      close() {},
    };
    await acquireLock("lock.sqlite", NEVER, () => {}, () => Promise.resolve(file));
    assert.equal(tries, 3);
  });
}

test("lockFor() goes on without a lock where there can be none, and tells", async () => {
  using folder = temporaryFolder();
  const told: [EventKind, object][] = [];
  const paths = { ...storePaths(folder.path, "app"), lock: join(folder.path, "no/such/folder") };
  const tell = (_level: string, kind: EventKind, fields: object) => void told.push([kind, fields]);
  const unlock = await lockFor({ paths, tell }, NEVER);
  unlock();
  assert.deepEqual(told.map(([kind]) => kind), ["unlocked"]);
  assert.match(JSON.stringify(told), /unable to open/);
});
