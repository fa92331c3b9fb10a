import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { parseExecutableName } from "../../lib/model/executable.ts";
import { unpackExecutable } from "../../lib/store/executable_egg.ts";
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
