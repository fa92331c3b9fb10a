import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { StorePaths } from "../../lib/store/cache.ts";
import { storePaths } from "../../lib/store/cache.ts";
import { prepareStore } from "../../lib/store/files.ts";
import { openPartials } from "../../lib/store/partials.ts";
import { removeStale } from "../../lib/store/staging.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

const KEY = "https://eggs.example/hello-1.0.0.tgz";
const DAY = 24 * 60 * 60 * 1000;

function withStore(run: (paths: StorePaths, files: () => string[]) => void): void {
  using folder = temporaryFolder();
  const paths = storePaths(join(folder.path, "store"), "app");
  prepareStore(paths);
  run(paths, () => readdirSync(paths.partials));
}

const bytes = (...values: number[]) => new Uint8Array(values);

test("openPartials() gives back what was appended, to one taker", () => {
  withStore((paths, files) => {
    const begun = openPartials(paths).begin(KEY, '"one"');
    begun.append(bytes(1, 2, 10, 3));
    begun.append(bytes(4));
    const taken = openPartials(paths).take(KEY)!;
    assert.equal(taken.validator, '"one"');
    assert.deepEqual(new Uint8Array(taken.bytes), bytes(1, 2, 10, 3, 4));
    taken.append(bytes(5));
    assert.deepEqual(
      new Uint8Array(openPartials(paths).take(KEY)!.bytes),
      bytes(1, 2, 10, 3, 4, 5),
    );
    assert.equal(files().length, 1);
    openPartials(paths).take(KEY)!.remove();
    assert.deepEqual(files(), []);
    assert.equal(openPartials(paths).take(KEY), null);
    assert.equal(openPartials(paths).take("another key"), null);
  });
});

test("openPartials() lets no two writers write to one file", () => {
  withStore((paths, files) => {
    const [one, other] = [1, 2].map(() => openPartials(paths).begin(KEY, '"one"'));
    one.append(bytes(1));
    other.append(bytes(2, 2));
    assert.equal(files().length, 2);
    // The larger is taken; its former owner notices, and keeps no more.
    const taken = openPartials(paths).take(KEY)!;
    assert.deepEqual(new Uint8Array(taken.bytes), bytes(2, 2));
    other.append(bytes(9));
    other.remove();
    taken.append(bytes(3));
    assert.deepEqual(new Uint8Array(openPartials(paths).take(KEY)!.bytes), bytes(2, 2, 3));
    assert.equal(files().length, 2);
  });
});

test("openPartials() passes over what is damaged, and fails for nothing", () => {
  withStore((paths, files) => {
    openPartials(paths).begin(KEY, '"one"').append(bytes(1));
    const [name] = files();
    const path = join(paths.partials, name);
    for (const content of ["", "no header", "{}\n1", '{"key":"another","validator":"x"}\n1']) {
      writeFileSync(path, content);
      assert.equal(openPartials(paths).take(KEY), null, content);
      assert.deepEqual(files(), [], "and removes it");
    }
    rmSync(paths.partials, { recursive: true });
    assert.equal(openPartials(paths).take(KEY), null);
    const begun = openPartials(paths).begin(KEY, '"one"');
    begun.append(bytes(1));
    begun.remove();
  });
});

test("openPartials() keeps no secret of an address but what its key has", () => {
  withStore((paths, files) => {
    openPartials(paths).begin(KEY, '"one"').append(new TextEncoder().encode("body"));
    const text = readFileSync(join(paths.partials, files()[0]), "utf8");
    assert.equal(text, `{"key":"${KEY}","validator":"\\"one\\""}\nbody`);
  });
});

test("removeStale() removes what nobody fetched on within a week", () => {
  withStore((paths, files) => {
    for (const days of [0, 6, 8]) {
      openPartials(paths).begin(`${KEY}${days}`, '"one"').append(bytes(days));
      const [fresh] = files().filter((name) =>
        readFileSync(join(paths.partials, name), "utf8").includes(`tgz${days}"`)
      );
      const at = (Date.now() - days * DAY) / 1000;
      utimesSync(join(paths.partials, fresh), at, at);
    }
    removeStale(paths, Date.now());
    assert.equal(files().length, 2);
    assert.equal(openPartials(paths).take(`${KEY}8`), null);
    assert.notEqual(openPartials(paths).take(`${KEY}6`), null);
  });
});
