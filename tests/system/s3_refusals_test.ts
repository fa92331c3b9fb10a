/** What real servers refuse: a wrong question must not be answered, or the tests prove nothing. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createHmac } from "node:crypto";
import { findCredentials } from "../../lib/sources/aws_credentials.ts";
import { startLookup } from "../../lib/sources/aws_lookup.ts";
import { readAwsSettings } from "../../lib/sources/aws_settings.ts";
import type { AwsCredentials } from "../../lib/sources/aws_signature.ts";
import { s3Folder } from "../../lib/sources/s3.ts";
import type { RoleServer } from "../../scripts/s3_servers.ts";
import { PUBLIC_BUCKET } from "../../scripts/s3_servers.ts";
import { helloEgg } from "../fixtures/application.ts";
import type { AwsValues } from "../fixtures/aws_surroundings.ts";
import { awsSurroundings } from "../fixtures/aws_surroundings.ts";
import { contextOf, rejectsWith } from "../fixtures/npm_questions.ts";
import { realBucket } from "../fixtures/real_bucket.ts";
import { folderAt, noting, ServerTests } from "../fixtures/real_servers.ts";
import { listening, versions } from "../fixtures/s3_questions.ts";

const tests = new ServerTests((title, options, run) => test(title, options, run));

tests.onBoth("the server refuses a wrong secret and an unknown key", async (server) => {
  const bucket = await realBucket(server, "eggs");
  await bucket.publish("refused/", helloEgg("1.0.0"));
  const address = bucket.address("refused");
  assert.deepEqual(await versions(folderAt(server, address)), ["1.0.0"]);
  const wrongSecret = { ...server.keys, secretAccessKey: "wrong" };
  const unknownKey = { ...server.keys, accessKeyId: "test:nobody" };
  for (
    const [credentials, found] of [
      [wrongSecret, /answered 403 \(SignatureDoesNotMatch/],
      [unknownKey, /answered 403 \((?:InvalidAccessKeyId|SignatureDoesNotMatch)/],
    ] as const
  ) {
    const source = folderAt(server, address, { credentials });
    await rejectsWith(versions(source), "source-denied", found);
  }
});

tests.onSwift(
  "the server refuses a wrong region, and its answer teaches the right one",
  async (server) => {
    const bucket = await realBucket(server, "eggs");
    await bucket.publish("region/", helloEgg("1.0.0"));
    const { fetch, statuses } = noting();
    const context = contextOf({ fetch });
    const source = folderAt(server, bucket.address("region"), { region: "us-west-2" });
    assert.deepEqual(await versions(source, "hello", context), ["1.0.0"]);
    assert.deepEqual(statuses, [400, 404, 200]);
    assert.deepEqual([...context.stored.values()].map(({ body }) => body), [server.region]);
  },
);

tests.onBoth("the server refuses a wrong clock, and its answer tells the time", async (server) => {
  const bucket = await realBucket(server, "eggs");
  await bucket.publish("clock/", helloEgg("1.0.0"));
  for (const aheadMs of [-60 * 60 * 1000, 60 * 60 * 1000]) {
    const { fetch, statuses } = noting();
    const now = () => Date.now() + aheadMs;
    const source = folderAt(server, bucket.address("clock"), {}, { now });
    assert.deepEqual(await versions(source, "hello", contextOf({ fetch })), ["1.0.0"]);
    assert.deepEqual(statuses, [403, 404, 200]);
  }
});

/** The files of a user whose profile assumes the server's role. */
function roleFiles({ reader, roleArn }: RoleServer): Required<Pick<AwsValues, "env" | "files">> {
  return {
    env: { AWS_PROFILE: "app" },
    files: {
      "/home/ada/.aws/credentials": `[reader]\naws_access_key_id=${reader.accessKeyId}\n` +
        `aws_secret_access_key=${reader.secretAccessKey}\n`,
      "/home/ada/.aws/config":
        `[profile app]\nrole_arn=${roleArn}\nsource_profile=reader\nregion=us-east-1\n`,
    },
  };
}

tests.onSeaweed("s3Folder() asks with the role that a profile assumes", async (server) => {
  const bucket = await realBucket(server, "eggs");
  await bucket.publish("role/", helloEgg("1.0.0"));
  const values = roleFiles(server);
  const env = { ...values.env, AWS_ENDPOINT_URL: server.url };
  const from = awsSurroundings({ ...values, env });
  const tokens = new Set<string | null>();
  const watched: typeof fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    if (init?.method !== "POST") tokens.add(headers.get("x-amz-security-token"));
    return fetch(input, init);
  };
  const source = s3Folder(bucket.address("role"), {}, { from });
  assert.deepEqual(await versions(source, "hello", contextOf({ fetch: watched })), ["1.0.0"]);
  assert.equal(tokens.size, 1);
  assert.ok(!tokens.has(null));
});

/** Keys for the server's role, of a session that the server itself began. */
async function lentKeys(server: RoleServer): Promise<AwsCredentials> {
  const { env, files } = roleFiles(server);
  const from = awsSurroundings({ env: { ...env, AWS_ENDPOINT_URL: server.url }, files });
  const lookup = startLookup("s3://eggs/", contextOf(), { from });
  const { credentials } = await findCredentials(lookup, readAwsSettings(lookup, {}));
  return credentials!;
}

/** The token of a session, signed anew by the server's own key to have ended a minute ago. */
function ended(token: string, key: Uint8Array): string {
  const [head, content] = token.split(".");
  const claims = JSON.parse(atob(content.replaceAll("-", "+").replaceAll("_", "/")));
  const changed = { ...claims, exp: Math.floor(Date.now() / 1000) - 60 };
  const text = `${head}.${Buffer.from(JSON.stringify(changed)).toString("base64url")}`;
  return `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`;
}

tests.onSeaweed(
  "the server refuses a session that has ended, and new credentials are asked for",
  async (server) => {
    const bucket = await realBucket(server, "eggs");
    await bucket.publish("session/", helloEgg("1.0.0"));
    const address = bucket.address("session");
    const keys = await lentKeys(server);
    assert.deepEqual(await versions(folderAt(server, address, { credentials: keys })), ["1.0.0"]);

    const old = { ...keys, sessionToken: ended(keys.sessionToken!, server.tokenKey) };
    // The same token with its own end is good: it is the end that the server objects to.
    await rejectsWith(
      versions(folderAt(server, address, { credentials: old })),
      "source-denied",
      /answered 403 \(InvalidAccessKeyId/,
      /^Renew the credentials/,
    );
    const { fetch, statuses } = noting();
    const given = [old, keys];
    const credentials = () => given.shift() ?? keys;
    const source = folderAt(server, address, { credentials });
    assert.deepEqual(await versions(source, "hello", contextOf({ fetch })), ["1.0.0"]);
    assert.deepEqual(statuses, [403, 404, 200]);
  },
);

tests.onSeaweed(
  "s3Folder() reads a public bucket without credentials, and no other",
  async (server) => {
    const open = await realBucket(server, PUBLIC_BUCKET);
    await open.publish("all/", helloEgg("1.0.0"));
    const closed = await realBucket(server, "eggs");
    await closed.publish("all/", helloEgg("1.0.0"));
    const from = awsSurroundings({ env: { AWS_EC2_METADATA_DISABLED: "true" } });
    const { context, told } = listening();
    const anonymous = s3Folder(open.address("all"), { endpoint: server.url }, { from });
    assert.deepEqual(await versions(anonymous, "hello", context), ["1.0.0"]);
    assert.deepEqual(told.map(({ kind }) => kind), ["anonymous"]);
    await rejectsWith(
      versions(s3Folder(closed.address("all"), { endpoint: server.url }, { from })),
      "source-denied",
      /answered 403 \(AccessDenied/,
      /^No credentials were found/,
    );
  },
);

tests.end();
