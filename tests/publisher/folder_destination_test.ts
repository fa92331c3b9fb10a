import assert from "node:assert/strict";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { folderDestination } from "../../lib/publisher/folder_destination.ts";
import { openDestination } from "../../lib/publisher/open_destination.ts";
import { refusal } from "../fixtures/refusal.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("folderDestination() writes, replaces, lists and removes", async () => {
  using folder = temporaryFolder();
  const destination = folderDestination(join(folder.path, "new"));
  assert.equal(await destination.read("a/b.json", 10), null);
  assert.deepEqual(await destination.list("a"), []);
  assert.ok(await destination.writeIfAbsent("a/b.json", bytes("one")));
  assert.ok(!await destination.writeIfAbsent("a/b.json", bytes("two")));
  assert.deepEqual(await destination.read("a/b.json", 10), bytes("one"));
  await destination.write("a/b.json", bytes("two"), "changing");
  assert.deepEqual(await destination.read("a/b.json", 10), bytes("two"));
  await destination.writeIfAbsent("a/c/d.json", bytes("below"));
  writeFileSync(join(folder.path, "new/a/e.json.1234.tmp"), "left by a crash");
  assert.deepEqual(await destination.list("a"), ["b.json"]);
  await destination.remove("a/b.json");
  await destination.remove("a/b.json");
  assert.equal(await destination.read("a/b.json", 10), null);
});

test("folderDestination() leaves nothing behind, and files that web servers can read", async () => {
  using folder = temporaryFolder();
  const destination = folderDestination(folder.path);
  await destination.writeIfAbsent("a.json", bytes("one"));
  await destination.writeIfAbsent("a.json", bytes("two"));
  await destination.write("b.json", bytes("three"), "changing");
  assert.deepEqual(readdirSync(folder.path).sort(), ["a.json", "b.json"]);
  for (const name of ["a.json", "b.json"]) {
    assert.equal(statSync(join(folder.path, name)).mode & 0o444, 0o444);
  }
});

test("folderDestination() lets one of many have a name", async () => {
  using folder = temporaryFolder();
  const destination = folderDestination(folder.path);
  const texts = Array.from({ length: 20 }, (_, index) => `writer ${index}`);
  const won = await Promise.all(
    texts.map((text) => destination.writeIfAbsent("claim.json", bytes(text))),
  );
  const winner = texts[won.indexOf(true)];
  assert.equal(won.filter((has) => has).length, 1);
  assert.deepEqual(await destination.read("claim.json", 100), bytes(winner));
});

test("folderDestination() says what it could not write", async () => {
  using folder = temporaryFolder();
  mkdirSync(join(folder.path, "a.json"));
  const destination = folderDestination(folder.path);
  await assert.rejects(
    destination.write("a.json", bytes("one"), "changing"),
    refusal("disk-failure", "a.json"),
  );
  assert.ok(!await destination.writeIfAbsent("a.json", bytes("one")));
});

test("openDestination() knows folders and buckets, and no other scheme", async () => {
  using folder = temporaryFolder();
  assert.equal((await openDestination(folder.path)).id, folder.path);
  assert.equal((await openDestination(`file://${folder.path}`)).id, folder.path);
  assert.equal((await openDestination("s3://eggs/stable")).id, "s3://eggs/stable/");
  for (const address of ["https://eggs.example/", "npm:"]) {
    await assert.rejects(openDestination(address), refusal("source-scheme-unknown", address));
  }
});
