import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ownProcess } from "../../lib/runtime/processes.ts";
import { collectGarbage } from "../../lib/store/gc.ts";
import { listGenerations, readGeneration, writeState } from "../../lib/store/generations.ts";
import { listLeases } from "../../lib/store/leases.ts";
import { markConfirmed, readRejection } from "../../lib/store/marks.ts";
import { readState } from "../../lib/store/state.ts";
import { age } from "../fixtures/aged.ts";
import { writeLease } from "../fixtures/leases.ts";
import type { Greeter } from "../fixtures/world.ts";
import { DAY, NOW, world } from "../fixtures/world.ts";

const OPTIONS = { keepGenerations: 3, now: NOW + 100 * DAY };

/** Between two updates: longer than a generation counts as lately used. */
const STEP = 2 * 60 * 60 * 1000;

/**
 * A store whose application went through these versions, one generation each, long ago and within
 * a day. They are proven, but for those in `unproven`.
 */
async function updated(versions: string[], unproven: number[] = []) {
  const here = world();
  for (const [index, version] of versions.entries()) {
    await here.publish(version);
    await here.start({ now: () => NOW + index * STEP }).transmute.update();
    if (!unproven.includes(index + 1)) markConfirmed(here.paths, index + 1, "for this test");
  }
  age(here.cacheDir, 2 * DAY);
  const closureOf = (generation: number) =>
    readGeneration(here.paths, generation)!.eggs.hello.closure;
  return Object.assign(here, { closureOf });
}

const SIX = ["1.0.0", "2.0.0", "3.0.0", "4.0.0", "5.0.0", "6.0.0"];

test("collectGarbage() keeps as many generations as it is told, with eggs and archives", async () => {
  using here = await updated(SIX);
  const closures = [1, 2, 3].map(here.closureOf);
  // As Python would name them.
  const [gone, kept] = [3, 4].map((generation) =>
    join(here.paths.compiled, here.paths.closures, here.closureOf(generation))
  );
  for (const compiled of [gone, kept]) mkdirSync(compiled, { recursive: true });
  // What was brought to PATH, of one generation in two runtimes.
  for (const folder of ["3-aa", "3-bb", "4-aa", "31-aa"]) {
    mkdirSync(join(here.paths.commands, folder), { recursive: true });
    writeFileSync(join(here.paths.commands, folder, "hello"), "#!/bin/sh\n");
  }
  const report = await collectGarbage(here.paths, OPTIONS);
  assert.deepEqual([existsSync(gone), existsSync(kept)], [false, true]);
  assert.deepEqual(readdirSync(here.paths.commands).sort(), ["31-aa", "4-aa"]);
  assert.deepEqual(report.generations, [1, 2, 3]);
  assert.deepEqual(report.closures, closures.toSorted());
  assert.equal(report.archives.length, 3);
  assert.ok(report.freedBytes > 0);
  assert.deepEqual(listGenerations(here.paths), [4, 5, 6]);
  assert.equal(readdirSync(here.paths.closures).length, 6, "three closures, each with its record");
  assert.equal(readdirSync(here.paths.archives).length, 3);
  assert.deepEqual(readdirSync(here.paths.staging), []);
  const { transmute } = here.start();
  assert.match((await transmute.import<Greeter>("hello")).greet("x"), /6\.0\.0/);
  for (const version of ["5.0.0", "4.0.0"]) {
    await transmute.rollback();
    assert.match((await transmute.import<Greeter>("hello")).greet("x"), new RegExp(version));
  }
});

test("collectGarbage() has nothing to do the second time", async () => {
  using here = await updated(SIX);
  await collectGarbage(here.paths, OPTIONS);
  const { keptBytes, ...report } = await collectGarbage(here.paths, OPTIONS);
  assert.ok(keptBytes > 0);
  assert.deepEqual(report, {
    ...{ generations: [], closures: [], archives: [], listings: 0 },
    ...{ freedBytes: 0, dryRun: false },
  });
});

test("collectGarbage() only tells what it would do when it is asked for that", async () => {
  using here = await updated(SIX);
  const before = readdirSync(here.cacheDir, { recursive: true });
  const told = await collectGarbage(here.paths, { ...OPTIONS, dryRun: true });
  assert.deepEqual(readdirSync(here.cacheDir, { recursive: true }), before);
  const { dryRun: _dryRun, ...done } = await collectGarbage(here.paths, OPTIONS);
  assert.deepEqual(told, { ...done, keptBytes: told.keptBytes, dryRun: true });
});

test("collectGarbage() keeps a proven generation for one on probation, however few are kept", async () => {
  using here = await updated(["1.0.0", "2.0.0", "3.0.0"], [2, 3]);
  const report = await collectGarbage(here.paths, { ...OPTIONS, keepGenerations: 1 });
  assert.deepEqual(report.generations, [2]);
  assert.deepEqual(listGenerations(here.paths), [1, 3]);
});

test("collectGarbage() does not count unproven generations among those it keeps", async () => {
  using here = await updated(SIX, [5]);
  await collectGarbage(here.paths, OPTIONS);
  assert.deepEqual(listGenerations(here.paths), [3, 4, 6]);
});

test("collectGarbage() keeps what a running program uses, and takes it when that is gone", async () => {
  using here = await updated(SIX);
  const use = { generation: 2, since: NOW, phase: "running" } as const;
  const lease = writeLease(here.paths, "running", { ...use, owner: ownProcess() });
  await collectGarbage(here.paths, OPTIONS);
  assert.deepEqual(listGenerations(here.paths), [2, 4, 5, 6]);
  assert.ok(existsSync(join(here.paths.closures, here.closureOf(2))));
  rmSync(lease);
  writeLease(here.paths, "gone", use);
  await collectGarbage(here.paths, OPTIONS);
  assert.deepEqual(listGenerations(here.paths), [4, 5, 6]);
  assert.deepEqual(listLeases(here.paths), [], "a lease of nobody goes too");
});

test("collectGarbage() keeps what was active until lately", async () => {
  using here = await updated(SIX);
  const fourthAt = NOW + 3 * STEP;
  const report = await collectGarbage(here.paths, { ...OPTIONS, now: fourthAt + 60_000 });
  assert.deepEqual(report.generations, [1, 2]);
});

test("collectGarbage() keeps what is young: an update may be about to use it", async () => {
  using here = await updated(SIX);
  const closure = here.closureOf(1);
  age(join(here.paths.closures, `${closure}.json`), -2 * DAY);
  const report = await collectGarbage(here.paths, OPTIONS);
  assert.ok(!report.closures.includes(closure));
  assert.ok(existsSync(join(here.paths.closures, closure)));
});

test("collectGarbage() keeps what another application of the store has on record", async () => {
  using here = await updated(SIX);
  const other = here.start({ app: "other", sources: [here.dist] }, ["hello@1"]);
  await other.transmute.update();
  age(here.cacheDir, 2 * DAY);
  const closure = here.closureOf(1);
  const report = await collectGarbage(here.paths, OPTIONS);
  assert.deepEqual(report.generations, [1, 2, 3]);
  assert.equal(report.closures.length, 2);
  assert.ok(existsSync(join(here.paths.closures, closure)));
  assert.match((await other.transmute.import<Greeter>("hello")).greet("x"), /1\.0\.0/);
});

test("collectGarbage() takes no eggs from a store that another version of Transmute uses too", async () => {
  for (const foreign of ["apps-v2/app", "apps-v1/other"]) {
    using here = await updated(SIX);
    mkdirSync(join(here.cacheDir, foreign), { recursive: true });
    writeFileSync(join(here.cacheDir, foreign, "state.json"), '{ "format": 2 }');
    const report = await collectGarbage(here.paths, OPTIONS);
    assert.deepEqual([report.closures, report.archives], [[], []], foreign);
  }
});

test("collectGarbage() drops the eggs of a rejected generation, but never gives its number again", async () => {
  using here = await updated(["1.0.0", "2.0.0"]);
  const closure = here.closureOf(2);
  await here.start().transmute.rollback();
  age(here.cacheDir, 2 * DAY);
  const report = await collectGarbage(here.paths, OPTIONS);
  assert.deepEqual([report.generations, report.closures], [[], [closure]]);
  assert.notEqual(readRejection(here.paths, 2), null);
  await here.publish("3.0.0");
  assert.equal((await here.start().transmute.update()).generation, 3);
});

test("collectGarbage() keeps a generation that an update has recorded and not yet made active", async () => {
  using here = await updated(["1.0.0", "2.0.0"]);
  const { state } = readState(here.paths);
  writeState(here.paths, { ...state, active: readGeneration(here.paths, 1) });
  const report = await collectGarbage(here.paths, OPTIONS);
  assert.deepEqual([report.generations, report.closures], [[], []]);
});

test("collectGarbage() takes archives and answers of sources, the oldest first, above a size", async () => {
  using here = await updated(["1.0.0", "2.0.0", "3.0.0"]);
  const [oldest] = readdirSync(here.paths.archives)
    .map((name) => ({ name, path: join(here.paths.archives, name) }));
  age(oldest.path, DAY);
  writeFileSync(join(here.paths.listings, "an-answer.json"), "x".repeat(1000));
  const { keptBytes } = await collectGarbage(here.paths, { ...OPTIONS, dryRun: true });
  const slightly = await collectGarbage(here.paths, { ...OPTIONS, maxBytes: keptBytes - 1 });
  assert.deepEqual([slightly.archives, slightly.listings], [[oldest.name], 0]);
  const wholly = await collectGarbage(here.paths, { ...OPTIONS, maxBytes: 0 });
  assert.equal(wholly.archives.length, 2);
  assert.equal(wholly.listings, 1);
  assert.ok(wholly.keptBytes > 0, "what the application runs on stays");
  assert.match((await here.start().transmute.import<Greeter>("hello")).greet("x"), /3\.0\.0/);
});

test("collectGarbage() removes answers that nobody has asked for in three months", async () => {
  using here = await updated(["1.0.0"]);
  const path = join(here.paths.listings, "an-answer.json");
  writeFileSync(path, "{}");
  assert.equal((await collectGarbage(here.paths, OPTIONS)).listings, 0);
  age(path, 91 * DAY);
  assert.equal((await collectGarbage(here.paths, OPTIONS)).listings, 1);
});

test("update() clears up after it has activated something, once a day at most", async () => {
  using here = await updated(["1.0.0", "2.0.0", "3.0.0", "4.0.0"]);
  const updatedAt = async (version: string, at: number) => {
    await here.publish(version);
    const collected = Promise.withResolvers<void>();
    const onEvent = ({ kind }: { kind: string }) => kind === "collected" && collected.resolve();
    const { transmute } = here.start({ now: () => at, keepGenerations: 2, onEvent });
    await transmute.update();
    return { collectedAt: readState(here.paths).state.collectedAt, collected: collected.promise };
  };
  const first = await updatedAt("5.0.0", NOW + 100 * DAY);
  await first.collected;
  assert.deepEqual(listGenerations(here.paths), [4, 5]);
  const second = await updatedAt("6.0.0", NOW + 100.5 * DAY);
  const third = await updatedAt("7.0.0", NOW + 101 * DAY);
  assert.deepEqual(
    [first, second, third].map(({ collectedAt }) => collectedAt),
    [NOW + 100 * DAY, NOW + 100 * DAY, NOW + 101 * DAY],
  );
  assert.match((await here.start().transmute.import<Greeter>("hello")).greet("x"), /7\.0\.0/);
});
