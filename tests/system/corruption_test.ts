/**
 * Every file of a store damaged, one at a time: cut off, emptied, gone, a bit of it wrong. What is
 * damaged is found, mended or left, and never what a program goes on running on.
 */

import assert from "node:assert/strict";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Greeter } from "../fixtures/world.ts";
import { world } from "../fixtures/world.ts";

/** What becomes of a file; `null` for one that is gone. */
const DAMAGES: Record<string, (content: Uint8Array) => Uint8Array | null> = {
  "cut off": (content) => content.subarray(0, content.length >> 1),
  "emptied": () => new Uint8Array(),
  "gone": () => null,
  "wrong by a bit in the middle": (content) => flipped(content, content.length >> 1, 0),
  "wrong by its first bit": (content) => flipped(content, 0, 7),
  "overwritten with zeros": (content) => new Uint8Array(content.length),
};

/**
 * Files that nothing rests on, so that damage to them need not be found: the lock, the tag for
 * backups, words for people in the history and in marks, and what a running program says of itself.
 */
const OF_NO_MATTER =
  /updating\.sqlite|CACHEDIR\.TAG|history\.jsonl|\.confirmed$|\.rejected$|\/leases\//;

function flipped(content: Uint8Array, index: number, bit: number): Uint8Array {
  const copy = Uint8Array.from(content);
  if (copy.length > 0) copy[index] ^= 1 << bit;
  return copy;
}

/** A store with a rejected generation, a proven one before it and one before that. */
async function stored() {
  const here = world({ inMemory: true });
  for (const version of ["1.0.0", "2.0.0", "3.0.0"]) {
    await here.publish(version);
    const { transmute } = here.start();
    await transmute.update();
    await transmute.confirm();
  }
  await here.start().transmute.rollback();
  return here;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((path) => lstatSync(join(folder, path)).isFile())
    .sort();
}

function damage(path: string, change: (content: Uint8Array) => Uint8Array | null): void {
  const content = change(readFileSync(path));
  chmodSync(path, 0o600);
  if (content === null) rmSync(path);
  else writeFileSync(path, content);
}

for (const [what, change] of Object.entries(DAMAGES)) {
  test(`any file of the store may be ${what}`, async () => {
    using here = await stored();
    const files = filesBelow(here.cacheDir);
    assert.ok(files.length > 20, files.join("\n"));
    for (const file of files) {
      const cacheDir = `${here.cacheDir}-damaged`;
      cpSync(here.cacheDir, cacheDir, { recursive: true });
      damage(join(cacheDir, file), change);
      // Nothing but the disk is there to mend it with.
      const start = () => here.start({ cacheDir, sources: [join(here.dist, "none")] }).transmute;

      const found = await start().verifyStore();
      const isFound = found.problems.length > 0;
      const needed = existsSync(join(here.cacheDir, file)) && !OF_NO_MATTER.test(file) &&
        // What a rejected generation was made of is nobody's, nor is an archive that is gone.
        !(await isOnlyOfRejected(here, file)) &&
        !(what === "gone" && /archives-v1|generations\/00000[13]\.json/.test(file));
      if (needed) assert.ok(isFound, `${file}: not found`);

      await start().repairStore();
      const left = await start().verifyStore();
      assert.deepEqual(left.problems, [], `${file}: still there`);
      const transmute = start();
      await transmute.update();
      const { greet } = await transmute.import<Greeter>("hello");
      assert.match(greet("x"), /^Hi, x! -- from version [12]\.0\.0 of hello$/, file);
      rmSync(cacheDir, { recursive: true });
    }
  });
}

/** Whether a file belongs to the closure or archive of the rejected 3.0.0 alone. */
async function isOnlyOfRejected(here: Awaited<ReturnType<typeof stored>>, file: string) {
  const record = JSON.parse(readFileSync(join(here.paths.generations, "000003.json"), "utf8"));
  const { closure } = record.eggs.hello;
  if (file.includes(closure)) return true;
  const { packages } = JSON.parse(
    readFileSync(join(here.paths.closures, `${closure}.json`), "utf8"),
  );
  return await Promise.resolve(file.includes(packages[0].sha512));
}

test("any byte of the state may have a wrong bit", async () => {
  using here = await stored();
  const whole = readFileSync(here.paths.state);
  for (let index = 0; index < whole.length; index++) {
    writeFileSync(here.paths.state, flipped(whole, index, index % 8));
    const { transmute } = here.start({ sources: [join(here.dist, "none")] });
    const context = `byte ${index}: ${whole.subarray(Math.max(0, index - 20), index + 1)}`;
    const report = await transmute.update({ budgetMs: 5000 });
    assert.ok([1, 2].includes(report.generation), context);
    const { greet } = await transmute.import<Greeter>("hello");
    assert.match(greet("x"), /^Hi, x! -- from version [12]\.0\.0 of hello$/, context);
  }
});

test("any byte of a generation's record may have a wrong bit", async () => {
  using here = await stored();
  const path = join(here.paths.generations, "000002.json");
  const whole = readFileSync(path);
  for (let index = 0; index < whole.length; index++) {
    writeFileSync(path, flipped(whole, index, index % 8));
    writeFileSync(here.paths.state, "");
    const { transmute } = here.start({ sources: [join(here.dist, "none")] });
    const context = `byte ${index}: ${whole.subarray(Math.max(0, index - 20), index + 1)}`;
    await transmute.update({ budgetMs: 5000 });
    const { greet } = await transmute.import<Greeter>("hello");
    assert.match(greet("x"), /^Hi, x! -- from version [12]\.0\.0 of hello$/, context);
  }
});
