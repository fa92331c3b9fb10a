import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isTransmuteError } from "../../lib/errors.ts";
import type { Generation } from "../../lib/model/state.ts";
import { emptyState, STATE_FORMAT } from "../../lib/model/state.ts";
import { assertPrivate, storePaths } from "../../lib/store/cache.ts";
import { prepareStore, writeAtomically } from "../../lib/store/files.ts";
import {
  listGenerations,
  newestGeneration,
  recordGeneration,
  writeState,
} from "../../lib/store/generations.ts";
import { appendHistory, readHistory } from "../../lib/store/history.ts";
import { openListings } from "../../lib/store/listings.ts";
import { readState } from "../../lib/store/state.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

const CONTENT: Omit<Generation, "format" | "generation"> = {
  parent: null,
  createdAt: "2030-01-01T00:00:00.000Z",
  platform: { os: "linux", cpu: "x64" },
  requirements: ["hello@*"],
  eggs: {},
};

test("prepareStore() makes a store that only its user may enter", () => {
  using folder = temporaryFolder();
  const paths = storePaths(join(folder.path, "deep/store"), "app");
  prepareStore(paths);
  assert.equal(statSync(paths.root).mode & 0o777, 0o700);
  assert.equal(statSync(paths.generations).mode & 0o777, 0o700);
  assert.match(
    readFileSync(join(paths.root, "CACHEDIR.TAG"), "utf8"),
    /^Signature: 8a477f597d28d172/,
  );
  assert.equal(assertPrivate(paths.root), true);
});

test("assertPrivate() refuses a store that others may enter, with the command that mends it", () => {
  using folder = temporaryFolder();
  const root = join(folder.path, "store");
  mkdirSync(root, { mode: 0o755 });
  chmodSync(root, 0o755);
  assert.throws(() => assertPrivate(root), (error) => {
    assert.ok(isTransmuteError(error, "store-not-private"));
    assert.match(error.message, /mode is 0755, wanted .* 0700/s);
    assert.equal(error.hint, `Run: chmod 700 '${root}'`);
    return true;
  });
});

test("assertPrivate() refuses a store that is no folder", () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, "store"), "");
  assert.throws(
    () => assertPrivate(join(folder.path, "store")),
    (error) => isTransmuteError(error, "store-not-private"),
  );
});

test("readState() finds the empty state where there is no store", () => {
  using folder = temporaryFolder();
  const paths = storePaths(join(folder.path, "none"), "app");
  assert.deepEqual(readState(paths), { state: emptyState(), damaged: false });
});

test("readState() reads what writeState() wrote, and no temporary file is left", () => {
  using folder = temporaryFolder();
  const paths = storePaths(join(folder.path, "store"), "app");
  prepareStore(paths);
  const active = recordGeneration(paths, CONTENT);
  writeState(paths, { ...emptyState(), active });
  assert.deepEqual(readState(paths).state.active, active);
  assert.deepEqual(readdirSync(paths.app).sort(), ["generations", "state.json"]);
});

test("readState() leaves a state of another format alone", () => {
  using folder = temporaryFolder();
  const paths = storePaths(join(folder.path, "store"), "app");
  prepareStore(paths);
  writeFileSync(paths.state, '{"format":99,"precious":true}');
  assert.throws(() => readState(paths), (error) => isTransmuteError(error, "store-format-unknown"));
  assert.equal(readFileSync(paths.state, "utf8"), '{"format":99,"precious":true}');
});

for (const damage of ["", "{", "null", "\0\0\0\0", '"text"']) {
  test(`readState() tells that ${JSON.stringify(damage)} is damaged`, () => {
    using folder = temporaryFolder();
    const paths = storePaths(join(folder.path, "store"), "app");
    prepareStore(paths);
    writeFileSync(paths.state, damage);
    assert.deepEqual(readState(paths), { state: emptyState(), damaged: true });
  });
}

test("recordGeneration() numbers onward and never overwrites", () => {
  using folder = temporaryFolder();
  const paths = storePaths(join(folder.path, "store"), "app");
  prepareStore(paths);
  assert.equal(recordGeneration(paths, CONTENT).generation, 1);
  assert.equal(recordGeneration(paths, CONTENT).generation, 2);
  // What a crash left of another process's generation keeps its number.
  writeFileSync(join(paths.generations, "000003.json"), "");
  assert.equal(recordGeneration(paths, { ...CONTENT, parent: 2 }).generation, 4);
  assert.deepEqual(listGenerations(paths), [1, 2, 3, 4]);
});

test("newestGeneration() passes over what is unfinished or lost its closure", () => {
  using folder = temporaryFolder();
  const paths = storePaths(join(folder.path, "store"), "app");
  prepareStore(paths);
  const whole = recordGeneration(paths, CONTENT);
  const egg = { version: "1.0.0", closure: "0".repeat(64), source: "/dist", entries: {} };
  recordGeneration(paths, { ...CONTENT, eggs: { hello: egg } });
  writeFileSync(join(paths.generations, "000003.json"), '{"format":1,');
  assert.deepEqual(newestGeneration(paths), { ...whole, format: STATE_FORMAT });
});

test("writeAtomically() tells a disk's failure and leaves the old content", () => {
  using folder = temporaryFolder();
  mkdirSync(join(folder.path, "taken/by"), { recursive: true });
  assert.throws(
    () => writeAtomically(join(folder.path, "taken"), "new"),
    (error) => isTransmuteError(error, "disk-failure"),
  );
  assert.deepEqual(readdirSync(folder.path), ["taken"]);
});

test("readHistory() gives every event, and leaves out a line that a crash cut off", () => {
  using folder = temporaryFolder();
  const paths = storePaths(join(folder.path, "store"), "app");
  prepareStore(paths);
  const event = (generation: number) => ({
    kind: "activated" as const,
    level: "info" as const,
    at: "2030-01-01T00:00:00.000Z",
    generation,
    eggs: [],
  });
  appendHistory(paths, [event(1), event(2)]);
  writeFileSync(paths.history, readFileSync(paths.history, "utf8") + '{"kind":"activ');
  assert.deepEqual(readHistory(paths), [event(1), event(2)]);
});

test("openListings() gives back an answer by its key only", () => {
  using folder = temporaryFolder();
  const paths = storePaths(join(folder.path, "store"), "app");
  prepareStore(paths);
  const listings = openListings(paths);
  const answer = { validators: { etag: '"1"' }, body: "{}" };
  listings.write("https://registry.example/@scope%2fname", answer);
  assert.deepEqual(listings.read("https://registry.example/@scope%2fname"), answer);
  assert.equal(listings.read("https://registry.example/@scope%2fother"), null);
});
