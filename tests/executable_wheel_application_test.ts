/** An application that asks for a program, which wheels hold: from every kind of source. */

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { SourceLike, TransmuteOptions } from "../lib/options.ts";
import type { PublishOptions } from "../lib/publisher/publish.ts";
import { publish } from "../lib/publisher/publish.ts";
import { readPythonRelease } from "../lib/publisher/python_release.ts";
import { readRegistryReleases } from "../lib/publisher/registry_release.ts";
import type { Release } from "../lib/publisher/release.ts";
import { yank } from "../lib/publisher/yank.ts";
import { writeFolderIndex } from "../lib/sources/folder_index.ts";
import { openSource, s3Source } from "../lib/sources/open.ts";
import { Transmute } from "../lib/transmute.ts";
import type { IndexedFile } from "./fixtures/python_index.ts";
import { startPythonIndex } from "./fixtures/python_index.ts";
import type { PythonArchive } from "./fixtures/python_wheel.ts";
import { OWN_PLATFORM, programWheel, wheelFiles, zipOf } from "./fixtures/python_wheel.ts";
import { startFaultyServer } from "./fixtures/faulty_server.ts";
import { refusal } from "./fixtures/refusal.ts";
import { NOW, testRepository } from "./fixtures/signed_repository.ts";
import { temporaryFolder } from "./fixtures/temporary_folder.ts";
import { BUCKET, KEYS, startTestBucket } from "./fixtures/test_bucket.ts";
import { plainPage, sha256, startWebFolder } from "./fixtures/web_folder.ts";

/** The beginning of a program of Linux, and what tells one from another. */
const program = (version: string) => `\x7fELF of version ${version}`;
const wheels = (...versions: string[]) =>
  versions.map((version) => programWheel(version, program(version)));

/** A start of the application; there is no Python for it. */
async function start(
  folder: string,
  source: SourceLike,
  options: TransmuteOptions = {},
) {
  const transmute = new Transmute({
    app: "app",
    cacheDir: join(folder, "store"),
    sources: [source],
    python: "/nowhere/python3",
    log: "off",
    budgetMs: 60_000,
    automatic: true,
    ...options,
  });
  transmute.require("executable:mytool");
  const { eggs, refused } = await transmute.update({ force: true });
  const manifest = new URL(transmute.resolve("mytool/package.json"));
  const { bin } = JSON.parse(readFileSync(manifest, "utf8"));
  const path = new URL(bin.mytool, manifest);
  return {
    eggs: eggs.map(({ project, version }) => `${project}@${version}`).join(),
    text: readFileSync(path, "latin1"),
    mode: statSync(path).mode & 0o777,
    refused: refused.map(({ code, message }) => `${code}: ${message}`),
  };
}

/** Asserts that a source's first program is taken, and the newer one when that is there. */
async function assertTaken(source: SourceLike, put: (archive: PythonArchive) => unknown) {
  using folder = temporaryFolder();
  for (const archive of wheels("1.0.0", "1.10.0")) {
    await put(archive);
    const version = archive.name.split("-")[1];
    const { eggs, text, mode } = await start(folder.path, source);
    assert.equal(eggs, `mytool@${version}`);
    assert.equal(text, program(version));
    assert.equal(mode & 0o111, 0o111, "whatever mode the wheel gives it");
  }
}

test("update() takes a program from a wheel in a folder, without any Python", async () => {
  using folder = temporaryFolder();
  await assertTaken(
    folder.path,
    ({ name, bytes }) => writeFileSync(join(folder.path, name), bytes),
  );
});

test("update() takes a program from a wheel behind a web server, by its page or its index", async () => {
  await using listed = await startWebFolder({ page: plainPage });
  await assertTaken(listed.url, ({ name, bytes }) => {
    listed.put(name, bytes);
    listed.put(`${name}.sha256`, sha256(bytes));
  });
  await using indexed = await startWebFolder();
  await assertTaken(indexed.url, ({ name, bytes }) => {
    indexed.put(name, bytes);
    const files = [{ name, sizeBytes: bytes.length, sha256: sha256(bytes) }];
    indexed.put("index.json", writeFolderIndex(files));
  });
});

test("update() takes a program from a wheel in a bucket", async () => {
  await using bucket = await startTestBucket();
  const given = { endpoint: bucket.url, region: "eu-west-1", credentials: KEYS };
  await assertTaken(
    s3Source(`s3://${BUCKET}/stable`, given),
    ({ name, bytes }) => bucket.put(`stable/${name}`, bytes),
  );
});

/** A file of `mytool` for an index, which wants a Python that nobody has. */
function indexed(
  { name, bytes }: PythonArchive,
  fields: Record<string, unknown> = {},
): IndexedFile {
  return {
    ...{ project: "mytool", filename: name, bytes },
    fields: { "requires-python": ">=99", ...fields },
  };
}

test("update() takes a program from an index of Python projects, whatever Python it names", async () => {
  await using index = await startPythonIndex();
  await assertTaken(index.source, (archive) => index.publish(indexed(archive)));
});

test("update() takes no program that its publisher has yanked", async () => {
  const [good, bad] = wheels("1.0.0", "2.0.0");
  await using index = await startPythonIndex();
  index.publish(indexed(good));
  index.publish(indexed(bad, { yanked: "loses data" }));
  using folder = temporaryFolder();
  const { eggs } = await start(folder.path, index.source);
  assert.equal(eggs, "mytool@1.0.0");
});

/** A signed repository behind a web server, and what publishes wheels in it. */
async function startRepository() {
  const { destination, root, signing } = await testRepository();
  const server = await startFaultyServer({
    find(path) {
      const body = destination.objects.get(decodeURIComponent(path.slice(1)));
      return body === undefined ? null : { body };
    },
  });
  return {
    destination,
    source: { source: server.url, trust: { root: JSON.parse(JSON.stringify(root)) } },
    sign: (releases: Release[]) => publish(destination, root, releases, {}, signing),
    async publish({ name, bytes }: PythonArchive, options: PublishOptions = {}) {
      const release = await readPythonRelease(bytes, name);
      await publish(destination, root, [release], options, signing);
    },
    yank: (version: string) =>
      yank(destination, root, { project: "mytool", version, ecosystem: "python" }, "no", signing),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

test("update() takes a program from a wheel in a signed repository, and leaves a withdrawn one", async () => {
  await using repository = await startRepository();
  using folder = temporaryFolder();
  const options = { now: () => NOW };
  for (const archive of wheels("1.0.0", "1.10.0")) await repository.publish(archive);
  await repository.publish(programWheel("1.10.0", "MZ", { tag: "py3-none-win_amd64" }));
  const { eggs, text } = await start(folder.path, repository.source, options);
  assert.deepEqual([eggs, text], ["mytool@1.10.0", program("1.10.0")]);
  await repository.yank("1.10.0");
  assert.equal((await start(folder.path, repository.source, options)).eggs, "mytool@1.0.0");
});

test("update() takes what is rolled out to nobody yet when a program is too old to be run", async () => {
  await using repository = await startRepository();
  using folder = temporaryFolder();
  const options = { now: () => NOW };
  const [first, second, third] = wheels("1.0.0", "2.0.0", "3.0.0");
  const rollout = { percent: 0, startsAt: "2030-01-01T00:00:00Z" };
  await repository.publish(first);
  assert.equal((await start(folder.path, repository.source, options)).eggs, "mytool@1.0.0");
  await repository.publish(second, { rollout });
  assert.equal((await start(folder.path, repository.source, options)).eggs, "mytool@1.0.0");
  await repository.publish(third, { rollout, minimumVersion: "2.0.0" });
  assert.equal((await start(folder.path, repository.source, options)).eggs, "mytool@3.0.0");
});

test("update() refuses a wheel that its repository does not sign", async () => {
  await using repository = await startRepository();
  using folder = temporaryFolder();
  await repository.publish(wheels("1.0.0")[0]);
  const path = [...repository.destination.objects.keys()].find((one) => one.endsWith(".whl"))!;
  repository.destination.objects.set(path, programWheel("1.0.0", program("evil")).bytes);
  await assert.rejects(
    start(folder.path, repository.source, { now: () => NOW }),
    refusal("no-matching-version", "refused: "),
  );
});

test("a repository about an index says which of its wheels programs are taken from", async () => {
  await using index = await startPythonIndex();
  for (const archive of wheels("1.0.0", "2.0.0")) index.publish(indexed(archive));
  await using repository = await startRepository();
  using folder = temporaryFolder();
  const { source: address } = index;
  await repository.sign(await readRegistryReleases("pypi:mytool@1.0.0", openSource(address)));
  const { source: metadata, trust } = repository.source;
  const source = { source: address, trust: { ...trust, metadata } };
  const { eggs, text } = await start(folder.path, source, { now: () => NOW });
  assert.deepEqual([eggs, text], ["mytool@1.0.0", program("1.0.0")]);
  assert.ok(![...repository.destination.objects.keys()].some((path) => path.endsWith(".whl")));
});

/** Wheels that are newer and bad, and why each is refused. */
const BAD: [what: string, archive: PythonArchive, message: RegExp][] = [
  [
    "has no program",
    programWheel("2.0.0", "", { files: { "mytool.py": "" } }),
    /^archive-invalid: .*no program mytool among the scripts of the wheel/,
  ],
  [
    "has a script in its place",
    programWheel("2.0.0", "#!/usr/bin/env python3\n"),
    /^archive-invalid: .*no program of/,
  ],
  [
    "is another project's",
    { ...programWheel("2.0.0", program("2.0.0")), bytes: wheels("3.0.0")[0].bytes },
    /^archive-invalid: .*metadata of mytool 3\.0\.0/,
  ],
  [
    "is not as its record says",
    alteredWheel("2.0.0"),
    /^digest-mismatch: .*as in its RECORD/,
  ],
];

function alteredWheel(version: string): PythonArchive {
  const script = `mytool-${version}.data/scripts/mytool`;
  const files = wheelFiles({ name: "mytool", version, files: { [script]: program(version) } });
  const bytes = zipOf({ ...files, [script]: program("evil!") });
  return { ...programWheel(version, ""), bytes };
}

for (const [what, archive, message] of BAD) {
  test(`update() refuses a wheel that ${what}, and takes the next best`, async () => {
    using folder = temporaryFolder();
    const dist = join(folder.path, "dist");
    mkdirSync(dist);
    for (const { name, bytes } of [...wheels("1.0.0"), archive]) {
      writeFileSync(join(dist, name), bytes);
    }
    const { eggs, refused } = await start(folder.path, dist);
    assert.equal(eggs, "mytool@1.0.0");
    assert.equal(refused.length, 1);
    assert.match(refused[0], message);
  });
}

test("update() tells of each wheel that can hold no program, and fetches none of them", async () => {
  await using web = await startWebFolder({ page: plainPage });
  using folder = temporaryFolder();
  const tags = ["py3-none-any", `cp311-cp311-${OWN_PLATFORM}`, "py3-none-win_amd64"];
  for (const tag of tags) {
    const { name, bytes } = programWheel("1.0.0", program("1.0.0"), { tag });
    web.put(name, bytes);
  }
  const refused = refusal(
    "no-matching-version",
    "is a wheel for every machine (py3-none-any), which holds no program",
    "is a wheel for interpreters of Python",
    "for win32 only",
  );
  await assert.rejects(start(folder.path, web.url), refused);
  assert.ok(!web.requests.some(({ path }) => path.endsWith(".whl")));
});

test("update() gives no wheel to who requires a project of JavaScript of that name", async () => {
  using folder = temporaryFolder();
  const dist = join(folder.path, "dist");
  mkdirSync(dist);
  const [{ name, bytes }] = wheels("2.0.0");
  writeFileSync(join(dist, name), bytes);
  const transmute = new Transmute({ app: "app", cacheDir: join(folder.path, "store"), log: "off" });
  transmute.require("js:mytool", { sources: [dist] });
  await assert.rejects(transmute.update(), refusal("no-matching-version"));
});
