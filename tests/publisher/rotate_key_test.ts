import assert from "node:assert/strict";
import { test } from "node:test";
import type { SigningKey } from "../../lib/publisher/keys.ts";
import type { Document, Root } from "../../lib/publisher/metadata.ts";
import { parseDocument, readRepository } from "../../lib/publisher/repository.ts";
import type { KeyChange, RotatedRole } from "../../lib/publisher/rotate_key.ts";
import {
  changedRole,
  finishRotation,
  isComplete,
  nextRoot,
  putRoot,
  rotateProjectKey,
} from "../../lib/publisher/rotate_key.ts";
import { chooseKeys, signDocument } from "../../lib/publisher/signing.ts";
import { refusal } from "../fixtures/refusal.ts";
import type { Kept, TestRepository } from "../fixtures/signed_repository.ts";
import {
  killAfter,
  Killed,
  NOW,
  publishedRepository,
  publishEggs,
  signingKey,
  testRepository,
  versionsSeen,
} from "../fixtures/signed_repository.ts";

const published = () => publishedRepository(["hello@1.0.0", "world@1.0.0"]);

/** Gives a role a new key in place of the old one, as the command does it. */
async function rotate(
  { destination, root, signing }: TestRepository,
  role: RotatedRole,
  change: KeyChange,
  keys: SigningKey[] = signing.keys,
): Promise<void> {
  const { root: newest } = await readRepository(destination, root, { alsoBefore: true });
  const unsigned = nextRoot(newest.signed, role, change, signing.now);
  if (unsigned === null) return void await finishRotation(destination, root, { ...signing, keys });
  const sets = [newest.signed.roles.root, unsigned.roles.root];
  const next = await signDocument(unsigned, chooseKeys(keys, "root", ...sets));
  await putRoot(destination, root, next, { ...signing, keys });
}

/** Who signed the newest documents of the top roles and of hello, by the names of keys. */
function signersOf({ destination }: TestRepository, keys: SigningKey[]): Record<string, string[]> {
  const newest = new Map<string, [version: number, signers: string[]]>();
  for (const [path, bytes] of destination.objects) {
    const [, version, role] = /^metadata\/(\d+)\.(.+)\.json$/.exec(path) ?? [];
    if (role === undefined || Number(version) < (newest.get(role)?.[0] ?? 0)) continue;
    const document = parseDocument(bytes, role.startsWith("js-") ? "targets" : role)!;
    const names = document.signatures.map(({ keyid }) =>
      keys.find((key) => key.public.id === keyid)!.name
    );
    newest.set(role, [Number(version), names]);
  }
  return Object.fromEntries([...newest].map(([role, [, names]]) => [role, names]));
}

const ROLES = ["online", "targets", "snapshot", "timestamp", "root"] as const;
const OLD_KEY = {
  online: "online",
  targets: "targets",
  snapshot: "online",
  timestamp: "online",
  root: "root1",
} as const;

/** Roles that share their key with another one; it goes on being needed. */
const SHARING: RotatedRole[] = ["snapshot", "timestamp"];

for (const role of ROLES) {
  for (const isLost of role === "online" || role === "targets" ? [false, true] : [false]) {
    const how = isLost ? "whose old key is lost" : "at no moment without proof for clients";
    test(`putRoot() gives ${role} another key, ${how}`, async () => {
      const repository = await published();
      const { destination, root, keys, signing, after } = repository;
      const fresh = await signingKey("new");
      const old = keys[OLD_KEY[role]];
      const change = { add: [fresh.public], remove: [old.public.id] };
      const available = [...signing.keys, fresh].filter((key) => !isLost || key !== old);
      const kept: Kept = new Map();
      await versionsSeen(destination, root, "hello", { kept });
      const look = async () => {
        assert.deepEqual(await versionsSeen(destination, root, "hello"), ["1.0.0"]);
        assert.deepEqual(await versionsSeen(destination, root, "hello", { kept }), ["1.0.0"]);
      };
      if (!isLost) after.write = look;
      await rotate(repository, role, change, available);
      after.write = () => {};
      await look();

      const all = [...signing.keys, fresh];
      const signers = signersOf(repository, all);
      const expected: Record<string, string[]> = {
        "timestamp": ["online"],
        "snapshot": ["online"],
        "targets": ["targets"],
        "js-hello": ["targets"],
      };
      const changed = role === "online" ? ["snapshot", "timestamp"] : [role];
      if (role === "targets") changed.push("js-hello");
      for (const name of changed) if (name !== "root") expected[name] = ["new"];
      const { root: _root, "js-world": _world, ...others } = signers;
      assert.deepEqual(others, expected);

      // The old key is of no use any more, and the new one is enough.
      const left = available.filter((key) => key !== old || SHARING.includes(role));
      const afterwards = { ...signing, keys: left };
      await publishEggs({ destination, root, signing: afterwards }, ["hello@1.1.0"]);
      assert.deepEqual(await versionsSeen(destination, root, "hello", { kept }), [
        "1.0.0",
        "1.1.0",
      ]);
      if (role !== "root" && !SHARING.includes(role)) {
        await assert.rejects(
          publishEggs({ destination, root, signing }, ["hello@1.2.0"]),
          refusal("key-missing"),
        );
      }
      const { length } = destination.writes;
      await rotate(repository, role, change, available);
      assert.equal(destination.writes.length, length, "rotating twice changes nothing");
    });

    test(`putRoot() for ${role}, ${how}, is finished by its repetition wherever it was ended`, async () => {
      const fresh = await signingKey("new");
      for (let count = 1;; count++) {
        const repository = await published();
        const { destination, root, keys, signing, after } = repository;
        const old = keys[OLD_KEY[role]];
        const change = { add: [fresh.public], remove: [old.public.id] };
        const available = [...signing.keys, fresh].filter((key) => !isLost || key !== old);
        after.write = killAfter(count);
        const ended = await rotate(repository, role, change, available)
          .then(() => false, (error) => {
            if (error instanceof Killed) return true;
            throw error;
          });
        after.write = () => {};
        if (!ended) {
          assert.ok(count > 2);
          break;
        }
        await rotate(repository, role, change, available);
        assert.deepEqual(await versionsSeen(destination, root, "hello"), ["1.0.0"]);
        const left = available.filter((key) => key !== old || SHARING.includes(role));
        const afterwards = { ...signing, keys: left };
        await publishEggs({ destination, root, signing: afterwards }, ["hello@1.1.0"]);
        assert.deepEqual(await versionsSeen(destination, root, "hello"), ["1.0.0", "1.1.0"]);
      }
    });
  }
}

test("putRoot() refuses a root that too few have signed, and writes nothing", async () => {
  const repository = await published();
  const { destination, root, keys, signing } = repository;
  const others = await Promise.all(["a", "b"].map(signingKey));
  const change = { add: others.map((key) => key.public), remove: [], threshold: 2 };
  const unsigned = nextRoot(root.signed, "root", change, NOW)!;
  const enough = await signDocument(unsigned, [keys.root1, others[0]]);
  assert.ok(await isComplete(enough, root.signed));
  for (
    const signers of [[keys.root1], others, [keys.root1, keys.root1], [keys.targets, keys.online]]
  ) {
    const next = await signDocument(unsigned, signers);
    assert.ok(!await isComplete(next, root.signed));
    await assert.rejects(
      putRoot(destination, root, next, signing),
      refusal("repository-invalid", "does not follow"),
    );
  }
  assert.deepEqual(destination.writes, []);
});

test("putRoot() refuses a root that was decided on before another", async () => {
  const repository = await published();
  const { destination, root, keys, signing } = repository;
  const [one, other] = await Promise.all(["a", "b"].map(signingKey));
  const nextOf = async (key: SigningKey): Promise<Document<Root>> =>
    await signDocument(nextRoot(root.signed, "root", { add: [key.public], remove: [] }, NOW)!, [
      keys.root1,
    ]);
  const [first, second] = [await nextOf(one), await nextOf(other)];
  await putRoot(destination, root, first, signing);
  await assert.rejects(
    putRoot(destination, root, second, signing),
    refusal("repository-invalid", "its root at version 2"),
  );
});

test("nextRoot() is the same root for another year when nothing is to change", () => {
  return testRepository().then(({ root }) => {
    const later = NOW + 300 * 24 * 60 * 60 * 1000;
    const next = nextRoot(root.signed, "root", { add: [], remove: [] }, later)!;
    assert.deepEqual({ ...next, version: 1, expires: root.signed.expires }, root.signed);
    assert.deepEqual([next.version, next.expires], [2, "2031-11-27T12:00:00Z"]);
  });
});

test("changedRole() refuses what would leave a role without enough keys", async () => {
  const [one, other] = await Promise.all(["a", "b"].map(signingKey));
  const role = { keyids: [one.public.id], threshold: 1 };
  const change = (keys: Partial<KeyChange>) => () =>
    changedRole("targets", role, { add: [], remove: [], ...keys });
  assert.throws(
    change({ remove: [one.public.id] }),
    refusal("option-invalid", "none would be left"),
  );
  assert.throws(
    change({ threshold: 2 }),
    refusal("option-invalid", "a threshold of 2, wanted 1 to 1"),
  );
  assert.throws(change({ threshold: 0 }), refusal("option-invalid", "a threshold of 0"));
  assert.throws(change({ remove: ["ab"] }), refusal("option-invalid", '"ab"'));
  assert.deepEqual(change({ add: [other.public], remove: [one.public.id.slice(0, 8)] })(), {
    keyids: [other.public.id],
    threshold: 1,
  });
});

test("rotateProjectKey() gives one project a key of its own", async () => {
  const repository = await published();
  const { destination, root, keys, signing } = repository;
  const own = await signingKey("own");
  const change = { add: [own.public], remove: [keys.targets.public.id] };
  const withOwn = { ...signing, keys: [...signing.keys, own] };
  assert.ok(await rotateProjectKey(destination, root, "js-hello", change, withOwn));
  assert.ok(!await rotateProjectKey(destination, root, "js-hello", change, withOwn));
  assert.deepEqual(await versionsSeen(destination, root, "hello"), ["1.0.0"]);

  // Its holder publishes hello, and nothing else.
  const holder = { destination, root, signing: { ...signing, keys: [own, keys.online] } };
  await publishEggs(holder, ["hello@1.1.0"]);
  assert.deepEqual(await versionsSeen(destination, root, "hello"), ["1.0.0", "1.1.0"]);
  await assert.rejects(publishEggs(holder, ["world@1.1.0"]), refusal("key-missing", "js-world"));
  await assert.rejects(publishEggs(holder, ["other@1.0.0"]), refusal("key-missing", "js-other"));
  await assert.rejects(
    publishEggs(repository, ["hello@1.2.0"]),
    refusal("key-missing", "js-hello"),
  );

  // Another key for targets leaves it alone.
  const fresh = await signingKey("new");
  const all = [...withOwn.keys, fresh];
  await rotate(
    repository,
    "targets",
    { add: [fresh.public], remove: [keys.targets.public.id] },
    all,
  );
  assert.deepEqual(signersOf(repository, all)["js-hello"], ["own"]);
  assert.deepEqual(signersOf(repository, all)["js-world"], ["new"]);
  assert.deepEqual(await versionsSeen(destination, root, "hello"), ["1.0.0", "1.1.0"]);
});

test("rotateProjectKey() refuses a project that has no role", async () => {
  const { destination, root, signing } = await published();
  const change = { add: [(await signingKey("own")).public], remove: [] };
  await assert.rejects(
    rotateProjectKey(destination, root, "js-other", change, signing),
    refusal("release-missing", "js-other"),
  );
});
