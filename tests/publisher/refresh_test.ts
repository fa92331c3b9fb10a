import assert from "node:assert/strict";
import { test } from "node:test";
import { inspectRepository } from "../../lib/publisher/inspect.ts";
import { refresh } from "../../lib/publisher/refresh.ts";
import { refusal } from "../fixtures/refusal.ts";
import type { Kept, TestRepository } from "../fixtures/signed_repository.ts";
import { NOW, publishEggs, testRepository, versionsSeen } from "../fixtures/signed_repository.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

async function published(): Promise<TestRepository> {
  const repository = await testRepository();
  await publishEggs(repository, ["hello@1.0.0"]);
  repository.destination.writes.length = 0;
  return repository;
}

test("refresh() makes what has expired good again, and offers the same", async () => {
  const { destination, root, signing, keys } = await published();
  const kept: Kept = new Map();
  await versionsSeen(destination, root, "hello", { kept });
  const now = NOW + 40 * DAY_MS;
  const look = () => versionsSeen(destination, root, "hello", { kept, now });
  await assert.rejects(look(), refusal("metadata-expired", "timestamp.json"));
  const { version, signed } = await refresh(destination, root, { keys: [keys.online], now });
  assert.deepEqual([version, signed], [3, ["snapshot"]]);
  assert.deepEqual(await look(), ["1.0.0"]);
  const month = { keys: signing.keys, now: now + 29 * DAY_MS };
  assert.deepEqual(await versionsSeen(destination, root, "hello", { now: month.now }), ["1.0.0"]);
});

test("refresh() signs only a timestamp while the rest is good for long", async () => {
  const { destination, root, signing } = await published();
  const { signed, expiring } = await refresh(destination, root, { ...signing, now: NOW + DAY_MS });
  assert.deepEqual([signed, expiring], [[], []]);
  assert.deepEqual(destination.writes, ["metadata/3.timestamp.json", "metadata/timestamp.json"]);
});

test("refresh() signs what is in the second half of its days where it has the keys", async () => {
  const { destination, root, signing } = await published();
  const { signed, expiring } = await refresh(destination, root, {
    ...signing,
    now: NOW + 200 * DAY_MS,
  });
  assert.deepEqual(signed, ["targets", "snapshot", "js-hello"]);
  assert.deepEqual(expiring, []);
  const now = NOW + 364 * DAY_MS;
  await refresh(destination, root, { ...signing, now });
  assert.deepEqual(await versionsSeen(destination, root, "hello", { now }), ["1.0.0"]);
});

test("refresh() tells what expires soon and whose keys it has not", async () => {
  const { destination, root, keys } = await published();
  const now = NOW + 300 * DAY_MS;
  const { expiring } = await refresh(destination, root, { keys: [keys.online], now });
  assert.deepEqual(expiring, [
    { role: "root", expires: "2031-01-31T12:00:00Z" },
    { role: "targets", expires: "2031-01-31T12:00:00Z" },
    { role: "js-hello", expires: "2031-01-31T12:00:00Z" },
  ]);
});

test("refresh() needs the key of timestamp", async () => {
  const { destination, root, keys } = await published();
  await assert.rejects(
    refresh(destination, root, { keys: [keys.targets], now: NOW }),
    refusal("key-missing", "timestamp"),
  );
});

test("refresh() with prune removes what newer documents have superseded long ago, and nothing else", async () => {
  const repository = await published();
  const { destination, root, signing } = repository;
  for (let minor = 1; minor <= 15; minor++) await publishEggs(repository, [`hello@1.${minor}.0`]);
  const { removed } = await refresh(destination, root, signing, { prune: true });
  assert.equal(removed, 6 + 7);
  const left = [...destination.objects.keys()];
  for (const name of ["7.js-hello", "16.js-hello", "8.snapshot", "17.snapshot", "1.root"]) {
    assert.ok(left.includes(`metadata/${name}.json`), name);
  }
  assert.equal(left.filter((path) => path.includes("timestamp")).length, 19);
  assert.equal((await versionsSeen(destination, root, "hello")).length, 16);
  assert.equal((await refresh(destination, root, signing, { prune: true })).removed, 0);
});

test("inspectRepository() shows who signs until when, and what is offered", async () => {
  const repository = await published();
  const { destination, root, keys } = repository;
  await publishEggs(repository, ["hello@1.10.0", "hello@1.9.0"], { channel: "beta" });
  const { roles, projects, releases } = await inspectRepository(destination, root);
  const [ofRoot] = roles;
  assert.deepEqual(ofRoot, {
    role: "root",
    version: 1,
    expires: "2031-01-31T12:00:00Z",
    keyids: [keys.root1.public.id, keys.root2.public.id].sort(),
    threshold: 1,
    signatures: 1,
  });
  assert.deepEqual(roles.map(({ role, version }) => [role, version]), [
    ["root", 1],
    ["targets", 2],
    ["snapshot", 3],
    ["timestamp", 3],
  ]);
  assert.deepEqual(projects.map(({ role, version }) => [role, version]), [["js-hello", 2]]);
  assert.deepEqual(releases.map(({ version, channel }) => [version, channel]), [
    ["1.10.0", "beta"],
    ["1.9.0", "beta"],
    ["1.0.0", "stable"],
  ]);
});
