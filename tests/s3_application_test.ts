/** An application whose eggs lie in a bucket. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TransmuteEvent } from "../lib/model/event.ts";
import type { TransmuteOptions } from "../lib/options.ts";
import type { S3Options } from "../lib/sources/s3_address.ts";
import { s3Source } from "../lib/sources/open.ts";
import { Transmute } from "../lib/transmute.ts";
import { temporaryFolder } from "./fixtures/temporary_folder.ts";
import type { TestBucket, TestBucketOptions } from "./fixtures/test_bucket.ts";
import { BUCKET, KEYS, startTestBucket } from "./fixtures/test_bucket.ts";

interface Hello {
  greet(name: string): string;
}

/** A bucket, and starts of one application on it. */
async function withApplication(
  options: TestBucketOptions,
  run: (here: {
    bucket: TestBucket;
    store: string;
    publish(version: string): Promise<Uint8Array>;
    start(source?: S3Options, options?: TransmuteOptions): {
      transmute: Transmute;
      events: TransmuteEvent[];
    };
  }) => Promise<void>,
): Promise<void> {
  const bucket = await startTestBucket(options);
  const folder = temporaryFolder();
  const store = join(folder.path, "store");
  try {
    await run({
      bucket,
      store,
      publish: (version) =>
        bucket.publish("stable/", {
          name: "hello",
          version,
          type: "module",
          exports: "./index.js",
        }),
      start(source = {}, more = {}) {
        const events: TransmuteEvent[] = [];
        const given = { endpoint: bucket.url, region: "eu-west-1", credentials: KEYS, ...source };
        const transmute = new Transmute({
          app: "app",
          cacheDir: store,
          sources: [s3Source(`s3://${BUCKET}/stable`, given)],
          log: "off",
          onEvent: (event) => void events.push(event),
          ...more,
        });
        transmute.require("hello");
        return { transmute, events };
      },
    });
  } finally {
    folder[Symbol.dispose]();
    await bucket.close();
  }
}

test("update() brings an egg from a bucket, and the newer one at the next start", async () => {
  await withApplication({}, async ({ publish, start }) => {
    await publish("1.0.0");
    const first = start();
    assert.equal((await first.transmute.update()).outcome, "updated");
    const hello = await first.transmute.import<Hello>("hello");
    assert.equal(hello.greet("x"), "Hi, x, from 1.0.0");
    assert.deepEqual(
      first.events.map(({ kind }) => kind),
      ["check-started", "source-answered", "fetch-started", "fetched", "stored", "activated"],
    );
    await publish("2.1.0");
    const second = start();
    assert.equal((await second.transmute.update({ force: true })).outcome, "updated");
    assert.match(second.transmute.resolve("hello"), /^file:/);
    assert.equal((await second.transmute.update({ force: true })).outcome, "unchanged");
  });
});

test("update() refuses bytes that the service's own checksum does not fit", async () => {
  await withApplication({}, async ({ bucket, publish, start }) => {
    await publish("1.0.0");
    const archive = await publish("2.0.0");
    const other = btoa("\0".repeat(32));
    bucket.put("stable/hello-2.0.0.tgz", archive, { "x-amz-checksum-sha256": other });
    const { transmute } = start();
    const { refused } = await transmute.update();
    assert.deepEqual(refused.map(({ version, code }) => [version, code]), [
      ["2.0.0", "digest-mismatch"],
    ]);
    assert.equal((await transmute.import<Hello>("hello")).greet("x"), "Hi, x, from 1.0.0");
  });
});

test("update() runs on what it has when the bucket denies, and the report says why", async () => {
  await withApplication({}, async ({ publish, start }) => {
    await publish("1.0.0");
    await start().transmute.update();
    const wrong = { ...KEYS, secretAccessKey: "wrong" };
    const { transmute } = start({ credentials: wrong });
    const { outcome, problems } = await transmute.update({ force: true });
    assert.equal(outcome, "unchanged");
    assert.deepEqual(problems.map(({ code, hint }) => [code, hint]), [
      ["source-denied", "Correct the secret of the access key"],
    ]);
    assert.equal((await transmute.import<Hello>("hello")).greet("x"), "Hi, x, from 1.0.0");
  });
});

test("update() takes no listing that is cut short for a bucket without newer eggs", async () => {
  await withApplication({}, async ({ bucket, publish, start }) => {
    await publish("1.0.0");
    await start().transmute.update();
    await publish("2.0.0");
    bucket.fail(`/${BUCKET}`, { status: 200, body: "<ListBucketResult><IsTruncated>false" });
    const { problems } = await start().transmute.update({ force: true });
    assert.deepEqual(problems.map(({ code }) => code), ["listing-invalid"]);
    bucket.heal(`/${BUCKET}`);
    assert.equal((await start().transmute.update({ force: true })).outcome, "updated");
  });
});

/** The texts of all files below a folder. */
function* textsBelow(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* textsBelow(path);
    else yield readFileSync(path, "latin1");
  }
}

test("update() leaves no credential in the store, in events or in reports", async () => {
  const sessionToken = "a-very-secret-session-token";
  const tokens = { [sessionToken]: Date.now() + 3_600_000 };
  await withApplication(
    { tokens, region: "eu-north-1" },
    async ({ bucket, store, publish, start }) => {
      await publish("1.0.0");
      const credentials = { ...KEYS, sessionToken };
      const first = start({ credentials });
      const reports = [await first.transmute.update()];
      await publish("2.0.0");
      bucket.fail(`/${BUCKET}/stable/hello-2.0.0.tgz`, "truncate");
      const second = start({ credentials });
      reports.push(await second.transmute.update({ force: true }));
      const seen = JSON.stringify([reports, first.events, second.events]);
      for (const text of [seen, ...textsBelow(store)]) {
        for (const secret of [KEYS.secretAccessKey, sessionToken]) {
          assert.ok(
            !text.includes(secret),
          );
        }
      }
      assert.ok(bucket.requests.some(({ status }) => status === 200));
    },
  );
});
