import assert from "node:assert/strict";
import { test } from "node:test";
import { linkTree } from "../../lib/store/link.ts";
import { LINK_CASES } from "../fixtures/link_cases.ts";
import type { Content, Files } from "../fixtures/package_trees.ts";
import { bytesOf, packagesOf } from "../fixtures/package_trees.ts";

const text = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

/** A package `app` with all kinds of files, among others. */
const TREE: Files = {
  "node_modules/app/package.json": {
    name: "app",
    exports: { ".": "./main.mjs", "./sub": "./lib/in.mjs" },
    imports: { "#in": "./lib/in.mjs", "#old": "old", "#no": { browser: "./lib/in.mjs" } },
  },
  "node_modules/app/lib/in.mjs": "",
  "node_modules/app/lib/old.cjs": "",
  "node_modules/app/lib/typeless.js": "",
  "node_modules/app/lib/data.json": {},
  "node_modules/app/lib/native.node": "",
  "node_modules/app/lib/add.wasm": "",
  "node_modules/app/lib/style.css": "",
  "node_modules/esm/package.json": {
    type: "module",
    exports: {
      ".": { types: "./index.d.ts", require: "./index.cjs", import: "./index.js" },
      "./*": "./lib/*.js",
      "./private/*": null,
      "./missing": "./not-there.js",
    },
  },
  "node_modules/esm/index.js": "",
  "node_modules/esm/index.cjs": "",
  "node_modules/esm/lib/part.js": "",
  "node_modules/esm/lib/private/x.js": "",
  "node_modules/old/package.json": { main: "lib" },
  "node_modules/old/lib/index.js": "",
  "node_modules/@scope/name/index.js": "",
  "node_modules/punycode/punycode.js": "",
  "node_modules/punycode/package.json": { main: "punycode.js" },
  "node_modules/app/node_modules/twice/package.json": { type: "module" },
  "node_modules/app/node_modules/twice/index.js": "",
  "node_modules/twice/index.js": "",
};

/** What a file at `path` of the tree becomes. */
async function link(path: string, content: Content) {
  const linked = await linkTree(packagesOf({ ...TREE, [path]: content }), ["node_modules/app"]);
  const bytes = linked.rewritten.get(path) ?? bytesOf(content);
  return { ...linked, text: text(bytes) };
}

/** Sources in `node_modules/app/lib/x.mjs`, and what is made of them; one text when it stays. */
const MODULES: [source: string, linked?: string][] = [
  ['import one from "esm";', 'import one from "../../esm/index.js";'],
  ["import'esm'", "import'../../esm/index.js'"],
  ['import { one,\n two } from "esm/part";', 'import { one,\n two } from "../../esm/lib/part.js";'],
  ['export * from "esm"', 'export * from "../../esm/index.js"'],
  ['export * as all from "esm"', 'export * as all from "../../esm/index.js"'],
  ['export { one as two } from "esm"', 'export { one as two } from "../../esm/index.js"'],
  ['await import("esm")', 'await import("../../esm/index.js")'],
  ["import(`esm`)", "import(`../../esm/index.js`)"],
  ['import( /* why */ "esm" )', 'import( /* why */ "../../esm/index.js" )'],
  ["import(`esm/${part}`)"],
  ['import("esm/" + part)'],
  [
    'import { "a b" as c } from "old"',
    'import { "a b" as c } from "../../old/lib/index.js.facade.mjs"',
  ],
  ['import one from "old"', 'import one from "../../old/lib/index.js.facade.mjs"'],
  ['import "old/lib/index.js"', 'import "../../old/lib/index.js.facade.mjs"'],
  ['import "old/lib"'],
  ['import "@scope/name"', 'import "../../@scope/name/index.js.facade.mjs"'],
  ['import "twice"', 'import "../node_modules/twice/index.js"'],
  ['import "./in.mjs"'],
  ['import "./in.mjs?raw#x"'],
  ['import "./old.cjs"', 'import "./old.cjs.facade.mjs"'],
  ['import "./old.cjs?x#y"', 'import "./old.cjs.facade.mjs?x#y"'],
  ['import "./typeless.js"', 'import "./typeless.js.facade.mjs"'],
  ['import data from "./data.json"', 'import data from "./data.json.facade.mjs"'],
  ['import data from "./data.json" with { type: "json" }'],
  [
    'import data from "old/package.json" with { type: "json" }',
    'import data from "../../old/package.json" with { type: "json" }',
  ],
  [
    'import("old/package.json", { with: { type: "json" } })',
    'import("../../old/package.json", { with: { type: "json" } })',
  ],
  ['import "./native.node"', 'import "./native.node.facade.mjs"'],
  ['import "./add.wasm"'],
  ['import "./style.css"'],
  ['import "./not-there.js"'],
  ['import "#in"', 'import "./in.mjs"'],
  ['import "#old"', 'import "../../old/lib/index.js.facade.mjs"'],
  ['import "#no"'],
  ['import "app/sub"', 'import "./in.mjs"'],
  ['import "app/other"'],
  ['import fs from "fs"', 'import fs from "node:fs"'],
  ['import "fs/promises"', 'import "node:fs/promises"'],
  ['import "node:fs"'],
  ['import "punycode"', 'import "node:punycode"'],
  ['import "punycode/"', 'import "../../punycode/punycode.js.facade.mjs"'],
  ['import "esm/private/x"'],
  ['import "esm/missing"'],
  ['import "https://example.org/x.js"'],
  ['import "/etc/x.js"'],
  ['import "data:text/javascript,1"'],
  ['import.meta.resolve("esm")', 'import.meta.resolve("../../esm/index.js")'],
  ['import.meta.resolve("old")', 'import.meta.resolve("../../old/lib/index.js")'],
  ['import.meta.resolve("fs")', 'import.meta.resolve("node:fs")'],
  ["import.meta.resolve(name)"],
  ['import.meta.resolve("esm" + x)'],
  ['// import "esm"\n/* import "esm" */ "import \'esm\'"; `import("esm")`; /import("esm")/'],
  ['o.import("esm"); o = { import() {}, from: "esm" }; x.from\n"esm"'],
  [
    "import all, { // don't\n one } from 'esm'; import('old')",
    "import all, { // don't\n one } from '../../esm/index.js'; import('../../old/lib/index.js.facade.mjs')",
  ],
  ["import '\\x65sm'", "import '../../esm/index.js'"],
  ['#!/usr/bin/env node\nimport "esm"', '#!/usr/bin/env node\nimport "../../esm/index.js"'],
  ['\uFEFFimport "esm"; "é"', '\uFEFFimport "../../esm/index.js"; "é"'],
  ['"é"; import "esm"; "日本"', '"é"; import "../../esm/index.js"; "日本"'],
];

for (const [source, linked = source] of MODULES) {
  const outcome = linked === source ? "leaves" : "rewrites";
  test(`linkTree() ${outcome} ${JSON.stringify(source)} in an ES module`, async () => {
    assert.equal((await link("node_modules/app/lib/x.mjs", source)).text, linked);
  });
}

/** The same in `node_modules/app/lib/x.cjs`. */
const COMMONJS: [source: string, linked?: string][] = [
  ['require("esm"); require("old"); require("./old.cjs"); require("fs")'],
  ['import("esm")', 'import("../../esm/index.js")'],
  ['import("./old.cjs")', 'import("./old.cjs.facade.mjs")'],
  ['import("fs")', 'import("node:fs")'],
  ['import("./in.mjs")'],
  ['import("not-there")'],
  ['return import("esm")', 'return import("../../esm/index.js")'],
  ['"import(\'esm\')"; // import("esm")'],
  ["import(name)"],
];

for (const [source, linked = source] of COMMONJS) {
  const outcome = linked === source ? "leaves" : "rewrites";
  test(`linkTree() ${outcome} ${JSON.stringify(source)} in CommonJS`, async () => {
    assert.equal((await link("node_modules/app/lib/x.cjs", source)).text, linked);
  });
}

test("linkTree() keeps the number of every line", async () => {
  const source = 'import {\n a,\n b\n} from\n  "esm"\n;import("old")\n// end';
  const linked = await link("node_modules/app/lib/x.mjs", source);
  assert.notEqual(linked.text, source);
  assert.equal(linked.text.split("\n").length, source.split("\n").length);
});

test("linkTree() keeps bytes that are not UTF-8", async () => {
  const source = new Uint8Array([...bytesOf('import "esm"; "'), 0xff, 0x80, ...bytesOf('"')]);
  const { rewritten } = await link("node_modules/app/lib/x.mjs", source);
  assert.deepEqual(
    rewritten.get("node_modules/app/lib/x.mjs"),
    new Uint8Array([...bytesOf('import "../../esm/index.js"; "'), 0xff, 0x80, ...bytesOf('"')]),
  );
});

test("linkTree() links programs that have no extension but a first line for a shell", async () => {
  const source = '#!/usr/bin/env node\nimport "esm";';
  assert.match((await link("node_modules/esm/run", source)).text, /"\.\/index\.js"/);
});

test("linkTree() leaves a file that is not JavaScript, with a note", async () => {
  const source = 'import "esm"; }';
  const { text, notes } = await link("node_modules/app/lib/x.mjs", source);
  assert.equal(text, source);
  assert.deepEqual(notes, ["node_modules/app/lib/x.mjs: is not JavaScript; left as it is"]);
});

test("linkTree() tells once for a package what is missing from the tree", async () => {
  const { notes, rewritten } = await linkTree(
    packagesOf({
      "node_modules/a/one.mjs": 'import "gone"; import "gone/sub"; import "./gone";',
      "node_modules/a/two.mjs": 'import("gone")',
      "node_modules/b/one.mjs": 'import "https://example.org/x.js"',
    }),
    [],
  );
  assert.equal(rewritten.size, 0);
  assert.deepEqual(notes, [
    'node_modules/a: "gone" is not in the tree; left as it is in one.mjs and 1 more of its files',
    'node_modules/a: "gone/sub" is not in the tree; left as it is in one.mjs',
    'node_modules/b: "https://example.org/x.js" is code on the network; left as it is in one.mjs',
  ]);
});

test("linkTree() gives each facade a name of its own", async () => {
  const { added, text } = await link("node_modules/app/lib/x.mjs", 'import "./old.cjs"');
  assert.deepEqual([...added.keys()], ["node_modules/app/lib/old.cjs.facade.mjs"]);
  assert.match(text, /old\.cjs\.facade\.mjs/);

  const taken = { ...TREE, "node_modules/app/lib/old.cjs.facade.mjs": "" };
  const linked = await linkTree(
    packagesOf({ ...taken, "node_modules/app/lib/x.mjs": 'import "./old.cjs"' }),
    [],
  );
  assert.deepEqual([...linked.added.keys()], ["node_modules/app/lib/old.cjs.facade2.mjs"]);
});

test("linkTree() does not depend on the order of packages and files", async () => {
  for (const { files } of LINK_CASES) {
    const reversed = Object.fromEntries(Object.entries(files).reverse());
    const [one, other] = await Promise.all(
      [files, reversed].map((files) => linkTree(packagesOf(files), ["node_modules/app"])),
    );
    const sorted = (map: Map<string, Uint8Array>) =>
      [...map].map(([path, bytes]) => `${path}\n${text(bytes)}`).sort();
    assert.deepEqual(sorted(other.rewritten), sorted(one.rewritten));
    assert.deepEqual([...other.added], [...one.added]);
    assert.deepEqual(other.entries, one.entries);
    assert.deepEqual(other.notes, one.notes);
  }
});

test("linkTree() links what is linked already to the same", async () => {
  for (const { files } of LINK_CASES) {
    const packages = packagesOf(files);
    const { rewritten, added } = await linkTree(packages, []);
    for (const { location, files } of packages) {
      for (const [path, bytes] of [...rewritten, ...added]) {
        if (path.startsWith(`${location}/`) && !path.includes("node_modules", location.length)) {
          files.set(path.slice(location.length + 1), bytes);
        }
      }
    }
    assert.deepEqual([...(await linkTree(packages, [])).rewritten.keys()], []);
  }
});
