import assert from "node:assert/strict";
import { test } from "node:test";
import type { Declaration } from "../../lib/model/state.ts";
import { storePaths } from "../../lib/store/cache.ts";
import { readState } from "../../lib/store/state.ts";
import { rejection } from "../fixtures/refusal.ts";
import { DAY, world } from "../fixtures/world.ts";

function recorded(cacheDir: string): Declaration | undefined {
  return readState(storePaths(cacheDir, "app")).state.declared;
}

test("update() records what the application asked for", async () => {
  using here = world();
  await here.publish("1.0.0");
  await here.start({}, ["hello@^1"]).transmute.update();
  assert.deepEqual(recorded(here.cacheDir), {
    requirements: ["hello@^1"],
    sources: [here.dist],
    checkEveryMs: DAY,
    keepGenerations: 3,
  });
});

test("update() records it too when it fails, for whoever looks for the reason", async () => {
  using here = world();
  await rejection(here.start({}, ["nobody"]).transmute.update());
  assert.deepEqual(recorded(here.cacheDir)?.requirements, ["nobody@*"]);
});

test("update() records no source that a prefix implies, and no name or password", async () => {
  using here = world();
  await here.publish("1.0.0");
  const sources = [here.dist, "npm+http://ada:secret@127.0.0.1:1/"];
  await here.start({ sources }, ["hello"]).transmute.update();
  assert.deepEqual(recorded(here.cacheDir)?.sources, [here.dist, "npm+http://127.0.0.1:1/"]);
  const offline = here.start({ offline: true }, ["hello", "npm:chalk"]).transmute;
  await rejection(offline.update());
  assert.deepEqual(recorded(here.cacheDir), {
    requirements: ["hello@*", "npm:chalk@*"],
    sources: [here.dist],
    checkEveryMs: DAY,
    keepGenerations: 3,
  });
});

test("update() records a strategy, how many generations are kept, and that there are hooks", async () => {
  using here = world();
  await here.publish("1.0.0");
  const hooks = { verify() {}, strategy: "best", keepGenerations: 7 } as const;
  await here.start(hooks).transmute.update();
  const { strategy, keepGenerations, hooks: hasHooks } = recorded(here.cacheDir)!;
  assert.deepEqual([strategy, keepGenerations, hasHooks], ["best", 7, true]);
});
