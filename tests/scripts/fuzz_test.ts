/** A little of what `deno task fuzz` does for as long as it is told. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { chanceOf, nextInput } from "../../scripts/fuzz_input.ts";
import { fuzzTargets } from "../../scripts/fuzz_targets.ts";

const INPUTS = 200;

for (const [index, { name, seeds, run }] of (await fuzzTargets()).entries()) {
  test(`${name}: good inputs are read, and changed ones are read or refused`, async () => {
    for (const seed of seeds) await run(seed);
    const chance = chanceOf(index);
    for (let count = 0; count < INPUTS; count++) await run(nextInput(seeds, chance));
  });
}

test("nextInput() gives the same inputs for the same seed, and others for others", () => {
  const seeds = [new TextEncoder().encode("hello hello hello"), new Uint8Array(300)];
  const inputs = (seed: number) => {
    const chance = chanceOf(seed);
    return Array.from({ length: 50 }, () => nextInput(seeds, chance).join());
  };
  assert.deepEqual(inputs(1), inputs(1));
  assert.notDeepEqual(inputs(1), inputs(2));
  assert.ok(new Set(inputs(1)).size > 40);
});
