import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { pypiSource } from "../../lib/sources/pypi.ts";
import { bytesOf } from "../fixtures/fetched.ts";
import type { FaultyServer, Found } from "../fixtures/faulty_server.ts";
import { startFaultyServer } from "../fixtures/faulty_server.ts";
import { helloWheel, metadataOf } from "../fixtures/python_wheel.ts";
import { refusal } from "../fixtures/refusal.ts";
import { contextOf } from "../fixtures/source_context.ts";

const encoder = new TextEncoder();
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const METADATA = encoder.encode(metadataOf({ name: "hello", version: "1.0" }));
const WHEEL = helloWheel("1.0");

/** An index of one project, as JSON or as a page. */
async function startIndex(form: "json" | "html" = "json"): Promise<FaultyServer> {
  const file = {
    filename: WHEEL.name,
    url: `/files/${WHEEL.name}`,
    hashes: { sha256: sha256(WHEEL.bytes) },
    "core-metadata": { sha256: sha256(METADATA) },
  };
  const json = JSON.stringify({ meta: { "api-version": "1.1" }, name: "hello", files: [file] });
  const html =
    `<html><head><title>Links for hello</title></head><body><a href="${file.url}#sha256=${file.hashes.sha256}">${WHEEL.name}</a></body></html>`;
  const files: Record<string, Found> = {
    "/simple/hello/": {
      body: encoder.encode(form === "json" ? json : html),
      headers: {
        "content-type": form === "json" ? "application/vnd.pypi.simple.v1+json" : "text/html",
        etag: '"1"',
      },
    },
    [`/files/${WHEEL.name}`]: { body: WHEEL.bytes },
    [`/files/${WHEEL.name}.metadata`]: { body: METADATA },
  };
  return await startFaultyServer({ find: (path: string) => files[path] ?? null } as never);
}

for (const form of ["json", "html"] as const) {
  test(`pypiSource() lists and brings from an index that answers ${form}`, async () => {
    await using server = await startIndex(form);
    const source = pypiSource(`pypi+${server.url}simple/`);
    const context = contextOf();
    const { listing, cached } = await source.list("Hello", context, "python");
    assert.equal(cached, false);
    const [release] = listing.releases;
    assert.equal(release.version, "1.0");
    assert.deepEqual(bytesOf(await source.fetch(release.artifact, context)), WHEEL.bytes);
    assert.equal((await source.list("hello", context, "python")).cached, true);
    const missing = await source.list("nosuch", context, "python");
    assert.deepEqual(missing.listing.releases, []);
  });
}

test("pypiSource() brings metadata apart from archives", async () => {
  await using server = await startIndex();
  const source = pypiSource(`pypi+${server.url}simple`);
  const context = contextOf();
  const { listing: { releases: [release] } } = await source.list("hello", context, "python");
  assert.deepEqual(await source.pythonMetadata!(release, context), METADATA);
});

test("pypiSource() takes the address of the old interface for the new one", async () => {
  await using server = await startIndex();
  const source = pypiSource(`pypi+${server.url}pypi`);
  const { listing } = await source.list("hello", contextOf(), "python");
  assert.equal(listing.releases.length, 1);
});

test("pypiSource() sends an address's credentials to its own host alone, and shows them nowhere", async () => {
  await using server = await startIndex();
  const address = server.url.replace("//", "//ada:secret@");
  const source = pypiSource(`pypi+${address}simple/`);
  assert.ok(!source.id.includes("secret"));
  await source.list("hello", contextOf(), "python");
  assert.equal(server.requests[0].headers.authorization, `Basic ${btoa("ada:secret")}`);
});

test("pypiSource() refuses names and addresses that are none", async () => {
  await using server = await startIndex();
  const source = pypiSource(`pypi+${server.url}simple/`);
  for (const name of ["../etc", "a/b", "", "a%2fb"]) {
    const { listing } = await source.list(name, contextOf(), "python");
    assert.deepEqual(listing.releases, []);
  }
  assert.equal(server.count(), 0);
  assert.throws(() => pypiSource("pypi+ftp://x"), refusal("option-invalid"));
  assert.throws(() => pypiSource("pip:"), refusal("option-invalid"));
});

test("pypiSource() refuses an answer that is no listing", async () => {
  await using server = await startIndex();
  server.fail("/simple/hello/", { status: 200, body: "<html><title>Sign in</title></html>" });
  const source = pypiSource(`pypi+${server.url}simple/`);
  await assert.rejects(
    source.list("hello", contextOf(), "python"),
    refusal("listing-invalid", "no listing"),
  );
});
