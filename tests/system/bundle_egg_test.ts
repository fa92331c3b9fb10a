/** `pack --bundle`: eggs of one module, made by the bundlers that an author has. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { packBundle } from "../../lib/publisher/bundle_egg.ts";
import { readManifest, unpackTarball } from "../../lib/store/unpack.ts";
import { refusal } from "../fixtures/refusal.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

/** A package of two modules and a dependency. */
function source(folder: string): void {
  const write = (path: string, text: string) => {
    Deno.mkdirSync(`${folder}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeTextFileSync(`${folder}/${path}`, text);
  };
  write(
    "package.json",
    JSON.stringify({
      ...{ name: "hello", version: "1.0.0", type: "module", license: "MIT" },
      ...{ exports: { ".": { import: "./src/index.js" } }, dependencies: { dep: "^1" } },
    }),
  );
  write(
    "src/index.js",
    `import { name } from "dep";\nexport * from "./other.js";\nexport { name };\n`,
  );
  write("src/other.js", "export const other = 2;\n");
  write(
    "node_modules/dep/package.json",
    JSON.stringify({ name: "dep", version: "1.0.0", type: "module", exports: "./dep.js" }),
  );
  write("node_modules/dep/dep.js", `export const name = "dep";\n`);
}

test("packBundle() makes one module of a folder and of what it depends on", async () => {
  using folder = temporaryFolder();
  source(folder.path);
  const { filename, archive } = await packBundle(folder.path);
  assert.equal(filename, "hello-1.0.0.tgz");
  const entries = await unpackTarball(archive, { maxUnpackedBytes: 1024 ** 2 });
  assert.deepEqual(entries.map(({ path }) => path).sort(), ["index.js", "package.json"]);
  assert.equal(readManifest(entries).dependencies, undefined);
  const module = `${folder.path}/bundled.mjs`;
  Deno.writeFileSync(module, entries.find(({ path }) => path === "index.js")!.bytes);
  const { name, other } = await import(`file://${module}`);
  assert.deepEqual([name, other], ["dep", 2]);
  const left = [...Deno.readDirSync(folder.path)].map((it) => it.name).sort();
  assert.deepEqual(left, ["bundled.mjs", "node_modules", "package.json", "src"]);
});

test("packBundle() refuses a folder without a name, or without an entry", async () => {
  using folder = temporaryFolder();
  await assert.rejects(packBundle(folder.path), refusal("archive-invalid", "no name and version"));
  await assert.rejects(
    packBundle(folder.path, { name: "hello", version: "1.0.0" }),
    refusal("archive-invalid", "index.js to begin with"),
  );
});
