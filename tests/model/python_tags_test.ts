import assert from "node:assert/strict";
import { test } from "node:test";
import type { InterpreterFacts } from "../../lib/model/python_tags.ts";
import { tagsOf } from "../../lib/model/python_tags.ts";

const CPYTHON: InterpreterFacts = {
  ...{ implementation: "cpython", major: 3, minor: 12, abiFlags: "", is32Bit: false },
  platform: "linux-x86_64",
  libc: { name: "glibc", major: 2, minor: 18 },
};

/** Tags in the order in which they must appear, and tags that must not. */
const CASES: [what: string, facts: InterpreterFacts, inOrder: string[], absent: string[]][] = [
  ["Linux with glibc", CPYTHON, [
    "cp312-cp312-linux_x86_64",
    "cp312-cp312-manylinux_2_18_x86_64",
    "cp312-cp312-manylinux_2_17_x86_64",
    "cp312-cp312-manylinux2014_x86_64",
    "cp312-cp312-manylinux_2_5_x86_64",
    "cp312-cp312-manylinux1_x86_64",
    "cp312-abi3-manylinux_2_18_x86_64",
    "cp312-none-linux_x86_64",
    "cp311-abi3-linux_x86_64",
    "cp32-abi3-linux_x86_64",
    "py312-none-manylinux_2_18_x86_64",
    "py3-none-linux_x86_64",
    "cp312-none-any",
    "py312-none-any",
    "py3-none-any",
    "py30-none-any",
  ], ["cp312-cp312-manylinux_2_19_x86_64", "cp313-abi3-linux_x86_64", "py2-none-any"]],
  ["Linux with glibc on another processor", { ...CPYTHON, platform: "linux-aarch64" }, [
    "cp312-cp312-linux_aarch64",
    "cp312-cp312-manylinux2014_aarch64",
  ], ["cp312-cp312-manylinux_2_12_aarch64"]],
  ["a 32-bit program on 64-bit Linux", { ...CPYTHON, is32Bit: true }, [
    "cp312-cp312-linux_i686",
    "cp312-cp312-manylinux1_i686",
  ], ["cp312-cp312-linux_x86_64"]],
  [
    "Linux with musl",
    { ...CPYTHON, libc: { name: "musl", major: 1, minor: 2 } },
    [
      "cp312-cp312-linux_x86_64",
      "cp312-cp312-musllinux_1_2_x86_64",
      "cp312-cp312-musllinux_1_0_x86_64",
    ],
    ["cp312-cp312-manylinux2014_x86_64"],
  ],
  ["free threads", { ...CPYTHON, minor: 13, abiFlags: "t" }, [
    "cp313-cp313t-linux_x86_64",
    "cp313-none-linux_x86_64",
  ], ["cp313-abi3-linux_x86_64", "cp313-cp313-linux_x86_64"]],
  ["a debugging interpreter", { ...CPYTHON, abiFlags: "d" }, [
    "cp312-cp312d-linux_x86_64",
    "cp312-cp312-linux_x86_64",
  ], []],
  ["Python 2.7", { ...CPYTHON, major: 2, minor: 7, abiFlags: "mu" }, [
    "cp27-cp27mu-manylinux1_x86_64",
    "cp27-none-linux_x86_64",
    "py27-none-any",
    "py2-none-any",
    "py20-none-any",
  ], ["py3-none-any", "cp27-abi3-linux_x86_64"]],
  [
    "macOS on Apple's own processors",
    { ...CPYTHON, platform: "macosx-11.0-arm64", macos: { major: 14, minor: 2 } },
    [
      "cp312-cp312-macosx_14_0_arm64",
      "cp312-cp312-macosx_14_0_universal2",
      "cp312-cp312-macosx_11_0_arm64",
      "cp312-cp312-macosx_10_16_universal2",
    ],
    ["cp312-cp312-macosx_10_16_arm64", "cp312-cp312-macosx_11_0_x86_64"],
  ],
  [
    "macOS on Intel's",
    { ...CPYTHON, platform: "macosx-10.9-x86_64", macos: { major: 10, minor: 15 } },
    [
      "cp312-cp312-macosx_10_15_x86_64",
      "cp312-cp312-macosx_10_9_x86_64",
      "cp312-cp312-macosx_10_9_universal2",
    ],
    ["cp312-cp312-macosx_11_0_x86_64"],
  ],
  ["Windows", { ...CPYTHON, platform: "win-amd64" }, [
    "cp312-cp312-win_amd64",
    "cp312-abi3-win_amd64",
    "py3-none-win_amd64",
    "py3-none-any",
  ], []],
  [
    "PyPy",
    { ...CPYTHON, implementation: "pypy", minor: 9, abi: "pypy39_pp73" },
    [
      "pp39-pypy39_pp73-linux_x86_64",
      "pp39-none-linux_x86_64",
      "py3-none-linux_x86_64",
      "pp3-none-any",
      "py3-none-any",
    ],
    ["cp39-cp39-linux_x86_64", "pp39-abi3-linux_x86_64"],
  ],
];

for (const [what, facts, inOrder, absent] of CASES) {
  test(`tagsOf() knows what fits ${what}, the best first`, () => {
    const tags = tagsOf(facts);
    const places = inOrder.map((tag) => tags.indexOf(tag));
    assert.deepEqual(places.filter((place) => place < 0), [], `of ${inOrder}`);
    assert.deepEqual(places, places.toSorted((one, other) => one - other));
    for (const tag of absent) assert.ok(!tags.includes(tag), tag);
    assert.equal(new Set(tags).size, tags.length, "each once");
  });
}
