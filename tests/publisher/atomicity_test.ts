import assert from "node:assert/strict";
import { test } from "node:test";
import { changeRepository } from "../../lib/publisher/commit.ts";
import { firstRoot, initRepository } from "../../lib/publisher/init_repository.ts";
import type { Document, Root } from "../../lib/publisher/metadata.ts";
import { signDocument } from "../../lib/publisher/signing.ts";
import type { AfterWrite, Kept, MemoryDestination } from "../fixtures/signed_repository.ts";
import {
  egg,
  killAfter,
  Killed,
  memoryDestination,
  NOW,
  publishedRepository,
  publishEggs,
  signingKey,
  testRepository,
  versionsSeen,
} from "../fixtures/signed_repository.ts";

const published = () => publishedRepository(["hello@1.0.0"]);

test("publish() shows clients all of a change or nothing, at every moment", async () => {
  const repository = await published();
  const { destination, root, after } = repository;
  const kept: Kept = new Map();
  await versionsSeen(destination, root, "hello", { kept });
  const views: string[] = [];
  after.write = async () => {
    const [fresh, old, other] = [
      await versionsSeen(destination, root, "hello"),
      await versionsSeen(destination, root, "hello", { kept }),
      await versionsSeen(destination, root, "world"),
    ].map((versions) => versions.join(" "));
    assert.equal(fresh, old);
    views.push(`${fresh} and ${other}`);
  };
  await publishEggs(repository, ["hello@1.1.0", "world@1.0.0"]);
  assert.deepEqual([...new Set(views)], ["1.0.0 and ", "1.0.0 1.1.0 and 1.0.0"]);
  assert.equal(views.length, 8);
});

test("publish() is finished by its repetition, wherever it was ended by force", async () => {
  const whole = await published();
  await publishEggs(whole, ["hello@1.1.0", "world@1.0.0"]);
  const writes = whole.destination.writes.length;
  assert.ok(writes > 5);
  for (let count = 1; count <= writes; count++) {
    const repository = await published();
    const { destination, root, after } = repository;
    const kept: Kept = new Map();
    after.write = killAfter(count);
    await assert.rejects(publishEggs(repository, ["hello@1.1.0", "world@1.0.0"]), Killed);
    after.write = () => {};
    const between = await versionsSeen(destination, root, "hello", { kept });
    assert.deepEqual(between, count < writes ? ["1.0.0"] : ["1.0.0", "1.1.0"]);
    repository.signing.now += 1000;
    await publishEggs(repository, ["hello@1.1.0", "world@1.0.0"]);
    assert.deepEqual(await versionsSeen(destination, root, "hello", { kept }), ["1.0.0", "1.1.0"]);
    assert.deepEqual(await versionsSeen(destination, root, "world", { kept }), ["1.0.0"]);
    const again = destination.writes.length;
    await publishEggs(repository, ["hello@1.1.0", "world@1.0.0"]);
    assert.equal(destination.writes.length, again, `after ${count} writes`);
  }
});

test("publish() takes what a publisher left who was ended, when it is the same", async () => {
  const repository = await published();
  const { destination, after } = repository;
  after.write = killAfter(3);
  const custom = { rollout: null };
  await assert.rejects(publishEggs(repository, ["hello@1.1.0"], custom), Killed);
  const left = [...destination.objects.keys()];
  after.write = () => {};
  destination.writes.length = 0;
  await publishEggs(repository, ["hello@1.1.0"], custom);
  assert.deepEqual(destination.writes, ["metadata/3.timestamp.json", "metadata/timestamp.json"]);
  assert.ok(left.includes("metadata/3.snapshot.json"));
});

test("publish() passes over what is in its way and is nothing of its own", async () => {
  const repository = await published();
  const { destination, root } = repository;
  const rubbish = new TextEncoder().encode("{}");
  for (const name of ["2.js-hello.json", "3.snapshot.json", "3.timestamp.json"]) {
    destination.objects.set(`metadata/${name}`, rubbish);
  }
  await publishEggs(repository, ["hello@1.1.0"]);
  assert.deepEqual(await versionsSeen(destination, root, "hello"), ["1.0.0", "1.1.0"]);
  assert.equal(destination.writes.includes("metadata/4.timestamp.json"), true);
  assert.equal(destination.objects.get("metadata/3.timestamp.json"), rubbish);
});

test("publish() loses nothing of another publisher who was faster, at whatever moment", async () => {
  const alone = await published();
  await publishEggs(alone, ["hello@1.1.0"]);
  const { length: writes } = alone.destination.writes;
  for (let moment = 0; moment < writes; moment++) {
    for (const other of ["world@1.0.0", "hello@1.2.0", "hello@1.1.0"]) {
      const repository = await published();
      const { destination, root, after } = repository;
      let count = 0;
      after.write = async () => {
        if (count++ === moment) await publishEggs(repository, [other]);
      };
      await publishEggs(repository, ["hello@1.1.0"]);
      const [name, version] = other.split("@");
      const hello = await versionsSeen(destination, root, "hello");
      assert.ok(hello.includes("1.1.0"), `${other} at ${moment}: ${hello}`);
      const versions = await versionsSeen(destination, root, name);
      assert.ok(versions.includes(version), `${other} at ${moment}: ${versions}`);
    }
  }
});

test("publish() puts the timestamp of an ended publisher into place before its own", async () => {
  const repository = await published();
  const { destination, root, after } = repository;
  after.write = (path) => {
    if (path === "metadata/3.timestamp.json") throw new Killed();
  };
  await assert.rejects(publishEggs(repository, ["world@1.0.0"]), Killed);
  after.write = () => {};
  assert.deepEqual(await versionsSeen(destination, root, "world"), []);
  destination.writes.length = 0;
  await publishEggs(repository, ["hello@1.1.0"]);
  assert.equal(destination.writes[0], "metadata/timestamp.json");
  assert.deepEqual(await versionsSeen(destination, root, "world"), ["1.0.0"]);
  assert.deepEqual(await versionsSeen(destination, root, "hello"), ["1.0.0", "1.1.0"]);
});

test("changeRepository() gives up when others are faster time after time", async () => {
  const repository = await published();
  const { destination, root, signing, after } = repository;
  let number = 0;
  after.write = async (path) => {
    if (!path.endsWith("9.0.0.tgz")) return;
    after.write = () => {};
    await publishEggs(repository, [`other@1.0.${number++}`]);
  };
  const busy = after.write;
  const release = await egg("hello", "9.0.0");
  let tries = 0;
  await assert.rejects(
    changeRepository(destination, root, signing, (found) => {
      tries++;
      after.write = busy;
      destination.objects.delete(release.objectPath!);
      const { targets = {} } = found.projects.get("js-hello")?.signed ?? {};
      return Promise.resolve({
        objects: new Map([[release.objectPath!, release.archive]]),
        projects: new Map([["js-hello", { ...targets, [release.path]: release.target }]]),
      });
    }),
    { code: "publish-conflict" },
  );
  assert.equal(tries, 20);
});

/** The root of a repository that is made with these keys. */
async function newRoot(): Promise<
  { root: Document<Root>; keys: Awaited<ReturnType<typeof signingKey>>[] }
> {
  const keys = await Promise.all(["root", "targets", "online"].map(signingKey));
  const [ofRoot, targets, online] = keys.map((key) => [key.public]);
  const unsigned = firstRoot({ root: ofRoot, targets, online }, NOW);
  return { root: await signDocument(unsigned, [keys[0]]), keys };
}

test("initRepository() is finished by its repetition, wherever it was ended by force", async () => {
  for (let count = 1; count <= 5; count++) {
    const after: { write: AfterWrite } = { write: killAfter(count) };
    const destination: MemoryDestination = memoryDestination((path) => after.write(path));
    const { root, keys } = await newRoot();
    await assert.rejects(initRepository(destination, root, keys, NOW), Killed);
    after.write = () => {};
    // A root that was made a second later is another one; the first stays.
    const later = await signDocument({ ...root.signed, expires: "2031-02-01T00:00:00Z" }, [
      keys[0],
    ]);
    const made = await initRepository(destination, later, keys, NOW + 1000);
    assert.deepEqual(made.root, root);
    assert.equal(made.changed, count < 5);
    assert.deepEqual(await versionsSeen(destination, root, "hello"), []);
    destination.writes.length = 0;
    await initRepository(destination, later, keys, NOW + 2000);
    assert.deepEqual(destination.writes, []);
  }
});

test("initRepository() leaves a repository of other keys alone", async () => {
  const { destination } = await testRepository();
  const { root, keys } = await newRoot();
  await assert.rejects(initRepository(destination, root, keys, NOW), { code: "repository-exists" });
  assert.deepEqual(destination.writes, []);
});
