import assert from "node:assert/strict";
import { test } from "node:test";
import type { Manifest } from "../../lib/model/egg.ts";
import {
  contextOf,
  HELLO,
  onlyArtifact,
  rejectsWith,
  sourceOf,
  withRegistry,
} from "../fixtures/npm_questions.ts";
import type { Publication } from "../fixtures/npm_registry.ts";
import { listingPath } from "../fixtures/npm_registry.ts";

test("list() refuses an answer that is no listing of the project", async () => {
  type Change = (packument: Record<string, unknown>) => unknown;
  const version = (change: (manifest: Record<string, unknown>) => unknown): Change => (answer) => ({
    ...answer,
    versions: { "1.0.0": change((answer.versions as Record<string, never>)["1.0.0"]) },
  });
  const table: [change: Change, found: RegExp][] = [
    [() => null, /no object/],
    [() => [], /no object/],
    [(answer) => ({ ...answer, name: "other" }), /an answer about "other"/],
    [(answer) => ({ ...answer, name: undefined }), /an answer about undefined/],
    [(answer) => ({ ...answer, versions: [] }), /versions that are no object/],
    [(answer) => ({ ...answer, "dist-tags": { latest: 1 } }), /dist-tags/],
    [(answer) => ({ ...answer, "dist-tags": "1.0.0" }), /dist-tags/],
    [version((manifest) => ({ ...manifest, name: "other" })), /manifest of other@1\.0\.0/],
    [version((manifest) => ({ ...manifest, version: "1.0.1" })), /manifest of hello@1\.0\.1/],
    [version(() => null), /without a manifest/],
    [version((manifest) => ({ ...manifest, dist: undefined })), /address of its archive/],
    [version((manifest) => ({ ...manifest, dist: {} })), /address of its archive/],
    [
      version((manifest) => ({ ...manifest, dist: { tarball: "file:///etc/passwd" } })),
      /address of its archive/,
    ],
    [version((manifest) => ({ ...manifest, dist: { tarball: "x.tgz" } })), /address of its arch/],
    [
      (answer) => ({ ...answer, versions: { "../1": { name: "hello", version: "../1" } } }),
      /version "\.\.\/1" which is none/,
    ],
  ];
  await withRegistry({ packages: [HELLO] }, async (registry) => {
    const source = sourceOf(registry.source);
    for (const [change, found] of table) {
      registry.rewrite("hello", change);
      const context = contextOf();
      await rejectsWith(source.list("hello", context), "listing-invalid", found);
      assert.equal(context.stored.size, 0);
    }
    const page = { status: 200, body: "<html>Please log in</html>" };
    registry.fail(listingPath("hello"), page);
    await rejectsWith(source.list("hello", contextOf()), "listing-invalid", /not JSON/);
    registry.fail(listingPath("hello"), { status: 304 });
    await rejectsWith(source.list("hello", contextOf()), "listing-invalid", /not modified/);
  });
});

test("list() reads the forms of digests, the strongest first", async () => {
  const base64 = (bytes: number, value = 7) =>
    btoa(String.fromCharCode(...Array(bytes).fill(value)));
  const table: [dist: Record<string, unknown>, digests: string[]][] = [
    [{ integrity: `sha512-${base64(64)}`, shasum: "ab".repeat(20) }, [`sha512:${"07".repeat(64)}`]],
    [
      { integrity: `sha1-${base64(20)} sha512-${base64(64)}?option  sha256-${base64(32)}` },
      [`sha512:${"07".repeat(64)}`],
    ],
    [{ integrity: `sha384-${base64(48)}` }, [`sha384:${"07".repeat(48)}`]],
    [{ integrity: `sha1-${base64(20)}` }, [`sha1:${"07".repeat(20)}`]],
    [{ integrity: undefined, shasum: "AB".repeat(20) }, [`sha1:${"ab".repeat(20)}`]],
    [{ integrity: "", shasum: "ab".repeat(20) }, [`sha1:${"ab".repeat(20)}`]],
    [{ integrity: undefined, shasum: undefined }, []],
    // Malformed: no bytes can match, and nothing weaker takes their place.
    [{ integrity: "sha512-AAAA", shasum: "ab".repeat(20) }, ["sha512-AAAA"]],
    [{ integrity: "sha512-%%%" }, ["sha512-%%%"]],
    [{ integrity: "md5-AAAA" }, ["md5-AAAA"]],
  ];
  for (const [dist, digests] of table) {
    await withRegistry({ packages: [{ ...HELLO, dist }] }, async (registry) => {
      const artifact = await onlyArtifact(sourceOf(registry.source));
      assert.deepEqual(artifact.digests, digests);
      assert.equal(artifact.validator, digests[0] ?? artifact.locator);
    });
  }
});

test("list() reads a manifest's fields in all their forms, and nothing else", async () => {
  const table: [published: Record<string, unknown>, read: Partial<Manifest>][] = [
    [
      { dependencies: { a: "1" }, optionalDependencies: { b: "2" }, peerDependencies: { c: "*" } },
      { dependencies: { a: "1" }, optionalDependencies: { b: "2" }, peerDependencies: { c: "*" } },
    ],
    [{ dependencies: {}, peerDependencies: [], optionalDependencies: "a" }, {}],
    [{ dependencies: { a: { version: "1" } } }, { dependencies: { a: '{"version":"1"}' } }],
    [
      { peerDependenciesMeta: { a: { optional: true }, b: { optional: false }, c: null } },
      { peerDependenciesMeta: { a: { optional: true } } },
    ],
    [{ bundleDependencies: ["a"] }, { bundleDependencies: ["a"] }],
    [{ bundledDependencies: ["a"] }, { bundleDependencies: ["a"] }],
    [{ bundleDependencies: true }, { bundleDependencies: true }],
    [{ bundleDependencies: false }, {}],
    [{ engines: { node: ">=18", npm: ">=9" } }, { engines: { node: ">=18" } }],
    [{ engines: ["node >= 0.6"] }, {}],
    [{ engines: { node: "" } }, {}],
    [{ os: "linux", cpu: ["x64", "!arm"], libc: ["musl"] }, {
      os: ["linux"],
      cpu: ["x64", "!arm"],
      libc: ["musl"],
    }],
    [{ deprecated: "use other" }, { deprecated: "use other" }],
    [{ deprecated: true }, { deprecated: "by its publisher" }],
    [{ deprecated: "" }, {}],
    [{ deprecated: false }, {}],
    [{ main: "x.js", bin: { x: "x.js" }, license: "MIT" }, {}],
  ];
  for (const [published, read] of table) {
    const manifest = { ...HELLO.manifest, ...published } as Publication["manifest"];
    await withRegistry({ packages: [{ manifest }] }, async (registry) => {
      const { listing } = await sourceOf(registry.source).list("hello", contextOf());
      assert.deepEqual(listing.releases[0].manifest, { ...HELLO.manifest, ...read });
    });
  }
});

test("list() keeps a dependency of the name __proto__ a mere name", async () => {
  await withRegistry({ packages: [HELLO] }, async (registry) => {
    registry.rewrite("hello", (answer) => {
      const version = (answer.versions as Record<string, object>)["1.0.0"];
      const dependencies = JSON.parse('{"__proto__":"1"}');
      return { ...answer, versions: { "1.0.0": { ...version, dependencies } } };
    });
    const { listing } = await sourceOf(registry.source).list("hello", contextOf());
    const { dependencies } = listing.releases[0].manifest!;
    assert.deepEqual(Object.entries(dependencies!), [["__proto__", "1"]]);
    assert.equal(Object.getPrototypeOf(dependencies), Object.prototype);
  });
});

test("list() takes credentials out of an archive's address, and asks for it by TLS", async () => {
  const listed = async (registry: string, tarball: string) => {
    const source = sourceOf(`npm+${registry}`);
    const versions = { "1.0.0": { name: "hello", version: "1.0.0", dist: { tarball } } };
    const answer = { name: "hello", versions };
    return (await onlyArtifact(
      source,
      contextOf({ fetch: () => Promise.resolve(Response.json(answer)) }),
    )).locator;
  };
  const registry = "https://registry.example/";
  const table: [tarball: string, locator: string][] = [
    [`${registry}hello/-/hello-1.0.0.tgz`, `${registry}hello/-/hello-1.0.0.tgz`],
    ["https://ada:secret@registry.example/a.tgz", `${registry}a.tgz`],
    ["http://registry.example/a.tgz", `${registry}a.tgz`],
    ["http://files.example/a.tgz", "http://files.example/a.tgz"],
    [`${registry}a b.tgz`, `${registry}a%20b.tgz`],
  ];
  for (const [tarball, locator] of table) {
    assert.equal(await listed(registry, tarball), locator);
  }
});
