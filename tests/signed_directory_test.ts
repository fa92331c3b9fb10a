/** What an application does whose signed repository is a folder that is not there. */

import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { packEntries } from "../lib/publisher/pack.ts";
import { rejection } from "./fixtures/refusal.ts";
import { layFiles } from "./fixtures/signed_folder.ts";
import { signedWorld } from "./fixtures/signed_world.ts";
import { temporaryFolder } from "./fixtures/temporary_folder.ts";

/** A repository with hello 1.0.0 and a folder for the test; both end together. */
async function signedPlace() {
  const world = await signedWorld();
  await world.repository.add({ name: "hello", version: "1.0.0" });
  await world.repository.publish();
  const place = temporaryFolder();
  return {
    ...world,
    path: (name: string) => join(place.path, name),
    /** A folder as a source that the application trusts by the repository's root. */
    signed: (source: string, trust = {}) => ({ source, trust: { root: world.root, ...trust } }),
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      place[Symbol.dispose]();
    },
  };
}

/** An unsigned folder with hello 0.5.0. */
async function layUnsigned(folder: string): Promise<string> {
  const { filename, archive } = await packEntries({ name: "hello", version: "0.5.0" }, {
    "index.js": 'exports.version = "0.5.0";',
  });
  mkdirSync(folder);
  writeFileSync(join(folder, filename), archive);
  return folder;
}

const MISSING: [what: string, make: (path: string) => void][] = [
  ["is not there", () => {}],
  ["is a file", (path) => writeFileSync(path, "")],
  ["is a link to nothing", (path) => symlinkSync(`${path}-elsewhere`, path)],
];

for (const [what, make] of MISSING) {
  test(`update() cannot reach a signed folder that ${what}, as it cannot an unsigned one`, async () => {
    await using place = await signedPlace();
    const folder = place.path("repository");
    make(folder);
    for (const source of [folder, place.signed(folder)]) {
      const error = await rejection(place.start({ sources: [source] }));
      assert.equal(error.code, "source-unreachable", error.message);
    }
  });

  test(`a start is never prevented by a signed folder that ${what}`, async () => {
    await using place = await signedPlace();
    const folder = place.path("repository");
    layFiles(place.repository, folder);
    const sources = [place.signed(folder)];
    assert.equal((await place.start({ sources })).eggs, "hello@1.0.0");

    renameSync(folder, place.path("gone"));
    make(folder);
    const { transmute, codes, eggs } = await place.start({ sources });
    assert.deepEqual([codes, eggs], [["source-unreachable"], "hello@1.0.0"]);
    assert.equal((await transmute.import<{ version: string }>("hello")).version, "1.0.0");

    rmSync(folder, { force: true });
    await place.repository.add({ name: "hello", version: "1.1.0" });
    await place.repository.publish();
    layFiles(place.repository, folder);
    assert.equal((await place.start({ sources })).eggs, "hello@1.1.0");
  });

  test(`update() asks the next source when a signed folder ${what}, as with an unsigned one`, async () => {
    await using place = await signedPlace();
    const folder = place.path("repository");
    make(folder);
    const next = await layUnsigned(place.path("next"));
    const { eggs } = await place.start({ sources: [place.signed(folder), next] });
    assert.equal(eggs, "hello@0.5.0");
  });
}

test("update() takes a signed folder for a damaged one when its metadata alone is gone", async () => {
  await using place = await signedPlace();
  const folder = place.path("repository");
  layFiles(place.repository, folder);
  rmSync(join(folder, "metadata"), { recursive: true });
  const next = await layUnsigned(place.path("next"));
  const error = await rejection(place.start({ sources: [place.signed(folder), next] }));
  assert.equal(error.code, "listing-invalid");
});

test("update() lets no source stand in for a folder whose repository could not be asked", async () => {
  await using place = await signedPlace();
  const folder = await layUnsigned(place.path("folder"));
  const next = await layUnsigned(place.path("next"));
  await place.server.close();
  const sources = [place.signed(folder, { metadata: place.server.url }), next];
  const error = await rejection(place.start({ sources }));
  assert.equal(error.code, "source-unreachable");
  assert.ok(!error.message.includes(next), error.message);
});
