/** The contract of sources, on buckets: with a listing, with an index, with digests beside eggs. */

import { test } from "node:test";
import { s3Folder } from "../../lib/sources/s3.ts";
import { awsSurroundings } from "../fixtures/aws_surroundings.ts";
import { failPath } from "../fixtures/faulty_path.ts";
import { impatientTimer } from "../fixtures/npm_questions.ts";
import type { TestBucket } from "../fixtures/test_bucket.ts";
import { BUCKET, KEYS, startTestBucket } from "../fixtures/test_bucket.ts";
import { sha256 } from "../fixtures/web_folder.ts";
import type { ContractStage, ContractSubject } from "../source_contract.ts";
import { testSource } from "../source_contract.ts";

const PREFIX = "the eggs+more/";

/** A folder in a bucket, which is told of every change to its objects by `changed`. */
function subject(how: string, changed: (bucket: TestBucket) => void): ContractSubject {
  return {
    name: `s3Folder() with ${how}`,
    kind: "network",
    secrets: [KEYS.secretAccessKey],
    async open(): Promise<ContractStage> {
      const bucket = await startTestBucket();
      const path = (name: string) => `/${BUCKET}/the%20eggs%2Bmore/${name}`;
      changed(bucket);
      return {
        source: s3Folder(
          `s3://${BUCKET}/${PREFIX}`,
          { endpoint: bucket.url, region: "eu-west-1", credentials: KEYS },
          { from: awsSurroundings(), startTimer: impatientTimer() },
        ),
        publish({ filename, archive }) {
          bucket.put(PREFIX + filename, archive);
          changed(bucket);
        },
        remove({ filename }) {
          bucket.remove(PREFIX + filename);
        },
        fail: ({ filename }, fault) => failPath(bucket, path(filename), fault),
        fetch: bucket.fetch,
        close: () => bucket.close(),
      };
    },
  };
}

const byListing = subject("a listing", () => {});
const byIndex = subject("an index", (bucket) => bucket.index(PREFIX));
const byCompanions = subject("digests beside its eggs", (bucket) => {
  for (const [key, { body }] of bucket.objects) {
    if (key.endsWith(".tgz")) bucket.put(`${key}.sha256`, sha256(body));
  }
});

for (const one of [byListing, byIndex, byCompanions]) {
  // Called here, for some runners tell a test's file by where it is registered.
  testSource(one, { test: (title, run) => test(title, run) });
}
