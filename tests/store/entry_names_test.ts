import assert from "node:assert/strict";
import { test } from "node:test";
import { quoted } from "../../lib/store/entry_names.ts";
import { readTar } from "../../lib/store/unpack.ts";
import { file, pax, tar } from "../fixtures/raw_tar.ts";
import { refusal } from "../fixtures/refusal.ts";

const LIMITS = { maxUnpackedBytes: 16 * 1024 ** 2 };

const ACCEPTED_NAMES = [
  "node v24.19/index.d.ts",
  "package/@scope+name/a b.js",
  "package/[id]/$cast~(n)/{x}.js",
  "package/…/größe-名前-🦊.js",
  "package/.hidden/..both",
  "package/node_modules/dependency/index.js",
  "package/console.js",
  "package/com.js",
  "package/-rf",
];

for (const name of ACCEPTED_NAMES) {
  test(`readTar() accepts the name ${quoted(name)}`, () => {
    const path = name.slice(name.indexOf("/") + 1);
    assert.deepEqual(readTar(tar(file(name)), LIMITS).map((entry) => entry.path), [path]);
  });
}

const ESCAPING_NAMES = [
  "/package/a.js",
  "//server/share",
  "../a.js",
  "package/../../a.js",
  "package/..",
  "package/.. /a.js",
  "package/.../a.js",
  "package\\..\\a.js",
  "package/lib\\a.js",
  "C:/a.js",
  "c:a.js",
  "package/C:/a.js",
];

for (const name of ESCAPING_NAMES) {
  test(`readTar() refuses the path ${quoted(name)} as one that escapes`, () => {
    const words = ["Cannot unpack", JSON.stringify(name)];
    assert.throws(() => readTar(tar(file(name)), LIMITS), refusal("path-escapes", ...words));
    assert.throws(
      () => readTar(tar(pax([`path=${name}`]), file("package/a.js")), LIMITS),
      refusal("path-escapes", ...words),
    );
  });
}

const INVALID_NAMES: [name: string, shown?: string][] = [
  [""],
  ["."],
  ["./package/a.js"],
  ["package/./a.js"],
  ["package//a.js"],
  ["package/a.js/"],
  ["package/"],
  ["package/a\nb.js", "a\\nb.js"],
  ["package/a\x7fb.js", "a\\u{7f}b.js"],
  ["package/a\x9bb.js", "a\\u{9b}b.js"],
  ["package/a\u2028b.js", "a\\u{2028}b.js"],
  ["package/gpj\u202e.js", "gpj\\u{202e}.js"],
  ["package/stream.js:hidden"],
  ["package/a.js."],
  ["package/a.js "],
  ["package/lib./a.js"],
  ["package/lib /a.js"],
  ["package/CON"],
  ["package/nul.js"],
  ["package/aux/a.js"],
  ["package/Com1.txt.js"],
  ["package/lpt¹"],
  ["package/prn .js"],
  [`package/${"ä".repeat(128)}`, "256 bytes"],
  [`package/${"a/".repeat(600)}b`, "1209 characters"],
];

for (const [name, shown = quoted(name)] of INVALID_NAMES) {
  test(`readTar() refuses the name ${quoted(name.slice(0, 40))}`, () => {
    assert.throws(
      () => readTar(tar(pax([`path=${name}`]), file("package/a.js")), LIMITS),
      refusal("archive-invalid", "Cannot unpack", shown),
    );
  });
}

const COLLISIONS: [title: string, first: string, second: string, shown?: string][] = [
  ["the same name twice", "package/a.js", "package/a.js"],
  ["names that differ by case", "package/a.js", "package/A.js", "package/a.js"],
  ["folders that differ by case", "package/lib/a.js", "package/Lib/b.js", "package/Lib"],
  ["top folders that differ by case", "package/a.js", "Package/b.js", '"Package"'],
  ["names composed and decomposed", "package/caf\u00e9", "package/cafe\u0301", "cafe\u0301"],
  ["a ligature and its letters", "package/\ufb01le", "package/file"],
  ["full-width letters", "package/\uff41.js", "package/a.js"],
  ["sharp s and its capitals", "package/stra\u00dfe", "package/STRASSE"],
  ["a character without a shape", "package/a\u200bb", "package/ab"],
  ["a file used as a folder", "package/a", "package/a/b.js", '"package/a"'],
  ["a folder used as a file", "package/a/b.js", "package/a"],
];

for (const [title, first, second, shown = ""] of COLLISIONS) {
  test(`readTar() refuses ${title}, naming the second`, () => {
    assert.throws(
      () => readTar(tar(file(first), file(second)), LIMITS),
      refusal("archive-invalid", `Cannot unpack ${JSON.stringify(second)}`, shown),
    );
  });
}
