/** What a program runs on when its sources, its store or its observers fail it. */

import assert from "node:assert/strict";
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { TransmuteError } from "../lib/errors.ts";
import { directorySource } from "../lib/sources/directory.ts";
import type { Source } from "../lib/sources/source.ts";
import { memorySource } from "./fixtures/memory_source.ts";
import type { Greeter } from "./fixtures/world.ts";
import { rejection } from "./fixtures/refusal.ts";
import { remote, world } from "./fixtures/world.ts";

test("update() runs on what it has when the source is gone, and tells", async () => {
  using here = world();
  await here.publish("2.1.0");
  await here.start().transmute.update();
  rmSync(here.dist, { recursive: true });
  for (const start of ["the first start without it", "the second"]) {
    const { transmute, kinds } = here.start();
    const report = await transmute.update();
    assert.equal(report.outcome, "unchanged", start);
    assert.ok(kinds().includes("source-unreachable"), start);
    assert.match((await transmute.import<Greeter>("hello")).greet("x"), /2\.1\.0/);
  }
});

test("update() refuses a corrupt egg, keeps the old one, and remembers", async () => {
  using here = world();
  await here.publish("2.1.0");
  await here.start().transmute.update();
  const path = await here.publish("3.0.0");
  const whole = readFileSync(path);
  writeFileSync(path, whole.subarray(0, whole.length - 20));
  const second = here.start();
  const report = await second.transmute.update();
  assert.equal(report.outcome, "unchanged");
  assert.deepEqual(report.refused.map(({ version, code }) => [version, code]), [[
    "3.0.0",
    "archive-invalid",
  ]]);
  assert.ok(second.kinds().includes("refused"));
  assert.match((await second.transmute.import<Greeter>("hello")).greet("x"), /2\.1\.0/);

  const third = here.start();
  const again = await third.transmute.update({ force: true });
  assert.equal(again.outcome, "unchanged");
  assert.equal(again.refused[0].version, "3.0.0", "it is still told");
  assert.ok(!third.kinds().includes("fetch-started"), "it is not read again");

  writeFileSync(path, whole);
  const mended = await here.start().transmute.update();
  assert.deepEqual(mended.eggs, [{ project: "hello", version: "3.0.0", from: "2.1.0" }]);
});

test("update() takes the next best of what failed its proof", async () => {
  using here = world();
  await here.publish("1.0.0");
  await here.publish("1.1.0");
  const bad = await here.publish("1.2.0");
  writeFileSync(`${bad}.sha256`, "0".repeat(64));
  const { transmute, events } = here.start();
  const report = await transmute.update();
  assert.deepEqual(report.eggs, [{ project: "hello", version: "1.1.0" }]);
  const refused = events.find(({ kind }) => kind === "refused");
  assert.match(JSON.stringify(refused), /found sha256:[0-9a-f]{64}, wanted sha256:0{64}/);
});

test("update() refuses an archive that is another version than its name says", async () => {
  using here = world();
  const path = await here.publish("1.0.0");
  writeFileSync(join(here.dist, "hello-9.0.0.tgz"), readFileSync(path));
  const report = await here.start().transmute.update();
  assert.deepEqual(report.eggs, [{ project: "hello", version: "1.0.0" }]);
  assert.match(report.refused[0].message, /hello@9\.0\.0: its archive is hello@1\.0\.0/);
});

test("update() tells projects of the same file name apart by their manifests", async () => {
  using here = world();
  await here.publish("1.0.0", { name: "@scope/name" });
  const scoped = here.start({}, ["@scope/name"]);
  assert.deepEqual((await scoped.transmute.update()).eggs, [{
    project: "@scope/name",
    version: "1.0.0",
  }]);
  const flat = here.start({ app: "other" }, ["scope-name"]);
  const error = await rejection(flat.transmute.update());
  assert.equal(error.code, "no-matching-version");
  assert.ok(!flat.kinds().includes("refused"), "another project's egg is nothing to refuse");
});

test("update() throws one error that names each source and its answer when nothing can be had", async () => {
  using here = world();
  const { transmute } = here.start({ sources: [here.dist, join(here.dist, "none")] });
  const error = await rejection(transmute.update());
  assert.ok(error.message.includes(`[${here.dist}] no such project`), error.message);
  assert.ok(error.message.includes(`[${here.dist}/none] Cannot list`), error.message);
});

test("update() recovers the newest whole generation from a damaged state", async () => {
  using here = world();
  await here.publish("1.0.0");
  await here.start().transmute.update();
  rmSync(here.dist, { recursive: true });
  writeFileSync(join(here.cacheDir, "apps-v1/app/state.json"), "");
  const { transmute, kinds } = here.start();
  const report = await transmute.update();
  assert.ok(kinds().includes("recovered"));
  assert.equal(report.generation, 1);
  assert.match((await transmute.import<Greeter>("hello")).greet("x"), /1\.0\.0/);
});

test("update() returns deferred when its budget is spent, and the program goes on", async () => {
  using here = world();
  await here.publish("1.0.0");
  let stuck = false;
  const source: Source = {
    ...remote(here.dist),
    list: (project, context) =>
      stuck
        ? new Promise((_resolve, reject) => {
          const giveUp = () => reject(new TransmuteError("source-timeout", "Cannot ask: too slow"));
          context.signal.addEventListener("abort", giveUp);
        })
        : directorySource(here.dist).list(project, context),
  };
  await here.start({ sources: [source] }).transmute.update();
  stuck = true;
  const { transmute, kinds } = here.start({ sources: [source], budgetMs: 1 });
  assert.equal((await transmute.update({ force: true })).outcome, "deferred");
  assert.ok(kinds().includes("deferred"));
  assert.match((await transmute.import<Greeter>("hello")).greet("x"), /1\.0\.0/);
});

test("update() asks no network source offline", async () => {
  using here = world();
  const network = memorySource("network", { releases: { "hello@1.0.0": {} } });
  const { transmute } = here.start({ sources: [network], offline: true });
  const error = await rejection(transmute.update());
  assert.match(error.message, /\[network\] Cannot ask network: this program is offline/);
  assert.deepEqual(network.asked, []);
});

test("update() refuses a store that others may enter", async () => {
  using here = world();
  await here.publish("1.0.0");
  await here.start().transmute.update();
  chmodSync(here.cacheDir, 0o755);
  const error = await rejection(here.start().transmute.update());
  assert.equal(error.code, "store-not-private");
  assert.equal(error.hint, `Run: chmod 700 '${here.cacheDir}'`);
});

test("update() stores closures that nobody writes to again", async () => {
  using here = world();
  await here.publish("1.0.0");
  const { transmute } = here.start();
  await transmute.update();
  const file = new URL(transmute.resolve("hello")).pathname;
  assert.equal(statSync(file).mode & 0o222, 0);
  assert.deepEqual(readdirSync(join(here.cacheDir, "staging-v1")), []);
});

test("import() brings an egg again whose files something removed from the store", async () => {
  using here = world();
  await here.publish("1.0.0");
  await here.start().transmute.update();
  rmSync(join(here.cacheDir, "eggs-v1"), { recursive: true });
  const { transmute } = here.start();
  assert.equal((await transmute.update()).reason, "not-due");
  assert.match((await transmute.import<Greeter>("hello")).greet("x"), /1\.0\.0/);
  rmSync(join(here.cacheDir, "eggs-v1"), { recursive: true });
  rmSync(here.dist, { recursive: true });
  const lost = here.start();
  assert.equal((await rejection(lost.transmute.import("hello/sub"))).code, "closure-missing");
});

test("onEvent() that throws does not stop an update", async () => {
  using here = world();
  await here.publish("1.0.0");
  const { transmute } = here.start({
    onEvent: () => {
      throw new Error("from the observer");
    },
  });
  assert.equal((await transmute.update()).outcome, "updated");
});
