import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { ArchiveEntry } from "../../lib/store/unpack.ts";
import { readManifest, readTar, unpackTarball } from "../../lib/store/unpack.ts";
import { bytesOf, entry, file, gzip, join, tar } from "../fixtures/raw_tar.ts";
import { refusal } from "../fixtures/refusal.ts";

const LIMITS = { maxUnpackedBytes: 16 * 1024 ** 2 };
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const pathsOf = (entries: ArchiveEntry[]) => entries.map(({ path }) => path);
const hidden = entry("package/hidden.js", "hidden");

test("unpackTarball() gives the files of a tarball without its top folder", async () => {
  const archive = gzip(tar(
    entry("package/", "", { type: "5", mode: 0o755 }),
    entry("package/package.json", "{}"),
    entry("package/bin/run.js", "#!/bin/sh\n", { mode: 0o755 }),
    entry("package/empty.js"),
  ));
  const entries = await unpackTarball(archive, LIMITS);
  assert.deepEqual(
    entries.map(({ path, bytes, executable }) => [path, text(bytes), executable]),
    [["package.json", "{}", false], ["bin/run.js", "#!/bin/sh\n", true], ["empty.js", "", false]],
  );
});

test("unpackTarball() reads a view into a larger buffer", async () => {
  const archive = gzip(tar(entry("package/a.js", "a")));
  const inside = join(new Uint8Array(7), archive, new Uint8Array(9)).subarray(7, -9);
  assert.deepEqual(pathsOf(await unpackTarball(inside, LIMITS)), ["a.js"]);
});

test("readTar() gives views of the archive, not copies", () => {
  const archive = tar(entry("package/a.js", "content"));
  const [{ bytes }] = readTar(archive, LIMITS);
  assert.equal(bytes.buffer, archive.buffer);
});

test("readTar() refuses more files and folders than allowed, implied folders included", () => {
  const archive = tar(file("package/a.js"), file("package/one/two/b.js"));
  assert.equal(readTar(archive, { ...LIMITS, maxEntries: 5 }).length, 2);
  assert.throws(
    () => readTar(archive, { ...LIMITS, maxEntries: 4 }),
    refusal("archive-invalid", '"package/one/two/b.js"', "more than 4"),
  );
});

test("readTar() refuses more bytes than allowed", () => {
  const archive = tar(file("package/a.js"));
  assert.equal(readTar(archive, { maxUnpackedBytes: archive.length }).length, 1);
  assert.throws(
    () => readTar(archive, { maxUnpackedBytes: archive.length - 1 }),
    refusal("archive-invalid", String(archive.length)),
  );
});

// Runtimes expand small and large archives by different means.
const SMALL = tar(entry("package/a.js", "a"));
const LARGE = tar(entry("package/a.js", new Uint8Array(randomBytes(1024 ** 2))));

for (const [size, content] of [["small", SMALL], ["large", LARGE]] as const) {
  const whole = gzip(content);
  const flipped = (at: number) => {
    const copy = whole.slice();
    copy.set([whole.at(at)! ^ 1], at < 0 ? copy.length + at : at);
    return copy;
  };
  const ARCHIVES: [title: string, archive: Uint8Array, words: string][] = [
    ["no gzip", content, "not gzip"],
    ["nothing", new Uint8Array(0), "not gzip"],
    ["a cut stream", whole.subarray(0, -20), "Cannot unpack the archive"],
    ["a cut trailer", whole.subarray(0, -1), "Cannot unpack the archive"],
    ["a wrong check value", flipped(-8), "damaged"],
    ["a wrong length", flipped(-4), "damaged"],
    ["another compression", flipped(2), "damaged"],
    ["zeros after the stream", join(whole, new Uint8Array(512)), "Cannot unpack the archive"],
    ["text after the stream", join(whole, bytesOf("text")), "Cannot unpack the archive"],
    ["a second stream", join(whole, gzip(tar(hidden))), "Cannot unpack the archive"],
    ["a stream before it", join(gzip(tar(hidden)), whole), "Cannot unpack the archive"],
    ["half a second stream", join(whole, whole.subarray(0, 15)), "Cannot unpack the archive"],
  ];
  for (const [title, archive, words] of ARCHIVES) {
    test(`unpackTarball() refuses ${title} (${size})`, async () => {
      await assert.rejects(unpackTarball(archive, LIMITS), refusal("archive-invalid", words));
    });
  }

  test(`unpackTarball() refuses to expand beyond its limit (${size})`, async () => {
    const limits = { maxUnpackedBytes: content.length };
    assert.equal((await unpackTarball(whole, limits)).length, 1);
    await assert.rejects(
      unpackTarball(whole, { maxUnpackedBytes: content.length - 1 }),
      refusal("archive-invalid", `more than ${content.length - 1} bytes`),
    );
  });
}

const manifestOf = (content: string) =>
  readManifest([{ path: "package.json", bytes: bytesOf(content), executable: false }]);

test("readManifest() reads the fields that npm acts on, by either name", () => {
  const manifest = {
    name: "hello",
    version: "1.0.0",
    dependencies: { chalk: "^5" },
    peerDependenciesMeta: { react: { optional: true } },
    os: "linux",
    cpu: ["x64", 1],
    engines: ["node >= 4"],
    bundledDependencies: ["ms"],
    scripts: {},
  };
  assert.deepEqual(manifestOf(JSON.stringify(manifest)), {
    name: "hello",
    version: "1.0.0",
    dependencies: { chalk: "^5" },
    peerDependenciesMeta: { react: { optional: true } },
    os: ["linux"],
    cpu: ["x64"],
    bundleDependencies: ["ms"],
  });
});

test("readManifest() takes a byte order mark, as npm does", () => {
  assert.equal(manifestOf('\ufeff{"name":"hello","version":"1.0.0"}').name, "hello");
});

const WRONG_MANIFESTS: [content: string, words: string][] = [
  ["", "no JSON"],
  ["{", "no JSON"],
  ["null", "no object"],
  ["[]", "no object"],
  ['"hello"', "no object"],
  ["{}", "without a name"],
  ['{"name":1,"version":"1.0.0"}', "without a name"],
  ['{"name":"","version":"1.0.0"}', "without a name"],
  ['{"name":"hello"}', "without a version"],
  ['{"name":"hello","version":1}', "without a version"],
];

for (const [content, words] of WRONG_MANIFESTS) {
  test(`readManifest() refuses ${content || "an empty file"}`, () => {
    assert.throws(() => manifestOf(content), refusal("archive-invalid", words));
  });
}

test("readManifest() refuses an archive without package.json in its top folder", () => {
  const bytes = bytesOf('{"name":"hello","version":"1.0.0"}');
  for (const path of ["lib/package.json", "Package.json"]) {
    assert.throws(
      () => readManifest([{ path, bytes, executable: false }]),
      refusal("archive-invalid", "no package.json"),
    );
  }
});
