import assert from "node:assert/strict";
import { test } from "node:test";
import type { IndexedFile } from "../../lib/sources/folder_index.ts";
import {
  filesOfIndex,
  IndexError,
  readFolderIndex,
  writeFolderIndex,
} from "../../lib/sources/folder_index.ts";

const SHA256 = "ab".repeat(32);

function indexed(name: string, more: Partial<IndexedFile> = {}): IndexedFile {
  return { name, sizeBytes: 5, sha256: SHA256, ...more };
}

test("writeFolderIndex() writes what readFolderIndex() reads, the same for any order", () => {
  const files = [
    indexed("b-1.0.0.tgz", {
      manifest: { name: "b", version: "1.0.0", dependencies: { a: "^1" }, os: ["linux"] },
    }),
    indexed("a-1.0.0.tgz"),
    indexed("a-1.0.0+ü.tgz"),
  ];
  const text = writeFolderIndex(files);
  assert.equal(writeFolderIndex(files.toReversed()), text);
  const read = readFolderIndex(text)!;
  assert.deepEqual(read.map(({ name }) => name), ["a-1.0.0+ü.tgz", "a-1.0.0.tgz", "b-1.0.0.tgz"]);
  assert.deepEqual(read[2], files[0]);
  assert.deepEqual(readFolderIndex(writeFolderIndex([])), []);
});

test("readFolderIndex() passes over what later writers may add", () => {
  const text = JSON.stringify({
    transmuteIndex: 1,
    channel: "stable",
    files: [{ ...indexed("hello-1.0.0.tgz"), releasedAt: 1 }],
  });
  assert.deepEqual(readFolderIndex(text), [indexed("hello-1.0.0.tgz")]);
});

test("readFolderIndex() knows an index.json of something else", () => {
  for (const text of ["{}", "[]", "null", "1", '{"posts":[]}']) {
    assert.equal(readFolderIndex(text), null, text);
  }
});

test("readFolderIndex() refuses what is no index, saying what it found", () => {
  const of = (...files: unknown[]) => JSON.stringify({ transmuteIndex: 1, files });
  const table: [text: string, found: RegExp][] = [
    ["", /not JSON \(0 characters\)/],
    ["<!doctype html><title>Sign in</title>", /not JSON/],
    [writeFolderIndex([indexed("a-1.0.0.tgz")]).slice(0, -10), /not JSON/],
    ['{"transmuteIndex":2,"files":[]}', /the format 2, wanted 1/],
    ['{"transmuteIndex":"1","files":[]}', /the format "1", wanted 1/],
    ['{"transmuteIndex":1}', /no list of files/],
    ['{"transmuteIndex":1,"files":{}}', /no list of files/],
    [of(null), /without a name of its own: null/],
    [of({ ...indexed("a"), name: undefined }), /without a name/],
    [of(indexed("")), /without a name/],
    [of(indexed("..")), /without a name/],
    [of(indexed("../a-1.0.0.tgz")), /without a name/],
    [of(indexed("a\\b-1.0.0.tgz")), /without a name/],
    [of(indexed("a\u0000.tgz")), /without a name/],
    [of({ ...indexed("a.tgz"), sizeBytes: -1 }), /no size of a\.tgz: -1/],
    [of({ ...indexed("a.tgz"), sizeBytes: "5" }), /no size of a\.tgz: "5"/],
    [of({ ...indexed("a.tgz"), sizeBytes: 1e300 }), /no size/],
    [of({ ...indexed("a.tgz"), sha256: SHA256.toUpperCase() }), /no SHA-256 of a\.tgz/],
    [of({ ...indexed("a.tgz"), sha256: undefined }), /no SHA-256 of a\.tgz: nothing/],
    [of({ ...indexed("a.tgz"), manifest: { name: "a" } }), /no manifest of a\.tgz/],
    [of({ ...indexed("a.tgz"), manifest: [] }), /no manifest of a\.tgz/],
    [of(indexed("a.tgz"), indexed("a.tgz")), /found "a\.tgz" twice/],
  ];
  for (const [text, found] of table) {
    assert.throws(() => readFolderIndex(text), (error) => {
      assert.ok(error instanceof IndexError);
      assert.match(error.message, found);
      return true;
    }, text);
  }
});

test("filesOfIndex() places files in their folder, whatever they are called", () => {
  const base = new URL("https://eggs.example/a%20b/");
  const files = filesOfIndex([
    indexed("a-1.0.0+1.tgz"),
    indexed("https:x-1.0.0.tgz"),
    indexed("?x#y-1.0.0.tgz"),
    indexed("%2e%2e-1.0.0.tgz"),
    indexed("notes.txt"),
  ], base);
  assert.deepEqual(files.map(({ locator }) => locator), [
    "https://eggs.example/a%20b/a-1.0.0%2B1.tgz",
    "https://eggs.example/a%20b/https%3Ax-1.0.0.tgz",
    "https://eggs.example/a%20b/%3Fx%23y-1.0.0.tgz",
    "https://eggs.example/a%20b/%252e%252e-1.0.0.tgz",
  ]);
  assert.deepEqual(files[0].digests, [`sha256:${SHA256}`]);
});
