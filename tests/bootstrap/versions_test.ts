import assert from "node:assert/strict";
import { test } from "node:test";
import { compare, fits, newest } from "../../bootstrap/versions.ts";

/** A range, versions in it, and versions outside. */
const RANGES: [range: string, inside: string[], outside: string[]][] = [
  ["^1.2", ["1.2.0", "1.9.3"], ["1.1.9", "2.0.0", "1.3.0-rc.1"]],
  ["^0.1", ["0.1.0", "0.1.9"], ["0.2.0", "1.0.0"]],
  ["^0.0.3", ["0.0.3"], ["0.0.4", "0.0.2"]],
  ["^0", ["0.0.0", "0.9.0"], ["1.0.0"]],
  ["~1.2.3", ["1.2.3", "1.2.9"], ["1.2.2", "1.3.0"]],
  ["~1", ["1.0.0", "1.9.0"], ["2.0.0"]],
  [">=1.2", ["1.2.0", "2.0.0", "10.0.0"], ["1.1.0"]],
  ["1.2", ["1.2.0", "1.2.7"], ["1.3.0"]],
  ["1", ["1.0.0", "1.7.0"], ["2.0.0", "0.9.0"]],
  ["1.2.3", ["1.2.3"], ["1.2.4"]],
  ["1.2.3-rc.1", ["1.2.3-rc.1"], ["1.2.3", "1.2.3-rc.2"]],
];

for (const [range, inside, outside] of RANGES) {
  test(`fits() reads ${range} as npm does`, () => {
    for (const version of inside) assert.equal(fits(version, range), true, version);
    for (const version of outside) assert.equal(fits(version, range), false, version);
  });
}

test("fits() does not know ranges of other forms, and says so", () => {
  for (const range of ["", "*", "latest", "1 || 2", "<2", "1.x", "^1.2.3.4", ">=1 <2"]) {
    assert.equal(fits("1.2.3", range), undefined, range);
  }
});

test("compare() orders by numbers and not by text", () => {
  const versions = ["1.10.0", "1.9.0", "0.20.1", "2.0.0", "1.9.12"];
  assert.deepEqual(versions.toSorted(compare), ["0.20.1", "1.9.0", "1.9.12", "1.10.0", "2.0.0"]);
});

/** A question about versions alone. */
function question(about: { range: string; kept?: string; rejected?: string[] }) {
  const { range, kept, rejected = [] } = about;
  return {
    ...{ name: "transmute-js", range, rejected, folder: "", signal: new AbortController().signal },
    ...kept === undefined ? {} : { kept: { version: kept, digest: "" } },
  };
}

test("newest() takes the highest that fits, and nothing when what is kept is as new", () => {
  const versions = ["1.0.0", "1.10.0", "1.9.0", "2.0.0"];
  assert.equal(newest(versions, question({ range: "^1" })), "1.10.0");
  assert.equal(newest(versions, question({ range: "^1", kept: "1.9.0" })), "1.10.0");
  assert.equal(newest(versions, question({ range: "^1", kept: "1.10.0" })), undefined);
  assert.equal(newest(versions, question({ range: "^1", kept: "1.11.0" })), undefined);
});

test("newest() passes over what failed before", () => {
  const asked = question({ range: "^1", rejected: ["1.10.0"] });
  assert.equal(newest(["1.9.0", "1.10.0"], asked), "1.9.0");
});

test("newest() names what there is when nothing fits", () => {
  assert.throws(() => newest(["1.0.0", "2.0.0"], question({ range: "^3" })), {
    code: "no-matching-version",
    message: "Cannot load Transmute: found 1.0.0, 2.0.0 of transmute-js, wanted ^3",
  });
});
