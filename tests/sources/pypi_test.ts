import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { httpFolder } from "../../lib/sources/http.ts";
import { pypiSource } from "../../lib/sources/pypi.ts";
import { bytesOf } from "../fixtures/fetched.ts";
import type { FaultyServer, Found } from "../fixtures/faulty_server.ts";
import { startFaultyServer } from "../fixtures/faulty_server.ts";
import { helloWheel, metadataOf } from "../fixtures/python_wheel.ts";
import { startPythonIndex } from "../fixtures/python_index.ts";
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

test("pypiSource() takes credentials as they are where they have a % that begins nothing", async () => {
  await using server = await startIndex();
  const address = server.url.replace("//", "//ada:100%@");
  await pypiSource(`pypi+${address}simple/`).list("hello", contextOf(), "python");
  assert.equal(server.requests[0].headers.authorization, `Basic ${btoa("ada:100%")}`);
});

test("pypiSource() and httpFolder() keep their answers from one address apart", async () => {
  await using server = await startIndex("html");
  const { stored, ...context } = contextOf();
  const index = () => pypiSource(`pypi+${server.url}simple/`);
  const folder = () => httpFolder(`${server.url}simple/hello/`);
  for (const open of [index, folder, index, folder]) {
    const { listing } = await open().list("hello", { ...context }, "python");
    assert.deepEqual(listing.releases.map(({ version }) => version), ["1.0"], open().id);
  }
  assert.equal(stored.size, 2);
});

test("pypiSource() takes addresses of files for relative to where redirects led", async () => {
  await using server = await startPythonIndex();
  server.publish({
    project: "hello",
    filename: WHEEL.name,
    bytes: WHEEL.bytes,
    fields: { url: WHEEL.name },
  });
  const elsewhere = { status: 301, headers: { location: `${server.url}simple/hello/` } };
  server.fail("/old/hello/", elsewhere, 2);
  const context = contextOf();
  // The answer that is kept has them as they were found.
  for (const cached of [false, true]) {
    const answer = await pypiSource(`pypi+${server.url}old/`).list("hello", context, "python");
    assert.equal(answer.cached, cached);
    const [{ artifact }] = answer.listing.releases;
    assert.equal(artifact.locator, `${server.url}simple/hello/${WHEEL.name}`);
  }
});

test("pypiSource() asks again for a listing that is confirmed and was kept damaged", async () => {
  await using server = await startIndex();
  const source = pypiSource(`pypi+${server.url}simple/`);
  const context = contextOf();
  await source.list("hello", context, "python");
  for (const body of ["", "{}", '"text"', "[null]", '[{"name":1}]']) {
    for (const kept of context.stored.values()) kept.body = body;
    const { listing } = await source.list("hello", context, "python");
    assert.equal(listing.releases.length, 1, body);
  }
});

test("pypiSource() brings nothing that is longer than listed", async () => {
  await using server = await startPythonIndex();
  for (const size of [1, 10 ** 15]) {
    server.publish({
      project: "hello",
      filename: WHEEL.name,
      bytes: WHEEL.bytes,
      fields: { size },
    });
    const source = pypiSource(server.source);
    const { listing } = await source.list("hello", contextOf(), "python");
    await assert.rejects(
      source.fetch(listing.releases[0].artifact, contextOf()),
      refusal("size-mismatch"),
    );
  }
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
