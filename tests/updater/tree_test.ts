import assert from "node:assert/strict";
import { test } from "node:test";
import { rejection } from "../fixtures/refusal.ts";
import { treeOf } from "../fixtures/resolution.ts";

test("resolve() places dependencies beside the egg that needs them", async () => {
  assert.deepEqual(
    await treeOf("app", {
      "app@1.0.0": { dependencies: { left: "^1", right: "^1" } },
      "left@1.2.0": { dependencies: { deep: "*" } },
      "right@1.0.0": {},
      "deep@3.0.0": {},
      "deep@2.0.0": {},
    }),
    {
      "node_modules/app": "app@1.0.0",
      "node_modules/deep": "deep@3.0.0",
      "node_modules/left": "left@1.2.0",
      "node_modules/right": "right@1.0.0",
    },
  );
});

test("resolve() lets conflicting versions of one project coexist", async () => {
  assert.deepEqual(
    await treeOf("app", {
      "app@1.0.0": { dependencies: { debug: "^2", send: "^1", serve: "^1" } },
      "debug@2.6.9": {},
      "debug@4.0.0": {},
      "send@1.0.0": { dependencies: { debug: "^4" } },
      "serve@1.0.0": { dependencies: { debug: "^4", send: "^1" } },
    }),
    {
      "node_modules/app": "app@1.0.0",
      "node_modules/debug": "debug@2.6.9",
      "node_modules/send": "send@1.0.0",
      "node_modules/send/node_modules/debug": "debug@4.0.0",
      "node_modules/serve": "serve@1.0.0",
      "node_modules/serve/node_modules/debug": "debug@4.0.0",
    },
  );
});

test("resolve() follows cycles once", async () => {
  assert.deepEqual(
    await treeOf("a", {
      "a@1.0.0": { dependencies: { b: "^1" } },
      "b@1.0.0": { dependencies: { a: "^1" } },
    }),
    { "node_modules/a": "a@1.0.0", "node_modules/b": "b@1.0.0" },
  );
});

test("resolve() gives an alias its own place and its project's content", async () => {
  assert.deepEqual(
    await treeOf("app", {
      "app@1.0.0": { dependencies: { chalk: "^5", "old-chalk": "npm:chalk@^4" } },
      "chalk@4.1.2": {},
      "chalk@5.0.0": {},
    }),
    {
      "node_modules/app": "app@1.0.0",
      "node_modules/chalk": "chalk@5.0.0",
      "node_modules/old-chalk": "chalk@4.1.2",
    },
  );
});

test("resolve() brings peers, but no optional ones", async () => {
  assert.deepEqual(
    await treeOf("react-dom", {
      "react-dom@19.0.0": {
        peerDependencies: { react: "^19", canvas: "*" },
        peerDependenciesMeta: { canvas: { optional: true } },
      },
      "react@18.0.0": {},
      "react@19.1.0": {},
      "canvas@1.0.0": {},
    }),
    { "node_modules/react": "react@19.1.0", "node_modules/react-dom": "react-dom@19.0.0" },
  );
});

test("resolve() puts an egg with peers where it sees the peer that its dependent sees", async () => {
  assert.deepEqual(
    await treeOf("app", {
      "app@1.0.0": { dependencies: { react: "^18", widget: "^1" } },
      "widget@1.0.0": { dependencies: { react: "^19", "react-dom": "^19" } },
      "react-dom@19.0.0": { peerDependencies: { react: "^19" } },
      "react@18.0.0": {},
      "react@19.0.0": {},
    }),
    {
      "node_modules/app": "app@1.0.0",
      "node_modules/react": "react@18.0.0",
      "node_modules/widget": "widget@1.0.0",
      "node_modules/widget/node_modules/react": "react@19.0.0",
      "node_modules/widget/node_modules/react-dom": "react-dom@19.0.0",
    },
  );
});

test("resolve() takes only the optional eggs that are for this machine", async () => {
  assert.deepEqual(
    await treeOf("esbuild", {
      "esbuild@1.0.0": {
        optionalDependencies: {
          "@esbuild/linux-x64": "1.0.0",
          "@esbuild/darwin-arm64": "1.0.0",
          "@esbuild/linux-x64-musl": "1.0.0",
          "@esbuild/missing": "1.0.0",
          "from-git": "github:someone/something",
        },
      },
      "@esbuild/linux-x64@1.0.0": { os: ["linux"], cpu: ["x64"] },
      "@esbuild/darwin-arm64@1.0.0": { os: ["darwin"], cpu: ["arm64"] },
      "@esbuild/linux-x64-musl@1.0.0": { os: ["linux"], cpu: ["x64"], libc: ["musl"] },
    }),
    {
      "node_modules/@esbuild/linux-x64": "@esbuild/linux-x64@1.0.0",
      "node_modules/esbuild": "esbuild@1.0.0",
    },
  );
});

test("resolve() leaves bundled dependencies to their archive", async () => {
  const releases = {
    "app@1.0.0": { dependencies: { inside: "^1", outside: "^1" }, bundleDependencies: ["inside"] },
    "outside@1.0.0": { dependencies: { deeper: "^1" }, bundleDependencies: true },
    "inside@1.0.0": {},
    "deeper@1.0.0": {},
  };
  assert.deepEqual(await treeOf("app", releases), {
    "node_modules/app": "app@1.0.0",
    "node_modules/outside": "outside@1.0.0",
  });
});

test("resolve() follows a tag where a dependency names one", async () => {
  const releases = {
    "app@1.0.0": { dependencies: { tool: "next" } },
    "tool@1.0.0": {},
    "tool@2.0.0-rc.1": {},
  };
  const tags = { tool: { latest: "1.0.0", next: "2.0.0-rc.1" } };
  assert.equal((await treeOf("app", releases, tags))["node_modules/tool"], "tool@2.0.0-rc.1");
});

for (
  const spec of [
    "git+https://example.com/x.git",
    "file:../x",
    "https://example.com/x.tgz",
    "user/repo",
  ]
) {
  test(`resolve() refuses the dependency ${spec}, naming who has it`, async () => {
    const error = await rejection(treeOf("app", { "app@1.0.0": { dependencies: { x: spec } } }));
    assert.equal(error.code, "dependency-unsupported");
    assert.match(error.message, /"x".*in app@1\.0\.0/);
  });
}

test("resolve() tells of a dependency that nobody has, and who wants it", async () => {
  const error = await rejection(
    treeOf("app", { "app@1.0.0": { dependencies: { tool: "^9" } }, "tool@1.0.0": {} }),
  );
  assert.equal(error.code, "no-matching-version");
  assert.match(
    error.message,
    /tool for "tool@\^9" of "app@1\.0\.0": found 1\.0\.0 does not satisfy/,
  );
});
