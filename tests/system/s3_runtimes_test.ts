/**
 * An application in every runtime, on a bucket of a real server, with nothing but variables: the
 * server judges what each runtime's own `fetch` sends.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { application, helloEgg, RUNTIMES } from "../fixtures/application.ts";
import { realBucket } from "../fixtures/real_bucket.ts";
import { ServerTests } from "../fixtures/real_servers.ts";

const tests = new ServerTests((title, options, run) => test(title, options, run));

const PROGRAM = `
const here = new transmute.Transmute({ app: "bucket", sources: [args[0]], log: "info" });
here.require("hello");
const { outcome } = await here.update({ force: true });
console.log(outcome, (await here.import("hello")).greet("x"));
`;

tests.onBoth("update() takes eggs from a bucket in every runtime", async (server) => {
  const bucket = await realBucket(server, "eggs");
  using here = application();
  await here.program("main", PROGRAM);
  for (const runtime of RUNTIMES) {
    const prefix = `runtimes/a b+ü ${runtime}/`;
    const env = {
      TRANSMUTE_CACHE_DIR: `${here.store}-${runtime}`,
      AWS_ACCESS_KEY_ID: server.keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.keys.secretAccessKey,
      AWS_ENDPOINT_URL_S3: server.url,
      HOME: here.folder,
    };
    for (const version of ["1.0.0", "2.1.0"]) {
      await bucket.publish(prefix, helloEgg(version));
      const lines = await here.lines(runtime, "main", [bucket.address(prefix)], { env });
      assert.equal(lines.at(-1), `updated Hi, x! -- from version ${version} of hello`, runtime);
    }
  }
});

tests.end();
