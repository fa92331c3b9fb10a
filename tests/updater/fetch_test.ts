import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { EventKind } from "../../lib/model/event.ts";
import { packEntries } from "../../lib/publisher/pack.ts";
import type { Fetched, Source } from "../../lib/sources/source.ts";
import type { Candidate } from "../../lib/updater/fetch.ts";
import { EggFetcher, RefusedCandidate } from "../../lib/updater/fetch.ts";
import { contextOf } from "../fixtures/source_context.ts";

const { archive } = await packEntries({ name: "hello", version: "1.0.0" }, {
  "index.js": "export default 1;",
});
const sha256 = createHash("sha256").update(archive).digest("hex");
const broken = archive.slice().fill(0, archive.length >> 1);

/** A source that gives one answer after another, and how often it was asked. */
function answering(
  ...answers: (Uint8Array | Fetched)[]
): { candidate: Candidate; asked(): number } {
  let asked = 0;
  const source: Source = {
    id: "test",
    kind: "network",
    list: () => Promise.reject(new Error("nobody asks for a listing")),
    fetch: () => Promise.resolve(answers[asked++]),
  };
  const artifact = { locator: "https://eggs.example/hello-1.0.0.tgz", digests: [], validator: "1" };
  const release = { project: "hello", version: "1.0.0", artifact };
  return { candidate: { source, release }, asked: () => asked };
}

function fetcher(kinds: EventKind[] = []): EggFetcher {
  return new EggFetcher({
    context: contextOf(),
    maxUnpackedBytes: 1_000_000,
    tell: (_level, kind) => void kinds.push(kind),
    store: null,
  });
}

const refusedAs = (code: string) => (error: unknown) => {
  assert.ok(error instanceof RefusedCandidate, String(error));
  assert.equal(error.cause.code, code);
  return true;
};

test("obtain() proves bytes by the digests that a source learnt while it brought them", async () => {
  const { candidate } = answering({ bytes: archive, digests: [`sha256:${sha256}`] });
  const { proof } = await fetcher().obtain(candidate);
  assert.deepEqual(proof.checked, [`sha256:${sha256}`]);
  for (const digest of [`sha256:${"0".repeat(64)}`, "sha256:", "crc:00"]) {
    const { candidate } = answering({ bytes: archive, digests: [digest] });
    await assert.rejects(fetcher().obtain(candidate), refusedAs("digest-mismatch"), digest);
  }
});

test("obtain() asks once more for what was put together from several answers and is bad", async () => {
  const digests = [`sha256:${sha256}`];
  const bad: Fetched[] = [
    // Found by its digest and, without one, by its structure.
    { bytes: broken, digests, resumed: true },
    { bytes: broken, resumed: true },
  ];
  for (const first of bad) {
    const kinds: EventKind[] = [];
    const { candidate, asked } = answering(first, { bytes: archive });
    const { manifest } = await fetcher(kinds).obtain(candidate);
    assert.equal(manifest.name, "hello");
    assert.equal(asked(), 2);
    assert.equal(kinds.filter((kind) => kind === "fetch-started").length, 2);
  }
});

test("obtain() refuses what is bad as a whole, without asking again", async () => {
  for (const answer of [broken, { bytes: broken }, { bytes: broken, resumed: false }]) {
    const { candidate, asked } = answering(answer, archive);
    await assert.rejects(fetcher().obtain(candidate), refusedAs("archive-invalid"));
    assert.equal(asked(), 1);
  }
  const { candidate, asked } = answering({ bytes: broken, resumed: true }, { bytes: broken });
  await assert.rejects(fetcher().obtain(candidate), refusedAs("archive-invalid"));
  assert.equal(asked(), 2);
});
