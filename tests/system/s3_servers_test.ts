/** Buckets of real servers, filled by an ordinary client. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { S3Server } from "../../scripts/s3_servers.ts";
import { helloEgg } from "../fixtures/application.ts";
import { contextOf } from "../fixtures/npm_questions.ts";
import { realBucket } from "../fixtures/real_bucket.ts";
import { folderAt, noting, SERVERS, ServerTests } from "../fixtures/real_servers.ts";
import { versions } from "../fixtures/s3_questions.ts";
import { sha256 } from "../fixtures/web_folder.ts";
import type { ContractStage, ContractSubject } from "../source_contract.ts";
import { testSource } from "../source_contract.ts";

const tests = new ServerTests((title, options, run) => test(title, options, run));

const NO_FAULTS = "a real server does not go wrong on demand";

/** The contract on a real server; what cannot be provoked there, a fake provokes elsewhere. */
function contractOn(server: S3Server, name: string): ContractSubject {
  let count = 0;
  return {
    name: `s3Folder() on ${name}`,
    kind: "network",
    secrets: [server.keys.secretAccessKey],
    lacks: { faults: NO_FAULTS, resume: NO_FAULTS },
    async open(): Promise<ContractStage> {
      const bucket = await realBucket(server, "eggs");
      const prefix = `contract ${++count}/`;
      let isClosed = false;
      return {
        source: folderAt(server, bucket.address(prefix)),
        publish: ({ filename, archive }) => bucket.put(prefix + filename, archive),
        remove: ({ filename }) => bucket.remove(prefix + filename),
        fetch: (input, init) =>
          isClosed ? Promise.reject(new TypeError("the server is gone")) : fetch(input, init),
        close: () => void (isClosed = true),
      };
    },
  };
}

for (const [name, server] of SERVERS) {
  if (typeof server === "string") continue;
  testSource(contractOn(server, name), { test: (title, run) => test(title, run) });
}

tests.onBoth("s3Folder() brings what an ordinary client put there", async (server) => {
  const bucket = await realBucket(server, "eggs");
  const archive = await bucket.publish("plain/", helloEgg("1.0.0"));
  await bucket.publish("plain/", helloEgg("2.1.0"));
  await bucket.publish("plain/below/", helloEgg("9.0.0"));
  const source = folderAt(server, bucket.address("plain"));
  const { listing } = await source.list("hello", contextOf());
  assert.deepEqual(listing.releases.map(({ version }) => version).sort(), ["1.0.0", "2.1.0"]);
  const { artifact } = listing.releases.find(({ version }) => version === "1.0.0")!;
  assert.equal(artifact.sizeBytes, archive.length);
  const fetched = await source.fetch(artifact, contextOf());
  assert.ok("bytes" in fetched);
  assert.equal(sha256(fetched.bytes), sha256(archive));
});

tests.onBoth("s3Folder() finds folders of every name", async (server) => {
  const bucket = await realBucket(server, "eggs");
  for (const folder of ["a b", "a+b", "50%", "%2B", "ü 日本", "!'()*~", "a=b&c", "deep/er"]) {
    const archive = await bucket.publish(`names/${folder}/`, helloEgg("1.0.0"));
    const source = folderAt(server, bucket.address(`names/${folder}`));
    const { listing } = await source.list("hello", contextOf());
    assert.equal(listing.releases.length, 1, folder);
    const fetched = await source.fetch(listing.releases[0].artifact, contextOf());
    assert.ok("bytes" in fetched);
    assert.equal(sha256(fetched.bytes), sha256(archive), folder);
  }
});

tests.onSwift("s3Folder() keeps two slashes in a key apart from one", async (server) => {
  const bucket = await realBucket(server, "eggs");
  await bucket.publish("slashes//", helloEgg("1.0.0"));
  await bucket.publish("slashes/", helloEgg("2.0.0"));
  assert.deepEqual(await versions(folderAt(server, bucket.address("slashes//"))), ["1.0.0"]);
  assert.deepEqual(await versions(folderAt(server, bucket.address("slashes/"))), ["2.0.0"]);
});

tests.onBoth("s3Folder() takes an object in parts, whose ETag is no digest", async (server) => {
  const bucket = await realBucket(server, "eggs");
  const part = crypto.getRandomValues(new Uint8Array(65_536));
  const large = new Uint8Array(5 * 1024 * 1024);
  for (let at = 0; at < large.length; at += part.length) large.set(part, at);
  await bucket.putInParts("parts/hello-1.0.0.tgz", [large, part]);
  const source = folderAt(server, bucket.address("parts"));
  const context = contextOf({ maxDownloadBytes: 10_000_000 });
  const { listing } = await source.list("hello", context);
  assert.match(listing.releases[0].artifact.validator, /-2"/);
  const fetched = await source.fetch(listing.releases[0].artifact, context);
  assert.ok("bytes" in fetched);
  assert.equal(sha256(fetched.bytes), sha256(new Uint8Array([...large, ...part])));
  assert.equal(fetched.digests, undefined);
});

tests.onBoth("s3Folder() asks for an index once, and then whether it changed", async (server) => {
  const bucket = await realBucket(server, "eggs");
  const archive = await bucket.publish("indexed/", helloEgg("1.0.0"));
  const file = { name: "hello-1.0.0.tgz", sizeBytes: archive.length, sha256: sha256(archive) };
  await bucket.put("indexed/index.json", JSON.stringify({ transmuteIndex: 1, files: [file] }));
  const source = folderAt(server, bucket.address("indexed"));
  const { fetch, statuses } = noting();
  const { listings } = contextOf();
  const first = await source.list("hello", contextOf({ fetch, listings }));
  assert.deepEqual(first.listing.releases[0].artifact.digests, [`sha256:${file.sha256}`]);
  assert.equal((await source.list("hello", contextOf({ fetch, listings }))).cached, true);
  assert.deepEqual(statuses, [200, 304]);
});

tests.onSeaweed("s3Folder() proves by the checksum that was uploaded", async (server) => {
  const bucket = await realBucket(server, "eggs");
  const archive = crypto.getRandomValues(new Uint8Array(5_000));
  const digest = await crypto.subtle.digest("SHA-256", archive);
  const checksum = btoa(String.fromCharCode(...new Uint8Array(digest)));
  const headers = { "x-amz-checksum-sha256": checksum };
  await bucket.put("checksum/hello-1.0.0.tgz", archive, headers);
  const source = folderAt(server, bucket.address("checksum"));
  const { listing } = await source.list("hello", contextOf());
  const fetched = await source.fetch(listing.releases[0].artifact, contextOf());
  assert.ok("bytes" in fetched);
  assert.deepEqual(fetched.digests, [`sha256:${sha256(archive)}`]);
});

tests.onBoth("s3Folder() reads a listing of several pages", async (server) => {
  const bucket = await realBucket(server, "eggs");
  const count = server.pageSize * 2 + 1;
  const names = Array.from({ length: count }, (_, index) => `many/hello-1.${index}.0.tgz`);
  for (let from = 0; from < count; from += 50) {
    await Promise.all(names.slice(from, from + 50).map((name) => bucket.put(name, "an egg")));
  }
  const { fetch, statuses } = noting();
  const source = folderAt(server, bucket.address("many"));
  assert.equal((await versions(source, "hello", contextOf({ fetch }))).length, count);
  assert.deepEqual(statuses, [404, 200, 200, 200]);
});

/** A `fetch` whose first answer breaks off after so many bytes, and the ranges it was asked for. */
function breaking(afterBytes: number): { fetch: typeof fetch; ranges: (string | null)[] } {
  const ranges: (string | null)[] = [];
  return {
    ranges,
    async fetch(input, init) {
      const response = await fetch(input, init);
      ranges.push(new Headers(init?.headers).get("range"));
      if (ranges.length > 1) return response;
      const parts = [new Uint8Array(await response.arrayBuffer()).subarray(0, afterBytes)];
      const body = new ReadableStream({
        pull(controller) {
          const part = parts.shift();
          if (part === undefined) controller.error(new TypeError("the connection broke"));
          else controller.enqueue(part);
        },
      });
      return new Response(body, { status: response.status, headers: response.headers });
    },
  };
}

tests.onBoth("s3Folder() goes on where a body broke off", async (server) => {
  const bucket = await realBucket(server, "eggs");
  const archive = crypto.getRandomValues(new Uint8Array(60_000));
  await bucket.put("broken/hello-1.0.0.tgz", archive);
  const source = folderAt(server, bucket.address("broken"));
  const { listing } = await source.list("hello", contextOf());
  const { fetch, ranges } = breaking(20_000);
  const fetched = await source.fetch(listing.releases[0].artifact, contextOf({ fetch }));
  assert.ok("bytes" in fetched && fetched.resumed === true);
  assert.equal(sha256(fetched.bytes), sha256(archive));
  assert.deepEqual(ranges, [null, "bytes=20000-"]);
});

tests.end();
