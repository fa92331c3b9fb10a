/** Versions, specifiers and markers, against Python's own library for them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { MarkerEnvironment } from "../../lib/model/python.ts";
import { evaluateMarker } from "../../lib/model/python_marker.ts";
import {
  comparePythonVersions,
  normalizePythonVersion,
  satisfiesSpecifier,
} from "../../lib/model/python_version.ts";
import { askPackaging, packagingIsMissing } from "../fixtures/packaging.ts";

const RELEASES = ["0", "1", "1.0", "1.0.0", "1.1", "1.10", "2.0", "1!0.5", "1!1.0"];
const ENDINGS = ["", "a1", "b2", "rc1", ".dev3", "a1.dev2", ".post1", ".post2.dev1", "rc1.post1"];
const VERSIONS = RELEASES.flatMap((release) => ENDINGS.map((ending) => release + ending))
  .concat(["1.0+local", "1.0+local.2", "1.0.post1+5", "2.0-1", "v2.0-Beta_3"]);
const OPERANDS = ["1.0", "1.0a1", "1.0rc1", "1.0.post1", "1.0.dev3", "2.0", "1!0.5", "1", "1.1"];
const SPECIFIERS = ["==", "!=", ">=", "<=", ">", "<", "~="]
  .flatMap((operator) => OPERANDS.map((operand) => operator + operand))
  .filter((specifier) => !/^~=\d(?:$|!\d$|[a-z])/.test(specifier) && specifier !== "~=1")
  .concat(["==1.*", "!=1.0.*", "==1!0.*", "==1.0+local", "===1.0", ">=1.0,<2", ">=1.0a1,!=1.1"]);

const ORDER = `
import json, sys
from packaging.version import Version
versions = sorted(json.loads(sys.argv[1]), key=Version)
print(json.dumps([[text, str(Version(text))] for text in versions]))
`;

const CONTAINS = `
import json, sys
from packaging.specifiers import SpecifierSet
versions, specifiers = json.loads(sys.argv[1])
print(json.dumps([[SpecifierSet(s).contains(v, prereleases=True) for v in versions] for s in specifiers]))
`;

const orderTitle = "comparePythonVersions() orders as Python's own library does";
test(orderTitle, { skip: packagingIsMissing(orderTitle) }, async () => {
  const sorted: [text: string, normal: string][] = JSON.parse(
    await askPackaging(ORDER, JSON.stringify(VERSIONS)),
  );
  for (const [text, normal] of sorted) assert.equal(normalizePythonVersion(text), normal);
  sorted.slice(1).forEach(([text], index) => {
    assert.ok(comparePythonVersions(sorted[index][0], text) <= 0, `${sorted[index][0]} <= ${text}`);
  });
});

const specifierTitle = "satisfiesSpecifier() admits what Python's own library does";
test(specifierTitle, { skip: packagingIsMissing(specifierTitle) }, async () => {
  const table: boolean[][] = JSON.parse(
    await askPackaging(CONTAINS, JSON.stringify([VERSIONS, SPECIFIERS])),
  );
  const wrong = SPECIFIERS.flatMap((specifier, row) =>
    VERSIONS.filter((version, column) =>
      satisfiesSpecifier(version, specifier, { prereleases: true }) !== table[row][column]
    ).map((version) => `${version} ${specifier}`)
  );
  assert.deepEqual(wrong, []);
});

const MARKERS = [
  "python_version >= '3.9' and python_version < '4'",
  "python_full_version < '3.9.1'",
  "'3' in python_version",
  "os_name == 'posix' or sys_platform == 'win32' and platform_machine != 'x'",
  "(os_name == 'posix' or sys_platform == 'win32') and platform_machine == 'x'",
  "platform_python_implementation != 'PyPy'",
  "implementation_name == 'cpython' and implementation_version >= '3.6'",
  "python_version ~= '3.6'",
  "python_version == '3.*'",
  "platform_system not in 'Windows Darwin'",
];

const EVALUATED = `
import json, sys
from packaging.markers import Marker, default_environment
environment = default_environment()
print(json.dumps([environment, [Marker(text).evaluate() for text in json.loads(sys.argv[1])]]))
`;

const markerTitle = "evaluateMarker() finds what Python's own library does";
test(markerTitle, { skip: packagingIsMissing(markerTitle) }, async () => {
  const [environment, values]: [MarkerEnvironment, boolean[]] = JSON.parse(
    await askPackaging(EVALUATED, JSON.stringify(MARKERS)),
  );
  assert.deepEqual(MARKERS.map((it) => evaluateMarker(it, environment, new Set())), values);
});
