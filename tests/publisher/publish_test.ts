import assert from "node:assert/strict";
import { test } from "node:test";
import { storedPath } from "../../lib/model/signed_target.ts";
import type { Destination } from "../../lib/publisher/destination.ts";
import { publisherMemory } from "../../lib/publisher/memory.ts";
import { publish } from "../../lib/publisher/publish.ts";
import { digestHex } from "../../lib/trust/digest.ts";
import { refusal } from "../fixtures/refusal.ts";
import {
  egg,
  memoryDestination,
  NOW,
  publishEggs,
  seen,
  testRepository,
  versionsSeen,
} from "../fixtures/signed_repository.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

test("initRepository() makes a repository that clients trust and that offers nothing", async () => {
  const { destination, root } = await testRepository();
  assert.deepEqual(await seen(destination, root, "hello"), []);
  assert.deepEqual([...destination.objects.keys()].sort(), [
    "metadata/1.root.json",
    "metadata/1.snapshot.json",
    "metadata/1.targets.json",
    "metadata/1.timestamp.json",
    "metadata/timestamp.json",
  ]);
});

test("publish() signs what the egg itself says, and lays its archive where clients look", async () => {
  const repository = await testRepository();
  const { destination, root } = repository;
  await publishEggs(repository, ["@scope/hello@1.0.0"], { channel: "beta" });
  const [target] = await seen(destination, root, "@scope/hello");
  assert.equal(target.path, "js/@scope/hello/scope-hello-1.0.0.tgz");
  const { archive } = await egg("@scope/hello", "1.0.0");
  const digest = `sha512:${await digestHex("sha512", archive)}`;
  assert.deepEqual([target.sizeBytes, target.digests], [archive.length, [digest]]);
  assert.deepEqual(destination.objects.get(`targets/${storedPath(target.path, digest)}`), archive);
  const { unpacked, ...custom } = target.custom;
  assert.match(unpacked!.digest, /^sha512:/);
  assert.deepEqual(custom, {
    format: 1,
    ecosystem: "js",
    project: "@scope/hello",
    version: "1.0.0",
    channel: "beta",
    publishedAt: "2030-01-31T12:00:00Z",
    manifest: { name: "@scope/hello", version: "1.0.0" },
  });
});

test("publish() writes archives first and the timestamp last", async () => {
  const repository = await testRepository();
  await publishEggs(repository, ["hello@1.0.0"]);
  const names = repository.destination.writes.map((path) => path.replace(/[0-9a-f]{128}/, "…"));
  assert.deepEqual(names, [
    "targets/js/hello/….hello-1.0.0.tgz",
    "metadata/1.js-hello.json",
    "metadata/2.targets.json",
    "metadata/2.snapshot.json",
    "metadata/2.timestamp.json",
    "metadata/timestamp.json",
  ]);
});

test("publish() changes nothing when the same eggs are there", async () => {
  const repository = await testRepository();
  await publishEggs(repository, ["hello@1.0.0", "world@1.0.0"]);
  repository.destination.writes.length = 0;
  repository.signing.now += 60_000;
  const published = await publishEggs(repository, ["world@1.0.0", "hello@1.0.0"]);
  assert.deepEqual(published.map(({ outcome }) => outcome), ["unchanged", "unchanged"]);
  assert.deepEqual(repository.destination.writes, []);
});

test("publish() refuses a different egg of a version that is there, and publishes none then", async () => {
  const repository = await testRepository();
  const { destination, root, signing } = repository;
  await publishEggs(repository, ["hello@1.0.0"]);
  destination.writes.length = 0;
  const other = [await egg("world", "1.0.0"), await egg("hello", "1.0.0", "other")];
  await assert.rejects(
    publish(destination, root, other, {}, signing),
    refusal("release-exists", "hello@1.0.0", "a different egg"),
  );
  assert.deepEqual(destination.writes, []);
});

test("publish() adds to what is there, and signs only the projects that change", async () => {
  const repository = await testRepository();
  const { destination, root } = repository;
  await publishEggs(repository, ["hello@1.0.0", "world@1.0.0"]);
  destination.writes.length = 0;
  await publishEggs(repository, ["hello@1.1.0"]);
  assert.deepEqual(await versionsSeen(destination, root, "hello"), ["1.0.0", "1.1.0"]);
  assert.deepEqual(await versionsSeen(destination, root, "world"), ["1.0.0"]);
  const signed = destination.writes.filter((path) => /\d\.(js-|targets)/.test(path));
  assert.deepEqual(signed, ["metadata/2.js-hello.json"]);
});

test("publish() signs platform, rollout and minimum version", async () => {
  const repository = await testRepository();
  const { destination, root, signing } = repository;
  const release = await egg("hello", "2.0.0");
  release.target.custom.platform = { os: ["linux"] };
  const rollout = { percent: 10, startsAt: "2030-01-31T12:00:00Z", fullAt: "2030-02-03T12:00:00Z" };
  await publish(destination, root, [release], { rollout, minimumVersion: "1.5.0" }, signing);
  const [{ custom }] = await seen(destination, root, "hello");
  assert.deepEqual(custom.rollout, rollout);
  assert.deepEqual([custom.minimumVersion, custom.platform], ["1.5.0", { os: ["linux"] }]);
});

test("publish() with keep lets go of the lowest versions, never of what it publishes", async () => {
  const repository = await testRepository();
  const { destination, root } = repository;
  await publishEggs(repository, ["hello@1.0.0", "hello@2.0.0", "hello@3.0.0"]);
  await publishEggs(repository, ["hello@0.9.0"], { keep: 2 });
  assert.deepEqual(await versionsSeen(destination, root, "hello"), ["0.9.0", "3.0.0"]);
});

test("publish() refuses more releases than clients read", async () => {
  const repository = await testRepository();
  const { destination, root, signing } = repository;
  const first = await egg("hello", "1.0.0");
  const many = Array.from({ length: 1001 }, (_, index) => {
    const version = `1.0.${index}`;
    const custom = { ...first.target.custom, version, manifest: { name: "hello", version } };
    const path = `js/hello/hello-${version}.tgz`;
    return { ...first, version, path, target: { ...first.target, custom } };
  });
  await assert.rejects(
    publish(destination, root, many, {}, signing),
    refusal("repository-invalid", "1001 releases", "at most 1000"),
  );
  await publish(destination, root, many.slice(0, 1000), {}, signing);
  assert.equal((await seen(destination, root, "hello")).length, 1000);
});

test("publish() refuses to begin without all the keys that it needs", async () => {
  const repository = await testRepository();
  const { destination, root, keys } = repository;
  const cases = [["online", "js-hello"], ["targets", "snapshot"]] as const;
  for (const [only, role] of cases) {
    const signing = { keys: [keys[only]], now: NOW };
    await assert.rejects(
      publish(destination, root, [await egg("hello", "1.0.0")], {}, signing),
      refusal("key-missing", role, "found 0 of its 1 keys, wanted 1"),
    );
  }
  assert.deepEqual(destination.writes, []);
});

test("publish() repairs an archive that is damaged where it lies", async () => {
  const repository = await testRepository();
  const { destination, root, signing } = repository;
  const release = await egg("hello", "1.0.0");
  destination.objects.set(release.objectPath!, new Uint8Array(3));
  await publish(destination, root, [release], {}, signing);
  assert.deepEqual(destination.objects.get(release.objectPath!), release.archive);
});

/** What whoever owns the place where a repository lies could do to it before its publisher comes. */
const TAMPERED: [
  what: string,
  tamper: (objects: Map<string, Uint8Array>) => void,
  words: string,
][] = [
  [
    "another role of a project",
    (objects) => objects.set("metadata/1.js-hello.json", objects.get("metadata/2.targets.json")!),
    "another metadata/1.js-hello.json than was published",
  ],
  [
    "targets of another",
    (objects) => objects.set("metadata/2.targets.json", objects.get("metadata/1.targets.json")!),
    "another metadata/2.targets.json",
  ],
  [
    "a timestamp that nobody signed",
    (objects) => {
      const text = new TextDecoder().decode(objects.get("metadata/timestamp.json"));
      const forged = text.replace('"version":2', '"version":7');
      objects.set("metadata/timestamp.json", new TextEncoder().encode(forged));
    },
    "its key did not sign",
  ],
  [
    "a root that the one before did not sign",
    (objects) => objects.set("metadata/2.root.json", objects.get("metadata/1.root.json")!),
    "the root before did not sign",
  ],
  [
    "no snapshot",
    (objects) => objects.delete("metadata/2.snapshot.json"),
    "found no metadata/2.snapshot",
  ],
];

for (const [what, tamper, words] of TAMPERED) {
  test(`publish() signs nothing on top of ${what}`, async () => {
    const repository = await testRepository();
    const { destination } = repository;
    await publishEggs(repository, ["hello@1.0.0"]);
    tamper(destination.objects);
    destination.writes.length = 0;
    await assert.rejects(
      publishEggs(repository, ["hello@1.1.0"]),
      refusal("repository-invalid", words),
    );
    assert.deepEqual(destination.writes, []);
  });
}

test("publish() does not build on an older state of a repository, once it has seen a newer one", async () => {
  using store = temporaryFolder();
  const repository = await testRepository();
  const { destination, root } = repository;
  const signing = { ...repository.signing, memory: publisherMemory(store.path) };
  await publishEggs({ destination, root, signing }, ["hello@1.0.0"]);
  const before = new Map(destination.objects);
  await publishEggs({ destination, root, signing }, ["hello@1.1.0"]);
  destination.objects.clear();
  for (const [path, bytes] of before) destination.objects.set(path, bytes);
  destination.writes.length = 0;
  await assert.rejects(
    publishEggs({ destination, root, signing }, ["hello@1.2.0"]),
    refusal("downgrade-refused", "at version 2", "it was 3"),
  );
  assert.deepEqual(destination.writes, []);
  await publishEggs(repository, ["hello@1.2.0"]);
});

test("publish() takes another publisher of its machine for no attack, however close it is", async () => {
  using store = temporaryFolder();
  const { destination, root, signing: alone } = await testRepository();
  const signing = { ...alone, memory: publisherMemory(store.path) };
  let isOvertaken = false;
  const overtaken: Destination = {
    ...destination,
    async read(path, maxBytes) {
      const bytes = await destination.read(path, maxBytes);
      // Nobody has the next timestamp yet; before this answer arrives, somebody has.
      if (path === "metadata/2.timestamp.json" && !isOvertaken) {
        isOvertaken = true;
        await publishEggs({ destination, root, signing }, ["hello@1.0.0"]);
      }
      return bytes;
    },
  };
  await publishEggs({ destination: overtaken, root, signing }, ["hello@1.1.0"]);
  assert.ok(isOvertaken);
  assert.deepEqual(await versionsSeen(destination, root, "hello"), ["1.0.0", "1.1.0"]);
});

test("publish() says so when there is no repository", async () => {
  const { root, signing } = await testRepository();
  await assert.rejects(
    publishEggs({ destination: memoryDestination(), root, signing }, ["hello@1.0.0"]),
    refusal("repository-missing", "found no metadata/timestamp.json"),
  );
});
