/** A credential is sent, as a signature or a token, to its service. It shows nowhere else. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import type { S3Options } from "../../lib/sources/s3_address.ts";
import type { Source } from "../../lib/sources/source.ts";
import { servicesOf } from "../fixtures/aws_surroundings.ts";
import type { Fault } from "../fixtures/faulty_server.ts";
import { startFaultyServer } from "../fixtures/faulty_server.ts";
import type { Otherwise } from "../fixtures/s3_questions.ts";
import { folderOf, listening, withBucket } from "../fixtures/s3_questions.ts";
import { BUCKET, KEYS } from "../fixtures/test_bucket.ts";

const TOKEN = "a-very-secret-session-token";
const WEB_TOKEN = "a-very-secret-web-token";
const SECRETS = [KEYS.secretAccessKey, TOKEN, WEB_TOKEN];
const HOUR = 60 * 60 * 1000;

const HELLO = { name: "hello", version: "1.0.0" };
const LISTING = `/${BUCKET}`;
const ARCHIVE = `/${BUCKET}/stable/hello-1.0.0.tgz`;

/** All that a program can see of what a source does: results, errors, events, what is kept. */
async function seen(source: Source, fetch: typeof globalThis.fetch): Promise<string> {
  const { context, told } = listening();
  const shown: unknown[] = [source, told, context.stored];
  const asked = { ...context, fetch };
  try {
    const answer = await source.list("hello", asked);
    shown.push(answer, await source.fetch(answer.listing.releases[0].artifact, asked));
  } catch (error) {
    for (let cause: unknown = error; cause !== undefined; cause = (cause as Error).cause) {
      shown.push(cause, String(cause), (cause as Error).stack);
    }
  }
  return inspect(shown, { depth: Infinity, showHidden: true, maxStringLength: Infinity });
}

const GIVEN = { ...KEYS, sessionToken: TOKEN, expiration: new Date(Date.now() + HOUR) };
const VARIABLES = {
  AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
  AWS_SESSION_TOKEN: TOKEN,
};
const ROLE = { AWS_WEB_IDENTITY_TOKEN_FILE: "/token", AWS_ROLE_ARN: "arn:aws:iam::1:role/r" };
const lent = `<R><XResult><Credentials><AccessKeyId>${KEYS.accessKeyId}</AccessKeyId>` +
  `<SecretAccessKey>${KEYS.secretAccessKey}</SecretAccessKey><SessionToken>${TOKEN}</SessionToken>` +
  `</Credentials></XResult></R>`;

/** The ways in which credentials come. */
const WAYS: [how: string, options: Partial<S3Options>, otherwise: Otherwise][] = [
  ["given", { credentials: GIVEN }, {}],
  ["given by a function", { credentials: () => Promise.resolve(GIVEN) }, {}],
  ["in variables", { credentials: undefined! }, { values: { env: VARIABLES } }],
  ["of a program", { credentials: undefined! }, {
    values: {
      files: { "/home/ada/.aws/config": `[default]\ncredential_process=p ${TOKEN}` },
      run: () => ({
        stdout: JSON.stringify({
          Version: 1,
          AccessKeyId: KEYS.accessKeyId,
          SecretAccessKey: KEYS.secretAccessKey,
          SessionToken: TOKEN,
        }),
      }),
    },
  }],
  ["of a role", { credentials: undefined! }, {
    values: { env: ROLE, files: { "/token": WEB_TOKEN } },
  }],
];

/** What may go wrong, at a path. */
const FAULTS: [path: string, fault: Fault][] = [
  ["/nowhere", "hang-up"],
  [LISTING, {
    status: 403,
    body: `<Error><Code>AccessDenied</Code><Message>${TOKEN}</Message></Error>`,
  }],
  [LISTING, { status: 400, body: `<Error><Code>${KEYS.secretAccessKey}</Code></Error>` }],
  [LISTING, { status: 403, body: KEYS.secretAccessKey }],
  [LISTING, { status: 503 }],
  [LISTING, "hang-up"],
  [LISTING, { status: 200, body: "<a" }],
  [ARCHIVE, { status: 404 }],
  [ARCHIVE, "truncate"],
  [ARCHIVE, { status: 403, headers: { "x-amz-request-id": `${TOKEN} ` } }],
];

test("s3Folder() shows no credential, whatever happens", async () => {
  await withBucket({ tokens: { [TOKEN]: Date.now() + HOUR } }, async (bucket) => {
    await bucket.publish("stable/", HELLO);
    const sts = servicesOf({
      "POST https://sts.eu-west-1.amazonaws.com/": () => new Response(lent),
    });
    const routed: typeof fetch = (input, init) =>
      String(input).startsWith(bucket.url) ? bucket.fetch(input, init) : sts.fetch(input, init);
    for (const [how, options, otherwise] of WAYS) {
      for (const [path, fault] of FAULTS) {
        bucket.fail(path, fault);
        const text = await seen(folderOf(bucket, options, otherwise), routed);
        bucket.heal(path);
        for (const secret of SECRETS) {
          assert.ok(!text.includes(secret), `${how}, ${path}: ${text.slice(0, 3000)}`);
        }
      }
    }
    assert.ok(bucket.requests.some(({ status }) => status === 200));
    // The secret half is never sent, and the token only with a signature.
    for (const { headers, path, query } of bucket.requests) {
      assert.ok(!JSON.stringify([headers, path, query]).includes(KEYS.secretAccessKey));
      assert.equal(headers["x-amz-security-token"], TOKEN);
      assert.ok(headers.authorization);
    }
  });
});

test("s3Folder() sends no credential to where a redirect leads", async () => {
  const elsewhere = await startFaultyServer({ find: () => ({ body: new Uint8Array() }) });
  try {
    await withBucket({ tokens: { [TOKEN]: Date.now() + HOUR } }, async (bucket) => {
      await bucket.publish("stable/", HELLO);
      for (const path of [LISTING, ARCHIVE]) {
        for (const status of [301, 302, 303, 307, 308]) {
          bucket.fail(path, { status, headers: { location: elsewhere.url } });
          await seen(folderOf(bucket, { credentials: GIVEN }), fetch);
        }
      }
      assert.deepEqual(elsewhere.requests, []);
    });
  } finally {
    await elsewhere.close();
  }
});
