import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResolutionMode } from "../../lib/store/module_resolution.ts";
import { resolveModule } from "../../lib/store/module_resolution.ts";
import { treeOf } from "../fixtures/package_trees.ts";

const TREE = treeOf({
  "node_modules/app/package.json": {
    name: "app",
    exports: { ".": "./lib/main.mjs", "./sub": { import: "./sub.mjs", require: "./sub.cjs" } },
    imports: { "#in": "./in.mjs", "#dep": "plain", "#gone": "missing", "#again": "#in" },
  },
  "node_modules/app/in.mjs": "",
  "node_modules/app/sub.mjs": "",
  "node_modules/app/sub.cjs": "",
  "node_modules/app/lib/main.mjs": "",
  "node_modules/app/lib/a b#1.mjs": "",
  "node_modules/app/lib/inner/package.json": { type: "module" },
  "node_modules/app/lib/inner/x.js": "",
  "node_modules/app/node_modules/plain/package.json": { main: "lib" },
  "node_modules/app/node_modules/plain/lib/index.js": "",
  "node_modules/app/node_modules/plain/x.js": "",
  "node_modules/app/node_modules/plain/x/index.js": "",
  "node_modules/app/node_modules/plain/y/package.json": { main: "z" },
  "node_modules/app/node_modules/plain/y/z.json": {},
  "node_modules/plain/package.json": { main: "outer.js" },
  "node_modules/plain/outer.js": "",
  "node_modules/bare/index.js": "",
  "node_modules/@scope/two/package.json": { exports: { "./a": "./a%20b.js", "./no": null } },
  "node_modules/@scope/two/a b.js": "",
  "node_modules/@scope/two/no": "",
  "node_modules/punycode/package.json": { main: "own.js" },
  "node_modules/punycode/own.js": "",
  "node_modules/fs/index.js": "",
  "node_modules/broken/package.json": "{",
  "node_modules/broken/index.js": "",
});

const BOTH: ResolutionMode[] = ["import", "require"];
const IMPORT: ResolutionMode[] = ["import"];
const REQUIRE: ResolutionMode[] = ["require"];

/** What a specifier means in `node_modules/app/lib`: a path, `node:name`, or another kind. */
const MEANINGS: [specifier: string, modes: ResolutionMode[], meaning: string][] = [
  ["./main.mjs", BOTH, "node_modules/app/lib/main.mjs"],
  ["../in.mjs", BOTH, "node_modules/app/in.mjs"],
  ["./main.mjs?x=1#y", IMPORT, "node_modules/app/lib/main.mjs ?x=1#y"],
  ["./a%20b%231.mjs", IMPORT, "node_modules/app/lib/a b#1.mjs"],
  ["./a b#1.mjs", REQUIRE, "node_modules/app/lib/a b#1.mjs"],
  ["./inner%2fx.js", IMPORT, "missing"],
  ["./main", IMPORT, "missing"],
  ["../sub", REQUIRE, "missing"],
  ["../../../../../etc/passwd", BOTH, "missing"],
  ["plain", BOTH, "node_modules/app/node_modules/plain/lib/index.js"],
  ["plain/x", IMPORT, "missing"],
  ["plain/x", REQUIRE, "node_modules/app/node_modules/plain/x.js"],
  ["plain/x/", REQUIRE, "node_modules/app/node_modules/plain/x/index.js"],
  ["plain/y", REQUIRE, "node_modules/app/node_modules/plain/y/z.json"],
  ["plain/x.js", BOTH, "node_modules/app/node_modules/plain/x.js"],
  ["bare", BOTH, "node_modules/bare/index.js"],
  ["broken", BOTH, "node_modules/broken/index.js"],
  ["@scope/two/a", BOTH, "node_modules/@scope/two/a b.js"],
  ["@scope/two", BOTH, "missing"],
  ["@scope/two/no", BOTH, "missing"],
  ["@scope", BOTH, "missing"],
  ["app", BOTH, "node_modules/app/lib/main.mjs"],
  ["app/sub", IMPORT, "node_modules/app/sub.mjs"],
  ["app/sub", REQUIRE, "node_modules/app/sub.cjs"],
  ["#in", BOTH, "node_modules/app/in.mjs"],
  ["#dep", BOTH, "node_modules/app/node_modules/plain/lib/index.js"],
  ["#gone", BOTH, "missing"],
  ["#again", BOTH, "missing"],
  ["#other", BOTH, "missing"],
  ["fs", BOTH, "node:fs"],
  ["fs/promises", BOTH, "node:fs/promises"],
  ["fs/other.js", BOTH, "missing"],
  ["punycode", BOTH, "node:punycode"],
  ["punycode/", BOTH, "node_modules/punycode/own.js"],
  ["test", BOTH, "missing"],
  ["node:fs", BOTH, "outside"],
  ["https://example.org/a.js", BOTH, "outside"],
  ["/etc/passwd", BOTH, "outside"],
  ["missing", BOTH, "missing"],
  ["", BOTH, "missing"],
];

for (const [specifier, modes, meaning] of MEANINGS) {
  for (const mode of modes) {
    test(`resolveModule() takes ${mode} of "${specifier}" for ${meaning}`, () => {
      const found = resolveModule(TREE, specifier, "node_modules/app/lib", mode);
      const words = found.kind === "file"
        ? `${found.path} ${found.suffix}`.trim()
        : found.kind === "builtin"
        ? `node:${found.name}`
        : found.kind;
      assert.equal(words, meaning);
    });
  }
}

test("resolveModule() asks the folders above a nested package", () => {
  const folder = "node_modules/app/node_modules/plain";
  assert.deepEqual(resolveModule(TREE, "bare", folder, "import"), {
    kind: "file",
    path: "node_modules/bare/index.js",
    suffix: "",
  });
});

test("resolveModule() takes the nearest of two versions", () => {
  const outer = resolveModule(TREE, "plain", "node_modules/bare", "import");
  assert.equal(outer.kind === "file" && outer.path, "node_modules/plain/outer.js");
});

test("resolveModule() knows no own name and no imports in a scope that has none", () => {
  const inner = "node_modules/app/lib/inner";
  assert.equal(resolveModule(TREE, "#in", inner, "import").kind, "missing");
  const own = resolveModule(TREE, "app/sub", inner, "import");
  assert.equal(own.kind === "file" && own.path, "node_modules/app/sub.mjs");
});
