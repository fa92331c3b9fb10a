import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveExports, resolveImports } from "../../lib/store/package_exports.ts";

const CONDITIONS = new Set(["node", "import"]);

/** What an `exports` field gives for a subpath; each line was compared with Node's own answer. */
const EXPORTS: [why: string, exports: unknown, subpath: string, target: string | null][] = [
  ["a text is the main", "./a.js", ".", "./a.js"],
  ["a text is the main only", "./a.js", "./a.js", null],
  ["conditions are the main", { import: "./a.js" }, ".", "./a.js"],
  ["an exact subpath", { "./a": "./lib/a.js" }, "./a", "./lib/a.js"],
  ["an unlisted subpath", { "./a": "./lib/a.js" }, "./b", null],
  ["the first condition that matches", { default: "./a.js", import: "./b.js" }, ".", "./a.js"],
  ["the order of the map, not ours", { import: "./a.js", node: "./b.js" }, ".", "./a.js"],
  ["a condition that does not match", { require: "./a.js" }, ".", null],
  [
    "nothing below a condition that matches: the next one",
    { node: { require: "./a.js" }, default: "./b.js" },
    ".",
    "./b.js",
  ],
  [
    "null below a condition that matches: nothing",
    { node: { import: null }, default: "./b.js" },
    ".",
    null,
  ],
  ["a pattern", { "./*": "./lib/*.js" }, "./x/y", "./lib/x/y.js"],
  ["a pattern with an ending", { "./*.js": "./lib/*.mjs" }, "./x.js", "./lib/x.mjs"],
  ["every star of a target", { "./*": "./*/*.js" }, "./x", "./x/x.js"],
  ["a pattern stands for one character at least", { "./a*": "./*.js" }, "./a", null],
  ["a dot in a pattern is a dot", { "./*.js": "./*.js" }, "./axjs", null],
  ["a plus in a pattern is a plus", { "./a+b/*": "./*.js" }, "./a+b/c", "./c.js"],
  ["a dollar in a name is a dollar", { "./*": "./*.js" }, "./$&", "./$&.js"],
  [
    "the pattern with the longest beginning",
    { "./*.js": "./one.js", "./lib/*": "./two.js" },
    "./lib/x.js",
    "./two.js",
  ],
  [
    "of equal beginnings the longest pattern",
    { "./lib/*": "./one.js", "./lib/*.js": "./two.js" },
    "./lib/x.js",
    "./two.js",
  ],
  ["an exact subpath before patterns", { "./*": "./*.js", "./a": "./b.js" }, "./a", "./b.js"],
  ["null closes what a pattern opens", { "./*": "./*.js", "./in/*": null }, "./in/a", null],
  ["the first target of an array", { ".": ["./a.js", "./b.js"] }, ".", "./a.js"],
  ["an array passes over what is refused", { ".": ["a.js", "./b.js"] }, ".", "./b.js"],
  ["an array passes over null", { ".": [null, "./b.js"] }, ".", "./b.js"],
  [
    "an array without an answer: the next condition",
    { node: [{ require: "./a.js" }], default: "./b.js" },
    ".",
    "./b.js",
  ],
  ["a target outside of the package", { ".": "../a.js" }, ".", null],
  ["a target that climbs", { ".": "./lib/../../a.js" }, ".", null],
  ["a target that climbs, encoded", { ".": "./%2e%2e/a.js" }, ".", null],
  ["a target below node_modules", { ".": "./node_modules/a/b.js" }, ".", null],
  ["a name that climbs through a pattern", { "./*": "./lib/*" }, "./../a.js", null],
  ["another package is no target", { ".": "other" }, ".", null],
  ["subpaths and conditions mixed", { ".": "./a.js", import: "./b.js" }, ".", null],
  ["an index among conditions", { ".": { 0: "./a.js", default: "./b.js" } }, ".", null],
  ["a folder", { "./lib/": "./lib/" }, "./lib/a.js", null],
];

for (const [why, exports, subpath, target] of EXPORTS) {
  test(`resolveExports() knows ${why}`, () => {
    assert.equal(resolveExports(exports, subpath, CONDITIONS), target);
  });
}

const IMPORTS: [why: string, imports: unknown, specifier: string, target: string | null][] = [
  ["a file", { "#a": "./a.js" }, "#a", "./a.js"],
  ["a package", { "#a": { node: "other/sub", default: "./a.js" } }, "#a", "other/sub"],
  ["a pattern", { "#a/*": "./lib/*.js" }, "#a/b", "./lib/b.js"],
  ["a pattern for packages", { "#p/*": "other/*" }, "#p/b", "other/b"],
  ["an unlisted name", { "#a": "./a.js" }, "#b", null],
  ["no field at all", undefined, "#a", null],
  ["a target outside of the package", { "#a": "../a.js" }, "#a", null],
  ["a URL is no target", { "#a": "node:fs" }, "#a", null],
  ["the bare sign", { "#": "./a.js" }, "#", null],
];

for (const [why, imports, specifier, target] of IMPORTS) {
  test(`resolveImports() knows ${why}`, () => {
    assert.equal(resolveImports(imports, specifier, CONDITIONS), target);
  });
}
