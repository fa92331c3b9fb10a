/** A disk that is full, broken or read-only, from any operation on: what runs goes on running. */

import assert from "node:assert/strict";
import { chmodSync, cpSync } from "node:fs";
import { test } from "node:test";
import { isTransmuteError } from "../lib/errors.ts";
import type { Transmute } from "../lib/transmute.ts";
import { failingDisk } from "./fixtures/file_operations.ts";
import { writeLease } from "./fixtures/leases.ts";
import type { Greeter } from "./fixtures/world.ts";
import { NOW, world } from "./fixtures/world.ts";

type World = ReturnType<typeof world>;

/** What changes the store, from which versions to which. */
interface Stage {
  prepare(here: World): Promise<void>;
  change(transmute: Transmute): Promise<unknown>;
  versions: RegExp;
}

async function updated(here: World, version: string, prove = true) {
  await here.publish(version);
  const { transmute } = here.start();
  await transmute.update();
  if (prove) await transmute.confirm();
}

const STAGES: Record<string, Stage> = {
  "update()": {
    async prepare(here) {
      await updated(here, "1.0.0");
      await here.publish("2.0.0");
    },
    change: (transmute) => transmute.update({ force: true, budgetMs: 60_000 }),
    versions: /[12]\.0\.0/,
  },
  "going back after failed starts": {
    async prepare(here) {
      await updated(here, "1.0.0");
      await updated(here, "2.0.0", false);
      for (let start = 0; start < 3; start++) {
        const [since, at] = [NOW - 1000 + start * 10, NOW - 995 + start * 10];
        writeLease(here.paths, `start${start}`, {
          ...{ generation: 2, since, at, phase: "failed", reason: "it threw" },
        });
      }
    },
    change: (transmute) => transmute.update(),
    versions: /1\.0\.0/,
  },
};

/** Errors and how far they go: one operation, or all from it on, as on a read-only disk. */
const FAULTS: [string, boolean][] = [
  ["ENOSPC", false],
  ["EIO", true],
  ["EACCES", true],
  ["EROFS", true],
];

for (const [name, stage] of Object.entries(STAGES)) {
  for (const [code, goesOn] of FAULTS) {
    const extent = goesOn ? "from any operation on" : "at any one operation";
    test(`${name} with ${code} ${extent} leaves a program that works`, async () => {
      using here = world({ inMemory: true });
      await stage.prepare(here);
      let number = 1;
      for (let isReached = true; isReached; number++) {
        const cacheDir = `${here.cacheDir}-${number}`;
        cpSync(here.cacheDir, cacheDir, { recursive: true });
        chmodSync(cacheDir, 0o700); // which Node does not copy
        {
          using disk = failingDisk(code, (count) => goesOn ? count >= number : count === number);
          const { transmute } = here.start({ cacheDir });
          await stage.change(transmute);
          const { greet } = await transmute.import<Greeter>("hello");
          assert.match(greet("x"), stage.versions, `${number}`);
          isReached = disk.count >= number;
        }
        const { transmute } = here.start({ cacheDir });
        await stage.change(transmute);
        const { greet } = await transmute.import<Greeter>("hello");
        assert.match(greet("x"), stage.versions, `${number}, when the disk works again`);
        assert.deepEqual((await transmute.verifyStore()).problems, [], `${number}`);
      }
      assert.ok(number >= 8, `only ${number} operations`);
    });
  }
}

for (const [code, goesOn] of FAULTS) {
  const extent = goesOn ? "from any operation on" : "at any one operation";
  test(`a first update() with ${code} ${extent} fails with a clear error, or works`, async () => {
    using here = world({ inMemory: true });
    await here.publish("1.0.0");
    let number = 1;
    for (let isReached = true; isReached; number++) {
      const cacheDir = `${here.cacheDir}-${number}`;
      {
        using disk = failingDisk(code, (count) => goesOn ? count >= number : count === number);
        const { transmute } = here.start({ cacheDir });
        try {
          await transmute.update();
          assert.match((await transmute.import<Greeter>("hello")).greet("x"), /1\.0\.0/);
        } catch (error) {
          assert.ok(isTransmuteError(error, "disk-failure"), `${number}: ${error}`);
        }
        isReached = disk.count >= number;
      }
      const { transmute } = here.start({ cacheDir });
      await transmute.update();
      assert.match((await transmute.import<Greeter>("hello")).greet("x"), /1\.0\.0/, `${number}`);
    }
    assert.ok(number >= 15, `only ${number} operations`);
  });
}
