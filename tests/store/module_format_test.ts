import assert from "node:assert/strict";
import { test } from "node:test";
import { moduleFormats } from "../../lib/store/module_format.ts";
import { prepareReferences } from "../../lib/store/module_references.ts";
import { treeOf } from "../fixtures/package_trees.ts";

await prepareReferences();

/** The kind of a file in a package with this `type`; `undefined` for none. */
function formatOf(name: string, text: string, type?: string) {
  const tree = treeOf({
    "node_modules/a/package.json": type === undefined ? {} : { type },
    [`node_modules/a/${name}`]: text,
  });
  return moduleFormats(tree)(`node_modules/a/${name}`);
}

const BY_NAME: [name: string, type: string | undefined, format: string][] = [
  ["x.mjs", "commonjs", "module"],
  ["x.cjs", "module", "commonjs"],
  ["x.js", "module", "module"],
  ["x.js", "commonjs", "commonjs"],
  ["x.js", undefined, "commonjs"],
  ["x.js", "other", "commonjs"],
  ["lib/deep/x.js", "module", "module"],
  ["x", "module", "module"],
  ["x", undefined, "commonjs"],
  ["x.json", "module", "json"],
  ["x.node", "module", "addon"],
  ["x.wasm", "module", "wasm"],
  ["x.css", "module", "other"],
  ["x.d.ts", "module", "other"],
  [".js", undefined, "commonjs"],
];

for (const [name, type, format] of BY_NAME) {
  test(`moduleFormats() takes ${name} with the type ${type} for ${format}`, () => {
    assert.equal(formatOf(name, "", type), format);
  });
}

const BY_SYNTAX: [text: string, format: string][] = [
  ['import "a"', "module"],
  ['import a from "a"', "module"],
  ['import a, { b } from "a"', "module"],
  ["import{a}from'a'", "module"],
  ["import*as a from'a'", "module"],
  ["export default 1", "module"],
  ["export const a = 1", "module"],
  ["export{a}", "module"],
  ["export {}", "module"],
  ["export * from './a'", "module"],
  ["let a = 1;export{a as b};", "module"],
  ["/*! banner */export{a as b};", "module"],
  ["#!/usr/bin/env node\nimport 'a'", "module"],
  ["console.log(import.meta.url)", "module"],
  ["module.exports = 1", "commonjs"],
  ["exports.a = 1", "commonjs"],
  ["import('a')", "commonjs"],
  ["// import 'a'", "commonjs"],
  ["/*\nimport 'a'\nexport default 1\n*/", "commonjs"],
  ["const a = `\nimport 'a'\nexport {}\n`; exports.a = a", "commonjs"],
  ["const a = 'import.meta'", "commonjs"],
  ["module.exports = 'import.meta'", "commonjs"],
  ["importScripts('a'); exported = {}", "commonjs"],
  ["a.import = 1; a.export = {}", "commonjs"],
  ["syntax error (", "commonjs"],
  ["", "commonjs"],
];

for (const [text, format] of BY_SYNTAX) {
  test(`moduleFormats() takes ${JSON.stringify(text)} for ${format} by its syntax`, () => {
    assert.equal(formatOf("x.js", text), format);
  });
}

test("moduleFormats() takes the type of the nearest package.json", () => {
  const formatOf = moduleFormats(treeOf({
    "node_modules/a/package.json": { type: "module" },
    "node_modules/a/cjs/package.json": { type: "commonjs" },
    "node_modules/a/cjs/deep/x.js": "",
    "node_modules/a/none/package.json": {},
    "node_modules/a/none/x.js": "",
    "node_modules/a/node_modules/b/x.js": "",
  }));
  assert.equal(formatOf("node_modules/a/cjs/deep/x.js"), "commonjs");
  assert.equal(formatOf("node_modules/a/none/x.js"), "commonjs");
  assert.equal(formatOf("node_modules/a/node_modules/b/x.js"), "commonjs");
});
