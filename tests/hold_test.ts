/** Projects that stay at their version because somebody wishes so. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { rejection } from "./fixtures/refusal.ts";
import { updated } from "./fixtures/world.ts";

test("hold() keeps a project at its version until unhold()", async () => {
  using here = await updated("1.0.0");
  await here.start().transmute.hold("hello");
  await here.publish("2.0.0");
  const { transmute, kinds } = here.start();
  const report = await transmute.update();
  assert.deepEqual([report.outcome, report.reason], ["unchanged", "held"]);
  assert.ok(!kinds().includes("check-started"), "its source need not be asked");
  assert.deepEqual((await transmute.check()).eggs.map(({ kept }) => kept), ["held"]);
  const { held, eggs } = await transmute.status();
  assert.deepEqual([held, eggs[0].held], [["hello"], true]);
  await transmute.unhold("hello");
  assert.equal((await here.start().transmute.update({ force: true })).eggs[0].version, "2.0.0");
});

test("hold() lets other projects go on", async () => {
  using here = await updated();
  await here.publish("1.0.0");
  await here.publish("1.0.0", { name: "world" });
  const first = here.start({}, ["hello", "world"]).transmute;
  await first.update();
  await first.hold("hello");
  await here.publish("2.0.0");
  await here.publish("2.0.0", { name: "world" });
  const report = await here.start({}, ["hello", "world"]).transmute.update();
  assert.deepEqual(report.eggs, [
    { project: "hello", version: "1.0.0" },
    { project: "world", version: "2.0.0", from: "1.0.0" },
  ]);
});

test("hold() gives way to a requirement that the held version does not meet", async () => {
  using here = await updated("1.0.0");
  await here.start().transmute.hold("hello");
  await here.publish("2.0.0");
  const report = await here.start({}, ["hello@^2"]).transmute.update();
  assert.equal(report.eggs[0].version, "2.0.0");
});

test("hold() refuses what is not active, and unhold() of what is not held is nothing", async () => {
  using here = await updated("1.0.0");
  const { transmute } = here.start();
  const error = await rejection(transmute.hold("world"));
  assert.equal(error.code, "egg-not-active");
  assert.match(error.message, /Cannot hold world: it is not active, found hello/);
  await transmute.unhold("world");
});
