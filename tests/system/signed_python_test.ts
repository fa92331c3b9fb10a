/** Python eggs from signed repositories: published, taken, refused; and such as sign what PyPI has. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { publish } from "../../lib/publisher/publish.ts";
import { readPythonRelease } from "../../lib/publisher/python_release.ts";
import { readRegistryReleases } from "../../lib/publisher/registry_release.ts";
import { yank } from "../../lib/publisher/yank.ts";
import { openSource } from "../../lib/sources/open.ts";
import { Transmute } from "../../mod.ts";
import type { TrustPolicy } from "../../mod.ts";
import { startFaultyServer } from "../fixtures/faulty_server.ts";
import type { PythonArchive } from "../fixtures/python_wheel.ts";
import { helloWheel, wheel } from "../fixtures/python_wheel.ts";
import { refusal } from "../fixtures/refusal.ts";
import { testRepository } from "../fixtures/signed_repository.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";
import { NOW } from "../fixtures/world.ts";

type Repository = Awaited<ReturnType<typeof testRepository>>;

/** Serves what a repository holds, and an index of the archives that are given. */
async function served(
  { destination }: Repository,
  archives: (PythonArchive & { provenance?: unknown })[] = [],
) {
  const server = await startFaultyServer({
    find(path) {
      const name = decodeURIComponent(path.slice(1));
      const body = destination.objects.get(name);
      if (body !== undefined) return { body };
      const attested = archives.find((one) => name === `provenance/${one.name}`)?.provenance;
      if (attested !== undefined) {
        return { body: new TextEncoder().encode(JSON.stringify(attested)) };
      }
      const archive = archives.find((one) => name === `files/${one.name}`);
      if (archive !== undefined) return { body: archive.bytes };
      const [, project] = /^simple\/([^/]+)\/$/.exec(name) ?? [];
      if (project === undefined) return null;
      const files = archives.filter((one) => one.name.startsWith(`${project}-`)).map((one) => ({
        filename: one.name,
        url: `/files/${one.name}`,
        hashes: { sha256: createHash("sha256").update(one.bytes).digest("hex") },
        ...(one.provenance === undefined ? {} : { provenance: `/provenance/${one.name}` }),
      }));
      const text = JSON.stringify({ meta: { "api-version": "1.3" }, name: project, files });
      return {
        body: new TextEncoder().encode(text),
        headers: { "content-type": "application/vnd.pypi.simple.v1+json" },
      };
    },
  });
  return server;
}

function start(source: string, cacheDir: string, trust: TrustPolicy, requirement: string) {
  const transmute = new Transmute({
    app: "app",
    cacheDir: `${cacheDir}/store`,
    sources: [{ source, trust }],
    log: "off",
    now: () => NOW,
  });
  transmute.require(requirement);
  return transmute.update({ force: true, budgetMs: 60_000 });
}

test("update() takes a Python egg that was published in a signed repository", async () => {
  const repository = await testRepository();
  const { destination, root, signing } = repository;
  const dep = wheel({ name: "dep", version: "1.0", files: { "dep.py": "" } });
  const hello = helloWheel("1.0", { requires: ["dep>=1"] });
  const releases = await Promise.all(
    [hello, dep].map(({ name, bytes }) => readPythonRelease(bytes, name)),
  );
  await publish(destination, root, releases, {}, signing);
  await using server = await served(repository);
  using folder = temporaryFolder();
  const trust = { root: JSON.parse(JSON.stringify(root)) };
  const first = await start(server.url, folder.path, trust, "python:hello");
  assert.deepEqual(first.eggs, [{ project: "python:hello", version: "1.0" }]);

  // What the publisher takes back is gone from, down to what is left.
  const newer = helloWheel("1.10", { requires: ["dep"] });
  const release = await readPythonRelease(newer.bytes, newer.name);
  await publish(destination, root, [release], {}, signing);
  const second = await start(server.url, folder.path, trust, "python:hello");
  assert.equal(second.eggs[0].version, "1.10");
  const egg = { project: "hello", version: "1.10", ecosystem: "python" as const };
  await yank(destination, root, egg, "it loses data", signing);
  const third = await start(server.url, folder.path, trust, "python:hello");
  assert.equal(third.eggs[0].version, "1.0");
});

test("update() refuses a Python egg that its repository does not sign", async () => {
  const repository = await testRepository();
  const { destination, root, signing } = repository;
  const { name, bytes } = helloWheel("1.0");
  await publish(destination, root, [await readPythonRelease(bytes, name)], {}, signing);
  const [path] = [...destination.objects.keys()].filter((one) => one.endsWith(".whl"));
  destination.objects.set(path, helloWheel("1.0", { files: { "hello.py": "evil\n" } }).bytes);
  await using server = await served(repository);
  using folder = temporaryFolder();
  const trust = { root: JSON.parse(JSON.stringify(root)) };
  await assert.rejects(
    start(server.url, folder.path, trust, "python:hello"),
    refusal("no-matching-version", "refused"),
  );
});

test("a repository about PyPI says which of its eggs are taken, by which bytes", async () => {
  const repository = await testRepository();
  const { destination, root, signing } = repository;
  const archives = [helloWheel("1.0"), helloWheel("2.0")];
  await using server = await served(repository, archives);
  const index = `pypi+${server.url}simple/`;
  const releases = await readRegistryReleases("pypi:hello@1.0", openSource(index));
  await publish(destination, root, releases, {}, signing);
  assert.ok(![...destination.objects.keys()].some((path) => path.endsWith(".whl")));
  using folder = temporaryFolder();
  const trust = { root: JSON.parse(JSON.stringify(root)), metadata: server.url };
  const report = await start(index, folder.path, trust, "pypi:hello");
  assert.deepEqual(report.eggs, [{ project: "python:hello", version: "1.0" }]);

  // The registry replaces the file: what was signed is refused, and what runs stays.
  archives[0].bytes = helloWheel("1.0", { files: { "hello.py": "evil\n" } }).bytes;
  using other = temporaryFolder();
  await assert.rejects(
    start(index, other.path, trust, "pypi:hello"),
    refusal("no-matching-version", "refused"),
  );
});

test("update() takes of PyPI only what the wanted publisher published, when that is demanded", async () => {
  const vectors = JSON.parse(Deno.readTextFileSync("tests/fixtures/provenance.json"));
  const repository = "https://github.com/acme/hello";
  const attested = (provenance: unknown) => ({
    name: vectors.wheel.name,
    bytes: new Uint8Array(Buffer.from(vectors.wheel.archive, "base64")),
    provenance,
  });
  for (
    const [provenance, isTaken] of [
      [vectors.published, true],
      [vectors.publishedEvil, false],
      [vectors.publishedOther, false],
      [undefined, false],
    ]
  ) {
    await using server = await served(await testRepository(), [attested(provenance)]);
    using folder = temporaryFolder();
    const trust: TrustPolicy = { publisher: { repository }, sigstoreRoot: vectors.trustRoot };
    const updating = start(`pypi+${server.url}simple/`, folder.path, trust, "pypi:hello");
    if (isTaken) assert.equal((await updating).eggs[0].version, "1.0");
    else await assert.rejects(updating, refusal("no-matching-version", "Cannot accept hello@1.0"));
  }
});
