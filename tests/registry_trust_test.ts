/** What an application demands of a registry, and what it gets without demanding. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { TrustPolicy } from "../lib/model/trust.ts";
import { packEntries } from "../lib/publisher/pack.ts";
import { startRegistry } from "./fixtures/npm_registry.ts";
import { rejection } from "./fixtures/refusal.ts";
import { registryKey } from "./fixtures/registry_key.ts";
import { DAY, NOW, world } from "./fixtures/world.ts";

const KEYS = "/-/npm/v1/keys";
const HOUR = DAY / 24;
const VECTORS = JSON.parse(readFileSync("tests/fixtures/provenance.json", "utf8"));

/** What a registry says of a release besides what follows from its archive. */
interface Vouching {
  by?: ReturnType<typeof registryKey> | null;
  attestations?: unknown[];
  archive?: string;
  dependencies?: Record<string, string>;
  name?: string;
}

async function registryWorld() {
  const files = new Map<string, string>();
  const registry = await startRegistry({ files });
  const key = registryKey();
  files.set(KEYS, JSON.stringify({ keys: [key.listed] }));
  const here = world();
  return {
    registry,
    files,
    key,
    async publish(
      version: string,
      { by = key, attestations, archive: given, dependencies = {}, name = "hello" }: Vouching = {},
    ) {
      const manifest = { name, version, type: "module", exports: "./index.js", dependencies };
      const archive = given === undefined
        ? (await packEntries(manifest, { "index.js": "export default 1;" })).archive
        : new Uint8Array(Buffer.from(given, "base64"));
      const integrity = `sha512-${createHash("sha512").update(archive).digest("base64")}`;
      const path = `/-/npm/v1/attestations/${name}@${version}`;
      if (attestations !== undefined) files.set(path, JSON.stringify({ attestations }));
      await registry.publish({
        manifest,
        archive,
        dist: {
          ...(by === null ? {} : { signatures: [by.sign(`${name}@${version}:${integrity}`)] }),
          ...(attestations === undefined
            ? {}
            : { attestations: { url: registry.url.slice(0, -1) + path } }),
        },
      });
    },
    async start(trust: TrustPolicy = {}, options: { now?: number; forget?: boolean } = {}) {
      const { transmute } = here.start({
        sources: [{ source: registry.source, trust }],
        now: () => options.now ?? NOW,
      });
      const report = await transmute.update({ force: true, budgetMs: 30_000 });
      const [egg] = (await transmute.status()).eggs;
      return {
        version: egg.version,
        proof: egg.proof,
        refused: report.refused.map(({ code, message }) => `${code}: ${message}`),
        problems: report.problems.map(({ message }) => message),
      };
    },
    async [Symbol.asyncDispose]() {
      await registry.close();
      here[Symbol.dispose]();
    },
  };
}

test("update() checks a registry's signature where there is one, and records it", async () => {
  await using here = await registryWorld();
  await here.publish("1.0.0");
  const { version, proof } = await here.start();
  assert.equal(version, "1.0.0");
  assert.ok(proof.includes(`signed by its registry with ${here.key.keyid}`), proof);
});

test("update() refuses a release whose signature is not its registry's", async () => {
  await using here = await registryWorld();
  await here.publish("1.0.0");
  await here.publish("2.0.0", { by: { ...here.key, sign: () => here.key.sign("something else") } });
  const { version, refused } = await here.start();
  assert.equal(version, "1.0.0");
  assert.match(refused[0], /^signature-invalid/);
});

test("update() asks for a registry's keys once, and later whether they still hold", async () => {
  await using here = await registryWorld();
  await here.publish("1.0.0", { dependencies: { other: "*" } });
  await here.publish("1.0.0", { name: "other" });
  await here.start();
  assert.equal(here.registry.count(KEYS), 1);
  await here.publish("1.1.0");
  await here.start();
  assert.deepEqual(
    here.registry.requests.filter(({ path }) => path === KEYS).map(({ status }) => status),
    [200, 304],
  );
});

test("update() does not ask for keys where nothing is signed", async () => {
  await using here = await registryWorld();
  await here.publish("1.0.0", { by: null });
  assert.equal((await here.start()).version, "1.0.0");
  assert.equal(here.registry.count(KEYS), 0);
});

test("update() takes only signed releases where the application demands it", async () => {
  await using here = await registryWorld();
  await here.publish("1.0.0");
  await here.publish("2.0.0", { by: null });
  const { version, refused } = await here.start({ require: "signature" });
  assert.equal(version, "1.0.0");
  assert.match(refused[0], /^signature-missing/);
});

test("update() cannot meet the demand of signatures where no keys are published", async () => {
  await using here = await registryWorld();
  await here.publish("1.0.0");
  here.files.delete(KEYS);
  assert.equal((await here.start()).version, "1.0.0");
  await here.publish("1.1.0");
  const { version, refused } = await here.start({ require: "signature" });
  assert.equal(version, "1.0.0");
  assert.match(refused[0], /publishes no keys/);
});

test("update() takes no unsigned release after a signed one", async () => {
  await using here = await registryWorld();
  await here.publish("1.0.0");
  await here.start();
  await here.publish("2.0.0", { by: null });
  const { version, refused } = await here.start();
  assert.equal(version, "1.0.0");
  assert.match(refused[0], /^signature-missing/);
});

test("update() says what failed when the keys cannot be had", async () => {
  await using here = await registryWorld();
  await here.publish("1.0.0");
  here.registry.fail(KEYS, { status: 403 });
  assert.equal((await rejection(here.start())).code, "source-denied");
});

const PUBLISHER = { repository: "https://github.com/acme/hello" };
const trustOf = (more: TrustPolicy = {}) => ({ sigstoreRoot: VECTORS.trustRoot, ...more });

test("update() refuses releases without a record of who built them, where that is demanded", async () => {
  await using here = await registryWorld();
  await here.publish("1.0.0");
  const failure = await rejection(here.start(trustOf({ require: "provenance" })));
  assert.match(failure.message, /no record of who built it/);
});

test("update() refuses a record that is about other bytes", async () => {
  await using here = await registryWorld();
  await here.publish("1.0.0", { attestations: [VECTORS.good] });
  const failure = await rejection(here.start(trustOf({ publisher: PUBLISHER })));
  assert.match(failure.message, /about other bytes/);
});

const { archive, laterArchive, good, later, laterEvil } = VECTORS;
const BUILT = "built by https://github.com/acme/hello with .github/workflows/release.yml";

test("update() records who built an egg, where the application demands to know", async () => {
  await using here = await registryWorld();
  await here.publish("1.0.0", { archive, attestations: [good] });
  const { proof } = await here.start(trustOf({ require: "provenance" }));
  assert.ok(proof.includes(BUILT), proof);
});

test("update() does not ask who built an egg unless that is demanded", async () => {
  await using here = await registryWorld();
  await here.publish("1.0.0", { archive, attestations: [good] });
  const { proof } = await here.start();
  assert.ok(!proof.includes("built by"), proof);
  assert.equal(here.registry.count("/-/npm/v1/attestations/hello@1.0.0"), 0);
});

const SUCCESSORS: [what: string, attestations: unknown[] | undefined, version: string][] = [
  ["by the same repository", [later], "2.0.0"],
  ["by another repository", [laterEvil], "1.0.0"],
  ["by nobody known", undefined, "1.0.0"],
];

for (const [what, attestations, version] of SUCCESSORS) {
  test(`update() once knew who built an egg and is offered one ${what}: ${version}`, async () => {
    await using here = await registryWorld();
    await here.publish("1.0.0", { archive, attestations: [good] });
    await here.start(trustOf({ require: "provenance" }));
    await here.publish("2.0.0", {
      archive: laterArchive,
      ...(attestations === undefined ? {} : { attestations }),
    });
    // The demand is gone; what was known stays a demand.
    const start = await here.start(trustOf());
    assert.equal(start.version, version, start.refused.join());
  });
}

/** A project of which the registry's short listing tells when it changed last, and the long one all. */
function withTimes(
  { registry }: Awaited<ReturnType<typeof registryWorld>>,
  project: string,
  times: Record<string, number>,
): void {
  const text = (at: number) => new Date(at).toISOString();
  const modified = text(Math.max(...Object.values(times)));
  registry.rewrite(project, (packument) =>
    "_id" in packument
      ? {
        ...packument,
        time: Object.fromEntries(Object.entries(times).map(([v, at]) => [v, text(at)])),
      }
      : { ...packument, modified });
}

test("update() takes what the application requires however young, and dependencies of some age", async () => {
  await using here = await registryWorld();
  const minimumAgeMs = { transitive: DAY };
  await here.publish("1.0.0", { dependencies: { other: "^1" } });
  await here.publish("1.0.0", { name: "other" });
  await here.publish("1.1.0", { name: "other" });
  withTimes(here, "hello", { "1.0.0": NOW - HOUR });
  withTimes(here, "other", { "1.0.0": NOW - 3 * DAY, "1.1.0": NOW - 11 * HOUR });
  assert.equal((await here.start({ minimumAgeMs })).version, "1.0.0");
  const archives = here.registry.requests.filter(({ path }) => path.endsWith(".tgz"));
  assert.deepEqual(archives.map(({ path }) => path).sort(), [
    "/hello/-/hello-1.0.0.tgz",
    "/other/-/other-1.0.0.tgz",
  ]);
});

test("update() says how old a release is and must be", async () => {
  await using here = await registryWorld();
  await here.publish("1.0.0");
  withTimes(here, "hello", { "1.0.0": NOW - 11 * HOUR });
  const failure = await rejection(here.start({ minimumAgeMs: { required: DAY } }));
  assert.match(failure.message, /1\.0\.0 is 11 hours old, wanted 24 hours/);
});

test("update() asks for times only of projects that changed lately", async () => {
  await using here = await registryWorld();
  await here.publish("1.0.0");
  withTimes(here, "hello", { "1.0.0": NOW - 30 * DAY });
  await here.start({ minimumAgeMs: { required: DAY } });
  assert.equal(here.registry.count("/hello"), 1);
});

test("update() judges no age where a registry tells no times", async () => {
  await using here = await registryWorld();
  await here.publish("1.0.0");
  here.registry.rewrite("hello", ({ modified: _modified, time: _time, ...packument }) => packument);
  assert.equal((await here.start({ minimumAgeMs: { required: DAY } })).version, "1.0.0");
});
