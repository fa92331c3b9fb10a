import assert from "node:assert/strict";
import { test } from "node:test";
import {
  fetchWithCompanion,
  FolderListing,
  oncePerUpdate,
} from "../../lib/sources/network_folder.ts";
import { contextOf } from "../fixtures/npm_questions.ts";

const file = (name: string) => ({ name, locator: `https://eggs.example/${name}` });

test("FolderListing picks a project's releases, with the companions beside them", () => {
  const names = [
    "hello-1.0.0.tgz",
    "hello-1.0.0.tgz.sha256",
    "hello-1.1.0.tgz",
    "hello-world-2.0.0.tgz",
    "a-1.0.0-2.0.0.tgz",
    "index.html",
  ];
  const listing = new FolderListing(names.map(file), false);
  const found = (project: string) =>
    listing.releases(project).map(({ version, artifact }) => [version, artifact.companion]);
  assert.deepEqual(found("hello"), [
    ["1.0.0", "https://eggs.example/hello-1.0.0.tgz.sha256"],
    ["1.1.0", undefined],
  ]);
  assert.deepEqual(found("hello-world"), [["2.0.0", undefined]]);
  assert.deepEqual(found("a"), [["1.0.0-2.0.0", undefined]]);
  assert.deepEqual(found("a-1.0.0"), [["2.0.0", undefined]]);
  assert.deepEqual(found("other"), []);
});

test("FolderListing needs no companion where the listing has the digest", () => {
  const listing = new FolderListing([
    { ...file("hello-1.0.0.tgz"), digests: ["sha256:00"] },
    file("hello-1.0.0.tgz.sha256"),
  ], false);
  assert.equal(listing.releases("hello")[0].artifact.companion, undefined);
});

test("FolderListing takes the first of two files of one name", () => {
  const twice = [file("hello-1.0.0.tgz"), { ...file("hello-1.0.0.tgz"), locator: "https://x" }];
  const releases = new FolderListing(twice, false).releases("hello");
  assert.deepEqual(releases.map(({ artifact }) => artifact.locator), [twice[0].locator]);
});

test("oncePerUpdate() asks once for each context, also when that fails", async () => {
  let asked = 0;
  const ask = oncePerUpdate(() => Promise.reject(new Error(`failure ${++asked}`)));
  const [one, other] = [contextOf(), contextOf()];
  for (
    const [context, message] of [[one, "failure 1"], [one, "failure 1"], [
      other,
      "failure 2",
    ]] as const
  ) {
    await assert.rejects(ask(context), new Error(message));
  }
});

test("fetchWithCompanion() brings an archive with the digest beside it", async () => {
  const bytes: Record<string, string> = { archive: "the archive", beside: "AB  hello.tgz\n" };
  const asked: [string, number][] = [];
  const fetch = (artifact: { locator: string }, context: { maxDownloadBytes: number }) => {
    asked.push([artifact.locator, context.maxDownloadBytes]);
    return Promise.resolve({ bytes: new TextEncoder().encode(bytes[artifact.locator]) });
  };
  const artifact = { locator: "archive", digests: [], validator: "" };
  const context = contextOf();
  const plain = await fetchWithCompanion(artifact, context, fetch);
  assert.equal(new TextDecoder().decode(plain.bytes), "the archive");
  const proven = await fetchWithCompanion({ ...artifact, companion: "beside" }, context, fetch);
  assert.deepEqual(proven.digests, ["sha256:ab"]);
  assert.deepEqual(asked, [
    ["archive", 1_000_000],
    ["beside", 65_536],
    ["archive", 1_000_000],
  ]);
});
