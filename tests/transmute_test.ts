import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Greeter } from "./fixtures/world.ts";
import { rejection } from "./fixtures/refusal.ts";
import { DAY, NOW, remote, world } from "./fixtures/world.ts";

test("update() brings a required egg, and import() gives its module", async () => {
  using here = world();
  await here.publish("1.0.0");
  const { transmute, kinds } = here.start();
  const report = await transmute.update();
  assert.equal(report.outcome, "updated");
  assert.deepEqual(report.eggs, [{ project: "hello", version: "1.0.0" }]);
  assert.equal(report.relaunch, "not-needed");
  const { greet } = await transmute.import<Greeter>("hello");
  assert.equal(greet("world"), "Hi, world! -- from version 1.0.0 of hello");
  assert.deepEqual(kinds(), [
    "check-started",
    "source-answered",
    "fetch-started",
    "fetched",
    "stored",
    "activated",
  ]);
});

test("update() has nothing to do at the next start, and does nothing", async () => {
  using here = world();
  await here.publish("1.0.0");
  await here.start().transmute.update();
  const before = readdirSync(here.cacheDir, { recursive: true });
  const { transmute, kinds } = here.start();
  const report = await transmute.update();
  assert.deepEqual([report.outcome, report.reason], ["unchanged", "not-due"]);
  assert.deepEqual(kinds(), ["unchanged"]);
  assert.deepEqual(readdirSync(here.cacheDir, { recursive: true }), before);
  assert.equal(
    (await transmute.import<Greeter>("hello")).greet("you"),
    "Hi, you! -- from version 1.0.0 of hello",
  );
});

test("update() takes a newer version, keeping the application as it is", async () => {
  using here = world();
  await here.publish("1.0.0");
  await here.start().transmute.update();
  await here.publish("2.1.0");
  const { transmute } = here.start();
  const report = await transmute.update();
  assert.deepEqual(report.eggs, [{ project: "hello", version: "2.1.0", from: "1.0.0" }]);
  assert.equal(report.generation, 2);
  assert.match((await transmute.import<Greeter>("hello")).greet("x"), /2\.1\.0/);
});

test("update() brings dependencies of an egg from the same folder", async () => {
  using here = world();
  await here.publish("1.0.0", { dependencies: { world: "^2" } });
  await here.publish("2.5.0", { name: "world" });
  await here.publish("3.0.0", { name: "world" });
  const { transmute } = here.start();
  await transmute.update();
  const closure = new URL(transmute.resolve("hello")).pathname.replace(/\/hello\/.*/, "");
  assert.deepEqual(readdirSync(closure).sort(), ["hello", "world"]);
  assert.match(readFileSync(join(closure, "world/index.js"), "utf8"), /2\.5\.0/);
});

test("update() meets a requirement that is new since the last start", async () => {
  using here = world();
  await here.publish("1.0.0");
  await here.publish("4.0.0", { name: "world" });
  await here.start().transmute.update();
  const { transmute } = here.start({}, ["hello", "world@^4"]);
  assert.deepEqual((await transmute.update()).eggs.map(({ project }) => project), [
    "hello",
    "world",
  ]);
  assert.match((await transmute.import<Greeter>("world")).greet("x"), /4\.0\.0 of world/);
});

test("update() drops what is no longer required from the generation", async () => {
  using here = world();
  await here.publish("1.0.0");
  await here.publish("1.0.0", { name: "world" });
  await here.start({}, ["hello", "world"]).transmute.update();
  const { transmute } = here.start({}, ["hello"]);
  await transmute.update({ force: true });
  assert.equal((await rejection(transmute.import("world"))).code, "egg-not-active");
});

test("update() makes a second version importable under its own URL in the same process", async () => {
  using here = world();
  await here.publish("1.0.0");
  const { transmute, kinds, events } = here.start();
  await transmute.update();
  const one = await transmute.import<Greeter>("hello");
  await here.publish("2.0.0");
  const report = await transmute.update();
  assert.equal(report.outcome, "updated", JSON.stringify(events));
  assert.equal(report.relaunch, "relaunch-needed", "an older copy is loaded");
  assert.ok(kinds().includes("relaunch-needed"));
  const two = await transmute.import<Greeter>("hello");
  assert.match(one.greet("x"), /1\.0\.0/);
  assert.match(two.greet("x"), /2\.0\.0/);
});

test("update() is asked once however often it is called at the same time", async () => {
  using here = world();
  await here.publish("1.0.0");
  const { transmute, kinds } = here.start();
  const [one, two] = await Promise.all([transmute.update(), transmute.update()]);
  assert.equal(one, two);
  assert.equal(kinds().filter((kind) => kind === "activated").length, 1);
});

test("update() of two instances at the same time makes one generation of one fetch", async () => {
  using here = world();
  await here.publish("1.0.0");
  const starts = [here.start(), here.start()];
  const reports = await Promise.all(starts.map(({ transmute }) => transmute.update()));
  assert.deepEqual(reports.map(({ generation }) => generation), [1, 1]);
  const kinds = starts.flatMap((start) => start.kinds());
  assert.equal(kinds.filter((kind) => kind === "fetch-started").length, 1);
  assert.deepEqual(readdirSync(join(here.cacheDir, "apps-v1/app/generations")), ["000001.json"]);
});

test("update() asks a network source once in checkEveryMs", async () => {
  using here = world();
  await here.publish("1.0.0");
  let now = NOW;
  const start = () => here.start({ sources: [remote(here.dist)], now: () => now });
  assert.equal((await start().transmute.update()).outcome, "updated");
  now += DAY - 1;
  assert.equal((await start().transmute.update()).reason, "not-due");
  now += 1;
  assert.equal((await start().transmute.update()).reason, "already-newest");
  assert.equal((await start().transmute.update()).reason, "not-due");
});

test("update() leaves a second application's generation alone and shares its closures", async () => {
  using here = world();
  await here.publish("1.0.0");
  await here.start({ app: "one" }).transmute.update();
  const other = here.start({ app: "two" });
  await other.transmute.update();
  assert.ok(!other.kinds().includes("stored"), "the closure was there");
  assert.deepEqual(readdirSync(join(here.cacheDir, "apps-v1")).sort(), ["one", "two"]);
});

test("check() tells what an update would do, and changes nothing", async () => {
  using here = world();
  await here.publish("1.0.0");
  const fresh = here.start();
  const plan = await fresh.transmute.check();
  assert.deepEqual(plan.eggs, [{
    project: "hello",
    from: null,
    to: "1.0.0",
    source: here.dist,
    passedOver: [],
  }]);
  assert.equal(plan.changes, true);
  assert.equal(existsSync(here.cacheDir), false);
  await fresh.transmute.update();
  await here.publish("1.5.0");
  const [egg] = (await here.start().transmute.check()).eggs;
  assert.deepEqual([egg.from, egg.to], ["1.0.0", "1.5.0"]);
});

test("import() obeys the exports map", async () => {
  using here = world();
  await here.publish("1.0.0");
  const { transmute } = here.start();
  await transmute.update();
  const sub = await transmute.import<{ default: string }>("hello/sub");
  assert.equal(sub.default, "the subpath of 1.0.0");
  const error = await rejection(transmute.import("hello/hidden.js"));
  assert.equal(error.code, "entry-missing");
  assert.match(error.message, /hello@1\.0\.0 does not export it, found "hello", "hello\/sub"/);
});

test("import() needs an update before it", async () => {
  using here = world();
  const error = await rejection(here.start().transmute.import("hello"));
  assert.equal(error.code, "egg-not-active");
  assert.match(error.hint!, /update\(\)/);
});

test("history() tells every check, fetch, refusal and activation, over all starts", async () => {
  using here = world();
  await here.publish("1.0.0");
  await here.start().transmute.update();
  writeFileSync(join(here.dist, "hello-2.0.0.tgz"), "not an archive");
  const { transmute } = here.start();
  await transmute.update();
  const kinds = [];
  for await (const event of transmute.history()) kinds.push(event.kind);
  assert.deepEqual(kinds, [
    "check-started",
    "source-answered",
    "fetch-started",
    "fetched",
    "stored",
    "activated",
    "check-started",
    "source-answered",
    "fetch-started",
    "fetched",
    "refused",
  ]);
});

test("check() tells which newer releases are not taken, and why", async () => {
  using here = world();
  await here.publish("1.0.0");
  await here.start({}, ["hello@^1"]).transmute.update();
  for (const version of ["1.1.0", "2.0.0", "2.1.0-rc.1"]) await here.publish(version);
  const { eggs: [egg] } = await here.start({}, ["hello@^1"]).transmute.check();
  assert.equal(egg.to, "1.1.0");
  assert.deepEqual(egg.passedOver, [
    { version: "2.1.0-rc.1", reason: "does not satisfy ^1" },
    { version: "2.0.0", reason: "does not satisfy ^1" },
  ]);
  await here.start({}, ["hello@^1"]).transmute.update();
  const { eggs: [kept] } = await here.start({}, ["hello@^1"]).transmute.check();
  assert.deepEqual([kept.kept, kept.passedOver.length], ["held-by-requirement", 2]);
});
