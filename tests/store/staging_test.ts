import assert from "node:assert/strict";
import { existsSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { storePaths } from "../../lib/store/cache.ts";
import { removeStale } from "../../lib/store/staging.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

const NOW = Date.UTC(2030, 0, 1);
const DAY = 24 * 60 * 60 * 1000;

/** Makes a file, and gives everything below the store's folder that holds it an age. */
function write(path: string, ageMs: number): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "");
  const at = new Date(NOW - ageMs);
  for (const touched of [path, dirname(path), dirname(dirname(path))]) utimesSync(touched, at, at);
}

test("removeStale() removes what was left unfinished a day ago, and nothing else", () => {
  using folder = temporaryFolder();
  const paths = storePaths(folder.path, "app");
  const unfinished = (age: number) => [
    join(paths.staging, `of-${age}`, "node_modules", "file.js"),
    join(paths.archives, `${age}.tmp`),
    join(paths.listings, `${age}.json.x.tmp`),
    join(paths.closures, `${age}.json.x.tmp`),
    join(paths.app, `state.json.${age}.tmp`),
    join(paths.root, `CACHEDIR.TAG.${age}.tmp`),
  ];
  const [stale, fresh] = [unfinished(DAY), unfinished(DAY - 1000)];
  const finished = [
    join(paths.archives, "0a"),
    join(paths.closures, "0a", "node_modules", "a.tmp"),
    join(paths.closures, "0a.json"),
    paths.state,
    join(paths.generations, "000001.json"),
  ];
  for (const path of [...stale, ...finished]) write(path, 10 * DAY);
  for (const path of fresh) write(path, DAY - 1000);

  removeStale(paths, NOW);
  const left = (files: string[]) => files.filter((path) => existsSync(path));
  assert.deepEqual(left(stale), []);
  assert.deepEqual(left([...fresh, ...finished]), [...fresh, ...finished]);
});

test("removeStale() has nothing to do in a store that is not there", () => {
  using folder = temporaryFolder();
  removeStale(storePaths(join(folder.path, "none"), "app"), NOW);
});
