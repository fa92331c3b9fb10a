import assert from "node:assert/strict";
import { test } from "node:test";
import { linkTree } from "../../lib/store/link.ts";
import type { Files } from "../fixtures/package_trees.ts";
import { packagesOf } from "../fixtures/package_trees.ts";

/** The entries of a package `a` of these files; paths of both sides lose `node_modules/a/`. */
async function entriesOf(files: Files): Promise<Record<string, string>> {
  const root = "node_modules/a";
  const whole = Object.entries(files).map(([path, content]) => [`${root}/${path}`, content]);
  const { entries } = await linkTree(packagesOf(Object.fromEntries(whole)), [root]);
  return Object.fromEntries(
    Object.entries(entries.get(root)!).map(([subpath, entry]) => [
      subpath,
      entry.replace(`${root}/`, ""),
    ]),
  );
}

const ENTRIES: [why: string, files: Files, entries: Record<string, string>][] = [
  [
    "the main of a package and all its files, as require() shortens them",
    {
      "package.json": { main: "./lib" },
      "lib/index.js": "",
      "lib/one.js": "",
      "lib/two.mjs": "",
      "lib/three.cjs": "",
      "lib/four.json": {},
      "lib/five.node": "",
      "lib/style.css": "",
      "lib/types.d.ts": "",
      "sub/package.json": { main: "../lib/one.js" },
    },
    {
      ".": "lib/index.js.facade.mjs",
      "./lib": "cjs:lib/index.js",
      "./lib/five": "cjs:lib/five.node",
      "./lib/five.node": "cjs:lib/five.node",
      "./lib/four": "json:lib/four.json",
      "./lib/four.json": "json:lib/four.json",
      "./lib/index": "cjs:lib/index.js",
      "./lib/index.js": "cjs:lib/index.js",
      "./lib/one": "cjs:lib/one.js",
      "./lib/one.js": "cjs:lib/one.js",
      "./lib/three.cjs": "cjs:lib/three.cjs",
      "./lib/two.mjs": "lib/two.mjs",
      "./package.json": "json:package.json",
      "./sub": "cjs:lib/one.js",
      "./sub/package": "json:sub/package.json",
      "./sub/package.json": "json:sub/package.json",
    },
  ],
  [
    "no shortened names of ES modules",
    { "package.json": { type: "module", main: "x.js" }, "x.js": "", "y/index.js": "" },
    {
      ".": "x.js",
      "./package.json": "json:package.json",
      "./x.js": "x.js",
      "./y/index.js": "y/index.js",
    },
  ],
  [
    "what an exports map names and nothing else",
    {
      "package.json": {
        type: "module",
        exports: {
          ".": "./x.js",
          "./old": "./x.cjs",
          "./data": "./data.json",
          "./native": "./x.node",
          "./wasm": "./x.wasm",
          "./style": "./x.css",
          "./gone": "./gone.js",
          "./closed": null,
          "./package.json": "./package.json",
        },
      },
      "x.js": "",
      "x.cjs": "",
      "x.css": "",
      "x.node": "",
      "x.wasm": "",
      "data.json": {},
      "other.js": "",
    },
    {
      ".": "x.js",
      "./data": "json:data.json",
      "./native": "x.node.facade.mjs",
      "./old": "x.cjs.facade.mjs",
      "./package.json": "json:package.json",
      "./wasm": "x.wasm",
    },
  ],
  [
    "the files that patterns stand for, those that null closes left out",
    {
      "package.json": {
        exports: {
          "./*": "./lib/*.js",
          "./in/*": null,
          "./deep/*": { node: "./lib/deep/*.mjs", default: "./lib/deep/*.js" },
          "./twice/*": "./lib/*/*.js",
          "./exact": "./lib/other.js",
        },
      },
      "lib/one.js": "",
      "lib/in/x.js": "",
      "lib/deep/y.mjs": "",
      "lib/z/z.js": "",
      "lib/other.js": "",
      "lib/exact.js": "",
    },
    {
      "./deep/y": "lib/deep/y.mjs",
      "./exact": "lib/other.js.facade.mjs",
      "./one": "cjs:lib/one.js",
      "./other": "cjs:lib/other.js",
      "./twice/z": "cjs:lib/z/z.js",
      "./z/z": "cjs:lib/z/z.js",
    },
  ],
  [
    "conditions in the order of the map, and what only require() may have as the last resort",
    {
      "package.json": {
        exports: {
          ".": { types: "./x.d.ts", import: "./x.mjs", default: "./x.cjs" },
          "./first": { default: "./x.cjs", import: "./x.mjs" },
          "./old": { require: "./x.cjs" },
          "./web": { browser: "./x.mjs" },
        },
      },
      "x.d.ts": "",
      "x.mjs": "",
      "x.cjs": "",
    },
    { ".": "x.mjs", "./first": "x.cjs.facade.mjs", "./old": "x.cjs.facade.mjs" },
  ],
  [
    "no main where there is none: only types, only programs",
    {
      "package.json": { main: "", types: "index.d.ts", bin: "run.js" },
      "index.d.ts": "",
      "run.js": "",
    },
    { "./package.json": "json:package.json", "./run": "cjs:run.js", "./run.js": "cjs:run.js" },
  ],
  [
    "an ES module by its syntax",
    { "package.json": {}, "index.js": "export default 1;" },
    { ".": "index.js", "./index.js": "index.js", "./package.json": "json:package.json" },
  ],
  [
    "nothing of the packages inside",
    { "index.mjs": "", "node_modules/b/index.js": "" },
    { "./index.mjs": "index.mjs" },
  ],
];

for (const [why, files, entries] of ENTRIES) {
  test(`linkTree() lists as entries ${why}`, async () => {
    assert.deepEqual(await entriesOf(files), entries);
  });
}

test("linkTree() lists entries for each root, and for no other package", async () => {
  const files = {
    "node_modules/a/x.mjs": "",
    "node_modules/@s/b/x.mjs": "",
    "node_modules/c/x.mjs": "",
  };
  const { entries } = await linkTree(packagesOf(files), ["node_modules/@s/b", "node_modules/a"]);
  assert.deepEqual([...entries], [
    ["node_modules/@s/b", { "./x.mjs": "node_modules/@s/b/x.mjs" }],
    ["node_modules/a", { "./x.mjs": "node_modules/a/x.mjs" }],
  ]);
});
