/**
 * The attacks that the specification of TUF names, each made by the server of an application that
 * runs on hello 2.1.0: it keeps running on it, takes nothing, and names what happened.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ErrorCode } from "../lib/errors.ts";
import { newKey, signedTime } from "./fixtures/signed_folder.ts";
import type { SignedStart } from "./fixtures/signed_world.ts";
import { signedWorld } from "./fixtures/signed_world.ts";
import { DAY, NOW } from "./fixtures/world.ts";

/** A world in which 1.0.0 and then 2.1.0 were published and taken; `old` is the state of 1.0.0. */
async function settled() {
  const world = await signedWorld();
  await world.repository.add({ name: "hello", version: "1.0.0" });
  await world.repository.publish();
  const old = world.repository.saved();
  await world.repository.add({ name: "hello", version: "2.1.0" });
  await world.repository.publish();
  const start = await world.start();
  assert.equal(start.eggs, "hello@2.1.0", start.messages.join());
  return { ...world, old };
}

function assertWithstood(start: SignedStart, code: ErrorCode, ...words: string[]): void {
  assert.equal(start.eggs, "hello@2.1.0");
  assert.equal(start.outcome, "unchanged");
  assert.deepEqual(start.codes, [code], start.messages.join("\n"));
  for (const word of words) assert.ok(start.messages[0].includes(word), start.messages[0]);
}

test("arbitrary installation: what no trusted key signed is not taken", async () => {
  await using world = await settled();
  const { repository } = world;
  const own = repository.signers.timestamp;
  const stranger = await newKey();
  await repository.add({ name: "hello", version: "3.0.0" });
  for (const role of ["project", "targets", "snapshot", "timestamp"] as const) {
    repository.signers[role] = { keys: [stranger], threshold: 1 };
  }
  await repository.publish();
  assertWithstood(await world.start(), "signature-invalid", "timestamp.json", "0/1 keys");

  // With the key of the timestamp alone, which is online, it gets one step further.
  repository.signers.timestamp = own;
  await repository.signTimestamp();
  assertWithstood(await world.start(), "signature-invalid", "snapshot.json", "0/1 keys");
});

test("arbitrary installation: an archive that was swapped is refused", async () => {
  await using world = await settled();
  const { repository } = world;
  const { path, target } = await repository.add({ name: "hello", version: "3.0.0" });
  await repository.publish();
  const [folder, file] = [path.slice(0, path.lastIndexOf("/")), path.split("/").at(-1)];
  const { sha512 } = target.hashes as { sha512: string };
  const stored = `targets/${folder}/${sha512}.${file}`;
  const swapped = repository.files.get(stored)!.slice();
  swapped[swapped.length - 1] ^= 1;
  repository.files.set(stored, swapped);
  const start = await world.start();
  assert.equal(start.eggs, "hello@2.1.0");
  assert.deepEqual(start.refused, ["digest-mismatch"]);
});

test("endless data: a file that does not end is not read beyond what it may have", async () => {
  await using world = await settled();
  await world.repository.add({ name: "hello", version: "3.0.0" });
  await world.repository.publish();
  world.server.fail("/metadata/timestamp.json", "endless");
  assertWithstood(await world.start(), "size-mismatch", "timestamp.json");
  world.server.heal("/metadata/timestamp.json");

  world.server.fail(
    `/metadata/${world.repository.versions.get("snapshot")}.snapshot.json`,
    "endless",
  );
  assertWithstood(await world.start(), "size-mismatch", "snapshot.json");
});

test("extraneous dependencies: what is signed needs signed dependencies, from the same place", async () => {
  await using world = await settled();
  const { repository } = world;
  await repository.add({ name: "hello", version: "3.0.0", dependencies: { evil: "*" } });
  await repository.publish();
  // The repository has no such project, and an attacker's file beside it is nobody's word.
  repository.files.set(
    "evil-1.0.0.tgz",
    (await repository.add({ name: "evil", version: "1.0.0" }))
      .archive,
  );
  const start = await world.start();
  assertWithstood(start, "no-matching-version", "evil");
});

test("fast forward: versions raised by a stolen key do not lock out the author's new keys", async () => {
  await using world = await settled();
  const { repository } = world;
  repository.versions.set("timestamp", 1_000_000);
  await repository.signTimestamp();
  assert.equal((await world.start()).eggs, "hello@2.1.0");

  // The author retires the key and starts again below.
  const retired = repository.signers.timestamp.keys[0];
  repository.signers.timestamp = { keys: [await newKey()], threshold: 1 };
  await repository.signRoot();
  repository.versions.set("timestamp", 10);
  await repository.add({ name: "hello", version: "3.0.0" });
  await repository.publish();
  const recovered = await world.start();
  assert.equal(recovered.eggs, "hello@3.0.0", recovered.messages.join());
  assert.notEqual(repository.signers.timestamp.keys[0].id, retired.id);
});

test("indefinite freeze: metadata that nobody signs anew expires, and the hint names the clock", async () => {
  await using world = await settled();
  const frozen = await world.start({ now: () => NOW + 31 * DAY });
  assertWithstood(frozen, "metadata-expired", "timestamp.json", signedTime(NOW + 30 * DAY));
  assert.match(frozen.hints[0], /clock says 2030-02-01/);
});

test("malicious mirrors: a server that denies everything hides nothing from the next update", async () => {
  await using world = await settled();
  await world.repository.add({ name: "hello", version: "3.0.0" });
  await world.repository.publish();
  world.server.fail("/metadata/timestamp.json", { status: 404 });
  assertWithstood(await world.start(), "listing-invalid", "timestamp.json");
  world.server.heal("/metadata/timestamp.json");
  assert.equal((await world.start()).eggs, "hello@3.0.0");
});

test("mix and match: metadata of different times is not taken together", async () => {
  await using world = await settled();
  const { repository, old } = world;
  await repository.add({ name: "hello", version: "3.0.0" });
  await repository.publish();
  const older = old.get("metadata/1.js-hello.json")!;
  repository.files.set(`metadata/${repository.versions.get("js-hello")}.js-hello.json`, older);
  assertWithstood(await world.start(), "digest-mismatch", "js-hello.json");
});

test("rollback: a repository that went back in time is refused", async () => {
  await using world = await settled();
  world.repository.restore(world.old);
  assertWithstood(await world.start(), "downgrade-refused", "timestamp.json");
});

test("key compromise: fewer keys than the threshold change nothing", async () => {
  const { SignedFolder } = await import("./fixtures/signed_folder.ts");
  const repository = await SignedFolder.create({ root: 2, targets: 2 });
  await using world = await signedWorld(repository);
  await repository.add({ name: "hello", version: "2.1.0" });
  await repository.publish();
  await world.start();

  // Whoever has one of two root keys names keys of his own.
  const mine = await newKey();
  const stolen = repository.signers.root.keys[0];
  for (const role of ["root", "targets", "snapshot", "timestamp", "project"] as const) {
    repository.signers[role] = { keys: [mine], threshold: 1 };
  }
  await repository.signRoot([stolen, mine]);
  await repository.add({ name: "hello", version: "3.0.0" });
  await repository.publish();
  assertWithstood(await world.start(), "signature-invalid", "2.root.json", "1/2 keys");
});

test("wrong software: another project's egg is not taken for this one", async () => {
  await using world = await settled();
  const { repository } = world;
  const { target } = await repository.add({ name: "other", version: "9.0.0" });
  // The author of `other` lists it under the name of hello, and hello's role cannot be his.
  repository.change("other", (targets) => targets["js/hello/hello-9.0.0.tgz"] = target);
  await repository.publish();
  const unmoved = await world.start();
  assert.equal(unmoved.eggs, "hello@2.1.0");

  // Even in hello's own role, an archive of another project is told from hello's.
  repository.change("hello", (targets) => {
    const custom = { ...target.custom as object, project: "hello" };
    targets["js/hello/hello-9.0.0.tgz"] = {
      ...target,
      custom: { ...custom, manifest: { name: "hello", version: "9.0.0" } },
    };
  });
  const { sha512 } = target.hashes as { sha512: string };
  const bytes = repository.files.get(`targets/js/other/${sha512}.other-9.0.0.tgz`)!;
  repository.files.set(`targets/js/hello/${sha512}.hello-9.0.0.tgz`, bytes);
  await repository.publish();
  const start = await world.start();
  assert.equal(start.eggs, "hello@2.1.0");
  assert.deepEqual(start.refused, ["archive-invalid"]);
});
