import assert from "node:assert/strict";
import { test } from "node:test";
import { etagOf } from "../fixtures/faulty_server.ts";
import { contextOf, rejectsWith } from "../fixtures/npm_questions.ts";
import { folderOf, versions, withBucket } from "../fixtures/s3_questions.ts";
import { BUCKET } from "../fixtures/test_bucket.ts";
import { sha256 } from "../fixtures/web_folder.ts";

const HELLO = { name: "hello", version: "1.0.0" };
const LISTING = `/${BUCKET}`;
const INDEX = `/${BUCKET}/stable/index.json`;
const ARCHIVE = `/${BUCKET}/stable/hello-1.0.0.tgz`;

test("s3Folder() lists what is in the folder and not below it, once for each update", async () => {
  await withBucket({}, async (bucket) => {
    const archive = await bucket.publish("stable/", HELLO);
    await bucket.publish("stable/", { ...HELLO, version: "1.1.0" });
    await bucket.publish("stable/", { name: "other", version: "1.0.0" });
    await bucket.publish("stable/below/", { ...HELLO, version: "2.0.0" });
    await bucket.publish("stable-not/", { ...HELLO, version: "3.0.0" });
    bucket.put("stable/", "");
    bucket.put("stable/readme.txt", "read me");
    const source = folderOf(bucket);
    const context = contextOf();
    const { listing, cached } = await source.list("hello", context);
    assert.equal(cached, false);
    assert.deepEqual(
      listing.releases.find(({ version }) => version === "1.0.0"),
      {
        ...{ project: "hello", version: "1.0.0" },
        artifact: {
          locator: "s3://eggs/stable/hello-1.0.0.tgz",
          sizeBytes: archive.length,
          digests: [],
          validator: `${archive.length} ${etagOf(archive)}`,
        },
      },
    );
    assert.deepEqual(await versions(source, "hello", context), ["1.0.0", "1.1.0"]);
    assert.deepEqual(await versions(source, "other", context), ["1.0.0"]);
    assert.deepEqual(await versions(source, "below/hello", context), []);
    assert.deepEqual(bucket.requests.map(({ path }) => path), [INDEX, LISTING]);
  });
});

test("s3Folder() sends a question that proxies cannot spoil", async () => {
  await withBucket({}, async (bucket) => {
    await versions(folderOf(bucket));
    const [index, listing] = bucket.requests;
    assert.equal(listing.query, "?delimiter=%2F&encoding-type=url&list-type=2&prefix=stable%2F");
    for (const { headers } of [index, listing]) {
      assert.equal(headers["accept-encoding"], "identity");
      const signed = /SignedHeaders=([^,]+)/.exec(String(headers.authorization))![1].split(";");
      assert.ok(signed.every((name) => name === "host" || name.startsWith("x-amz-")), `${signed}`);
    }
  });
});

test("s3Folder() knows keys of every kind, encoded or not", async () => {
  for (const encodes of [true, false]) {
    await withBucket({ encodes }, async (bucket) => {
      for (
        const folder of ["a b", "a+b", "50%", "%2B", "ü 日本", "a//b", "/a", "a&<b>", "!'()*~", ""]
      ) {
        const prefix = folder === "" ? "" : `${folder}/`;
        const archive = await bucket.publish(prefix, HELLO);
        const source = folderOf(bucket, {}, { address: `s3://${BUCKET}/${folder}` });
        const { listing } = await source.list("hello", contextOf());
        assert.equal(listing.releases.length, 1, folder);
        const fetched = await source.fetch(listing.releases[0].artifact, contextOf());
        assert.equal(sha256("bytes" in fetched ? fetched.bytes : fetched), sha256(archive));
      }
    });
  }
});

test("s3Folder() reads a listing of many pages to its end, in whatever order", async () => {
  await withBucket({ pageSize: 3, elementPrefix: "s3:" }, async (bucket) => {
    for (let minor = 0; minor < 10; minor++) {
      await bucket.publish("stable/", { ...HELLO, version: `1.${minor}.0` });
    }
    const found = await versions(folderOf(bucket));
    assert.deepEqual(found, Array.from({ length: 10 }, (_, minor) => `1.${minor}.0`));
    assert.equal(bucket.count(LISTING), 4);
    assert.match(bucket.requests.at(-1)!.query, /continuation-token=[\w%]+/);
  });
});

test("s3Folder() takes no page for the whole that is not", async () => {
  await withBucket({ pageSize: 3 }, async (bucket) => {
    for (let minor = 0; minor < 10; minor++) {
      await bucket.publish("stable/", { ...HELLO, version: `1.${minor}.0` });
    }
    const page = (rest: string) => ({
      status: 200,
      body: `<ListBucketResult><Contents><Key>stable/hello-1.0.0.tgz</Key><Size>1</Size>` +
        `</Contents>${rest}`,
    });
    const end = "</ListBucketResult>";
    const truncated = "<IsTruncated>true</IsTruncated>";
    const token = "<NextContinuationToken>again</NextContinuationToken>";
    const last = "<IsTruncated>false</IsTruncated>";
    const elsewhere = "<Contents><Key>other/hello-9.0.0.tgz</Key><Size>1</Size></Contents>";
    const table: [page: ReturnType<typeof page>, found: RegExp][] = [
      [page(last), /no XML: Missing end tag/],
      [page(truncated + end), /without a token/],
      [page(truncated + token + end), /lists the same page again and again/],
      [page(last + elsewhere + end), /listed "other\/hello-9\.0\.0\.tgz", which is elsewhere/],
      [page(end), /no IsTruncated/],
      [{ status: 200, body: "<html><body>Please sign in</body></html>" }, /the element html/],
      [{ status: 200, body: "<Error><Code>SlowDown</Code></Error>" }, /Error \(SlowDown\)/],
      [{ status: 200, body: "" }, /no XML/],
    ];
    for (const [answer, found] of table) {
      bucket.fail(LISTING, answer);
      await rejectsWith(versions(folderOf(bucket)), "listing-invalid", found);
      bucket.heal(LISTING);
    }
  });
});

test("s3Folder() is spared the listing by an index, and content with 'not modified'", async () => {
  await withBucket({}, async (bucket) => {
    const archive = await bucket.publish("stable/", HELLO);
    bucket.index("stable/");
    const source = folderOf(bucket);
    const first = contextOf();
    const { listing } = await source.list("hello", first);
    assert.deepEqual(listing.releases[0].artifact, {
      locator: "s3://eggs/stable/hello-1.0.0.tgz",
      sizeBytes: archive.length,
      digests: [`sha256:${sha256(archive)}`],
      validator: `${archive.length} sha256:${sha256(archive)}`,
    });
    const { listings } = first;
    assert.equal((await source.list("hello", contextOf({ listings }))).cached, true);
    assert.deepEqual(bucket.requests.map(({ path, status }) => [path, status]), [
      [INDEX, 200],
      [INDEX, 304],
    ]);
    await bucket.publish("stable/", { ...HELLO, version: "2.0.0" });
    bucket.index("stable/");
    assert.deepEqual(await versions(source, "hello", contextOf({ listings })), ["1.0.0", "2.0.0"]);
  });
});

test("s3Folder() lists when there is no index, or one that is forbidden", async () => {
  await withBucket({}, async (bucket) => {
    await bucket.publish("stable/", HELLO);
    const forbidden = "<Error><Code>AccessDenied</Code></Error>";
    for (const fault of [{ status: 403, body: forbidden }, { status: 403 }, { status: 404 }]) {
      bucket.fail(INDEX, fault, 1);
      assert.deepEqual(await versions(folderOf(bucket)), ["1.0.0"]);
    }
    bucket.put("stable/index.json", '{ "of": "something else" }');
    assert.deepEqual(await versions(folderOf(bucket)), ["1.0.0"]);
    bucket.put("stable/index.json", '{ "transmuteIndex": 1, "fil');
    await rejectsWith(versions(folderOf(bucket)), "listing-invalid", /it is no index/);
    bucket.put("stable/index.json", "<html>Please sign in</html>");
    await rejectsWith(versions(folderOf(bucket)), "listing-invalid", /an HTML page/);
  });
});

test("s3Folder() tells when there is no such bucket", async () => {
  await withBucket({}, async (bucket) => {
    const source = folderOf(bucket, {}, { address: "s3://nowhere/stable" });
    await rejectsWith(
      versions(source),
      "source-unreachable",
      /answered 404 \(NoSuchBucket, request R1\): there is no bucket nowhere$/,
    );
    bucket.fail(LISTING, { status: 404, body: "<html>Not found</html>" });
    await rejectsWith(versions(folderOf(bucket)), "source-unreachable", /there is no bucket eggs$/);
  });
});

test("s3Folder() brings what it listed, and tells when it is gone", async () => {
  await withBucket({}, async (bucket) => {
    const archive = await bucket.publish("stable/", HELLO);
    const source = folderOf(bucket);
    const { listing } = await source.list("hello", contextOf());
    const [{ artifact }] = listing.releases;
    bucket.put("stable/hello-1.0.0.tgz", new Uint8Array([...archive, 0]));
    await rejectsWith(source.fetch(artifact, contextOf()), "size-mismatch", /wanted at most/);
    bucket.remove("stable/hello-1.0.0.tgz");
    await rejectsWith(source.fetch(artifact, contextOf()), "egg-missing", /answered 404$/);
  });
});

test("s3Folder() goes on where a body broke off, if the object is still the same", async () => {
  await withBucket({}, async (bucket) => {
    const archive = await bucket.publish("stable/", HELLO);
    const source = folderOf(bucket);
    const context = contextOf({ fetch: bucket.fetch });
    const { listing } = await source.list("hello", context);
    bucket.fail(ARCHIVE, { cutAfter: 100 }, 1);
    const fetched = await source.fetch(listing.releases[0].artifact, context);
    assert.ok("bytes" in fetched && fetched.resumed === true);
    assert.equal(sha256(fetched.bytes), sha256(archive));
    const { headers } = bucket.requests.at(-1)!;
    assert.equal(headers.range, "bytes=100-");
    assert.equal(headers["if-match"], etagOf(archive));

    // Replaced in the meantime, by as many other bytes.
    const other = archive.toReversed();
    const replacing: typeof fetch = async (input, init) => {
      const response = await bucket.fetch(input, init);
      if (bucket.count(ARCHIVE) === 3) bucket.put("stable/hello-1.0.0.tgz", other);
      return response;
    };
    bucket.fail(ARCHIVE, { cutAfter: 100 }, 1);
    const anew = await source.fetch(listing.releases[0].artifact, contextOf({ fetch: replacing }));
    assert.ok("bytes" in anew);
    assert.equal(sha256(anew.bytes), sha256(other));
    const statuses = bucket.requests.filter(({ path }) => path === ARCHIVE)
      .map(({ status }) => status);
    assert.deepEqual(statuses.slice(-2), [412, 200]);
  });
});

test("s3Folder() proves by the checksum that the service has of a whole object", async () => {
  await withBucket({}, async (bucket) => {
    const archive = await bucket.publish("stable/", HELLO);
    const hex = sha256(archive);
    const checksum = btoa(
      String.fromCharCode(...hex.match(/../g)!.map((two) => parseInt(two, 16))),
    );
    const table: [headers: Record<string, string>, digests: string[] | undefined][] = [
      [{}, undefined],
      [{ "x-amz-checksum-sha256": checksum }, [`sha256:${hex}`]],
      [{ "x-amz-checksum-sha256": checksum, "x-amz-checksum-type": "FULL_OBJECT" }, [
        `sha256:${hex}`,
      ]],
      // Digests of the digests of parts.
      [{ "x-amz-checksum-sha256": `${checksum}-3` }, undefined],
      [{ "x-amz-checksum-sha256": checksum, "x-amz-checksum-type": "COMPOSITE" }, undefined],
      [{ "x-amz-checksum-crc64nvme": "AAAAAAAAAAA=" }, undefined],
      // No digest, which no bytes match.
      [{ "x-amz-checksum-sha256": "?" }, ["sha256:"]],
    ];
    const source = folderOf(bucket);
    for (const [headers, digests] of table) {
      bucket.put("stable/hello-1.0.0.tgz", archive, headers);
      const { listing } = await source.list("hello", contextOf());
      const fetched = await source.fetch(listing.releases[0].artifact, contextOf());
      assert.ok("bytes" in fetched);
      assert.deepEqual(fetched.digests, digests, JSON.stringify(headers));
      assert.equal(bucket.requests.at(-1)!.headers["x-amz-checksum-mode"], "ENABLED");
    }
    bucket.put("stable/hello-1.0.0.tgz", archive, { "x-amz-checksum-sha256": checksum });
    bucket.fail(ARCHIVE, { cutAfter: 100 }, 1);
    const context = contextOf({ fetch: bucket.fetch });
    const { listing } = await source.list("hello", context);
    const resumed = await source.fetch(listing.releases[0].artifact, context);
    assert.ok("bytes" in resumed && resumed.resumed === true && resumed.digests === undefined);
  });
});

test("s3Folder() lets who asks pay, in every request, when told to", async () => {
  await withBucket({}, async (bucket) => {
    await bucket.publish("stable/", HELLO);
    const source = folderOf(bucket, { requesterPays: true });
    const { listing } = await source.list("hello", contextOf());
    await source.fetch(listing.releases[0].artifact, contextOf());
    assert.deepEqual(
      bucket.requests.map(({ status, headers }) => [status, headers["x-amz-request-payer"]]),
      [[404, "requester"], [200, "requester"], [200, "requester"]],
    );
  });
});
