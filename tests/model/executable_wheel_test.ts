import assert from "node:assert/strict";
import { test } from "node:test";
import { executablesOfWheel, whyNoExecutable } from "../../lib/model/executable_wheel.ts";
import { knownTargets } from "../../lib/model/executable.ts";
import { parsePythonFileName } from "../../lib/model/python_file.ts";

const wheel = (tag: string) => parsePythonFileName(`mytool-1.2.3-${tag}.whl`)!;
const targetsOf = (tag: string) =>
  executablesOfWheel(wheel(tag), "mytool").map(({ file }) => file.target);
const reachOf = (tag: string) => executablesOfWheel(wheel(tag), "mytool")[0].reach;

const TARGETS: [tag: string, targets: string[]][] = [
  ["py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64", ["x86_64-unknown-linux-gnu"]],
  ["py2.py3-none-manylinux_2_34_aarch64", ["aarch64-unknown-linux-gnu"]],
  ["py3-none-manylinux1_x86_64", ["x86_64-unknown-linux-gnu"]],
  ["py3-none-musllinux_1_2_x86_64", ["x86_64-unknown-linux-musl"]],
  // Linked statically, it needs no C library of the system's.
  ["py3-none-manylinux_2_17_aarch64.musllinux_1_1_aarch64", [
    "aarch64-unknown-linux-gnu",
    "aarch64-unknown-linux-musl",
  ]],
  ["py3-none-linux_x86_64", ["x86_64-unknown-linux-gnu", "x86_64-unknown-linux-musl"]],
  ["py3-none-macosx_10_12_x86_64", ["x86_64-apple-darwin"]],
  ["py3-none-macosx_11_0_arm64", ["aarch64-apple-darwin"]],
  ["py3-none-macosx_26_0_arm64", ["aarch64-apple-darwin"]],
  ["py3-none-macosx_10_13_universal2", ["x86_64-apple-darwin", "aarch64-apple-darwin"]],
  ["py3-none-win_amd64", ["x86_64-pc-windows-msvc"]],
  ["py3-none-win_arm64", ["aarch64-pc-windows-msvc"]],
];

for (const [tag, targets] of TARGETS) {
  test(`executablesOfWheel() knows for which machines a wheel is (${tag})`, () => {
    assert.deepEqual(targetsOf(tag), targets);
    for (const target of targets) assert.ok(knownTargets().includes(target), target);
  });
}

const NONE: [tag: string, why: string][] = [
  ["py3-none-any", "is a wheel for every machine (py3-none-any), which holds no program"],
  [
    "cp311-cp311-manylinux_2_17_x86_64",
    "is a wheel for interpreters of Python (cp311-cp311-manylinux_2_17_x86_64), which holds no program",
  ],
  [
    "cp38-abi3-win_amd64",
    "is a wheel for interpreters of Python (cp38-abi3-win_amd64), which holds no program",
  ],
  ["py3-none-win32", "for win32 only"],
  ["py3-none-manylinux_2_17_ppc64le", "for manylinux_2_17_ppc64le only"],
];

for (const [tag, why] of NONE) {
  test(`executablesOfWheel() finds none in a wheel that holds no program (${tag})`, () => {
    assert.deepEqual(targetsOf(tag), []);
    assert.equal(whyNoExecutable(wheel(tag)), why);
  });
}

test("executablesOfWheel() calls the program by the project's name as it is asked for", () => {
  const [{ file }] = executablesOfWheel(
    parsePythonFileName("My_Tool-1.2.3-py3-none-win_amd64.whl")!,
    "My_Tool",
  );
  assert.deepEqual(file, {
    ...{ project: "My_Tool", version: "1.2.3", packing: "whl", program: "My_Tool.exe" },
    target: "x86_64-pc-windows-msvc",
  });
});

test("executablesOfWheel() tells how old the system may be", () => {
  assert.ok(reachOf("py3-none-manylinux_2_17_x86_64") > reachOf("py3-none-manylinux_2_28_x86_64"));
  assert.ok(reachOf("py3-none-manylinux2014_x86_64") > reachOf("py3-none-linux_x86_64"));
  assert.ok(reachOf("py3-none-macosx_11_0_arm64") > reachOf("py3-none-macosx_14_0_arm64"));
});
