import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { EventKind } from "../../lib/model/event.ts";
import { packEntries } from "../../lib/publisher/pack.ts";
import type { Fetched, Source } from "../../lib/sources/source.ts";
import type { Candidate } from "../../lib/updater/fetch.ts";
import { EggFetcher, RefusedCandidate } from "../../lib/updater/fetch.ts";
import { TransmuteError } from "../../lib/errors.ts";
import { parsePythonFileName } from "../../lib/model/python_file.ts";
import { helloWheel, metadataOf } from "../fixtures/python_wheel.ts";
import { refusal } from "../fixtures/refusal.ts";
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

/** A wheel whose listing gives the digest of its metadata, which the source answers so. */
function withMetadata(answer: () => Promise<Uint8Array>): Candidate {
  const { name, bytes } = helloWheel("1.0");
  const metadata = metadataOf({ name: "hello", version: "1.0" });
  const digest = `sha256:${createHash("sha256").update(metadata).digest("hex")}`;
  const { candidate: { source } } = answering(bytes);
  return {
    source: { ...source, pythonMetadata: answer },
    release: {
      project: "hello",
      version: "1.0",
      artifact: { locator: `https://eggs.example/${name}`, digests: [], validator: "1" },
      python: {
        file: parsePythonFileName(name)!,
        metadata: { locator: `https://eggs.example/${name}.metadata`, digests: [digest] },
      },
    },
  };
}

test("pythonManifest() reads the archive where the metadata that is listed beside it is not there", async () => {
  const candidate = withMetadata(() =>
    Promise.reject(new TransmuteError("egg-missing", "Cannot fetch it: it is gone"))
  );
  const { name, version } = await fetcher().pythonManifest(candidate, candidate.source);
  assert.deepEqual([name, version], ["hello", "1.0"]);
});

test("pythonManifest() refuses metadata of another digest, and passes on what else goes wrong", async () => {
  const altered = withMetadata(() => Promise.resolve(new TextEncoder().encode("Name: other")));
  await assert.rejects(
    fetcher().pythonManifest(altered, altered.source),
    refusedAs("digest-mismatch"),
  );
  const denied = withMetadata(() =>
    Promise.reject(new TransmuteError("source-denied", "Cannot fetch it: it is denied"))
  );
  await assert.rejects(
    fetcher().pythonManifest(denied, denied.source),
    refusal("source-denied"),
  );
});
