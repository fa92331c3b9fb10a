/** What an application that carries a root does with what its repository signs. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { newKey, signedTime } from "./fixtures/signed_folder.ts";
import { signedWorld } from "./fixtures/signed_world.ts";
import { rejection } from "./fixtures/refusal.ts";
import { startRegistry } from "./fixtures/npm_registry.ts";
import { DAY, NOW } from "./fixtures/world.ts";
import { Transmute } from "../lib/transmute.ts";

const YANKED = { reason: "It loses data", at: signedTime(NOW) };

/** A world with the given releases of hello, published. */
async function worldOf(releases: Record<string, Record<string, unknown>>) {
  const world = await signedWorld();
  for (const [version, custom] of Object.entries(releases)) {
    await world.repository.add({ name: "hello", version }, custom);
  }
  await world.repository.publish();
  return world;
}

test("update() asks one conditional question when nothing is new", async () => {
  await using world = await worldOf({ "1.0.0": {} });
  await world.start();
  const before = world.server.requests.length;
  const start = await world.start();
  assert.equal(start.outcome, "unchanged");
  const asked = world.server.requests.slice(before).map(({ path, status }) => `${path} ${status}`);
  assert.deepEqual(asked, ["/metadata/timestamp.json 304"]);
});

test("update() takes dependencies from the signed repository too, each with its own role", async () => {
  await using world = await worldOf({});
  await world.repository.add({ name: "hello", version: "1.0.0", dependencies: { "@a/dep": "^1" } });
  await world.repository.add({ name: "@a/dep", version: "1.2.0" });
  await world.repository.add({ name: "unasked", version: "1.0.0" });
  await world.repository.publish();
  const start = await world.start();
  assert.equal(start.outcome, "updated");
  assert.ok(!world.server.requests.some(({ path }) => path.includes("unasked")));
  const paths = world.server.requests.map(({ path }) => decodeURIComponent(path));
  assert.ok(paths.includes("/metadata/1.js-a!dep.json"), paths.join());
});

test("update() takes nothing unsigned from a source with a root", async () => {
  await using world = await worldOf({ "1.0.0": {} });
  const { archive } = await world.repository.add({ name: "hello", version: "3.0.0" });
  world.repository.projects.clear();
  world.repository.files.set("hello-3.0.0.tgz", archive);
  world.repository.files.set("index.json", new TextEncoder().encode("{}"));
  assert.equal((await world.start()).eggs, "hello@1.0.0");
  assert.ok(!world.server.requests.some(({ path }) => path.includes("index.json")));
});

test("update() takes a signed egg whose bytes were altered on the way, once they are what was signed", async () => {
  await using world = await worldOf({ "1.0.0": {} });
  await world.start();
  const { archive } = await world.repository.add({ name: "hello", version: "2.0.0" });
  await world.repository.publish();
  const { files } = world.repository;
  const [path] = [...files].find(([, bytes]) => bytes === archive)!;
  const altered = archive.slice();
  altered[altered.length >> 1] ^= 1;
  files.set(path, altered);
  for (let start = 0; start < 2; start++) {
    const { eggs, refused } = await world.start();
    assert.deepEqual([eggs, refused], ["hello@1.0.0", ["digest-mismatch"]]);
  }
  files.set(path, archive);
  const { eggs, refused } = await world.start();
  assert.deepEqual([eggs, refused], ["hello@2.0.0", []]);
});

test("update() proves eggs by the signed digests and says by whom they are signed", async () => {
  await using world = await worldOf({ "1.0.0": {} });
  const { transmute } = await world.start();
  const { eggs } = await transmute.status();
  assert.equal(eggs[0].proof, `signed by root 1 of ${world.server.url}; size, SHA-512`);
});

test("update() stays with the stable channel, and takes both where the application says so", async () => {
  await using world = await worldOf({ "1.0.0": {}, "2.0.0-rc.1": { channel: "beta" } });
  await world.repository.add({ name: "hello", version: "1.5.0" }, { channel: "beta" });
  await world.repository.publish();
  assert.equal((await world.start()).eggs, "hello@1.0.0");
  assert.equal((await world.start({ channel: "beta" })).eggs, "hello@1.5.0");
});

test("update() takes a release once its rollout has reached this client", async () => {
  const startsAt = signedTime(NOW);
  const fullAt = signedTime(NOW + 3 * DAY);
  await using world = await worldOf({
    "1.0.0": {},
    "2.0.0": { rollout: { percent: 0, startsAt, fullAt } },
  });
  const { transmute } = await world.start();
  assert.equal(transmute.resolve("hello") !== "", true);
  const held = (await transmute.check()).eggs[0];
  assert.equal(held.to, "1.0.0");
  const later = await world.start({ now: () => NOW + 3 * DAY });
  assert.equal(later.eggs, "hello@2.0.0");
});

test("update() keeps a client's place in a rollout between starts", async () => {
  const rollout = { percent: 50, startsAt: signedTime(NOW) };
  await using world = await worldOf({ "1.0.0": {}, "2.0.0": { rollout } });
  const first = await world.start();
  const id = readFileSync(join(world.cacheDir, "tuf-v1", "client-id"), "utf8");
  assert.match(id, /^[0-9a-f]{24}\n$/);
  assert.equal((await world.start()).eggs, first.eggs);
  assert.ok(!world.server.requests.some((request) => JSON.stringify(request).includes(id.trim())));
});

test("update() does not wait for a rollout below the minimum version", async () => {
  await using world = await worldOf({ "1.0.0": {} });
  await world.start();
  const rollout = { percent: 0, startsAt: signedTime(NOW) };
  await world.repository.add({ name: "hello", version: "2.0.0" }, {
    rollout,
    minimumVersion: "1.5.0",
  });
  await world.repository.publish();
  assert.equal((await world.start()).eggs, "hello@2.0.0");
});

test("update() takes nothing below the minimum version", async () => {
  await using world = await worldOf({ "1.0.0": {}, "2.0.0": { minimumVersion: "1.5.0" } });
  const failure = await rejection(world.start({ requirements: ["hello@^1"] }));
  assert.match(failure.message, /1\.0\.0 is below the minimum version 1\.5\.0/);
});

test("update() takes no withdrawn release, and leaves one that it runs, also for a lower one", async () => {
  await using world = await worldOf({ "1.0.0": {}, "2.0.0": {} });
  assert.equal((await world.start()).eggs, "hello@2.0.0");
  world.repository.change("hello", (targets) => {
    const target = targets["js/hello/hello-2.0.0.tgz"] as { custom: Record<string, unknown> };
    target.custom.yanked = YANKED;
  });
  await world.repository.publish();
  const start = await world.start();
  assert.equal(start.eggs, "hello@1.0.0");
  assert.equal(start.outcome, "updated");
});

test("update() keeps a withdrawn release when there is no other", async () => {
  await using world = await worldOf({ "2.0.0": {} });
  await world.start();
  world.repository.change("hello", (targets) => {
    const target = targets["js/hello/hello-2.0.0.tgz"] as { custom: Record<string, unknown> };
    target.custom.yanked = YANKED;
  });
  await world.repository.publish();
  assert.equal((await world.start()).eggs, "hello@2.0.0");
});

test("update() passes over releases for other platforms, and says why", async () => {
  await using world = await worldOf({ "1.0.0": { platform: { os: ["plan9"] } } });
  const failure = await rejection(world.start());
  assert.match(failure.message, /for plan9 only/);
});

test("update() takes the artifact of a version that fits this machine", async () => {
  await using world = await signedWorld();
  const { target } = await world.repository.add({ name: "hello", version: "1.0.0" });
  const custom = target.custom as Record<string, unknown>;
  world.repository.change("hello", (targets) => {
    targets["js/hello/hello-1.0.0-plan9.tgz"] = {
      ...target,
      custom: { ...custom, platform: { os: ["plan9"] } },
    };
  });
  await world.repository.publish();
  assert.equal((await world.start()).eggs, "hello@1.0.0");
});

test("update() refuses an archive whose tar is not the signed one", async () => {
  await using world = await worldOf({
    "1.0.0": {},
    "2.0.0": { unpacked: { sizeBytes: 3072, digest: `sha256:${"ab".repeat(32)}` } },
    "3.0.0": { unpacked: { sizeBytes: 1_000_000, digest: `sha256:${"ab".repeat(32)}` } },
  });
  const start = await world.start();
  assert.equal(start.eggs, "hello@1.0.0");
  assert.deepEqual(start.refused, ["archive-invalid", "archive-invalid"]);
});

test("update() passes over targets that are malformed, and tells", async () => {
  await using world = await worldOf({ "1.0.0": {}, "2.0.0": { format: 2 as 1 } });
  const start = await world.start();
  assert.equal(start.eggs, "hello@1.0.0");
  const skipped = start.events.find(({ kind }) => kind === "skipped");
  assert.match(JSON.stringify(skipped), /hello-2\.0\.0\.tgz.*the format 2/);
});

test("update() follows rotated roots with the root that the application has carried all along", async () => {
  await using world = await worldOf({ "1.0.0": {} });
  const { repository } = world;
  const before = repository.signers.root.keys;
  repository.signers.root = { keys: [await newKey(), await newKey()], threshold: 2 };
  await repository.signRoot([...before, ...repository.signers.root.keys]);
  await repository.publish();
  const start = await world.start();
  assert.equal(start.eggs, "hello@1.0.0", start.messages.join());
  const verified = start.events.find(({ kind }) => kind === "repository-verified");
  assert.equal(JSON.stringify(verified).includes('"root":2'), true);
});

test("update() finds a root that was renewed alone, though the timestamp is the same", async () => {
  await using world = await signedWorld();
  const { repository } = world;
  repository.expires.root = signedTime(NOW + 5 * DAY);
  await repository.signRoot();
  await repository.add({ name: "hello", version: "1.0.0" });
  await repository.publish();
  await world.start();
  repository.expires.root = signedTime(NOW + 365 * DAY);
  await repository.signRoot();
  const start = await world.start({ now: () => NOW + 6 * DAY });
  assert.deepEqual(start.codes, []);
});

test("a start is never prevented by metadata that has expired", async () => {
  await using world = await worldOf({ "1.0.0": {} });
  await world.start();
  const { transmute, codes } = await world.start({ now: () => NOW + 400 * DAY });
  assert.deepEqual(codes, ["metadata-expired"]);
  assert.equal((await transmute.import<{ version: string }>("hello")).version, "1.0.0");
});

test("update() names a clock that was set back", async () => {
  await using world = await worldOf({ "1.0.0": {} });
  await world.start();
  const start = await world.start({ now: () => NOW - 10 * DAY });
  assert.deepEqual(start.codes, ["metadata-expired"]);
  assert.match(start.messages[0], /clock says 2029-12-22/);
  assert.match(start.hints[0], /Set this machine's clock/);
});

test("update() names the server's clock when it contradicts this machine's", async () => {
  await using world = await worldOf({ "1.0.0": {} });
  await world.start();
  await world.repository.publish();
  const start = await world.start({ now: () => NOW + 31 * DAY });
  // The server's clock is the real one, decades from the clock that the test gives.
  assert.match(start.hints[0], /the repository's server/);
});

test("update() is offline by its own setting with a signed source too", async () => {
  await using world = await worldOf({ "1.0.0": {} });
  assert.equal((await rejection(world.start({ offline: true }))).code, "offline");
});

test("check() verifies without writing anything", async () => {
  await using world = await worldOf({ "1.0.0": {} });
  const transmute = new Transmute({
    app: "app",
    cacheDir: world.cacheDir,
    sources: [{ source: world.server.url, trust: { root: world.root } }],
    log: "off",
    now: () => NOW,
  });
  transmute.require("hello");
  assert.equal((await transmute.check()).eggs[0].to, "1.0.0");
  assert.throws(() => readdirSync(world.cacheDir));
});

test("update() mends damaged metadata of its own by asking again", async () => {
  await using world = await worldOf({ "1.0.0": {} });
  await world.start();
  const tuf = join(world.cacheDir, "tuf-v1");
  const folder = join(tuf, readdirSync(tuf).find((name) => name !== "client-id")!);
  for (const name of readdirSync(folder)) {
    writeFileSync(join(folder, name), "nonsense");
    const start = await world.start();
    assert.deepEqual(start.codes, [], `${name}: ${start.messages}`);
  }
});

test("a root is a file, a text or a value; what is none of a repository is refused", async () => {
  await using world = await worldOf({ "1.0.0": {} });
  const file = join(world.cacheDir, "..", "root.json");
  writeFileSync(file, JSON.stringify(world.root));
  for (const root of [file, JSON.stringify(world.root), world.root]) {
    assert.equal((await world.start({ trust: { root } })).eggs, "hello@1.0.0");
  }
  const missing = await rejection(
    world.start({ app: "new", trust: { root: "/nowhere/root.json" } }),
  );
  assert.equal(missing.code, "option-invalid");
  const none = await rejection(world.start({ app: "new", trust: { root: {} } }));
  assert.equal(none.code, "option-invalid");
});

const SENSELESS: [what: string, source: string, trust: Record<string, unknown>, found: RegExp][] = [
  ["metadata without a root", "npm:", { metadata: "https://a.example/" }, /wanted both/],
  ["a root for a registry alone", "npm:", { root: {} }, /signs nothing with it/],
  ["signatures of a folder without a root", "dist", { require: "signature" }, /without trust.root/],
  ["provenance of a folder", "dist", { require: "provenance" }, /has none/],
  ["a publisher of a folder", "dist", { publisher: { repository: "x" } }, /has none/],
  ["something else", "npm:", { require: "luck" }, /"luck"/],
];

for (const [what, source, trust, found] of SENSELESS) {
  test(`update() refuses a demand that cannot be meant: ${what}`, async () => {
    await using world = await signedWorld();
    const failure = await rejection(
      world.start({ sources: [{ source, trust }], requirements: ["hello"] }),
    );
    assert.equal(failure.code, "option-invalid");
    assert.match(failure.message, found);
  });
}

test("the option trust holds for every source that has no demands of its own", async () => {
  await using world = await worldOf({ "1.0.0": {} });
  const { server, root, cacheDir } = world;
  const transmute = new Transmute({
    app: "app",
    cacheDir,
    sources: [server.url],
    trust: { root },
    log: "off",
    now: () => NOW,
  });
  transmute.require("hello");
  await transmute.update();
  assert.match((await transmute.status()).eggs[0].proof, /^signed by root 1/);
});

test("a repository about a registry gives names and digests, and the registry the bytes", async () => {
  await using world = await signedWorld();
  await using registry = await startRegistry();
  const manifest = { name: "hello", version: "1.0.0", type: "module", exports: "./index.js" };
  const { archive } = await world.repository.add(manifest, { origin: "npm" });
  await registry.publish({ manifest, archive });
  // Newer in the registry, and signed by nobody; signed, and gone from the registry.
  await registry.publish({ manifest: { ...manifest, version: "2.0.0" } });
  await world.repository.add({ ...manifest, version: "3.0.0" }, { origin: "npm" });
  await world.repository.publish();
  const trust = { root: world.root, metadata: world.server.url };
  const sources = [{ source: registry.source, trust }];
  const start = await world.start({ sources, requirements: ["hello"] });
  assert.equal(start.eggs, "hello@1.0.0");
  assert.match((await start.transmute.status()).eggs[0].proof, /^signed by root 1/);
  assert.ok(!world.server.requests.some(({ path }) => path.startsWith("/targets")));
});

test("a repository about a registry refuses other bytes than those it signed", async () => {
  await using world = await signedWorld();
  await using registry = await startRegistry();
  const manifest = { name: "hello", version: "1.0.0", type: "module" };
  await world.repository.add(manifest, { origin: "npm" }, { "index.js": "export default 1;" });
  await registry.publish({ manifest, files: { "index.js": "export default 'evil';" } });
  await world.repository.publish();
  const trust = { root: world.root, metadata: world.server.url };
  const failure = await rejection(
    world.start({ sources: [{ source: registry.source, trust }], requirements: ["hello"] }),
  );
  assert.match(failure.message, /digest|size|bytes/);
});
