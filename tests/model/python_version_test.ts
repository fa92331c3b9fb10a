import assert from "node:assert/strict";
import { test } from "node:test";
import {
  comparePythonVersions,
  isPythonPrerelease,
  isPythonSpecifier,
  isPythonVersion,
  namesExactly,
  normalizePythonVersion,
  satisfiesSpecifier,
} from "../../lib/model/python_version.ts";

/** Lowest first; those in one row are equal. */
const ORDER = [
  ["1.dev0"],
  ["1.0.dev456", "1.0dev456"],
  ["1.0a1", "1.0alpha1", "1-a.1"],
  ["1.0a2.dev456"],
  ["1.0a12"],
  ["1.0b1.dev456"],
  ["1.0b2", "1.0-Beta_2"],
  ["1.0b2.post345"],
  ["1.0rc1.dev456"],
  ["1.0rc1", "1.0c1", "1.0pre1"],
  ["1.0", "1", "v1.0.0"],
  ["1.0+abc.5"],
  ["1.0+5"],
  ["1.0.post456.dev34"],
  ["1.0.post456", "1.0-456", "1.0r456"],
  ["1.1.dev1"],
  ["1!0.1"],
];

test("comparePythonVersions() orders as PEP 440 does", () => {
  ORDER.forEach((row, index) => {
    for (const one of row) {
      for (const other of row) {
        assert.equal(comparePythonVersions(one, other), 0, `${one} ${other}`);
      }
      for (const lower of ORDER.slice(0, index).flat()) {
        assert.ok(comparePythonVersions(lower, one) < 0, `${lower} < ${one}`);
        assert.ok(comparePythonVersions(one, lower) > 0, `${one} > ${lower}`);
      }
    }
  });
  assert.ok(comparePythonVersions("5-3-gabc-patched", "0") < 0, "what is no version is lowest");
});

test("normalizePythonVersion() has one form for all ways to write a version", () => {
  for (
    const [written, normal] of [
      ["1.0-beta.2", "1.0b2"],
      ["1.0+Ubuntu-1", "1.0+ubuntu.1"],
      ["1.0+12E3_007", "1.0+12e3.7"],
      ["v1.0", "1.0"],
      ["1!2.0RC1", "1!2.0rc1"],
      ["1.0-3", "1.0.post3"],
      ["nothing", null],
    ]
  ) assert.equal(normalizePythonVersion(written!), normal);
});

const SPECIFIERS: [specifier: string, admitted: string[], others: string[]][] = [
  ["", ["1.0", "2.0.post1"], ["1.0a1", "nothing"]],
  [">=1.0,<2", ["1.0", "1.9.9"], ["0.9", "2.0", "2.0a1", "1.5b1"]],
  ["==1.0", ["1.0", "1", "1.0.0", "1.0+local"], ["1.0.post1", "1.0.1"]],
  ["==1.0+local", ["1.0+local"], ["1.0", "1.0+other"]],
  ["==1.0.*", ["1.0", "1", "1.0.5", "1.0.post1"], ["1.1", "1.10"]],
  ["!=1.0.*", ["1.1", "2"], ["1", "1.0.3"]],
  ["~=1.4.2", ["1.4.2", "1.4.9"], ["1.5", "1.4.1"]],
  ["~=1.4", ["1.4", "1.9"], ["2.0", "1.3"]],
  [">1.0", ["1.0.1", "1.1"], ["1.0", "1.0.post1", "1.0+local"]],
  [">1.0.post1", ["1.0.post2", "1.1"], ["1.0.post1", "1.0"]],
  [">1.0a1", ["1.0a2", "1.0"], ["1.0a1"]],
  ["<2.0", ["1.9"], ["2.0", "2.0rc1"]],
  ["<2.0rc2", ["2.0rc1", "1.0"], ["2.0", "2.0rc2"]],
  [">=2.0rc1", ["2.0rc1", "2.1b1"], ["2.0b1"]],
  ["===1.0", ["1.0"], ["1", "1.0.0"]],
  ["===5-3-gabc", ["5-3-gabc"], ["5"]],
  [">=1!1.0", ["1!1.0", "1!2"], ["2.0", "99"]],
];

for (const [specifier, admitted, others] of SPECIFIERS) {
  test(`satisfiesSpecifier() reads "${specifier}" as PEP 440 does`, () => {
    for (const version of admitted) assert.ok(satisfiesSpecifier(version, specifier), version);
    for (const version of others) assert.ok(!satisfiesSpecifier(version, specifier), version);
  });
}

test("satisfiesSpecifier() admits pre-releases when it is told to", () => {
  assert.ok(satisfiesSpecifier("1.5b1", ">=1.0", { prereleases: true }));
  assert.ok(!satisfiesSpecifier("1.5b1", ">=1.0b1", { prereleases: false }));
});

test("isPythonSpecifier() knows what is none", () => {
  for (const none of ["^1.0", "=1.0", ">=x", "~=1", ">=1.0.*", ">1.0+local", "1.0"]) {
    assert.ok(!isPythonSpecifier(none), none);
    assert.ok(!satisfiesSpecifier("1.0", none), none);
  }
});

test("isPythonVersion() and isPythonPrerelease() read versions", () => {
  assert.ok(isPythonVersion("1.0.dev1") && !isPythonVersion("latest"));
  assert.ok(isPythonPrerelease("1.0.dev1") && isPythonPrerelease("1.0rc1"));
  assert.ok(!isPythonPrerelease("1.0.post1") && !isPythonPrerelease("latest"));
});

test("isPythonVersion() takes no version for one whose numbers would be rounded to another's", () => {
  for (const version of ["9007199254740991", "1.0rc20231231235959", "1.0+g9007199254740993"]) {
    assert.ok(isPythonVersion(version), version);
  }
  for (
    const version of ["9007199254740993", "1.0.dev20231231235959123456", "1.0+a_9007199254740993"]
  ) {
    assert.ok(!isPythonVersion(version), version);
    assert.ok(!isPythonSpecifier(`==${version}`), version);
  }
});

test("namesExactly() is true of == and === alone", () => {
  assert.ok(namesExactly("1.0", "==1") && namesExactly("1.0", ">0,===1.0"));
  assert.ok(!namesExactly("1.0", ">=1.0,<=1.0") && !namesExactly("1.0", "==1.*"));
});
