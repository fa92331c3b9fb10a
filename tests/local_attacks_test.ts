/** What somebody who can write near the store gets out of it: nothing. */

import assert from "node:assert/strict";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { isTransmuteError } from "../lib/errors.ts";
import { Transmute } from "../lib/transmute.ts";
import { layFiles, SignedFolder } from "./fixtures/signed_folder.ts";
import { temporaryFolder } from "./fixtures/temporary_folder.ts";
import { NOW } from "./fixtures/world.ts";

/** A signed repository in a folder, and a store that is not there yet. */
async function world() {
  const place = temporaryFolder();
  const folder = await SignedFolder.create();
  await folder.add({ name: "hello", version: "1.0.0", exports: "./index.js" });
  await folder.publish();
  layFiles(folder, join(place.path, "repository"));
  const store = join(place.path, "store");
  return {
    place: place.path,
    store,
    async update() {
      const transmute = new Transmute({
        app: "app",
        cacheDir: store,
        sources: [{ source: join(place.path, "repository"), trust: { root: folder.root } }],
        log: "off",
        now: () => NOW,
      });
      transmute.require("hello");
      return await transmute.update({ force: true });
    },
    [Symbol.dispose]: () => place[Symbol.dispose](),
  };
}

/** Every folder and file below a path, relative to it. */
function pathsBelow(root: string, folder = root): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    const below = lstatSync(path).isDirectory() ? pathsBelow(root, path) : [];
    return [relative(root, path), ...below];
  });
}

/** What an update creates, as far as its names can be known beforehand. */
async function createdPaths(): Promise<{ path: string; isFolder: boolean }[]> {
  using here = await world();
  await here.update();
  return pathsBelow(here.store)
    // Inside a closure nothing is created in place: it is written elsewhere and renamed.
    .filter((path) => !/eggs-v1\/sha256\/[0-9a-f]+\//.test(path) && !/leases\//.test(path))
    .map((path) => ({ path, isFolder: lstatSync(join(here.store, path)).isDirectory() }));
}

test("update() writes through no link that was planted at a path that it creates", async () => {
  const created = await createdPaths();
  assert.ok(created.length > 15, created.map(({ path }) => path).join());
  for (const { path, isFolder } of created) {
    using here = await world();
    const outside = join(here.place, "outside");
    const victim = isFolder ? outside : join(outside, "victim");
    mkdirSync(outside);
    if (!isFolder) writeFileSync(victim, "precious");
    mkdirSync(here.store, { mode: 0o700 });
    mkdirSync(dirname(join(here.store, path)), { recursive: true, mode: 0o700 });
    symlinkSync(victim, join(here.store, path));
    let outcome: string;
    try {
      outcome = (await here.update()).outcome;
    } catch (error) {
      assert.ok(isTransmuteError(error), `${path}: ${error}`);
      outcome = error.code;
    }
    const left = readdirSync(outside).filter((name) => name !== "victim");
    assert.deepEqual(left, [], `${path} led outside (${outcome})`);
    if (!isFolder) assert.equal(readFileSync(victim, "utf8"), "precious", `${path} (${outcome})`);
  }
});

test("update() uses no store that is a link", async () => {
  using here = await world();
  const elsewhere = join(here.place, "elsewhere");
  mkdirSync(elsewhere, { mode: 0o700 });
  symlinkSync(elsewhere, here.store);
  await assert.rejects(here.update(), (error) => isTransmuteError(error, "store-not-private"));
  assert.deepEqual(readdirSync(elsewhere), []);
});

for (const mode of [0o750, 0o707, 0o777]) {
  test(`update() uses no store of mode 0${mode.toString(8)}`, async () => {
    using here = await world();
    mkdirSync(here.store);
    chmodSync(here.store, mode);
    await assert.rejects(here.update(), (error) => isTransmuteError(error, "store-not-private"));
    assert.deepEqual(readdirSync(here.store), []);
  });
}

test("update() makes nothing in its store that others may write", async () => {
  using here = await world();
  await here.update();
  for (const path of pathsBelow(here.store)) {
    const { mode } = lstatSync(join(here.store, path));
    // The store's own folder keeps others from reading.
    assert.equal(mode & 0o022, 0, `${path}: ${mode.toString(8)}`);
  }
  assert.equal(lstatSync(here.store).mode & 0o777, 0o700);
});
