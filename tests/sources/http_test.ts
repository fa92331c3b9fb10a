import assert from "node:assert/strict";
import { test } from "node:test";
import { isTransmuteError } from "../../lib/errors.ts";
import type { HttpSourceOptions } from "../../lib/sources/http_address.ts";
import { httpFolder } from "../../lib/sources/http.ts";
import type { Source } from "../../lib/sources/source.ts";
import { bytesOf } from "../fixtures/fetched.ts";
import { LISTING_PAGES } from "../fixtures/listing_pages.ts";
import { contextOf, impatientTimer, rejectsWith } from "../fixtures/npm_questions.ts";
import type { WebFolder, WebFolderOptions } from "../fixtures/web_folder.ts";
import { plainPage, sha256, startWebFolder } from "../fixtures/web_folder.ts";

async function withFolder(
  options: WebFolderOptions,
  run: (folder: WebFolder, source: Source) => Promise<void>,
): Promise<void> {
  const folder = await startWebFolder(options);
  try {
    await run(folder, sourceOf(folder.url));
  } finally {
    await folder.close();
  }
}

function sourceOf(address: string, options: HttpSourceOptions = {}, tokens?: string): Source {
  return httpFolder(address, options, { startTimer: impatientTimer(), env: () => tokens });
}

async function versions(source: Source, project: string, context = contextOf()) {
  const { listing } = await source.list(project, context);
  return listing.releases.map(({ version }) => version).sort();
}

const HELLO = { name: "hello", version: "1.0.0" };

test("httpFolder() lists by the index, in one request for all projects of an update", async () => {
  await withFolder({ page: plainPage }, async (folder, source) => {
    const archive = await folder.publish({ ...HELLO, dependencies: { other: "^1" } });
    await folder.publish({ ...HELLO, version: "1.1.0" });
    await folder.publish({ name: "@scope/name", version: "2.0.0" });
    folder.index();
    const context = contextOf();
    const { listing, cached } = await source.list("hello", context);
    assert.equal(cached, false);
    assert.deepEqual(listing.releases[0], {
      project: "hello",
      version: "1.0.0",
      artifact: {
        locator: `${folder.url}hello-1.0.0.tgz`,
        sizeBytes: archive.length,
        digests: [`sha256:${sha256(archive)}`],
        validator: `${archive.length} sha256:${sha256(archive)}`,
      },
      manifest: { ...HELLO, dependencies: { other: "^1" } },
    });
    assert.deepEqual(await versions(source, "hello", context), ["1.0.0", "1.1.0"]);
    assert.deepEqual(await versions(source, "@scope/name", context), ["2.0.0"]);
    // By its file's name it could be this one, but the manifest tells.
    assert.deepEqual(await versions(source, "scope-name", context), []);
    assert.deepEqual(await versions(source, "other", context), []);
    assert.deepEqual(folder.requests.map(({ path }) => path), ["/index.json"]);
    const fetched = await source.fetch(listing.releases[0].artifact, context);
    assert.deepEqual(new Uint8Array(bytesOf(fetched)), new Uint8Array(archive));
  });
});

test("httpFolder() asks anew in another update, and is content with 'not modified'", async () => {
  await withFolder({}, async (folder, source) => {
    await folder.publish(HELLO);
    folder.index();
    const first = contextOf();
    await source.list("hello", first);
    const { listings } = first;
    const second = await source.list("hello", contextOf({ listings }));
    assert.equal(second.cached, true);
    assert.equal(second.listing.releases.length, 1);
    assert.equal(folder.requests.at(-1)!.status, 304);
    await folder.publish({ ...HELLO, version: "2.0.0" });
    folder.index();
    const third = await source.list("hello", contextOf({ listings }));
    assert.equal(third.cached, false);
    assert.equal(third.listing.releases.length, 2);
    // What was kept is damaged: the whole is asked for.
    first.stored.set(`${folder.url}index.json`, {
      ...first.stored.get(`${folder.url}index.json`)!,
      body: "damaged",
    });
    const fourth = await source.list("hello", contextOf({ listings }));
    assert.equal(fourth.cached, false);
    assert.equal(fourth.listing.releases.length, 2);
  });
});

test("httpFolder() lists by the server's page where there is no index", async () => {
  for (const [server, { full }] of Object.entries(LISTING_PAGES)) {
    await withFolder({ page: () => full, path: "/eggs" }, async (folder, source) => {
      // The page of the bucket has absolute addresses, which are of another host here.
      assert.deepEqual(await versions(source, "hello"), ["1.0.0", "1.1.0+build.1"], server);
      assert.deepEqual(folder.requests.map(({ path }) => path).slice(0, 2), ["/index.json", "/"]);
    });
  }
});

test("httpFolder() goes on to the page when index.json is of something else, or forbidden", async () => {
  await withFolder({ page: plainPage }, async (folder, source) => {
    await folder.publish(HELLO);
    folder.put("index.json", '{"posts":[]}');
    assert.deepEqual(await versions(source, "hello"), ["1.0.0"]);
    folder.fail("/index.json", { status: 403 }, 1);
    assert.deepEqual(await versions(source, "hello"), ["1.0.0"]);
  });
});

test("httpFolder() proves by the digest beside an archive, read when it is fetched", async () => {
  await withFolder({ page: plainPage }, async (folder, source) => {
    const archive = await folder.publish(HELLO);
    folder.put(
      "hello-1.0.0.tgz.sha256",
      `${sha256(archive).toUpperCase()}  hello-1.0.0.tgz\n`,
      // Nobody expands what this is, and it is text in any case.
      { "content-encoding": "x-other" },
    );
    const context = contextOf();
    const { listing: { releases: [{ artifact }] } } = await source.list("hello", context);
    assert.deepEqual(artifact.digests, []);
    assert.equal(folder.count("/hello-1.0.0.tgz.sha256"), 0);
    const fetched = await source.fetch(artifact, context);
    assert.ok("digests" in fetched);
    assert.deepEqual(fetched.digests, [`sha256:${sha256(archive)}`]);
  });
});

test("httpFolder() follows a package index to a project's own page", async () => {
  const files = await startWebFolder();
  const folder = await startWebFolder({ path: "/simple" });
  try {
    const archive = await files.publish(HELLO);
    folder.put("", "<title>Simple index</title><a href='hello/'>hello</a><a href='b/'>b</a>");
    const link = `${files.url}hello-1.0.0.tgz#sha256=${sha256(archive)}`;
    folder.put("hello/", `<title>Links for hello</title><a href="${link}">hello-1.0.0.tgz</a>`);
    folder.put("b/", `<title>Links for b</title>`);
    const source = sourceOf(folder.url, { authorization: "Bearer secret" });
    const context = contextOf();
    const { listing: { releases: [{ artifact }] } } = await source.list("hello", context);
    assert.deepEqual(artifact.digests, [`sha256:${sha256(archive)}`]);
    assert.deepEqual(await versions(source, "b", context), []);
    assert.deepEqual(await versions(source, "other", context), []);
    assert.equal(folder.count("/"), 1);
    assert.equal(folder.count("/hello/"), 1);
    const fetched = await source.fetch(artifact, context);
    assert.deepEqual(new Uint8Array(bytesOf(fetched)), new Uint8Array(archive));
    // The files are on another origin, which is not told the secret.
    assert.equal(folder.requests[0].headers.authorization, "Bearer secret");
    assert.equal(files.requests[0].headers.authorization, undefined);
  } finally {
    await folder.close();
    await files.close();
  }
});

test("httpFolder() lists a page of links at its own address", async () => {
  await withFolder({}, async (folder) => {
    folder.put("links.html", "<title>Ours</title><a href='old/hello-1.0.0.tgz'>1</a>");
    assert.deepEqual(await versions(sourceOf(`${folder.url}links.html`), "hello"), ["1.0.0"]);
    assert.deepEqual(folder.requests.map(({ path }) => path), ["/index.json", "/links.html"]);
  });
});

test("httpFolder() takes a network's sign-in page for no listing", async () => {
  const portal = "<!doctype html><html><title>Guest network</title>" +
    "<form><input type=password></form></html>";
  await withFolder({ page: () => portal }, async (folder, source) => {
    await rejectsWith(
      source.list("hello", contextOf()),
      "listing-invalid",
      /"Guest network" that asks for a password$/,
      /sign in/,
    );
    // A portal answers every question, that for the index too.
    folder.put("index.json", portal, { "content-type": "text/html" });
    await rejectsWith(
      source.list("hello", contextOf()),
      "listing-invalid",
      /^Cannot list http:\/\/127\.0\.0\.1:\d+\/index\.json: found an HTML page where an index is due$/,
      /sign in/,
    );
  });
});

test("httpFolder() takes a broken index for no listing, and never for an empty one", async () => {
  await withFolder({ page: plainPage }, async (folder, source) => {
    await folder.publish(HELLO);
    folder.index();
    const table: [text: string, found: RegExp][] = [
      ['{"transmuteIndex":1,"files":[{"name":"hello-1.0.', /not JSON/],
      ["", /not JSON \(0 characters\)/],
      ['{"transmuteIndex":2,"files":[]}', /format 2, wanted 1/],
      ['{"transmuteIndex":1,"files":[{}]}', /without a name/],
    ];
    for (const [text, found] of table) {
      folder.put("index.json", text);
      await rejectsWith(source.list("hello", contextOf()), "listing-invalid", found, /transmute/);
    }
  });
});

test("httpFolder() tells what else it found in place of a page", async () => {
  await withFolder({}, async (folder, source) => {
    const none = /no such folder, or shows neither an index\.json nor a listing/;
    await rejectsWith(source.list("hello", contextOf()), "source-unreachable", none, /index/);
    folder.put("", '<?xml version="1.0"?><ListBucketResult></ListBucketResult>');
    await rejectsWith(source.list("hello", contextOf()), "listing-invalid", /a bucket/, /s3:\/\//);
    folder.put("", "plain text");
    await rejectsWith(source.list("hello", contextOf()), "listing-invalid", /not HTML/);
  });
});

test("httpFolder() tells a server that denies apart, without its credentials", async () => {
  await withFolder({ authorization: "Bearer right" }, async (folder, source) => {
    await folder.publish(HELLO);
    folder.index();
    await rejectsWith(
      source.list("hello", contextOf()),
      "source-denied",
      /answered 401$/,
      /^Set TRANSMUTE_AUTH_TOKENS=<token>@127\.0\.0\.1:\d+, or/,
    );
    const wrong = sourceOf(folder.url, { authorization: "Bearer wrong-secret" });
    await assert.rejects(wrong.list("hello", contextOf()), (error) => {
      assert.ok(isTransmuteError(error, "source-denied"));
      assert.ok(!JSON.stringify({ ...error, message: error.message }).includes("wrong-secret"));
      return true;
    });
    const { host } = new URL(folder.url);
    const right = sourceOf(folder.url, {}, `right@${host}`);
    const context = contextOf();
    const { listing: { releases: [{ artifact }] } } = await right.list("hello", context);
    assert.ok(bytesOf(await right.fetch(artifact, context)).length > 0);
  });
});

test("httpFolder() sends its credentials to no other origin that a redirect leads to", async () => {
  const elsewhere = await startWebFolder();
  await withFolder({}, async (folder) => {
    await elsewhere.publish(HELLO);
    elsewhere.index();
    folder.fail("/index.json", {
      status: 307,
      headers: { location: `${elsewhere.url}index.json` },
    });
    const options = { authorization: "Bearer secret", headers: { "x-api-key": "secret" } };
    const { listing } = await sourceOf(folder.url, options).list("hello", contextOf());
    // Its files are those of the folder, wherever the index came from.
    assert.equal(listing.releases[0].artifact.locator, `${folder.url}hello-1.0.0.tgz`);
    assert.equal(folder.requests[0].headers["x-api-key"], "secret");
    assert.equal(elsewhere.requests[0].headers.authorization, undefined);
    assert.equal(elsewhere.requests[0].headers["x-api-key"], undefined);
  });
  await elsewhere.close();
});

test("httpFolder() tells of an archive that went, that is longer than listed, or encoded", async () => {
  await withFolder({}, async (folder, source) => {
    await folder.publish(HELLO, { "index.js": "0;".repeat(1000) });
    folder.index();
    const context = contextOf();
    const { listing: { releases: [{ artifact }] } } = await source.list("hello", context);
    folder.put("hello-1.0.0.tgz", new Uint8Array(artifact.sizeBytes! + 1));
    await rejectsWith(source.fetch(artifact, context), "size-mismatch", /wanted at most \d+$/);
    folder.fail("/hello-1.0.0.tgz", "endless", 1);
    await rejectsWith(source.fetch(artifact, context), "size-mismatch", /sent more than \d+ bytes/);
    await rejectsWith(
      source.fetch(artifact, contextOf({ maxDownloadBytes: artifact.sizeBytes! - 1 })),
      "size-mismatch",
      /it has \d+ bytes, wanted at most \d+$/,
    );
    folder.remove("hello-1.0.0.tgz");
    await rejectsWith(source.fetch(artifact, context), "egg-missing", /answered 404$/);
    const text = new TextEncoder().encode("what was an archive");
    folder.put("hello-1.0.0.tgz", text, { "content-encoding": "x-other" });
    await rejectsWith(
      source.fetch(artifact, context),
      "source-unreachable",
      /Content-Encoding x-other, wanted none$/,
      /without a Content-Encoding/,
    );
  });
});
