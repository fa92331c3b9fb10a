import assert from "node:assert/strict";
import { test } from "node:test";
import type { Release } from "../../lib/model/egg.ts";
import type { Interpreter } from "../../lib/model/python.ts";
import { parsePythonFileName } from "../../lib/model/python_file.ts";
import { tagsOf } from "../../lib/model/python_tags.ts";
import { PythonVersions } from "../../lib/updater/python_candidates.ts";

const INTERPRETER: Interpreter = {
  path: "/usr/bin/python3",
  version: "3.11.7",
  tags: tagsOf({
    ...{ implementation: "cpython", major: 3, minor: 11, abiFlags: "", is32Bit: false },
    platform: "linux-x86_64",
    libc: { name: "glibc", major: 2, minor: 36 },
  }),
  eggPlatform: "linux-x86_64",
  markers: { python_version: "3.11" } as Interpreter["markers"],
};

function release(name: string, more: Partial<Release["python"]> = {}): Release {
  const file = parsePythonFileName(name)!;
  return {
    project: file.project,
    version: file.version,
    artifact: { locator: `/dist/${name}`, digests: [], validator: name },
    python: { file, ...more },
  };
}

function versionsOf(releases: Release[], excluded: Record<string, string> = {}): PythonVersions {
  return new PythonVersions(releases, {
    interpreter: INTERPRETER,
    isExcluded: ({ artifact }) => excluded[artifact.validator] ?? null,
  });
}

const chosen = (versions: PythonVersions, ...specifiers: string[]) =>
  versions.admitted(specifiers).map(({ release }) => release.artifact.validator);

test("admitted() takes the best file of each version, the highest version first", () => {
  const versions = versionsOf([
    release("a-1.0.tar.gz"),
    release("a-1.0-py3-none-any.whl"),
    release("a-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"),
    release("a-1.0-1-cp311-cp311-manylinux_2_17_x86_64.whl"),
    release("a-1.0-cp312-cp312-manylinux_2_17_x86_64.whl"),
    release("a-2.0-py3.11.egg"),
    release("a-2.0.tar.gz"),
    release("a-2.1-cp311-cp311-win_amd64.whl"),
    release("a-2.2-py3.10.egg"),
    release("a-2.3-py3.11-win32.egg"),
  ]);
  assert.deepEqual(chosen(versions, ""), [
    "a-2.0-py3.11.egg",
    "a-1.0-1-cp311-cp311-manylinux_2_17_x86_64.whl",
  ]);
  assert.deepEqual(versions.passedOver("2.0", [""]), [
    { version: "2.3", reason: "is for other interpreters or systems" },
    { version: "2.2", reason: "is for other interpreters or systems" },
    { version: "2.1", reason: "is for other interpreters or systems" },
  ]);
});

test("admitted() takes pre-releases where one is named, or where there is nothing else", () => {
  const versions = versionsOf([
    release("a-1.0-py3-none-any.whl"),
    release("a-2.0rc1-py3-none-any.whl"),
    release("a-3.0.dev1-py3-none-any.whl"),
  ]);
  assert.deepEqual(chosen(versions, ""), ["a-1.0-py3-none-any.whl"]);
  assert.deepEqual(chosen(versions, ">=2.0rc1,<3"), ["a-2.0rc1-py3-none-any.whl"]);
  assert.deepEqual(chosen(versions, ">1.0,<2.5"), ["a-2.0rc1-py3-none-any.whl"]);
});

test("admitted() takes what was yanked only where it is named exactly", () => {
  const versions = versionsOf([
    release("a-1.0-py3-none-any.whl"),
    release("a-1.1-py3-none-any.whl", { yanked: "loses data" }),
  ]);
  assert.deepEqual(chosen(versions, ">=1.1"), []);
  assert.deepEqual(chosen(versions, "==1.1"), ["a-1.1-py3-none-any.whl"]);
  assert.deepEqual(versions.passedOver("1.0", [""]), [
    { version: "1.1", reason: "was yanked: loses data" },
  ]);
});

test("admitted() goes by what listing and metadata say of interpreters, where that can be read", () => {
  const manifest = (requiresPython: string) => ({
    manifest: { name: "a", version: "1.0", requires: [], extras: [], requiresPython },
  });
  const versions = versionsOf([
    release("a-1.0-py3-none-any.whl", { requiresPython: ">=3.6.*" }),
    release("a-1.1-py3-none-any.whl", { requiresPython: ">=3.9", ...manifest(">=3.12") }),
    release("a-1.2-py3-none-any.whl", manifest(">=3.12")),
    release("a-1.3-py3-none-any.whl", manifest("snake")),
  ]);
  assert.deepEqual(chosen(versions, ""), ["a-1.3-py3-none-any.whl", "a-1.0-py3-none-any.whl"]);
});

test("passedOver() tells why for each version, the highest first", () => {
  const versions = versionsOf([
    release("a-1.0-py3-none-any.whl"),
    release("a-1.1-py3-none-any.whl", { requiresPython: ">=3.12" }),
    release("a-1.2-py3-none-any.whl"),
    release("a-1.3b1-py3-none-any.whl"),
    release("a-1.4-py3-none-any.whl"),
    release("a-5_3_gabc-py3-none-any.whl"),
    release("a-2.0-py3-none-any.whl"),
  ], { "a-1.2-py3-none-any.whl": "refused: its digest is wrong" });
  assert.deepEqual(versions.passedOver("1.0", ["<2"]), [
    { version: "2.0", reason: "does not satisfy <2" },
    { version: "1.4", reason: "does not go with the other eggs" },
    { version: "1.3b1", reason: "is a pre-release" },
    { version: "1.2", reason: "refused: its digest is wrong" },
    { version: "1.1", reason: "needs Python >=3.12" },
  ]);
  assert.equal(versions.passedOver(null, ["<1"]).length, 7);
});
