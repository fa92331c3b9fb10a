import assert from "node:assert/strict";
import { test } from "node:test";
import type { EggFile } from "../../lib/sources/egg_files.ts";
import {
  companionDigest,
  companionName,
  isEggFile,
  releaseOf,
  versionInName,
} from "../../lib/sources/egg_files.ts";

test("versionInName() reads the version of a project's own archives and no others'", () => {
  const table: [project: string, name: string, version: string | null][] = [
    ["hello", "hello-1.0.0.tgz", "1.0.0"],
    ["hello", "hello-1.0.0.tar.gz", "1.0.0"],
    ["hello", "hello-v1.0.0.tgz", "1.0.0"],
    ["hello", "hello-1.0.0-rc.1.tgz", "1.0.0-rc.1"],
    ["hello", "hello-1.0.0+build.5.tgz", "1.0.0+build.5"],
    ["@scope/name", "scope-name-3.0.0.tgz", "3.0.0"],
    ["hello-world", "hello-world-2.0.0.tgz", "2.0.0"],
    ["hello", "hello-world-2.0.0.tgz", null],
    ["hello", "Hello-1.0.0.tgz", null],
    ["hello", "hello-1.0.0.tgz.sha256", null],
    ["hello", "hello-1.0.0.zip", null],
    ["hello", "hello-1.0.tgz", null],
    ["hello", "hello.tgz", null],
    ["hello", "hello-1.0.0/../x.tgz", null],
    ["hello", "hello-1.0.0-a/b.tgz", null],
    ["hello", "hello-1.0.0\n.tgz", null],
    ["hello", "sub/hello-1.0.0.tgz", null],
    ["hello", "", null],
  ];
  for (const [project, name, version] of table) {
    assert.equal(versionInName(project, name), version, `${project}: ${JSON.stringify(name)}`);
  }
});

test("isEggFile() knows archives and their companions", () => {
  for (const name of ["hello-1.0.0.tgz", "x.tar.gz", companionName("hello-1.0.0.tgz")]) {
    assert.ok(isEggFile(name), name);
  }
  for (const name of ["notes.txt", "notes.txt.sha256", "hello.tgz.sha512", "tgz", ".sha256"]) {
    assert.ok(!isEggFile(name), name);
  }
});

test("companionDigest() takes the first word, as sha256sum writes it", () => {
  const hex = "AB".repeat(32);
  for (const text of [hex, `${hex}\n`, `\ufeff${hex}\r\n`, `${hex}  hello-1.0.0.tgz\n`]) {
    assert.equal(companionDigest(text), `sha256:${hex.toLowerCase()}`);
  }
  assert.equal(companionDigest(""), "sha256:", "which matches no bytes");
});

test("releaseOf() passes on all that the listing says", () => {
  const file: EggFile = {
    name: "hello-1.0.0.tgz",
    locator: "https://eggs.example/hello-1.0.0.tgz",
    sizeBytes: 5,
    validator: '"abc"',
    digests: ["sha256:00"],
    manifest: { name: "hello", version: "1.0.0" },
  };
  assert.deepEqual(releaseOf("hello", file), {
    project: "hello",
    version: "1.0.0",
    artifact: {
      locator: file.locator,
      sizeBytes: 5,
      digests: ["sha256:00"],
      validator: '5 "abc" sha256:00',
    },
    manifest: file.manifest,
  });
  assert.equal(releaseOf("other", file), null);
});

test("releaseOf() judges an archive again when its companion changes", () => {
  const file: EggFile = { name: "hello-1.0.0.tgz", locator: "x", validator: "1" };
  const beside = (validator: string) =>
    releaseOf("hello", { ...file, companion: { locator: "x.sha256", validator } })!.artifact;
  assert.equal(beside("1").companion, "x.sha256");
  const validators = [releaseOf("hello", file)!.artifact, beside("1"), beside("2")]
    .map(({ validator }) => validator);
  assert.equal(new Set(validators).size, 3);
});
