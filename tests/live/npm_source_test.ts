/** A handful of questions to the real registry. Skipped, saying so, where it cannot be reached. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { isTransmuteError } from "../../lib/errors.ts";
import { npmSource } from "../../lib/sources/npm.ts";
import type { SourceContext, StoredListing } from "../../lib/sources/source.ts";
import { proveBytes } from "../../lib/trust/digest.ts";
import { selectRelease } from "../../lib/updater/select.ts";
import { bytesOf } from "../fixtures/fetched.ts";

const stored = new Map<string, StoredListing>();
const CONTEXT: SourceContext = {
  signal: AbortSignal.timeout(60_000),
  fetch,
  listings: {
    read: (key) => stored.get(key) ?? null,
    write: (key, listing) => void stored.set(key, listing),
  },
  maxDownloadBytes: 50_000_000,
};
const SELECTION = {
  platform: { os: "linux", cpu: "x64", libc: "glibc" },
  nodeVersion: "24.0.0",
  isExcluded: () => null,
};

/** Whether the registry answers at all; anything but its absence is for the tests to find. */
async function absence(): Promise<string | false> {
  try {
    await npmSource().list("semver", CONTEXT);
    return false;
  } catch (error) {
    const absent = isTransmuteError(error, "source-unreachable") ||
      isTransmuteError(error, "source-timeout");
    return absent ? `the registry is out of reach: ${error.message}` : false;
  }
}

const skip = await absence();
if (skip) console.log(`Skipped: ${skip}`);

test("npmSource() lists a real project, and asks again on condition", { skip }, async () => {
  const source = npmSource();
  const first = await source.list("semver", CONTEXT);
  assert.ok(first.listing.releases.length > 100);
  assert.deepEqual(first.listing.project, "semver");
  const again = await source.list("semver", CONTEXT);
  assert.deepEqual(again.listing, first.listing);
  // Mirrors without validators are no error; with them, the second answer is the stored one.
  assert.equal(again.cached, [...stored.keys()].some((key) => key.endsWith("/semver")));
});

test("npmSource() brings an archive that its listing's digest proves", { skip }, async () => {
  const source = npmSource();
  for (const [project, range] of [["ms", "2.1.3"], ["@types/ms", "^2"]]) {
    const { listing } = await source.list(project, CONTEXT);
    const { release } = selectRelease(listing, range, SELECTION);
    assert.equal(release?.project, project);
    const { artifact } = release!;
    assert.match(artifact.digests.join(), /^sha512:[0-9a-f]{128}$/);
    const bytes = bytesOf(await source.fetch(artifact, CONTEXT));
    const proof = await proveBytes(bytes, artifact, { egg: project, source: source.id });
    assert.deepEqual(proof.checked, artifact.digests);
  }
});

test("npmSource() is empty for a project that does not exist", { skip }, async () => {
  const { listing } = await npmSource().list("transmute-no-such-project-0", CONTEXT);
  assert.deepEqual(listing.releases, []);
});

test("npmSource() lists platform packages with what they are for", { skip }, async () => {
  const { listing } = await npmSource().list("@esbuild/darwin-arm64", CONTEXT);
  const { release, passedOver } = selectRelease(listing, "*", SELECTION);
  assert.equal(release, null);
  assert.ok(passedOver.some(({ reason }) => reason === "for darwin only"));
});
