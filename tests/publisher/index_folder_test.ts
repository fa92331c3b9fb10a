import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { isTransmuteError } from "../../lib/errors.ts";
import { indexFolder } from "../../lib/publisher/index_folder.ts";
import type { PackageJson } from "../../lib/publisher/pack.ts";
import { packEntries } from "../../lib/publisher/pack.ts";
import { readFolderIndex } from "../../lib/sources/folder_index.ts";
import { helloWheel, metadataOf } from "../fixtures/python_wheel.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

async function publish(folder: string, manifest: PackageJson, as?: string): Promise<string> {
  const { filename, archive } = await packEntries(manifest, { "index.js": "export default 1;" });
  const name = as ?? filename;
  writeFileSync(join(folder, name), archive);
  return name;
}

const sha256 = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

test("indexFolder() lists every archive with size, digest and manifest, and nothing else", async () => {
  using folder = temporaryFolder();
  const { path } = folder;
  await publish(path, {
    name: "hello",
    version: "1.0.0",
    dependencies: { other: "^1" },
    engines: { node: ">=22", npm: ">=10" },
    os: ["linux"],
    scripts: { install: "rm -rf /" },
    author: "Ada",
  });
  await publish(path, { name: "@scope/name", version: "2.0.0-rc.1" });
  writeFileSync(join(path, "notes.txt"), "");
  mkdirSync(join(path, "old"));
  const report = await indexFolder(path);
  assert.equal(report.path, join(path, "index.json"));
  assert.deepEqual(report.leftOut, []);
  assert.equal(report.changed, true);
  assert.deepEqual(readFolderIndex(readFileSync(report.path, "utf8")), [
    {
      name: "hello-1.0.0.tgz",
      sizeBytes: statSync(join(path, "hello-1.0.0.tgz")).size,
      sha256: sha256(join(path, "hello-1.0.0.tgz")),
      manifest: {
        name: "hello",
        version: "1.0.0",
        dependencies: { other: "^1" },
        engines: { node: ">=22" },
        os: ["linux"],
      },
    },
    {
      name: "scope-name-2.0.0-rc.1.tgz",
      sizeBytes: statSync(join(path, "scope-name-2.0.0-rc.1.tgz")).size,
      sha256: sha256(join(path, "scope-name-2.0.0-rc.1.tgz")),
      manifest: { name: "@scope/name", version: "2.0.0-rc.1" },
    },
  ]);
});

test("indexFolder() gives the same bytes for the same archives, and does not touch them", async () => {
  using folder = temporaryFolder();
  const { path } = folder;
  await publish(path, { name: "b", version: "1.0.0" });
  await publish(path, { name: "a", version: "1.0.0" });
  const { path: index } = await indexFolder(path);
  const before = readFileSync(index);
  utimesSync(index, 1, 1);
  const again = await indexFolder(path);
  assert.equal(again.changed, false);
  assert.equal(statSync(index).mtimeMs, 1000);
  assert.deepEqual(readFileSync(index), before);
  await publish(path, { name: "c", version: "1.0.0" });
  assert.equal((await indexFolder(path)).changed, true);
  assert.deepEqual(readdirSync(path).sort(), [
    ...["a-1.0.0.tgz", "b-1.0.0.tgz", "c-1.0.0.tgz", "index.json"],
  ]);
});

test("indexFolder() makes an index of an empty folder, for everybody to read", async () => {
  using folder = temporaryFolder();
  const { path } = await indexFolder(folder.path);
  assert.deepEqual(readFolderIndex(readFileSync(path, "utf8")), []);
  if (process.platform !== "win32") assert.equal(statSync(path).mode & 0o777, 0o644);
});

test("indexFolder() leaves out what no program could take, and says why", async () => {
  using folder = temporaryFolder();
  const { path } = folder;
  await publish(path, { name: "good", version: "1.0.0" });
  await publish(path, { name: "good", version: "2.0.0" }, "other-2.0.0.tgz");
  await publish(path, { name: "good", version: "3.0.0" }, "good-3.0.1.tgz");
  await publish(path, { name: "good", version: "4.0.0" }, "latest.tgz");
  const doubted = await publish(path, { name: "good", version: "5.0.0" });
  writeFileSync(join(path, `${doubted}.sha256`), "00".repeat(32));
  const sure = await publish(path, { name: "good", version: "6.0.0+build.1" });
  writeFileSync(join(path, `${sure}.sha256`), `${sha256(join(path, sure))}  ${sure}\n`);
  writeFileSync(join(path, "bad-1.0.0.tgz"), "no archive");
  symlinkSync(join(path, "good-1.0.0.tgz"), join(path, "good-9.0.0.tgz"));
  const { files, leftOut } = await indexFolder(path);
  assert.deepEqual(files.map(({ name }) => name), ["good-1.0.0.tgz", sure]);
  const reasons = Object.fromEntries(leftOut.map(({ name, reason }) => [name, reason]));
  const wanted: Record<string, RegExp> = {
    "bad-1.0.0.tgz": /archive/,
    "good-3.0.1.tgz": /^it is good@3\.0\.0, wanted the name good-3\.0\.0\.tgz$/,
    "good-5.0.0.tgz": /wanted sha256:0{64} as in good-5\.0\.0\.tgz\.sha256$/,
    "good-9.0.0.tgz": /^found a link, wanted a file$/,
    "latest.tgz": /wanted the name good-4\.0\.0\.tgz$/,
    "other-2.0.0.tgz": /^it is good@2\.0\.0, wanted the name good-2\.0\.0\.tgz$/,
  };
  assert.deepEqual(Object.keys(reasons), Object.keys(wanted));
  for (const [name, reason] of Object.entries(wanted)) assert.match(reasons[name], reason);
});

test("indexFolder() tells that a folder is not there, or may not be written", async () => {
  using folder = temporaryFolder();
  const failed = (error: unknown) => isTransmuteError(error, "disk-failure");
  await assert.rejects(indexFolder(join(folder.path, "none")), failed);
  // The root user may write anywhere, so the index's place is taken instead.
  mkdirSync(join(folder.path, "index.json"));
  await assert.rejects(indexFolder(folder.path), failed);
  assert.deepEqual(readdirSync(folder.path), ["index.json"], "nothing half-written stays");
});

test("indexFolder() lists Python eggs and executables that are as their names say", async () => {
  using folder = temporaryFolder();
  const { path } = folder;
  const good = helloWheel("1.0");
  const metadata = metadataOf({ name: "hello", version: "1.0" });
  const executable = "mytool-1.2.3-x86_64-unknown-linux-gnu";
  writeFileSync(join(path, good.name), good.bytes);
  writeFileSync(join(path, `${good.name}.metadata`), metadata);
  writeFileSync(join(path, executable), new Uint8Array([0x7f, 0x45, 0x4c, 0x46]));
  writeFileSync(join(path, "other-1.0-py3-none-any.whl"), good.bytes);
  writeFileSync(join(path, "mytool-1.2.4-x86_64-unknown-linux-gnu"), "#!/bin/sh\n");
  const { files, leftOut } = await indexFolder(path);
  assert.deepEqual(files.map(({ name }) => name), [
    good.name,
    `${good.name}.metadata`,
    executable,
  ]);
  assert.deepEqual(leftOut.map(({ name }) => name), [
    "mytool-1.2.4-x86_64-unknown-linux-gnu",
    "other-1.0-py3-none-any.whl",
  ]);
});
