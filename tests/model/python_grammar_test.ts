import assert from "node:assert/strict";
import { test } from "node:test";
import type { MarkerEnvironment } from "../../lib/model/python.ts";
import { nameInAddress, parsePythonFileName } from "../../lib/model/python_file.ts";
import { evaluateMarker } from "../../lib/model/python_marker.ts";
import { readCoreMetadata, readRequiresText } from "../../lib/model/python_metadata.ts";
import {
  normalizeProjectName,
  parsePythonRequirement,
} from "../../lib/model/python_requirement.ts";
import { refusal } from "../fixtures/refusal.ts";

const REQUIREMENTS: [text: string, read: ReturnType<typeof parsePythonRequirement>][] = [
  ["foobar", { text: "", project: "foobar", extras: [], specifier: "", marker: null }],
  ["Foo.Bar_baz>=1.0, <2", {
    ...{ text: "", project: "foo-bar-baz", extras: [] },
    ...{ specifier: ">=1.0,<2", marker: null },
  }],
  ["foobar[tls, Extra_B] (>=1.0,<2) ; python_version < '3'", {
    ...{ text: "", project: "foobar", extras: ["tls", "extra-b"] },
    ...{ specifier: ">=1.0,<2", marker: "python_version < '3'" },
  }],
  ["foobar ~= 1.4;sys_platform=='win32'", {
    ...{ text: "", project: "foobar", extras: [] },
    ...{ specifier: "~=1.4", marker: "sys_platform=='win32'" },
  }],
  ["foobar===5-3-gabc", {
    ...{ text: "", project: "foobar", extras: [] },
    ...{ specifier: "===5-3-gabc", marker: null },
  }],
  ["foobar @ https://host.example/a.whl#x ; os_name == 'nt'", {
    ...{ text: "", project: "foobar", extras: [], specifier: "" },
    ...{ marker: "os_name == 'nt'", url: "https://host.example/a.whl#x" },
  }],
];

for (const [text, read] of REQUIREMENTS) {
  test(`parsePythonRequirement() reads ${text}`, () => {
    assert.deepEqual(parsePythonRequirement(text), { ...read, text });
  });
}

for (const text of ["", "-x", "foobar^1", "foobar 1.0", "foobar[a b]", "foobar;", "foobar @"]) {
  test(`parsePythonRequirement() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parsePythonRequirement(text), refusal("requirement-syntax"));
  });
}

test("normalizeProjectName() has one form for all ways to write a name", () => {
  assert.equal(normalizeProjectName("Foo__Bar.-baz"), "foo-bar-baz");
});

const ENVIRONMENT: MarkerEnvironment = {
  ...{ os_name: "posix", sys_platform: "linux", platform_machine: "x86_64" },
  ...{ platform_python_implementation: "CPython", platform_release: "6.1.0-generic" },
  ...{ platform_system: "Linux", platform_version: "#1 SMP", python_version: "3.11" },
  ...{ python_full_version: "3.11.7", implementation_name: "cpython" },
  implementation_version: "3.11.7",
};

const MARKERS: [marker: string, holds: boolean, extras?: string[]][] = [
  ["python_version >= '3.9'", true],
  ['python_version < "3.9"', false],
  ["python_version == '3.*'", true],
  ["'3.10' <= python_version", true],
  ["python_full_version >= '3.11.8'", false],
  ["sys_platform == 'linux' and os_name != 'nt'", true],
  ["sys_platform == 'win32' or (os_name == 'posix' and platform_machine == 'x86_64')", true],
  ["sys_platform == 'win32' or os_name == 'nt' and platform_machine == 'x86_64'", false],
  ["'linux' in sys_platform", true],
  ["sys_platform not in 'win32 darwin'", true],
  ["os.name == 'posix' and python_implementation == 'CPython'", true],
  ["platform_release >= '6'", true],
  ["extra == 'tls'", false],
  ["extra == 'TLS_x'", true, ["tls-x", "other"]],
  ["extra == 'tls' and python_version < '3'", false, ["tls"]],
  ["extra != 'tls'", true, []],
];

for (const [marker, holds, extras = []] of MARKERS) {
  test(`evaluateMarker() finds ${marker} ${holds} with the extras [${extras}]`, () => {
    assert.equal(evaluateMarker(marker, ENVIRONMENT, new Set(extras)), holds);
  });
}

for (
  const marker of ["", "python_version", "python_version >= ", "a == 'b", "x == 'y'", "('a'=='a'"]
) {
  test(`evaluateMarker() refuses ${JSON.stringify(marker)}`, () => {
    assert.throws(
      () => evaluateMarker(marker, ENVIRONMENT, new Set()),
      refusal("requirement-syntax"),
    );
  });
}

test("evaluateMarker() reads brackets in brackets, but not without end", () => {
  const nested = (depth: number) => `${"(".repeat(depth)}os_name == 'posix'${")".repeat(depth)}`;
  assert.ok(evaluateMarker(nested(50), ENVIRONMENT, new Set()));
  assert.ok(evaluateMarker(Array(150).fill(nested(1)).join(" and "), ENVIRONMENT, new Set()));
  assert.throws(
    () => evaluateMarker(nested(50_000), ENVIRONMENT, new Set()),
    refusal("requirement-syntax", "brackets"),
  );
});

const FILES: [name: string, project: string | undefined, read: unknown][] = [
  ["six-1.17.0-py2.py3-none-any.whl", undefined, {
    ...{ kind: "wheel", project: "six", version: "1.17.0" },
    tags: ["py2-none-any", "py3-none-any"],
  }],
  ["foo_bar-1.0-1x-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "foo-bar", {
    ...{ kind: "wheel", project: "foo-bar", version: "1.0", build: "1x" },
    tags: ["cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-manylinux2014_x86_64"],
  }],
  ["hello-2.1-py3.11.egg", undefined, {
    ...{ kind: "egg", project: "hello", version: "2.1", pythonVersion: "3.11" },
  }],
  ["foo_bar-1.0_local-py2.7-linux_x86_64.egg", undefined, {
    ...{ kind: "egg", project: "foo-bar", version: "1.0-local" },
    ...{ pythonVersion: "2.7", platform: "linux_x86_64" },
  }],
  ["hello-1.0.tar.gz", undefined, { kind: "sdist", project: "hello", version: "1.0" }],
  ["foo-bar-1.0-beta.zip", "foo-bar", { kind: "sdist", project: "foo-bar", version: "1.0-beta" }],
  ["foo-bar-1.0.tar.gz", "foo", null],
  ["six-1.17.0-py3-none-any.whl", "seven", null],
  ["six-1.17.0.whl", undefined, null],
  ["six.exe", undefined, null],
  [`a-1-${Array(3).fill(Array(20).fill("x").join(".")).join("-")}.whl`, undefined, null],
  [`foo-${"0".repeat(300)}.tar.gz`, "foo", null],
];

for (const [name, project, read] of FILES) {
  test(`parsePythonFileName() reads ${name.slice(0, 80)} as of ${project ?? "any project"}`, () => {
    assert.deepEqual(parsePythonFileName(name, project), read);
  });
}

test("readCoreMetadata() reads the headers and leaves the description", () => {
  assert.deepEqual(
    readCoreMetadata(
      "Metadata-Version: 2.4\r\nName: Foo_Bar\r\nVersion: 1.0\r\nRequires-Python: >=3.9\r\n" +
        "Summary: a\r\n  long one\r\nRequires-Dist: six (>=1.9)\r\n" +
        "Requires-Dist: tls>1;\r\n  extra == 'tls'\r\nProvides-Extra: T_L_S\r\n\r\nName: other\r\n",
    ),
    {
      ...{ name: "Foo_Bar", version: "1.0", requiresPython: ">=3.9" },
      requires: ["six (>=1.9)", "tls>1; extra == 'tls'"],
      extras: ["t-l-s"],
    },
  );
  assert.throws(
    () => readCoreMetadata("Name: a\n"),
    refusal("archive-invalid", "no name and version"),
  );
});

test("readRequiresText() turns setuptools' sections into markers", () => {
  const text = "six>=1.9\n\n[:python_version<'3']\nfutures\n\n[tls]\nssl\n\n" +
    "[Tls_2:os_name=='nt']\nwin; python_version>'3'\n";
  assert.deepEqual(readRequiresText(text), {
    requires: [
      "six>=1.9",
      "futures ; (python_version<'3')",
      'ssl ; extra == "tls"',
      `win ; (python_version>'3') and (os_name=='nt') and extra == "tls-2"`,
    ],
    extras: ["tls", "tls-2"],
  });
});

test("nameInAddress() gives what an address ends in, decoded where it can be", () => {
  const names = [
    [
      "https://eggs.example/a/hello-1.0%2Blocal-py3-none-any.whl#sha256=00",
      "hello-1.0+local-py3-none-any.whl",
    ],
    ["https://eggs.example/a/hello-1.0%.whl?from=b/c", "hello-1.0%.whl"],
    ["https://eggs.example/a/", ""],
  ];
  for (const [address, name] of names) assert.equal(nameInAddress(address), name);
});
