import assert from "node:assert/strict";
import { test } from "node:test";
import { Facades, prepareFacades } from "../../lib/store/facade.ts";
import { moduleFormats } from "../../lib/store/module_format.ts";
import { prepareReferences } from "../../lib/store/module_references.ts";
import type { Files } from "../fixtures/package_trees.ts";
import { treeOf } from "../fixtures/package_trees.ts";

await Promise.all([prepareReferences(), prepareFacades()]);

/** The text of the facade of a file. */
function facadeOf(path: string, files: Files): string {
  const tree = treeOf(files);
  const facades = new Facades(tree, moduleFormats(tree));
  const name = facades.pathFor(path);
  return new TextDecoder().decode(facades.contents().get(name));
}

/** What the facade of `node_modules/a/x.js` exports besides the whole. */
function namesOf(text: string, more: Files = {}): string[] {
  const facade = facadeOf("node_modules/a/x.js", { "node_modules/a/x.js": text, ...more });
  const [, list] = /export \{([^]*)\};\n$/.exec(facade)!;
  return [...list.matchAll(/\$\d+ as (.*),\n/g)].map((match) => match[1]);
}

test("Facades give a module that exports the whole as default and under Node's own name", () => {
  assert.equal(
    facadeOf("node_modules/a/lib/it's.js", { "node_modules/a/lib/it's.js": "module.exports = 1" }),
    `import { createRequire } from "node:module";
const value = createRequire(import.meta.url)("./it's.js");
export {
  value as default,
  value as "module.exports",
};
`,
  );
});

test("Facades read each named export once, and none that is not there or fails", () => {
  const facade = facadeOf("node_modules/a/x.js", { "node_modules/a/x.js": "exports.one = 1" });
  const get = /const get = [^]*?\n};\n/.exec(facade)![0];
  const read = new Function("value", "name", `${get}return get(name);`);
  const getter = {
    get fails() {
      throw new Error("never");
    },
  };
  assert.equal(read({ one: 1 }, "one"), 1);
  assert.equal(read({ one: 1 }, "toString"), undefined);
  assert.equal(read(getter, "fails"), undefined);
  assert.equal(read(null, "one"), undefined);
});

const NAMES: [why: string, text: string, names: string[]][] = [
  ["assignments", "exports.b = 1; module.exports.a = 2; exports['c'] = 3", ["a", "b", "c"]],
  ["a literal", "module.exports = { a, b: c, 'd-e': f }", ["a", "b", '"d-e"']],
  ["reserved words as they are", "exports.await = 1; exports.class = 2", ["await", "class"]],
  ["names that are no identifiers as texts", "exports['1'] = 1; exports[' '] = 2", ['" "', '"1"']],
  ["names beyond ASCII as texts", "exports.ä = 1", ['"ä"']],
  ["no default but the whole", "exports.default = 1; exports.a = 2", ["a"]],
  ["the mark of compilers", "exports.__esModule = true", ["__esModule"]],
  [
    "what a compiler defined",
    "Object.defineProperty(exports, 'a', { enumerable: true, get: function () { return b.a; } })",
    ["a"],
  ],
  ["the list that esbuild leaves", "0 && (module.exports = {\n  a,\n  b\n});", ["a", "b"]],
  ["none of a text that is not JavaScript", "exports.a = 1; `", []],
];

for (const [why, text, names] of NAMES) {
  test(`Facades name ${why}`, () => {
    assert.deepEqual(namesOf(text), names);
  });
}

const REEXPORTS: [why: string, files: Files, names: string[]][] = [
  ["another file", { "node_modules/a/y.js": "exports.y = 1" }, ["y"]],
  ["a folder", { "node_modules/a/y/index.js": "exports.y = 1" }, ["y"]],
  [
    "a file that hands on itself",
    { "node_modules/a/y.js": "exports.y = 1; module.exports = require('./x');" },
    ["y"],
  ],
  ["an ES module not at all", { "node_modules/a/y.js": "export const y = 1" }, []],
  ["JSON not at all", { "node_modules/a/y.json": { y: 1 } }, []],
  ["a missing file not at all", {}, []],
];

for (const [why, files, names] of REEXPORTS) {
  test(`Facades follow a re-export to ${why}`, () => {
    assert.deepEqual(namesOf("module.exports = require('./y')", files), names);
  });
}

test("Facades follow a re-export to what require() would take of a package", () => {
  const files = {
    "node_modules/dep/package.json": { exports: { import: "./i.mjs", require: "./r.cjs" } },
    "node_modules/dep/i.mjs": "export const wrong = 1;",
    "node_modules/dep/r.cjs": "exports.right = 1;",
  };
  assert.deepEqual(namesOf("module.exports = require('dep')", files), ["right"]);
});

test("Facades read only the list of names at the end of a large bundle", () => {
  const bundle = `exports.inside = 1;\n${" ".repeat(1024 * 1024)}\n` +
    "0 && (module.exports = {\n  listed\n});";
  assert.deepEqual(namesOf(bundle), ["listed"]);
  assert.deepEqual(namesOf(bundle.replace(/ {9999,}/, " ")), ["inside", "listed"]);
});

test("Facades of JSON and native files export the whole only", () => {
  for (const name of ["x.json", "x.node"]) {
    const facade = facadeOf(`node_modules/a/${name}`, { [`node_modules/a/${name}`]: "{}" });
    assert.match(facade, /value as default/);
    assert.doesNotMatch(facade, /\$0/);
  }
});
