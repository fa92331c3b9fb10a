import assert from "node:assert/strict";
import { test } from "node:test";
import { firstRoot } from "../../lib/publisher/init_repository.ts";
import type { SigningKey } from "../../lib/publisher/keys.ts";
import { rootChanges, signRoot } from "../../lib/publisher/root_draft.ts";
import { isComplete, nextRoot } from "../../lib/publisher/rotate_key.ts";
import { NOW, signingKey } from "../fixtures/signed_repository.ts";

/** A root of a team of three, unsigned, and its keys. */
async function team() {
  const keys = await Promise.all(["ada", "ben", "eve", "targets", "online"].map(signingKey));
  const [ada, ben, eve, targets, online] = keys;
  const signed = firstRoot({
    root: [ada, ben, eve].map((key) => key.public),
    targets: [targets.public],
    online: [online.public],
  }, NOW);
  return { ada, ben, eve, targets, online, draft: { signatures: [], signed } };
}

const names = (keys: SigningKey[], ids: string[]) =>
  ids.map((id) => keys.find((key) => key.public.id === id)?.name).sort();

test("signRoot() adds signatures one holder at a time, until there are enough", async () => {
  const { ada, ben, eve, targets, online, draft } = await team();
  const first = await signRoot(draft, null, [ada, targets, online]);
  assert.equal(first.root.signatures.length, 1);
  const [{ keyids, threshold }] = first.needed;
  assert.deepEqual([names([ben, eve], keyids), threshold], [["ben", "eve"], 1]);
  const again = await signRoot(first.root, null, [ada]);
  assert.deepEqual(again, first);
  const second = await signRoot(first.root, null, [eve, ben]);
  assert.deepEqual(second.needed, []);
  assert.equal(second.root.signatures.length, 2);
});

test("signRoot() wants the root before to be satisfied too", async () => {
  const { ada, ben, eve, draft } = await team();
  const { root: before } = await signRoot(draft, null, [ada, ben]);
  const zoe = await signingKey("zoe");
  const change = { add: [zoe.public], remove: [ada.public.id, ben.public.id] };
  const signed = nextRoot(before.signed, "root", change, NOW)!;
  const own = await signRoot({ signatures: [], signed }, before.signed, [zoe, eve]);
  assert.deepEqual(own.needed.map(({ threshold }) => threshold), [1]);
  assert.ok(!await isComplete(own.root, before.signed));
  const whole = await signRoot(own.root, before.signed, [ben]);
  assert.deepEqual(whole.needed, []);
  assert.ok(await isComplete(whole.root, before.signed));
});

test("signRoot() lets go of signatures that are of no use", async () => {
  const { ada, ben, targets, draft } = await team();
  const stray = [
    { keyid: targets.public.id, sig: "00" },
    { keyid: ada.public.id, sig: "00".repeat(64) },
  ];
  const { root, needed } = await signRoot({ ...draft, signatures: stray }, null, [ada, ben]);
  assert.ok(!root.signatures.some(({ keyid }) => keyid === targets.public.id));
  assert.equal(needed.length, 0);
});

test("rootChanges() says in words which keys come and go", async () => {
  const { ada, online, draft } = await team();
  const fresh = await signingKey("new");
  const change = { add: [fresh.public], remove: [online.public.id] };
  const next = nextRoot(draft.signed, "timestamp", change, NOW)!;
  assert.deepEqual(rootChanges(draft.signed, next), [
    `timestamp gets the key ${fresh.public.id}`,
    `timestamp loses the key ${online.public.id}`,
  ]);
  const threshold = nextRoot(draft.signed, "root", { add: [], remove: [], threshold: 3 }, NOW)!;
  assert.deepEqual(rootChanges(draft.signed, threshold), ["root is signed by 3 of 3 keys"]);
  assert.equal(
    rootChanges(null, draft.signed).filter((line) => line.includes(ada.public.id)).length,
    1,
  );
});
