import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEgg } from "../../lib/publisher/amend.ts";
import { promote } from "../../lib/publisher/promote.ts";
import { parseRollout } from "../../lib/publisher/rollout.ts";
import { yank } from "../../lib/publisher/yank.ts";
import { refusal } from "../fixtures/refusal.ts";
import { NOW, publishEggs, seen, testRepository } from "../fixtures/signed_repository.ts";

const HELLO = { project: "hello", version: "1.1.0" };

async function published(options = {}) {
  const repository = await testRepository();
  await publishEggs(repository, ["hello@1.0.0", "hello@1.1.0"], options);
  repository.destination.writes.length = 0;
  const custom = async () => {
    const targets = await seen(repository.destination, repository.root, "hello");
    return targets.find((target) => target.custom.version === HELLO.version)!.custom;
  };
  return { ...repository, custom };
}

test("yank() withdraws a release with a reason, once, and takes it back", async () => {
  const { destination, root, signing, custom } = await published();
  assert.ok(await yank(destination, root, HELLO, "it loses data", signing));
  const yanked = { reason: "it loses data", at: "2030-01-31T12:00:00Z" };
  assert.deepEqual((await custom()).yanked, yanked);
  const { length } = destination.writes;
  const later = { ...signing, now: NOW + 1000 };
  assert.ok(!await yank(destination, root, HELLO, "it loses data", later));
  assert.equal(destination.writes.length, length);
  assert.ok(await yank(destination, root, HELLO, "it loses much", later));
  assert.equal((await custom()).yanked?.reason, "it loses much");
  assert.ok(await yank(destination, root, HELLO, null, signing));
  assert.equal((await custom()).yanked, undefined);
  assert.ok(!await yank(destination, root, HELLO, null, signing));
});

test("promote() moves a release to another channel, and leaves the rest as it was", async () => {
  const { destination, root, signing, custom } = await published({ channel: "beta" });
  const before = await custom();
  assert.ok(await promote(destination, root, HELLO, { channel: "stable" }, signing));
  assert.deepEqual(await custom(), { ...before, channel: "stable" });
  assert.ok(!await promote(destination, root, HELLO, { channel: "stable" }, signing));
  assert.ok(await promote(destination, root, HELLO, { channel: "nightly" }, signing));
  assert.equal((await custom()).channel, "nightly");
});

test("promote() changes a rollout, and does not begin the same one again", async () => {
  const { destination, root, signing, custom } = await published({
    rollout: parseRollout("10%/3d", NOW),
  });
  const later = { ...signing, now: NOW + 60_000 };
  const again = { rollout: parseRollout("10%/3d", later.now) };
  assert.ok(!await promote(destination, root, HELLO, again, later));
  const wider = { rollout: parseRollout("50%/3d", later.now) };
  assert.ok(await promote(destination, root, HELLO, wider, later));
  assert.deepEqual((await custom()).rollout, wider.rollout);
  assert.ok(await promote(destination, root, HELLO, { rollout: parseRollout("100%", NOW) }, later));
  assert.equal((await custom()).rollout, undefined);
});

test("promote() sets the least version that may be run", async () => {
  const { destination, root, signing, custom } = await published();
  assert.ok(await promote(destination, root, HELLO, { minimumVersion: "1.1.0" }, signing));
  assert.equal((await custom()).minimumVersion, "1.1.0");
});

test("promote() refuses what no client would read", async () => {
  const { destination, root, signing } = await published();
  for (const promotion of [{ channel: "Beta!" }, { minimumVersion: "" }]) {
    await assert.rejects(promote(destination, root, HELLO, promotion, signing));
  }
  assert.deepEqual(destination.writes, []);
});

test("yank() names what there is when the release is not there", async () => {
  const { destination, root, signing } = await published();
  await assert.rejects(
    yank(destination, root, { project: "hello", version: "7.0.0" }, "", signing),
    refusal("release-missing", "hello@7.0.0", "1.0.0, 1.1.0"),
  );
  await assert.rejects(
    yank(destination, root, { project: "other", version: "1.0.0" }, "", signing),
    refusal("release-missing", "no such project"),
  );
});

test("parseEgg() reads a project and a version", () => {
  assert.deepEqual(parseEgg("hello@1.0.0"), { project: "hello", version: "1.0.0" });
  assert.deepEqual(parseEgg("@a/b@1.0.0-rc.1"), { project: "@a/b", version: "1.0.0-rc.1" });
  for (const text of ["hello", "@a/b", "hello@", "@1.0.0", "a@b@c", ""]) {
    assert.throws(() => parseEgg(text), refusal("option-invalid", `"${text}"`));
  }
});

const ROLLOUTS: [text: string, percent: number, fullAt?: string][] = [
  ["10%", 10],
  ["0%", 0],
  ["10%/3d", 10, "2030-02-03T12:00:00Z"],
  ["99%/90m", 99, "2030-01-31T13:30:00Z"],
  ["5%/12h", 5, "2030-02-01T00:00:00Z"],
  ["5%/2w", 5, "2030-02-14T12:00:00Z"],
];

for (const [text, percent, fullAt] of ROLLOUTS) {
  test(`parseRollout() reads ${text}`, () => {
    assert.deepEqual(parseRollout(text, NOW), {
      percent,
      startsAt: "2030-01-31T12:00:00Z",
      ...(fullAt === undefined ? {} : { fullAt }),
    });
  });
}

for (const text of ["10", "101%", "1.5%", "-1%", "10%/", "10%/3", "10%/3y", "10%/3d/4d", ""]) {
  test(`parseRollout() refuses "${text}"`, () => {
    assert.throws(() => parseRollout(text, NOW), refusal("option-invalid", `"${text}"`));
  });
}
