/** Repositories in buckets of real servers, with lasting and with temporary credentials. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { s3Destination } from "../../lib/publisher/s3_destination.ts";
import { refresh } from "../../lib/publisher/refresh.ts";
import type { S3Options } from "../../lib/sources/s3_address.ts";
import type { S3Server } from "../../scripts/s3_servers.ts";
import { awsSurroundings, deadlineFreeTimer } from "../fixtures/aws_surroundings.ts";
import { realBucket } from "../fixtures/real_bucket.ts";
import { ServerTests } from "../fixtures/real_servers.ts";
import { refusal } from "../fixtures/refusal.ts";
import {
  egg,
  NOW,
  publishEggs,
  repositoryAt,
  versionsSeen,
} from "../fixtures/signed_repository.ts";

const tests = new ServerTests((title, options, run) => test(title, options, run));
const bytes = (text: string) => new TextEncoder().encode(text);

/** A folder of a server's bucket, as a destination. */
async function destinationAt(
  server: S3Server,
  prefix: string,
  options: S3Options = {},
) {
  await realBucket(server, "eggs");
  const { url: endpoint, region, keys: credentials } = server;
  const surroundings = { from: awsSurroundings(), startTimer: deadlineFreeTimer() };
  const right = { endpoint, region, credentials };
  return s3Destination(`s3://eggs/${prefix}`, { ...right, ...options }, surroundings);
}

tests.onBoth("s3Destination() writes, replaces, lists and removes", async (server) => {
  const destination = await destinationAt(server, "destination");
  assert.equal(await destination.read("a/b!c.json", 100), null);
  assert.deepEqual(await destination.list("a"), []);
  assert.ok(await destination.writeIfAbsent("a/b!c.json", bytes("one")));
  assert.deepEqual(await destination.read("a/b!c.json", 100), bytes("one"));
  await destination.write("a/b!c.json", bytes("two"), "changing");
  assert.deepEqual(await destination.read("a/b!c.json", 100), bytes("two"));
  await destination.writeIfAbsent("a/below/d.json", bytes("three"));
  await destination.writeIfAbsent("a/@e+f.tgz", bytes("four"));
  assert.deepEqual((await destination.list("a")).sort(), ["@e+f.tgz", "b!c.json"]);
  await destination.remove("a/b!c.json");
  await destination.remove("a/b!c.json");
  assert.equal(await destination.read("a/b!c.json", 100), null);
});

tests.onBoth(
  "s3Destination() does not write over what is there unless it is told to",
  async (server) => {
    const destination = await destinationAt(server, "absent");
    assert.ok(await destination.writeIfAbsent("claim.json", bytes("first")));
    assert.ok(!await destination.writeIfAbsent("claim.json", bytes("second")));
    assert.deepEqual(await destination.read("claim.json", 100), bytes("first"));
  },
);

tests.onBoth("s3Destination() lists more than a page", async (server) => {
  const destination = await destinationAt(server, "many");
  const count = server.pageSize + 1;
  const names = Array.from({ length: count }, (_, index) => `${index}.json`);
  for (let from = 0; from < count; from += 50) {
    const some = names.slice(from, from + 50);
    await Promise.all(some.map((name) => destination.writeIfAbsent(`pages/${name}`, bytes(name))));
  }
  assert.deepEqual((await destination.list("pages")).sort(), names.sort());
});

tests.onBoth("s3Destination() holds a repository that clients trust", async (server) => {
  const destination = await destinationAt(server, "repository");
  const repository = await repositoryAt(destination);
  const { root, signing } = repository;
  await publishEggs(repository, ["@scope/hello@1.0.0", "world@1.0.0+build.5"]);
  await publishEggs(repository, ["@scope/hello@1.0.0", "@scope/hello@1.1.0"]);
  await refresh(destination, root, signing, { prune: true });
  assert.deepEqual(await versionsSeen(destination, root, "@scope/hello"), ["1.0.0", "1.1.0"]);
  assert.deepEqual(await versionsSeen(destination, root, "world"), ["1.0.0+build.5"]);
  const { objectPath, archive } = await egg("world", "1.0.0+build.5");
  assert.deepEqual(await destination.read(objectPath!, 10_000), archive);
});

// Swift looks whether an object is there and then writes it: two publishers may both have found
// nothing. What the documents ask of a service is that it does both at once.
tests.onSeaweed(
  "publish() to a bucket loses nothing of publishers at the same time",
  async (server) => {
    const repository = await repositoryAt(await destinationAt(server, "together"));
    const names = Array.from({ length: 6 }, (_, index) => `hello@1.${index}.0`);
    await Promise.all(names.map((name) => publishEggs(repository, [name])));
    const seen = await versionsSeen(repository.destination, repository.root, "hello");
    assert.deepEqual(seen, names.map((name) => name.slice("hello@".length)));
  },
);

tests.onSeaweed(
  "s3Destination() publishes with the temporary credentials of a role, as CI has them",
  async (server) => {
    const now = Date.now();
    const lasting = await repositoryAt(await destinationAt(server, "role"), now);
    const { accessKeyId, secretAccessKey } = server.keys;
    const from = awsSurroundings({
      env: { AWS_PROFILE: "ci", AWS_ENDPOINT_URL: server.url },
      files: {
        "/home/ada/.aws/credentials": `[uploader]\naws_access_key_id=${accessKeyId}\n` +
          `aws_secret_access_key=${secretAccessKey}\n`,
        "/home/ada/.aws/config":
          `[profile ci]\nrole_arn=${server.publisherArn}\nsource_profile=uploader\nregion=us-east-1\n`,
      },
    });
    const tokens = new Set<string | null>();
    const watched: typeof fetch = (input, init) => {
      if (init?.method !== "POST") {
        tokens.add(new Headers(init?.headers).get("x-amz-security-token"));
      }
      return fetch(input, init);
    };
    const destination = s3Destination("s3://eggs/role", {}, { from, fetch: watched });
    await publishEggs({ ...lasting, destination }, ["hello@1.0.0"]);
    assert.deepEqual(await versionsSeen(destination, lasting.root, "hello", { now }), ["1.0.0"]);
    assert.equal(tokens.size, 1);
    assert.ok(!tokens.has(null));
  },
);

tests.onSeaweed("s3Destination() says what a reader's keys are not allowed", async (server) => {
  const repository = await repositoryAt(await destinationAt(server, "reader"));
  const destination = await destinationAt(server, "reader", { credentials: server.reader });
  assert.deepEqual(await versionsSeen(destination, repository.root, "hello", { now: NOW }), []);
  await assert.rejects(
    publishEggs({ ...repository, destination }, ["hello@1.0.0"]),
    (error) => {
      assert.match((error as { hint?: string }).hint ?? "", /s3:PutObject/);
      return refusal("source-denied", "reader/")(error);
    },
  );
});

tests.end();
