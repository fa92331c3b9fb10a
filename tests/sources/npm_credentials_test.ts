import assert from "node:assert/strict";
import { test } from "node:test";
import { isTransmuteError } from "../../lib/errors.ts";
import {
  contextOf,
  HELLO,
  onlyArtifact,
  rejectsWith,
  sourceOf,
  withRegistry,
} from "../fixtures/npm_questions.ts";
import { listingPath } from "../fixtures/npm_registry.ts";

test("npmSource() sends a token with listings and archives of its registry", async () => {
  await withRegistry({ packages: [HELLO], token: "secret" }, async (registry) => {
    const host = new URL(registry.url).host;
    const source = sourceOf(registry.source, `//${host}/:_authToken=secret`);
    const artifact = await onlyArtifact(source);
    await source.fetch(artifact, contextOf());
    for (const { headers } of registry.requests) {
      assert.equal(headers.authorization, "Bearer secret");
    }
  });
});

test("npmSource() tells a source that denies apart, with advice and without the token", async () => {
  await withRegistry({ packages: [HELLO], token: "secret" }, async (registry) => {
    const host = new URL(registry.url).host;
    await rejectsWith(
      sourceOf(registry.source).list("hello", contextOf()),
      "source-denied",
      /answered 401$/,
      new RegExp(`Put a token for //${host}/ into \\.npmrc`),
    );
    await rejectsWith(
      sourceOf(registry.source, `//${host}/:_authToken=\${HELLO_TOKEN}`).list("hello", contextOf()),
      "source-denied",
      /answered 401$/,
      /Set the variable HELLO_TOKEN/,
    );
    registry.fail(listingPath("hello"), { status: 403 });
    const source = sourceOf(registry.source, `//${host}/:_authToken=wrong-secret`);
    await assert.rejects(source.list("hello", contextOf()), (error) => {
      assert.ok(isTransmuteError(error, "source-denied"));
      assert.ok(!JSON.stringify({ ...error, message: error.message }).includes("wrong-secret"));
      return true;
    });
  });
});

test("npmSource() never sends a token to another host, however the way leads there", async () => {
  await withRegistry({ packages: [HELLO] }, async (elsewhere) => {
    await withRegistry({ token: "secret" }, async (registry) => {
      const source = sourceOf(
        registry.source,
        `//${new URL(registry.url).host}/:_authToken=secret`,
      );
      const target = `${elsewhere.url}hello`;
      registry.fail(listingPath("hello"), { status: 302, headers: { location: target } });
      const artifact = await onlyArtifact(source);
      assert.equal(new URL(artifact.locator).host, new URL(elsewhere.url).host);
      await source.fetch(artifact, contextOf());
      assert.equal(registry.requests[0].headers.authorization, "Bearer secret");
      assert.equal(elsewhere.count(), 2);
      for (const { headers } of elsewhere.requests) assert.equal(headers.authorization, undefined);
    });
  });
});

test("npmSource() does not send a token again once a redirect left its host", async () => {
  const seen: [string, string | null][] = [];
  const hops: Record<string, string> = {
    "https://registry.example/hello": "https://other.example/hello",
    "https://other.example/hello": "https://registry.example/again",
  };
  const context = contextOf({
    fetch: (input, init) => {
      const url = String(input);
      seen.push([url, new Headers(init?.headers).get("authorization")]);
      return Promise.resolve(
        hops[url] === undefined
          ? Response.json({ name: "hello" })
          : new Response(null, { status: 307, headers: { location: hops[url] } }),
      );
    },
  });
  const tokens = "//registry.example/:_authToken=a\n//other.example/:_authToken=b";
  await sourceOf("npm+https://registry.example/", tokens).list("hello", context);
  assert.deepEqual(seen, [
    ["https://registry.example/hello", "Bearer a"],
    ["https://other.example/hello", null],
    ["https://registry.example/again", null],
  ]);
});

test("npmSource() does not send a token to another path of its host", async () => {
  const seen: [string, string | null][] = [];
  const context = contextOf({
    fetch: (input, init) => {
      const url = String(input);
      seen.push([url, new Headers(init?.headers).get("authorization")]);
      return Promise.resolve(
        url.endsWith("/npm/hello")
          ? new Response(null, { status: 302, headers: { location: "/public/hello" } })
          : Response.json({ name: "hello" }),
      );
    },
  });
  for (
    const [address, userFile] of [
      ["npm+https://registry.example/npm/", "//registry.example/npm/:_authToken=secret"],
      ["npm+https://ada:secret@registry.example/npm/", ""],
    ]
  ) {
    seen.length = 0;
    await sourceOf(address, userFile).list("hello", context);
    assert.equal(seen[0][1] !== null, true);
    assert.deepEqual(seen[1], ["https://registry.example/public/hello", null]);
  }
});

test("npmSource() takes a name and password from its address, and tells nobody", async () => {
  await withRegistry({ packages: [HELLO] }, async (registry) => {
    const address = registry.source.replace("//", "//ada:s%3Acret%C3%A4@");
    const source = sourceOf(address);
    assert.equal(source.id, registry.source);
    const artifact = await onlyArtifact(source);
    assert.ok(!artifact.locator.includes("@"));
    const authorization = `Basic ${btoa("ada:s:cret\xc3\xa4")}`;
    assert.equal(registry.requests[0].headers.authorization, authorization);
    registry.fail(listingPath("hello"), { status: 401 });
    await assert.rejects(source.list("hello", contextOf()), (error: Error) => {
      assert.ok(!/ada|cret/.test(error.message), error.message);
      return true;
    });
  });
});
