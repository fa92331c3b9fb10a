import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ownProcess } from "../../lib/runtime/processes.ts";
import { storePaths } from "../../lib/store/cache.ts";
import { prepareStore } from "../../lib/store/files.ts";
import {
  countFailedStarts,
  forgiveVanished,
  listLeases,
  mayBeRunning,
  OwnLease,
  settleLeases,
} from "../../lib/store/leases.ts";
import type { LeaseText } from "../fixtures/leases.ts";
import { writeLease } from "../fixtures/leases.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
const NOW = Date.UTC(2030, 0, 1);

/** A store with these leases, by names of their own. */
function store(leases: Record<string, LeaseText> = {}) {
  const folder = temporaryFolder();
  const paths = storePaths(join(folder.path, "store"), "app");
  prepareStore(paths);
  for (const [name, text] of Object.entries(leases)) writeLease(paths, name, text);
  return { paths, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

const failed = (since: number, at: number): LeaseText => ({
  generation: 7,
  since,
  at,
  phase: "failed",
  reason: `it failed at ${at}`,
});
const starting = (since: number, owner: LeaseText["owner"] = {}): LeaseText => ({
  generation: 7,
  since,
  phase: "starting",
  owner,
});

/** What is judged, the leases, and how many failed starts of generation 7 they are at `NOW`. */
const COUNTS: [string, Record<string, LeaseText>, number][] = [
  ["no lease at all", {}, 0],
  ["three errors, one after the other", {
    a: failed(NOW - 30, NOW - 25),
    b: failed(NOW - 20, NOW - 15),
    c: failed(NOW - 10, NOW - 5),
  }, 3],
  ["three errors of programs that ran at the same time", {
    a: failed(NOW - 30, NOW - 10),
    b: failed(NOW - 29, NOW - 11),
    c: failed(NOW - 28, NOW - 9),
  }, 1],
  ["an error of another generation", { a: { ...failed(NOW - 20, NOW - 10), generation: 6 } }, 0],
  ["a process that is gone and was still importing", { a: starting(NOW - 10) }, 1],
  ["one that is still there", { a: starting(NOW - 10, ownProcess()) }, 0],
  [
    "one whose number belongs to another process now",
    { a: starting(NOW - 10, { ...ownProcess(), start: "1" }) },
    1,
  ],
  [
    "one that ended with its machine",
    { a: starting(NOW - 10, { boot: "before it was started anew" }) },
    0,
  ],
  [
    "one of another machine",
    { a: starting(NOW - 10, { boot: "another", host: "elsewhere" }) },
    0,
  ],
  [
    "one that was gone after its imports",
    { a: { generation: 7, since: NOW - 10, phase: "running" } },
    0,
  ],
  [
    "ten that one cause ended while they were importing",
    Object.fromEntries(
      Array.from({ length: 10 }, (_, index) => [`p${index}`, starting(NOW - 20 + index)]),
    ),
    1,
  ],
  [
    "one that cannot be seen, of late",
    { a: starting(NOW - MINUTE, { boot: null, start: null, host: null }) },
    0,
  ],
  [
    "one that cannot be seen and was still importing long ago",
    { a: starting(NOW - 10 * MINUTE, { boot: null, start: null, host: null }) },
    1,
  ],
];

for (const [what, leases, count] of COUNTS) {
  test(`countFailedStarts() counts ${count} for ${what}`, () => {
    using here = store(leases);
    assert.equal(countFailedStarts(here.paths, 7, NOW).count, count);
  });
}

test("countFailedStarts() tells what the last failure said", () => {
  using here = store({ a: failed(NOW - 30, NOW - 25), b: failed(NOW - 20, NOW - 15) });
  assert.equal(countFailedStarts(here.paths, 7, NOW).lastReason, `it failed at ${NOW - 15}`);
});

test("countFailedStarts() tells vanished starts apart by when each was first found to be gone", () => {
  using here = store();
  const counts = [1, 2, 3].map((start) => {
    writeLease(here.paths, `s${start}`, starting(NOW + start * 10));
    return countFailedStarts(here.paths, 7, NOW + start * 10 + 5, { note: true }).count;
  });
  assert.deepEqual(counts, [1, 2, 3]);
});

test("countFailedStarts() changes nothing unless it is to note", () => {
  using here = store({ a: starting(NOW - 10) });
  const path = join(here.paths.leases, listLeases(here.paths)[0].name);
  const before = readFileSync(path, "utf8");
  countFailedStarts(here.paths, 7, NOW);
  assert.equal(readFileSync(path, "utf8"), before);
});

test("forgiveVanished() forgets starts that are gone, and no errors", () => {
  using here = store({ a: starting(NOW - 20), b: failed(NOW - 10, NOW - 5) });
  forgiveVanished(here.paths, 7, NOW);
  assert.deepEqual(listLeases(here.paths).map(({ uses }) => uses[0].phase), ["failed"]);
});

test("settleLeases() forgets what concerns the generation, except of running programs", () => {
  using here = store({
    a: failed(NOW - 20, NOW - 10),
    b: { ...starting(NOW - 20), generation: 8 },
    c: { generation: 7, since: NOW, phase: "running", owner: ownProcess() },
  });
  settleLeases(here.paths, 7, NOW);
  assert.deepEqual(
    listLeases(here.paths).map(({ uses: [{ generation, phase }] }) => `${generation} ${phase}`)
      .sort(),
    ["7 running", "8 starting"],
  );
});

test("mayBeRunning() trusts what cannot be seen until it is silent for two days", () => {
  using here = store({ a: starting(NOW, { boot: "another", host: "elsewhere" }) });
  const [lease] = listLeases(here.paths);
  assert.equal(mayBeRunning(lease, NOW + DAY), true);
  assert.equal(mayBeRunning(lease, NOW + 3 * DAY), false);
});

test("OwnLease is a file named by this process, there from the first line until it is removed", () => {
  using here = store();
  const lease = new OwnLease(here.paths);
  assert.deepEqual(listLeases(here.paths), []);
  lease.add({ generation: 7, phase: "starting", at: NOW });
  const [read] = listLeases(here.paths);
  assert.ok(read.name.startsWith(`${process.pid}-`), read.name);
  assert.deepEqual(read.owner, ownProcess());
  assert.deepEqual(read.uses, [{ generation: 7, since: NOW, phase: "starting" }]);
  assert.equal(mayBeRunning(read, NOW + 365 * DAY), ownProcess().boot !== null);
  lease.remove();
  assert.deepEqual(listLeases(here.paths), []);
});

test("OwnLease.remove() leaves a lease that says that a start failed", () => {
  using here = store();
  const lease = new OwnLease(here.paths);
  lease.add({ generation: 7, phase: "starting", at: NOW });
  lease.add({ generation: 7, phase: "failed", at: NOW + 1, reason: "it threw" });
  lease.remove();
  assert.equal(countFailedStarts(here.paths, 7, NOW + 2).count, 1);
});

test("listLeases() reads what is whole of a lease that is not", () => {
  using here = store({ a: failed(NOW - 20, NOW - 10) });
  const path = writeLease(here.paths, "b", starting(NOW - 10));
  writeFileSync(path, readFileSync(path, "utf8").slice(0, -20));
  writeFileSync(join(here.paths.leases, "99-c"), "\0\0\0");
  const leases = listLeases(here.paths);
  assert.deepEqual(leases.map(({ uses }) => uses.length), [1, 0, 0]);
  assert.equal(leases[2].owner.pid, 99);
  assert.ok(existsSync(path));
});
