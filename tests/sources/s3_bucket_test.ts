import assert from "node:assert/strict";
import { test } from "node:test";
import { isTransmuteError } from "../../lib/errors.ts";
import type { AwsCredentials } from "../../lib/sources/aws_signature.ts";
import { s3Folder } from "../../lib/sources/s3.ts";
import { awsSurroundings, deadlineFreeTimer } from "../fixtures/aws_surroundings.ts";
import { startFaultyServer } from "../fixtures/faulty_server.ts";
import { contextOf, rejectsWith } from "../fixtures/npm_questions.ts";
import { folderOf, listening, versions, withBucket } from "../fixtures/s3_questions.ts";
import { BUCKET, KEYS } from "../fixtures/test_bucket.ts";

const HELLO = { name: "hello", version: "1.0.0" };
const LISTING = `/${BUCKET}`;
const INDEX = `/${BUCKET}/stable/index.json`;
const HOUR = 60 * 60 * 1000;

test("S3Bucket learns the region once, and keeps it for other programs", async () => {
  await withBucket({ region: "eu-north-1" }, async (bucket) => {
    await bucket.publish("stable/", HELLO);
    const context = contextOf();
    const source = folderOf(bucket, { region: "us-west-2" });
    assert.deepEqual(await versions(source, "hello", context), ["1.0.0"]);
    assert.deepEqual(bucket.requests.map(({ path, status }) => [path, status]), [
      [INDEX, 400],
      [INDEX, 404],
      [LISTING, 200],
    ]);
    bucket.requests.length = 0;
    const { listings } = context;
    await versions(folderOf(bucket), "hello", contextOf({ listings }));
    assert.deepEqual(bucket.requests.map(({ status }) => status), [404, 200]);
  });
});

/** AWS with a bucket in eu-west-1, which tells so in one of its ways. */
function aws(tell: (host: string) => Response): { fetch: typeof fetch; hosts: string[] } {
  const hosts: string[] = [];
  return {
    hosts,
    fetch(input, init) {
      const { hostname } = new URL(String(input));
      hosts.push(hostname);
      assert.equal(init?.redirect, "manual");
      if (!hostname.includes(".eu-west-1.")) return Promise.resolve(tell(hostname));
      assert.match(new Headers(init?.headers).get("authorization")!, /\/eu-west-1\/s3\//);
      return Promise.resolve(
        new Response("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>", {
          status: String(input).includes("index.json") ? 404 : 200,
        }),
      );
    },
  };
}

/** A bucket at AWS. */
function atAws(address = "s3://eggs/stable", region?: string) {
  return s3Folder(
    address,
    { credentials: KEYS, ...(region === undefined ? {} : { region }) },
    { from: awsSurroundings(), startTimer: deadlineFreeTimer() },
  );
}

test("S3Bucket asks another region's host by its own name, however it learnt of it", async () => {
  const body = (rest: string) => `<Error><Code>PermanentRedirect</Code>${rest}</Error>`;
  const header = { "x-amz-bucket-region": "eu-west-1" };
  const endpoint = "<Endpoint>eggs.s3.eu-west-1.amazonaws.com</Endpoint>";
  const location = "https://eggs.s3-eu-west-1.amazonaws.com/stable/index.json";
  const ways: (() => Response)[] = [
    () => new Response("", { status: 301, headers: header }),
    () => new Response(body(""), { status: 301, headers: header }),
    () => new Response(body(endpoint), { status: 301 }),
    () => new Response(body("<Region>eu-west-1</Region>"), { status: 400 }),
    () => new Response("", { status: 400, headers: header }),
    () => new Response("", { status: 307, headers: { location } }),
    () =>
      new Response("", { status: 307, headers: { ...header, location: "https://evil.example" } }),
  ];
  for (const way of ways) {
    const { fetch, hosts } = aws(way);
    assert.deepEqual(await versions(atAws(), "hello", contextOf({ fetch })), []);
    assert.deepEqual(hosts, [
      "eggs.s3.us-east-1.amazonaws.com",
      "eggs.s3.eu-west-1.amazonaws.com",
      "eggs.s3.eu-west-1.amazonaws.com",
    ]);
  }
});

test("S3Bucket takes no word for a region that could name another host", async () => {
  for (const region of ["evil.example/", "a.b", "eu-west-1@evil", "EU", "-", "a".repeat(41)]) {
    const { fetch, hosts } = aws(() =>
      new Response(`<Error><Code>PermanentRedirect</Code><Region>${region}</Region></Error>`, {
        status: 301,
        headers: { "x-amz-bucket-region": region },
      })
    );
    await rejectsWith(
      versions(atAws(), "hello", contextOf({ fetch })),
      "source-unreachable",
      /answered 301 \(PermanentRedirect\) without saying in which region the bucket is$/,
      /AWS_REGION/,
    );
    assert.deepEqual(hosts, ["eggs.s3.us-east-1.amazonaws.com"]);
  }
});

test("S3Bucket goes to another region at most once in a request", async () => {
  let count = 0;
  const { fetch, hosts } = aws(() =>
    new Response("", { status: 301, headers: { "x-amz-bucket-region": `us-west-${++count}` } })
  );
  await rejectsWith(
    versions(atAws(), "hello", contextOf({ fetch })),
    "source-unreachable",
    /answered 301 without saying/,
  );
  assert.deepEqual(hosts, ["eggs.s3.us-east-1.amazonaws.com", "eggs.s3.us-west-1.amazonaws.com"]);
});

test("S3Bucket never follows a redirect to where it leads", async () => {
  const elsewhere = await startFaultyServer({ find: () => ({ body: new Uint8Array() }) });
  try {
    await withBucket({}, async (bucket) => {
      for (const status of [301, 302, 303, 307, 308]) {
        bucket.fail(INDEX, { status, headers: { location: elsewhere.url } }, 1);
        await rejectsWith(
          versions(folderOf(bucket)),
          "source-unreachable",
          new RegExp(`answered ${status} without saying in which region`),
        );
      }
      assert.equal(elsewhere.count(), 0);
    });
  } finally {
    await elsewhere.close();
  }
});

test("S3Bucket asks again when the service is busy, each time after a random pause", async () => {
  await withBucket({}, async (bucket) => {
    await bucket.publish("stable/", HELLO);
    const slowDown = { status: 503, body: "<Error><Code>SlowDown</Code></Error>" };
    for (const fault of [slowDown, { status: 500 }, { status: 429 }, "hang-up" as const]) {
      const pauses: number[] = [];
      bucket.requests.length = 0;
      bucket.fail(LISTING, fault, 3);
      const source = folderOf(bucket, {}, { startTimer: deadlineFreeTimer(pauses) });
      assert.deepEqual(await versions(source), ["1.0.0"]);
      assert.equal(bucket.count(LISTING), 4);
      // A runtime may ask again by itself when a connection breaks that it had kept.
      assert.ok(fault === "hang-up" || pauses.length === 3, `${pauses}`);
      pauses.forEach((ms, index) => assert.ok(ms >= 0 && ms < 250 * 2 ** index, `${pauses}`));
    }
    bucket.fail(LISTING, slowDown);
    await rejectsWith(
      versions(folderOf(bucket)),
      "source-unreachable",
      /^Cannot list s3:\/\/eggs\/stable\/.*: 127\.0\.0\.1:\d+ answered 503 4 times$/,
    );
  });
});

test("S3Bucket signs each try with the time of that try", async () => {
  await withBucket({ now: () => Date.UTC(2030, 0, 1, 12) }, async (bucket) => {
    let now = Date.UTC(2030, 0, 1, 11, 59);
    bucket.fail(INDEX, { status: 503 }, 1);
    await versions(folderOf(bucket, {}, { now: () => now += 1000 }));
    const times = bucket.requests.map(({ headers }) => headers["x-amz-date"]);
    assert.equal(new Set(times).size, times.length);
  });
});

test("S3Bucket stops with its signal, in a pause too", async () => {
  await withBucket({}, async (bucket) => {
    bucket.fail(INDEX, { status: 503 });
    const ending = new AbortController();
    const source = folderOf(bucket, {}, {
      startTimer(ms) {
        if (ms < 10_000) queueMicrotask(() => ending.abort(new Error("The budget is spent")));
        return () => {};
      },
    });
    const { signal } = ending;
    const asked = versions(source, "hello", contextOf({ signal }));
    await rejectsWith(asked, "source-timeout", /The budget is spent\); before that, .* 503$/);
    await rejectsWith(
      versions(source, "hello", contextOf({ signal })),
      "source-timeout",
      /The budget is spent/,
    );
    assert.equal(bucket.count(), 1);
  });
});

test("S3Bucket goes by the service's clock when its own is wrong", async () => {
  for (const aheadMs of [-20 * 60 * 1000, 5 * HOUR]) {
    const now = Date.UTC(2030, 0, 1, 12);
    await withBucket({ now: () => now }, async (bucket) => {
      await bucket.publish("stable/", HELLO);
      const source = folderOf(bucket, {}, { now: () => now + aheadMs });
      assert.deepEqual(await versions(source), ["1.0.0"]);
      assert.deepEqual(bucket.requests.map(({ status }) => status), [403, 404, 200]);
      assert.deepEqual(await versions(source), ["1.0.0"]);
      assert.deepEqual(bucket.requests.slice(3).map(({ status }) => status), [404, 200]);
    });
  }
});

test("S3Bucket tells that a clock is wrong when the service does not say the time", async () => {
  await withBucket({}, async (bucket) => {
    const body = "<Error><Code>RequestTimeTooSkewed</Code></Error>";
    bucket.fail(INDEX, { status: 403, body, headers: { date: "yesterday" } });
    bucket.fail(LISTING, { status: 403, body, headers: { date: "yesterday" } });
    await rejectsWith(
      versions(folderOf(bucket)),
      "source-denied",
      /answered 403 \(RequestTimeTooSkewed\)$/,
      /^Set this machine's clock$/,
    );
  });
});

/** Credentials given out one after the other. */
function provider(...tokens: string[]) {
  const given: string[] = [];
  return {
    given,
    credentials(): AwsCredentials {
      const sessionToken = tokens[Math.min(given.length, tokens.length - 1)];
      given.push(sessionToken);
      return { ...KEYS, sessionToken };
    },
  };
}

test("S3Bucket looks for new credentials when the service calls its own expired", async () => {
  const tokens = { OLD: Date.now() - 1, NEW: Date.now() + HOUR };
  await withBucket({ tokens }, async (bucket) => {
    await bucket.publish("stable/", HELLO);
    const { given, credentials } = provider("OLD", "NEW");
    assert.deepEqual(await versions(folderOf(bucket, { credentials })), ["1.0.0"]);
    assert.deepEqual(given, ["OLD", "NEW"]);
    assert.deepEqual(bucket.requests.map(({ status }) => status), [400, 404, 200]);

    bucket.requests.length = 0;
    const same = provider("OLD");
    await rejectsWith(
      versions(folderOf(bucket, { credentials: same.credentials })),
      "source-denied",
      /answered 400 \(ExpiredToken, request R1\)$/,
      /^Renew the credentials/,
    );
    assert.equal(bucket.requests.length, 1);
  });
});

test("S3Bucket tells what was denied, and what to do", async () => {
  await withBucket({}, async (bucket) => {
    const wrongSecret = { ...KEYS, secretAccessKey: "wrong" };
    const wrongKey = { ...KEYS, accessKeyId: "AKIDWRONG" };
    const deny = "<Error><Code>AccessDenied</Code></Error>";
    const table: [credentials: AwsCredentials | "anonymous", found: RegExp, hint: RegExp][] = [
      [wrongSecret, /403 \(SignatureDoesNotMatch, request R1\)$/, /^Correct the secret/],
      [wrongKey, /403 \(InvalidAccessKeyId, request R1\)$/, /correct the access key$/],
      ["anonymous", /403 \(AccessDenied, request R1\)$/, /^No credentials were found: set AWS_/],
    ];
    for (const [credentials, found, hint] of table) {
      const source = folderOf(bucket, { credentials });
      await rejectsWith(versions(source), "source-denied", found, hint);
    }
    bucket.fail(INDEX, { status: 403, body: deny });
    bucket.fail(LISTING, { status: 403, body: deny });
    await rejectsWith(
      versions(folderOf(bucket)),
      "source-denied",
      /403 \(AccessDenied\)$/,
      /^Allow this identity s3:GetObject on eggs\/stable\/\* and s3:ListBucket on eggs$/,
    );
    bucket.heal(INDEX);
    bucket.fail(LISTING, { status: 400, body: "<Error><Code>InvalidArgument</Code></Error>" });
    await rejectsWith(
      versions(folderOf(bucket)),
      "source-unreachable",
      /answered 400 \(InvalidArgument\)$/,
    );
  });
});

test("S3Bucket asks without credentials when there are none, and tells so once", async () => {
  await withBucket({ isOpen: true }, async (bucket) => {
    const archive = await bucket.publish("stable/", HELLO);
    const { context, told } = listening();
    const values = { env: { AWS_EC2_METADATA_DISABLED: "true" } };
    const source = s3Folder(
      `s3://${BUCKET}/stable`,
      { endpoint: bucket.url },
      { from: awsSurroundings(values), startTimer: deadlineFreeTimer() },
    );
    const { listing } = await source.list("hello", context);
    await source.fetch(listing.releases[0].artifact, context);
    assert.equal(listing.releases[0].artifact.sizeBytes, archive.length);
    assert.deepEqual(told, [{
      level: "info",
      kind: "anonymous",
      at: "",
      source: source.id,
      message: "AWS_EC2_METADATA_DISABLED is set",
    }]);
    assert.ok(bucket.requests.every(({ headers }) => headers.authorization === undefined));
  });
});

test("S3Bucket finds credentials in the user's surroundings", async () => {
  await withBucket({}, async (bucket) => {
    await bucket.publish("stable/", HELLO);
    const env = {
      AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
      AWS_REGION: "eu-west-1",
      AWS_ENDPOINT_URL_S3: bucket.url,
    };
    const source = s3Folder(`s3://${BUCKET}/stable`, {}, { from: awsSurroundings({ env }) });
    const { context, told } = listening();
    assert.deepEqual(await versions(source, "hello", context), ["1.0.0"]);
    assert.deepEqual(told, []);
    assert.equal(source.id, `s3://${BUCKET}/stable/`);
  });
});

test("S3Bucket reads its surroundings again when they were wrong before", async () => {
  await withBucket({}, async (bucket) => {
    await bucket.publish("stable/", HELLO);
    const env: Record<string, string> = { AWS_REGION: "EU", AWS_ENDPOINT_URL_S3: bucket.url };
    const source = s3Folder(
      `s3://${BUCKET}/stable`,
      { credentials: KEYS },
      { from: awsSurroundings({ env }) },
    );
    await assert.rejects(versions(source), (error) => isTransmuteError(error, "option-invalid"));
    env.AWS_REGION = "eu-west-1";
    assert.deepEqual(await versions(source), ["1.0.0"]);
  });
});
