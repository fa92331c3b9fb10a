import assert from "node:assert/strict";
import { chmodSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isTransmuteError } from "../../lib/errors.ts";
import { directorySource } from "../../lib/sources/directory.ts";
import type { SourceContext } from "../../lib/sources/source.ts";
import { bytesOf } from "../fixtures/fetched.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

const CONTEXT: SourceContext = {
  signal: new AbortController().signal,
  fetch: () => Promise.reject(new Error("a folder needs no network")),
  listings: { read: () => null, write() {} },
  maxDownloadBytes: 1000,
};

async function versions(folder: string, project: string): Promise<string[]> {
  const { listing } = await directorySource(folder).list(project, CONTEXT);
  return listing.releases.map((release) => release.version).sort();
}

test("directorySource() lists the archives of one project", async () => {
  using folder = temporaryFolder();
  for (
    const name of [
      "hello-1.0.0.tgz",
      "hello-1.1.0-rc.1.tar.gz",
      "hello-world-2.0.0.tgz",
      "hello-1.0.0.tgz.sha256",
      "hello.tgz",
      "hello-latest.tgz",
      "scope-name-3.0.0.tgz",
      "README.md",
    ]
  ) writeFileSync(join(folder.path, name), "");
  assert.deepEqual(await versions(folder.path, "hello"), ["1.0.0", "1.1.0-rc.1"]);
  assert.deepEqual(await versions(folder.path, "hello-world"), ["2.0.0"]);
  assert.deepEqual(await versions(folder.path, "@scope/name"), ["3.0.0"]);
  assert.deepEqual(await versions(folder.path, "other"), []);
});

test("directorySource() gives size and digest of an archive, and another validator for other bytes", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "hello-1.0.0.tgz");
  writeFileSync(path, "12345");
  writeFileSync(`${path}.sha256`, `${"AB".repeat(32)}  hello-1.0.0.tgz\n`);
  const source = directorySource(folder.path);
  const artifact = async () => (await source.list("hello", CONTEXT)).listing.releases[0].artifact;
  const before = await artifact();
  assert.equal(before.sizeBytes, 5);
  assert.deepEqual(before.digests, [`sha256:${"ab".repeat(32)}`]);
  assert.equal(new TextDecoder().decode(bytesOf(await source.fetch(before, CONTEXT))), "12345");
  writeFileSync(path, "123456");
  assert.notEqual((await artifact()).validator, before.validator);
});

test("directorySource() looks different when an archive comes, goes or changes", () => {
  using folder = temporaryFolder();
  const { fingerprint } = directorySource(folder.path);
  const seen = new Set([fingerprint!()]);
  const path = join(folder.path, "hello-1.0.0.tgz");
  writeFileSync(path, "one");
  seen.add(fingerprint!());
  utimesSync(path, 1, 1);
  seen.add(fingerprint!());
  writeFileSync(`${path}.sha256`, "two");
  seen.add(fingerprint!());
  assert.equal(seen.size, 4, "each change shows");
  const before = fingerprint!();
  writeFileSync(join(folder.path, "notes.txt"), "of no interest");
  assert.equal(fingerprint!(), before);
  rmSync(folder.path, { recursive: true });
  assert.equal(fingerprint!(), null);
});

test("directorySource() tells that a folder is not there", async () => {
  using folder = temporaryFolder();
  await assert.rejects(
    directorySource(join(folder.path, "none")).list("hello", CONTEXT),
    (error) => isTransmuteError(error, "source-unreachable"),
  );
});

test("directorySource() takes nothing from where any user may write", async () => {
  using folder = temporaryFolder();
  const open = join(folder.path, "open");
  mkdirSync(open);
  writeFileSync(join(open, "hello-1.0.0.tgz"), "");
  const denied = (error: unknown) => {
    assert.ok(isTransmuteError(error, "source-denied"));
    assert.match(error.hint!, /^Run: chmod o-w /);
    return true;
  };
  chmodSync(open, 0o777);
  await assert.rejects(() => versions(open, "hello"), denied);
  chmodSync(open, 0o755);
  chmodSync(join(open, "hello-1.0.0.tgz"), 0o666);
  await assert.rejects(() => versions(open, "hello"), denied);
  // A link to the folder does not hide the folder's own mode.
  chmodSync(open, 0o777);
  symlinkSync(open, join(folder.path, "link"));
  await assert.rejects(() => versions(join(folder.path, "link"), "hello"), denied);
});

test("directorySource() takes no links for archives", async () => {
  using folder = temporaryFolder();
  symlinkSync("/etc/hostname", join(folder.path, "hello-1.0.0.tgz"));
  assert.deepEqual(await versions(folder.path, "hello"), []);
});

test("directorySource() tells of an archive that went, or that is too large", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "hello-1.0.0.tgz");
  writeFileSync(path, "x".repeat(1001));
  const source = directorySource(folder.path);
  const [release] = (await source.list("hello", CONTEXT)).listing.releases;
  await assert.rejects(
    source.fetch(release.artifact, CONTEXT),
    (error) => isTransmuteError(error, "size-mismatch"),
  );
  rmSync(path);
  await assert.rejects(
    source.fetch(release.artifact, CONTEXT),
    (error) => isTransmuteError(error, "egg-missing"),
  );
});
