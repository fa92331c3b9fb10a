/** Clearing up beside an update that uses the same store, and knows nothing of it. */

import assert from "node:assert/strict";
import { existsSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { storePaths } from "../../lib/store/cache.ts";
import { collectGarbage } from "../../lib/store/gc.ts";
import { prepareStore } from "../../lib/store/files.ts";
import { readGeneration, recordGeneration } from "../../lib/store/generations.ts";
import { age } from "../fixtures/aged.ts";
import { afterOperation } from "../fixtures/file_operations.ts";
import type { Greeter } from "../fixtures/world.ts";
import { DAY, NOW, world } from "../fixtures/world.ts";

const OPTIONS = { keepGenerations: 1, now: NOW + 100 * DAY };

test("collectGarbage() puts back what another application has come to need meanwhile", async () => {
  using here = world();
  await here.publish("1.0.0");
  await here.start().transmute.update();
  const { eggs, ...content } = readGeneration(here.paths, 1)!;
  await here.publish("2.0.0");
  await here.start().transmute.update();
  await here.start().transmute.confirm();
  age(here.cacheDir, 2 * DAY);
  const other = storePaths(here.cacheDir, "other");
  prepareStore(other);
  const { closure } = eggs.hello;
  using _meanwhile = afterOperation("renameSync", (from) => {
    if (from === join(here.paths.closures, closure)) recordGeneration(other, { ...content, eggs });
  });
  const report = await collectGarbage(here.paths, OPTIONS);
  assert.deepEqual([report.generations, report.closures], [[1], []]);
  assert.ok(existsSync(join(here.paths.closures, closure, "node_modules/hello/index.js")));
  assert.deepEqual(readdirSync(here.paths.staging), []);
});

test("update() stores a closure again that was cleared away before the switch", async () => {
  using here = world();
  await here.publish("1.0.0");
  const { closures, generations, staging } = here.paths;
  let isCleared = false;
  using _meanwhile = afterOperation(
    "Deno" in globalThis && !("Bun" in globalThis) ? "openSync" : "writeFileSync",
    () => {
      if (isCleared || !existsSync(join(generations, "000001.json"))) return;
      isCleared = true;
      const [name] = readdirSync(closures).filter((name) => !name.endsWith(".json"));
      renameSync(join(closures, name), join(staging, "cleared"));
    },
  );
  const { transmute } = here.start();
  await transmute.update();
  assert.ok(isCleared);
  assert.match((await transmute.import<Greeter>("hello")).greet("x"), /1\.0\.0/);
});
