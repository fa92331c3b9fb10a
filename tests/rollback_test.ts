/** Generations that fail, are gone back from, confirmed, held: within one process. */

import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readGeneration } from "../lib/store/generations.ts";
import { markConfirmed } from "../lib/store/marks.ts";
import { readState } from "../lib/store/state.ts";
import { failingDisk } from "./fixtures/file_operations.ts";
import { writeLease } from "./fixtures/leases.ts";
import { rejection } from "./fixtures/refusal.ts";
import type { Greeter } from "./fixtures/world.ts";
import { DAY, NOW, updated, world } from "./fixtures/world.ts";

type World = ReturnType<typeof world>;

/** Failed starts of a generation, one after the other. */
function fail(here: World, generation: number, count: number): void {
  for (let start = 0; start < count; start++) {
    const [since, at] = [NOW - 1000 + start * 10, NOW - 995 + start * 10];
    const reason = `it threw at ${start}`;
    writeLease(here.paths, `${generation}-${start}`, {
      ...{ generation, since, at, phase: "failed", reason },
    });
  }
}

async function greeting(here: World): Promise<string> {
  return (await here.start().transmute.import<Greeter>("hello")).greet("x");
}

test("update() puts a new generation on probation", async () => {
  using here = await updated();
  await here.publish("1.0.0");
  const { transmute } = here.start();
  await transmute.update();
  const { active } = await transmute.status();
  assert.deepEqual([active?.generation, active?.status], [1, "probation"]);
});

test("update() goes back when so many starts have failed, and says from where to where and why", async () => {
  using here = await updated("1.0.0");
  await here.publish("2.0.0");
  await here.start().transmute.update();
  fail(here, 2, 2);
  const before = here.start();
  assert.equal((await before.transmute.update()).generation, 2, "two are not enough");
  fail(here, 2, 3);
  const { transmute, events } = here.start();
  const report = await transmute.update();
  const reason = "3 starts failed; the last: it threw at 2";
  assert.deepEqual(
    [report.outcome, report.generation, report.rolledBack],
    ["rolled-back", 1, { from: 2, to: 1, reason }],
  );
  assert.deepEqual(
    events.filter(({ kind }) => kind === "rolled-back").map(({ at: _at, ...event }) => event),
    [{ kind: "rolled-back", level: "warn", from: 2, to: 1, reason, eggs: ["hello@1.0.0"] }],
  );
  assert.match(await greeting(here), /1\.0\.0/);
  const { generations } = await transmute.status();
  assert.deepEqual(
    generations.map(({ generation, status, rejected }) => [generation, status, rejected?.reason]),
    [[2, "rejected", reason], [1, "confirmed", undefined]],
  );
});

test("import() goes back as well, in a program that never updates", async () => {
  using here = await updated("1.0.0");
  await here.publish("2.0.0");
  await here.start().transmute.update();
  fail(here, 2, 3);
  assert.match(await greeting(here), /1\.0\.0/);
  assert.equal(readState(here.paths).state.active?.generation, 1);
});

test("update() does not offer the eggs of a rejected generation until something newer appears", async () => {
  using here = await updated("1.0.0");
  await here.publish("2.0.0");
  await here.start().transmute.update();
  fail(here, 2, 3);
  await here.start().transmute.update();
  const again = await here.start().transmute.update({ force: true });
  assert.deepEqual([again.outcome, again.generation], ["unchanged", 1]);
  assert.deepEqual(
    again.refused.map(({ version, code, message }) => [version, code, message]),
    [[
      "2.0.0",
      "generation-rejected",
      "generation 2 was rejected: 3 starts failed; the last: it threw at 2",
    ]],
  );
  await here.publish("2.0.1");
  const newer = await here.start().transmute.update();
  assert.deepEqual([newer.generation, newer.eggs[0].version], [3, "2.0.1"]);
});

test("update() offers a rejected version again when its source has other bytes of it", async () => {
  using here = await updated("1.0.0");
  await here.publish("2.0.0");
  await here.start().transmute.update();
  await here.start().transmute.rollback();
  await here.publish("2.0.0", { text: "// mended" });
  assert.equal((await here.start().transmute.update()).eggs[0].version, "2.0.0");
});

test("update() goes back past generations that were never proven", async () => {
  using here = await updated("1.0.0");
  for (const version of ["2.0.0", "3.0.0"]) {
    await here.publish(version);
    await here.start().transmute.update();
  }
  fail(here, 3, 3);
  const report = await here.start().transmute.update();
  assert.deepEqual(report.rolledBack && [report.rolledBack.from, report.rolledBack.to], [3, 1]);
  const { generations } = await here.start().transmute.status();
  assert.deepEqual(generations.map(({ status }) => status), ["rejected", "unproven", "confirmed"]);
});

test("update() goes back along ancestors, not numbers: what was left for good stays left", async () => {
  using here = await updated("1.0.0", "2.0.0", "3.0.0");
  await here.start().transmute.rollback({ to: 1 });
  await here.publish("4.0.0");
  await here.start().transmute.update();
  fail(here, 4, 3);
  assert.equal((await here.start().transmute.update()).generation, 1);
});

test("update() stays on a failing generation when there is none to go back to, and tells", async () => {
  using here = await updated();
  await here.publish("1.0.0");
  await here.start().transmute.update();
  fail(here, 1, 5);
  const { transmute, kinds } = here.start();
  assert.equal((await transmute.update()).generation, 1);
  assert.ok(kinds().includes("nothing-to-roll-back-to"));
  assert.deepEqual((await transmute.status()).leases, [], "what they leave does not grow for ever");
});

test("update() on probation forgets programs that are gone and said nothing against it", async () => {
  using here = await updated("1.0.0");
  await here.publish("2.0.0");
  await here.start().transmute.update();
  const use = { generation: 2, since: NOW - 10 };
  writeLease(here.paths, "killed", { ...use, phase: "running" });
  writeLease(here.paths, "vanished", { ...use, phase: "starting" });
  const { transmute } = here.start();
  await transmute.update();
  const { leases, failedStarts } = await transmute.status();
  assert.deepEqual([leases.length, failedStarts], [1, 1]);
});

test("update() does not go back to what no longer meets the requirements", async () => {
  using here = await updated("1.0.0");
  await here.publish("2.0.0");
  await here.start({}, ["hello@^2"]).transmute.update();
  fail(here, 2, 3);
  const { transmute, kinds } = here.start({}, ["hello@^2"]);
  assert.equal((await transmute.update()).generation, 2);
  assert.ok(kinds().includes("nothing-to-roll-back-to"));
});

test("update() goes back to what meets requirements that are written otherwise by now", async () => {
  using here = await updated("1.0.0");
  await here.publish("2.0.0");
  await here.start({}, ["hello@>=1"]).transmute.update();
  fail(here, 2, 3);
  assert.equal((await here.start({}, ["hello@>=1"]).transmute.update()).generation, 1);
});

test("update() goes back for itself alone when the disk takes no writing", async () => {
  using here = await updated("1.0.0");
  await here.publish("2.0.0");
  await here.start().transmute.update();
  fail(here, 2, 3);
  const { transmute, kinds } = here.start();
  {
    using _disk = failingDisk("EACCES");
    assert.equal((await transmute.update()).generation, 1);
    assert.ok(kinds().includes("fell-back"));
    assert.match((await transmute.import<Greeter>("hello")).greet("x"), /1\.0\.0/);
  }
  assert.equal(readState(here.paths).state.active?.generation, 2);
  assert.equal((await here.start().transmute.update()).generation, 1);
  assert.equal(readState(here.paths).state.active?.generation, 1);
});

test("update() with probationStarts of 0 takes every generation for proven", async () => {
  using here = await updated();
  await here.publish("1.0.0");
  const { transmute } = here.start({ probationStarts: 0 });
  await transmute.update();
  assert.equal((await transmute.status()).active?.status, "confirmed");
});

test("update() reads one file and writes none once a generation is confirmed", async () => {
  using here = await updated("1.0.0");
  assert.equal(readState(here.paths).state.active?.probation, undefined);
});

test("update() tidies the state when a program has confirmed its generation at its end", async () => {
  using here = await updated();
  await here.publish("1.0.0");
  await here.start().transmute.update();
  markConfirmed(here.paths, 1, "as a program does at its end");
  assert.equal(readState(here.paths).state.active?.probation, true);
  await here.start().transmute.update();
  assert.equal(readState(here.paths).state.active?.probation, undefined);
});

test("confirm() proves the active generation, which failed starts cannot reject then", async () => {
  using here = await updated("1.0.0");
  await here.publish("2.0.0");
  const { transmute, events } = here.start();
  await transmute.update();
  await transmute.confirm();
  await transmute.confirm();
  assert.equal(events.filter(({ kind }) => kind === "confirmed").length, 1);
  assert.equal((await transmute.status()).active?.status, "confirmed");
  fail(here, 2, 5);
  assert.equal((await here.start().transmute.update()).generation, 2);
});

test("confirm() fails when nothing is active", async () => {
  using here = world();
  assert.equal((await rejection(here.start().transmute.confirm())).code, "egg-not-active");
});

test("rollback() goes back without any source, and takes all eggs together", async () => {
  using here = world();
  for (const [hello, other] of [["1.0.0", "4.0.0"], ["2.0.0", "5.0.0"]]) {
    await here.publish(hello);
    await here.publish(other, { name: "world" });
    const { transmute } = here.start({}, ["hello", "world"]);
    await transmute.update();
    await transmute.confirm();
  }
  rmSync(here.dist, { recursive: true });
  const { transmute } = here.start({}, ["hello", "world"]);
  const report = await transmute.rollback();
  assert.deepEqual(
    [report.outcome, report.rolledBack],
    ["rolled-back", { from: 2, to: 1, reason: "rollback() was called" }],
  );
  assert.deepEqual(report.eggs, [
    { project: "hello", version: "1.0.0", from: "2.0.0" },
    { project: "world", version: "4.0.0", from: "5.0.0" },
  ]);
  assert.match((await transmute.import<Greeter>("world")).greet("x"), /4\.0\.0/);
  assert.deepEqual(report.refused.map(({ project, version }) => `${project}@${version}`), [
    "hello@2.0.0",
    "world@5.0.0",
  ]);
});

test("rollback() can be repeated until nothing older is left", async () => {
  using here = await updated("1.0.0", "2.0.0", "3.0.0");
  const { transmute } = here.start();
  assert.equal((await transmute.rollback()).generation, 2);
  assert.equal((await transmute.rollback()).generation, 1);
  const error = await rejection(transmute.rollback());
  assert.equal(error.code, "nothing-to-roll-back-to");
  assert.match(error.message, /^Cannot roll back: found no older generation than 1 /);
  assert.match(error.hint!, /status\(\)/);
});

test("rollback() goes to any generation that is named, forward too", async () => {
  using here = await updated("1.0.0", "2.0.0", "3.0.0");
  const { transmute } = here.start();
  assert.equal((await transmute.rollback({ to: 1 })).generation, 1);
  assert.equal((await transmute.rollback({ to: 3 })).generation, 3);
  const { generations, refused } = await transmute.status();
  assert.deepEqual(generations.map(({ status }) => status), [
    "confirmed",
    "confirmed",
    "confirmed",
  ], "it was asked for, so it is no longer rejected; nobody has anything against the others");
  assert.deepEqual(refused, []);
});

test("rollback() to a generation that failed puts it on probation again", async () => {
  using here = await updated("1.0.0");
  await here.publish("2.0.0");
  await here.start().transmute.update();
  fail(here, 2, 3);
  const { transmute } = here.start();
  await transmute.update();
  await transmute.rollback({ to: 2 });
  const { active, failedStarts } = await transmute.status();
  assert.deepEqual([active?.generation, active?.status, failedStarts], [2, "probation", 0]);
});

/** What is asked for, and a part of what is said of it. */
const NOT_TO_GO_TO: [number, RegExp][] = [[2, /2 is the active one/], [7, /7 is not on record/]];

for (const [to, message] of NOT_TO_GO_TO) {
  test(`rollback({ to: ${to} }) fails: ${message.source}`, async () => {
    using here = await updated("1.0.0", "2.0.0");
    const error = await rejection(here.start().transmute.rollback({ to }));
    assert.equal(error.code, "nothing-to-roll-back-to");
    assert.match(error.message, message);
  });
}

test("rollback() fails for a generation whose eggs are gone", async () => {
  using here = await updated("1.0.0", "2.0.0");
  const { closure } = readGeneration(here.paths, 1)!.eggs.hello;
  rmSync(join(here.paths.closures, closure), { recursive: true });
  const error = await rejection(here.start().transmute.rollback({ to: 1 }));
  assert.match(error.message, /1 is no longer whole/);
  assert.equal(
    (await rejection(here.start().transmute.rollback())).code,
    "nothing-to-roll-back-to",
  );
});

test("rollback() tells that a relaunch is needed when newer code is loaded", async () => {
  using here = await updated("1.0.0", "2.0.0");
  const { transmute } = here.start();
  await transmute.import("hello");
  assert.equal((await transmute.rollback()).relaunch, "relaunch-needed");
});

test("history() says why what is active is active", async () => {
  using here = await updated("1.0.0");
  await here.publish("2.0.0");
  await here.start().transmute.update();
  fail(here, 2, 3);
  await here.start().transmute.update();
  const kinds = [];
  for await (const { kind } of here.start().transmute.history()) kinds.push(kind);
  assert.deepEqual(kinds.filter((kind) => /activated|confirmed|rolled-back/.test(kind)), [
    "activated",
    "confirmed",
    "activated",
    "rolled-back",
  ]);
});

test("status() tells it all without asking or changing anything", async () => {
  using here = await updated("1.0.0");
  await here.publish("2.0.0");
  await here.start().transmute.update();
  fail(here, 2, 2);
  const before = readFileSync(here.paths.state, "utf8");
  const { transmute, kinds } = here.start({ now: () => NOW + DAY });
  const status = await transmute.status();
  assert.deepEqual(kinds(), []);
  assert.equal(readFileSync(here.paths.state, "utf8"), before);
  const { closure } = readGeneration(here.paths, 2)!.eggs.hello;
  assert.deepEqual(status.eggs, [{
    project: "hello",
    version: "2.0.0",
    source: here.dist,
    proof: "unsigned; size as its source promised",
    held: false,
    closure,
  }]);
  assert.deepEqual(
    [status.app, status.store, status.failedStarts, status.probationStarts, status.damaged],
    ["app", here.cacheDir, 2, 3, false],
  );
  assert.deepEqual(status.sources.map(({ source, kind, checkedAt }) => [source, kind, checkedAt]), [
    [here.dist, "local", NOW],
  ]);
  assert.deepEqual(status.leases.map(({ state, reason }) => [state, reason]), [
    ["failed", "it threw at 0"],
    ["failed", "it threw at 1"],
  ]);
});

test("status() of an application that was never updated is empty", async () => {
  using here = world();
  const status = await here.start().transmute.status();
  assert.deepEqual(
    [status.active, status.eggs, status.generations, status.leases],
    [null, [], [], []],
  );
});

test("update() recovers from a damaged state to a generation that is not rejected", async () => {
  using here = await updated("1.0.0", "2.0.0");
  const { transmute } = here.start();
  await transmute.hold("hello");
  await transmute.rollback();
  writeFileSync(here.paths.state, readFileSync(here.paths.state, "utf8").replace("1.0.0", "1.0.1"));
  const { transmute: next, kinds } = here.start();
  const report = await next.update();
  assert.ok(kinds().includes("recovered"));
  assert.equal(report.generation, 1);
  const { refused, held } = await next.status();
  assert.deepEqual([refused.map(({ version }) => version), held], [["2.0.0"], ["hello"]]);
});

test("import() recovers from a damaged state in a program that never updates", async () => {
  using here = await updated("1.0.0");
  writeFileSync(here.paths.state, "");
  assert.match(await greeting(here), /1\.0\.0/);
});
