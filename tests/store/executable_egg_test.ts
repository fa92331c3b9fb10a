import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { parseExecutableName } from "../../lib/model/executable.ts";
import { unpackExecutable } from "../../lib/store/executable_egg.ts";
import { programWheel, wheelFiles, zipOf } from "../fixtures/python_wheel.ts";
import { refusal } from "../fixtures/refusal.ts";

const PROGRAM = new Uint8Array([0x7f, 0x45, 0x4c, 0x46, ...Array(1000).fill(7)]);
const LINUX = "mytool-1.2.3-x86_64-unknown-linux-gnu";
const unpack = (name: string, bytes: Uint8Array, maxBytes = 10_000) =>
  unpackExecutable(new Uint8Array(bytes), parseExecutableName(name)!, maxBytes);

for (
  const [ending, bytes] of [
    ["", PROGRAM],
    [".gz", gzipSync(PROGRAM)],
    [".zst", zstdCompressSync(PROGRAM)],
  ] as const
) {
  test(`unpackExecutable() lays a program out as a package with one command (${ending || "as it is"})`, async () => {
    const { entries, manifest } = await unpack(LINUX + ending, bytes);
    const [text, program] = entries;
    assert.deepEqual(JSON.parse(new TextDecoder().decode(text.bytes)).bin, { mytool: "mytool" });
    assert.deepEqual([program.path, program.executable], ["mytool", true]);
    assert.deepEqual(new Uint8Array(program.bytes), PROGRAM);
    assert.deepEqual([manifest.name, manifest.version], ["mytool", "1.2.3"]);
  });

  test(`unpackExecutable() refuses more bytes than are allowed (${ending || "as it is"})`, async () => {
    await assert.rejects(unpack(LINUX + ending, bytes, 500), refusal("archive-invalid"));
  });
}

test("unpackExecutable() refuses what is no program of its system", async () => {
  await assert.rejects(
    unpack(LINUX, new TextEncoder().encode("#!/bin/sh\n")),
    refusal("archive-invalid", "no program of x86_64-unknown-linux-gnu"),
  );
  await assert.rejects(
    unpack("mytool-1.2.3-x86_64-pc-windows-msvc.exe", PROGRAM),
    refusal("archive-invalid"),
  );
  await assert.rejects(unpack(`${LINUX}.gz`, PROGRAM), refusal("archive-invalid", "damaged"));
});

const IN_WHEEL = { ...parseExecutableName(LINUX)!, packing: "whl" as const };
const unpackWheel = ({ bytes }: { bytes: Uint8Array }, maxBytes = 10_000) =>
  unpackExecutable(bytes, IN_WHEEL, maxBytes);

test("unpackExecutable() takes the program among the scripts of a wheel, and that alone", async () => {
  const { entries, manifest } = await unpackWheel(programWheel("1.2.3", PROGRAM));
  assert.deepEqual(entries.map(({ path }) => path), ["package.json", "mytool"]);
  assert.ok(entries[1].executable, "whatever mode the wheel gives it");
  assert.deepEqual(new Uint8Array(entries[1].bytes), PROGRAM);
  assert.deepEqual([manifest.name, manifest.version, manifest.libc], ["mytool", "1.2.3", [
    "glibc",
  ]]);
});

test("unpackExecutable() takes a program's name from the target: .exe on Windows", async () => {
  const target = "x86_64-pc-windows-msvc";
  const program = new Uint8Array([0x4d, 0x5a, 1, 2, 3]);
  const files = { "mytool-1.2.3.data/scripts/mytool.exe": program };
  const { bytes } = programWheel("1.2.3", "", { files, tag: "py3-none-win_amd64" });
  const file = { ...IN_WHEEL, target, program: "mytool.exe" };
  const { entries } = await unpackExecutable(bytes, file, 10_000);
  assert.equal(entries[1].path, "mytool.exe");
});

test("unpackExecutable() refuses a wheel without the program, and one whose script is none", async () => {
  await assert.rejects(
    unpackWheel(programWheel("1.2.3", "", { files: { "mytool.py": "" } })),
    refusal("archive-invalid", "no program mytool among the scripts of the wheel"),
  );
  await assert.rejects(
    unpackWheel(programWheel("1.2.3", "#!python\nprint('mytool 1.2.3')\n")),
    refusal("archive-invalid", "no program of x86_64-unknown-linux-gnu"),
  );
});

test("unpackExecutable() proves a wheel as every wheel is proven", async () => {
  await assert.rejects(
    unpackWheel(programWheel("1.2.4", PROGRAM)),
    refusal("archive-invalid", "found the metadata of mytool 1.2.4, wanted mytool 1.2.3"),
  );
  await assert.rejects(
    unpackWheel(programWheel("1.2.3", PROGRAM), 500),
    refusal("archive-invalid"),
  );
  await assert.rejects(unpackWheel({ bytes: PROGRAM }), refusal("archive-invalid"));
  const script = "mytool-1.2.3.data/scripts/mytool";
  const files = wheelFiles({ name: "mytool", version: "1.2.3", files: { [script]: PROGRAM } });
  const altered = PROGRAM.slice().fill(8, 100);
  await assert.rejects(
    unpackWheel({ bytes: zipOf({ ...files, [script]: altered }) }),
    refusal("digest-mismatch", script, "as in its RECORD"),
  );
});
