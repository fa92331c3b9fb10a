/** Folders that hold eggs of both worlds and executables, behind a web server. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { writeFolderIndex } from "../../lib/sources/folder_index.ts";
import { httpFolder } from "../../lib/sources/http.ts";
import { helloWheel, metadataOf } from "../fixtures/python_wheel.ts";
import { contextOf } from "../fixtures/source_context.ts";
import type { WebFolder } from "../fixtures/web_folder.ts";
import { plainPage, sha256, startWebFolder } from "../fixtures/web_folder.ts";

const EXECUTABLE = "hello-3.0.0-x86_64-unknown-linux-gnu";
const METADATA = metadataOf({ name: "hello", version: "1.0" });
const WHEEL = helloWheel("1.0");

async function fill(folder: WebFolder): Promise<void> {
  folder.put(WHEEL.name, WHEEL.bytes);
  folder.put(`${WHEEL.name}.metadata`, METADATA);
  folder.put(EXECUTABLE, new Uint8Array([0x7f, 0x45, 0x4c, 0x46]));
  folder.put(`${EXECUTABLE}.sha256`, `${sha256(new Uint8Array([0x7f, 0x45, 0x4c, 0x46]))}\n`);
  await folder.publish({ name: "hello", version: "2.0.0" }, { "index.js": "" });
}

const indexed = (folder: WebFolder) =>
  folder.put(
    "index.json",
    writeFolderIndex(
      [...folder.files].filter(([name]) => !name.endsWith(".sha256"))
        .map(([name, { body }]) => ({ name, sizeBytes: body.length, sha256: sha256(body) })),
    ),
  );

for (const kind of ["an index", "a page"]) {
  test(`httpFolder() keeps the worlds of one folder apart (${kind})`, async () => {
    await using folder = await startWebFolder(kind === "a page" ? { page: plainPage } : {});
    await fill(folder);
    if (kind === "an index") indexed(folder);
    const source = httpFolder(folder.url);
    const context = contextOf();
    assert.deepEqual(source.ecosystems, ["js", "python"]);

    const js = (await source.list("hello", context)).listing.releases;
    assert.deepEqual(js.map(({ version }) => version).sort(), ["2.0.0", "3.0.0"]);
    const executable = js.find(({ version }) => version === "3.0.0")!;
    assert.deepEqual([executable.executable?.program, executable.manifest?.os], [
      "hello",
      ["linux"],
    ]);

    const python = (await source.list("hello", context, "python")).listing.releases;
    assert.deepEqual(python.map(({ version }) => version), ["1.0"]);
    assert.equal(python[0].artifact.digests.length, kind === "an index" ? 1 : 0);
    assert.equal(
      new TextDecoder().decode(await source.pythonMetadata!(python[0], context)),
      METADATA,
    );
  });
}
