import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import {
  claimBackground,
  releaseBackground,
  signBackground,
} from "../../lib/store/background_marker.ts";
import { storePaths } from "../../lib/store/cache.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

const NOW = Date.UTC(2030, 0, 1);
const LIFE = 10 * 60 * 1000;
const MINUTE = 60 * 1000;

function world() {
  const folder = temporaryFolder();
  const paths = storePaths(folder.path, "app");
  mkdirSync(paths.app, { recursive: true });
  return {
    paths,
    /** Changes what is known of the process that signed. */
    rewriteOwner(change: object) {
      const mark = JSON.parse(readFileSync(paths.background, "utf8"));
      Object.assign(mark.owner, change);
      writeFileSync(paths.background, JSON.stringify(mark));
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

test("claimBackground() gives no second right while a process is at work", () => {
  using here = world();
  const token = claimBackground(here.paths, NOW, LIFE)!;
  assert.equal(claimBackground(here.paths, NOW, LIFE), null, "it is on its way");
  assert.ok(signBackground(here.paths, token));
  assert.equal(claimBackground(here.paths, NOW + LIFE, LIFE), null, "it runs: it is this one");
  releaseBackground(here.paths, token);
  assert.notEqual(claimBackground(here.paths, NOW, LIFE), null);
});

test("claimBackground() waits no longer than a minute for a process that never came", () => {
  using here = world();
  claimBackground(here.paths, NOW, LIFE);
  assert.equal(claimBackground(here.paths, NOW + MINUTE, LIFE), null);
  assert.notEqual(claimBackground(here.paths, NOW + MINUTE + 1, LIFE), null);
});

test("claimBackground() waits for no process that has outlived its life", () => {
  using here = world();
  const token = claimBackground(here.paths, NOW, LIFE)!;
  signBackground(here.paths, token);
  assert.equal(claimBackground(here.paths, NOW + LIFE, LIFE), null);
  assert.notEqual(claimBackground(here.paths, NOW + LIFE + MINUTE, LIFE), null);
});

test("claimBackground() is not held up by a mark of the future", () => {
  using here = world();
  signBackground(here.paths, claimBackground(here.paths, NOW, LIFE)!);
  assert.notEqual(claimBackground(here.paths, NOW - 60 * MINUTE, LIFE), null);
});

const GONE: [what: string, owner: () => object][] = [
  ["was killed", () => ({ pid: endedProcess() })],
  ["left its number to another", () => ({ start: "1" })],
  ["ended with its machine", () => ({ boot: "another boot" })],
];

for (const [what, owner] of GONE) {
  test(`claimBackground() waits for no process that ${what}`, (context) => {
    using here = world();
    const token = claimBackground(here.paths, NOW, LIFE)!;
    signBackground(here.paths, token);
    const { owner: signed } = JSON.parse(readFileSync(here.paths.background, "utf8"));
    if (signed.boot === null) return context.skip("this system does not tell of processes");
    here.rewriteOwner(owner());
    assert.notEqual(claimBackground(here.paths, NOW, LIFE), null);
    assert.equal(signBackground(here.paths, token), false, "it is somebody else's now");
  });
}

test("claimBackground() waits for a process of another host as long as it may live", () => {
  using here = world();
  signBackground(here.paths, claimBackground(here.paths, NOW, LIFE)!);
  here.rewriteOwner({ host: "another", boot: "another", pid: 1 });
  assert.equal(claimBackground(here.paths, NOW + LIFE, LIFE), null);
  assert.notEqual(claimBackground(here.paths, NOW + LIFE + MINUTE, LIFE), null);
});

test("signBackground() leaves a mark alone that is not its own", () => {
  using here = world();
  const token = claimBackground(here.paths, NOW, LIFE)!;
  assert.equal(signBackground(here.paths, "another"), false);
  releaseBackground(here.paths, "another");
  assert.ok(signBackground(here.paths, token));
});

test("claimBackground() takes a damaged mark for none", () => {
  using here = world();
  writeFileSync(here.paths.background, "{");
  assert.notEqual(claimBackground(here.paths, NOW, LIFE), null);
});

/** The number of a process that has ended. */
function endedProcess(): number {
  return spawnSync("true").pid;
}
