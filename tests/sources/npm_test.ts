import assert from "node:assert/strict";
import { test } from "node:test";
import { isTransmuteError } from "../../lib/errors.ts";
import { npmSource } from "../../lib/sources/npm.ts";
import { bytesOf } from "../fixtures/fetched.ts";
import {
  contextOf,
  HELLO,
  onlyArtifact,
  rejectsWith,
  sha512,
  sourceOf,
  withRegistry,
} from "../fixtures/npm_questions.ts";
import { archivePath } from "../fixtures/npm_registry.ts";
import { configOf } from "../fixtures/npm_surroundings.ts";

test("list() gives releases with manifest, digest and tags, from an abbreviated answer", async () => {
  const manifest = {
    name: "hello",
    version: "1.1.0",
    dependencies: { other: "^1" },
    scripts: { postinstall: "exit 1" },
  };
  await withRegistry({ packages: [HELLO, { manifest, tag: "next" }] }, async (registry) => {
    const source = sourceOf(registry.source);
    assert.deepEqual([source.id, source.kind], [registry.source, "network"]);
    const { listing, cached } = await source.list("hello", contextOf());
    assert.equal(cached, false);
    assert.deepEqual(listing.tags, { latest: "1.0.0", next: "1.1.0" });
    assert.deepEqual(listing.releases.map((release) => release.manifest), [
      { name: "hello", version: "1.0.0" },
      { name: "hello", version: "1.1.0", dependencies: { other: "^1" } },
    ]);
    const { artifact } = listing.releases[0];
    const locator = registry.url.slice(0, -1) + archivePath("hello", "1.0.0");
    const digest = sha512(bytesOf(await source.fetch(artifact, contextOf())));
    assert.deepEqual(artifact, { locator, digests: [digest], validator: digest });
    assert.match(String(registry.requests[0].headers.accept), /vnd\.npm\.install-v1\+json/);
  });
});

test("list() gives the same for a registry that only knows whole answers", async () => {
  await withRegistry({ packages: [HELLO] }, async (registry) => {
    const whole: typeof fetch = (url, init) =>
      fetch(url, { ...init, headers: { accept: "application/json" } });
    const source = sourceOf(registry.source);
    assert.deepEqual(
      await source.list("hello", contextOf({ fetch: whole })),
      await source.list("hello", contextOf()),
    );
  });
});

test("list() asks for a scoped project as one segment of the path", async () => {
  const packages = [{ manifest: { name: "@scope/hello", version: "1.0.0" } }];
  await withRegistry({ packages, path: "/npm/all" }, async (registry) => {
    const source = sourceOf(registry.source);
    const { listing } = await source.list("@scope/hello", contextOf());
    assert.equal(listing.releases.length, 1);
    assert.equal(registry.count("/@scope%2fhello"), 1);
    await source.fetch(listing.releases[0].artifact, contextOf());
    assert.equal(registry.count(archivePath("@scope/hello", "1.0.0")), 1);
  });
});

test("list() is empty for a project that the registry has not, or that can be none", async () => {
  await withRegistry({}, async (registry) => {
    const source = sourceOf(registry.source);
    for (const project of ["missing", "../hello", "hello/../../x", "@scope", "a b", ""]) {
      const answer = await source.list(project, contextOf());
      const listing = { project, releases: [], tags: {} };
      assert.deepEqual(answer, { listing, cached: false }, project);
    }
    assert.equal(registry.count(), 1);
  });
});

test("list() asks on condition, and answers from what is stored when nothing changed", async () => {
  await withRegistry({ packages: [HELLO] }, async (registry) => {
    const source = sourceOf(registry.source);
    const context = contextOf();
    const first = await source.list("hello", context);
    const second = await source.list("hello", context);
    assert.deepEqual(second, { listing: first.listing, cached: true });
    const { headers } = registry.requests[1];
    assert.equal(headers["if-none-match"], [...context.stored.values()][0].validators.etag);
    await registry.publish({ manifest: { name: "hello", version: "1.0.1" } });
    const third = await source.list("hello", context);
    assert.deepEqual([third.cached, third.listing.tags.latest], [false, "1.0.1"]);
  });
});

test("list() stores no more of an answer than it uses", async () => {
  const manifest = { name: "hello", version: "1.0.0", bin: "x".repeat(5000) };
  await withRegistry({ packages: [{ manifest }] }, async (registry) => {
    const context = contextOf();
    await sourceOf(registry.source).list("hello", context);
    const [key, { body }] = [...context.stored][0];
    assert.equal(key, `${registry.url}hello`);
    assert.ok(body.length < 600, body);
  });
});

test("list() asks again when what is stored is damaged", async () => {
  await withRegistry({ packages: [HELLO] }, async (registry) => {
    const source = sourceOf(registry.source);
    const context = contextOf();
    const { listing } = await source.list("hello", context);
    const [key, stored] = [...context.stored][0];
    for (const body of ["", "{", '{"name":"other"}']) {
      context.stored.set(key, { ...stored, body });
      assert.deepEqual(await source.list("hello", context), { listing, cached: false });
    }
    assert.equal(registry.count(), 1 + 2 * 3);
  });
});

test("list() asks by date where a registry has no ETag", async () => {
  const asked: (string | null)[] = [];
  const context = contextOf({
    fetch: (_url, init) => {
      const since = new Headers(init?.headers).get("if-modified-since");
      asked.push(since);
      const headers = { "last-modified": "Mon, 01 Jan 2024 00:00:00 GMT" };
      return Promise.resolve(
        since === null
          ? Response.json({ name: "hello" }, { headers })
          : new Response(null, { status: 304 }),
      );
    },
  });
  const source = sourceOf("npm+https://registry.example/");
  await source.list("hello", context);
  assert.equal((await source.list("hello", context)).cached, true);
  assert.deepEqual(asked, [null, "Mon, 01 Jan 2024 00:00:00 GMT"]);
});

test("list() does not read an answer larger than its bound", async () => {
  const context = contextOf({
    fetch: () =>
      Promise.resolve(new Response("{}", { headers: { "content-length": String(2 ** 40) } })),
  });
  await rejectsWith(
    sourceOf("npm+https://registry.example/").list("hello", context),
    "listing-invalid",
    /sent 1099511627776 bytes, wanted at most/,
  );
});

test("fetch() brings the bytes as they are, proven or not", async () => {
  const archive = new Uint8Array(300_000).map((_, index) => index * 7);
  await withRegistry({ packages: [{ ...HELLO, archive }] }, async (registry) => {
    const source = sourceOf(registry.source);
    const artifact = await onlyArtifact(source);
    assert.deepEqual(new Uint8Array(bytesOf(await source.fetch(artifact, contextOf()))), archive);
    assert.equal(registry.requests[1].headers["accept-encoding"], "identity");
    registry.fail(archivePath("hello", "1.0.0"), "corrupt");
    const corrupt = bytesOf(await source.fetch(artifact, contextOf()));
    assert.equal(corrupt.length, archive.length);
    assert.notEqual(sha512(corrupt), artifact.digests[0]);
  });
});

test("fetch() says that an archive is missing", async () => {
  await withRegistry({ packages: [HELLO] }, async (registry) => {
    const source = sourceOf(registry.source);
    const artifact = await onlyArtifact(source);
    for (const status of [404, 410]) {
      registry.fail(archivePath("hello", "1.0.0"), { status });
      await rejectsWith(
        source.fetch(artifact, contextOf()),
        "egg-missing",
        new RegExp(`^Cannot fetch ${artifact.locator}: 127\\.0\\.0\\.1:\\d+ answered ${status}$`),
      );
    }
  });
});

test("fetch() stops at maxDownloadBytes, whether the size is declared or not", async () => {
  const archive = new Uint8Array(5000);
  await withRegistry({ packages: [{ ...HELLO, archive }] }, async (registry) => {
    const source = sourceOf(registry.source);
    const artifact = await onlyArtifact(source);
    assert.equal(
      bytesOf(await source.fetch(artifact, contextOf({ maxDownloadBytes: 5000 }))).length,
      5000,
    );
    await rejectsWith(
      source.fetch(artifact, contextOf({ maxDownloadBytes: 4999 })),
      "size-mismatch",
      /sent 5000 bytes, wanted at most 4999/,
    );
  });
  let pulled = 0;
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(1000));
    },
    cancel() {
      cancelled = true;
    },
  });
  const context = contextOf({
    fetch: () => Promise.resolve(new Response(endless)),
    maxDownloadBytes: 4500,
  });
  const artifact = { locator: "https://registry.example/a.tgz", digests: [], validator: "" };
  await rejectsWith(
    sourceOf("npm+https://registry.example/").fetch(artifact, context),
    "size-mismatch",
    /sent more than 4500 bytes, wanted at most 4500/,
  );
  assert.ok(cancelled && pulled < 10, `pulled ${pulled}`);
});

test("npmSource() by default asks the registries of the user's npm configuration", async () => {
  await withRegistry({ packages: [HELLO] }, async (main) => {
    const manifest = { name: "@ada/hello", version: "2.0.0" };
    await withRegistry({ packages: [{ manifest }], token: "ada", path: "/npm" }, async (scoped) => {
      const source = npmSource(undefined, {
        readConfig: () =>
          configOf(
            [
              `registry=${main.url}`,
              `@ada:registry=${scoped.url}`,
              `//${new URL(scoped.url).host}/npm/:_authToken=\${TOKEN}`,
            ].join("\n"),
            { TOKEN: "ada" },
          ),
      });
      assert.equal(source.id, "npm:");
      const hello = await source.list("hello", contextOf());
      const scopedHello = await source.list("@ada/hello", contextOf());
      assert.equal(hello.listing.tags.latest, "1.0.0");
      assert.equal(scopedHello.listing.tags.latest, "2.0.0");
      await source.fetch(scopedHello.listing.releases[0].artifact, contextOf());
      assert.deepEqual([main.count(), scoped.count()], [1, 2]);
      assert.equal(main.requests[0].headers.authorization, undefined);
    });
  });
});

test("npmSource() reads the configuration once, and again after it could not be read", async () => {
  await withRegistry({ packages: [HELLO] }, async (registry) => {
    let reads = 0;
    const source = npmSource(registry.source, {
      readConfig: () => {
        reads++;
        return reads === 1 ? Promise.reject(new Error("not yet")) : configOf("");
      },
    });
    await assert.rejects(source.list("hello", contextOf()), /not yet/);
    await Promise.all([source.list("hello", contextOf()), source.list("hello", contextOf())]);
    assert.equal(reads, 2);
  });
});

test("npmSource() has one id for one registry", () => {
  const table: [address: string, id: string][] = [
    ["npm:", "npm:"],
    ["npm+https://registry.example", "npm+https://registry.example/"],
    ["npm+https://REGISTRY.example:443/npm", "npm+https://registry.example/npm/"],
    ["npm+https://ada:secret@registry.example/", "npm+https://registry.example/"],
    ["npm+http://127.0.0.1:4873/", "npm+http://127.0.0.1:4873/"],
  ];
  for (const [address, id] of table) assert.equal(npmSource(address).id, id);
});

test("npmSource() refuses an address that is none, without telling its password", () => {
  for (
    const address of [
      "npm:hello",
      "npm+ftp://ada:secret@registry.example/",
      "npm+https://",
      "npm+https://ada:secret@registry.example/?query",
      "npm+https://ada:secret@registry.example/#part",
      "npm+file:///srv",
      "https://ada:secret@registry.example/",
    ]
  ) {
    assert.throws(() => npmSource(address), (error) => {
      assert.ok(isTransmuteError(error, "option-invalid"), address);
      assert.ok(!error.message.includes("secret"), error.message);
      return true;
    });
  }
});
