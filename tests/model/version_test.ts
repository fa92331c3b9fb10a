import { test } from "node:test";
import assert from "node:assert/strict";
import {
  compareVersions,
  exactVersion,
  highestVersion,
  isPrerelease,
  isValidRange,
  isValidVersion,
  satisfiesRange,
} from "../../lib/model/version.ts";

test("isValidVersion() keeps to the letter of SemVer", () => {
  for (const version of ["1.2.3", "1.2.3-rc.1", "1.2.3+build.5", "1.2.3-a+b"]) {
    assert.ok(isValidVersion(version), version);
  }
  for (
    const version of ["v1.2.3", "1.2", "01.2.3", "1.2.3beta", "", "latest", " 1.2.3", "1.2.3-"]
  ) {
    assert.ok(!isValidVersion(version), version);
  }
});

test("isValidRange() tells ranges from tags", () => {
  for (const range of ["", "*", "^1", "1.x || >=3 <4", "1.0.0 - 2", "v1.2.3", "~1"]) {
    assert.ok(isValidRange(range), range);
  }
  for (const range of ["latest", "next", "^one", "one.two"]) assert.ok(!isValidRange(range), range);
});

test("exactVersion() reads a version as npm writes it, and no range", () => {
  const table: [string, string | null][] = [
    ["1.2.3", "1.2.3"],
    ["v1.2.3", "1.2.3"],
    ["=1.2.3", "1.2.3"],
    ["= 1.2.3", "1.2.3"],
    ["1.2.3-rc.1", "1.2.3-rc.1"],
    ["1.2", null],
    ["^1.2.3", null],
    ["latest", null],
  ];
  for (const [text, expected] of table) assert.equal(exactVersion(text), expected, text);
});

test("satisfiesRange() admits a pre-release only where the range names one", () => {
  assert.ok(satisfiesRange("1.3.0", "^1.2"));
  assert.ok(!satisfiesRange("2.0.0", "^1.2"));
  assert.ok(!satisfiesRange("1.3.0-rc.1", "^1.2"));
  assert.ok(satisfiesRange("1.3.0-rc.1", "^1.2", { prereleases: true }));
  assert.ok(satisfiesRange("1.3.0-rc.2", "^1.3.0-rc.1"));
  assert.ok(!satisfiesRange("nonsense", "*"));
  assert.ok(!satisfiesRange("1.0.0", "nonsense"));
  assert.ok(isPrerelease("1.3.0-rc.1"));
  assert.ok(!isPrerelease("1.3.0"));
});

test("compareVersions() orders by precedence, then build, with no version lowest", () => {
  const ordered = [
    "nonsense",
    "0.9.0",
    "1.0.0-a",
    "1.0.0-a.1",
    "1.0.0",
    "1.0.0+1",
    "1.0.0+2",
    "1.10.0",
  ];
  const shuffled = [...ordered].reverse();
  assert.deepEqual(shuffled.sort(compareVersions), ordered);
  assert.equal(compareVersions("1.0.0", "v1.0.0"), 0);
});

test("highestVersion() passes over what is no version", () => {
  assert.equal(highestVersion(["1.0.0", "nonsense", "1.10.0", "1.9.0"]), "1.10.0");
  assert.equal(highestVersion(["nonsense"]), null);
  assert.equal(highestVersion([]), null);
});
