import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { PackageJson } from "../../lib/publisher/pack.ts";
import { packEntries, packFolder } from "../../lib/publisher/pack.ts";
import { readTarMembers } from "../../lib/store/tar_gate.ts";
import { readManifest, unpackTarball } from "../../lib/store/unpack.ts";
import { refusal } from "../fixtures/refusal.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

const LIMITS = { maxUnpackedBytes: 16 * 1024 ** 2 };
const HELLO: PackageJson = { name: "hello", version: "1.0.0" };

/** The paths of an archive, programs with a star. */
async function listing(archive: Uint8Array): Promise<string[]> {
  return (await unpackTarball(archive, LIMITS))
    .map(({ path, executable }) => executable ? `${path}*` : path);
}

function write(folder: string, files: Record<string, string>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

test("packEntries() packs what unpackTarball() gives back", async () => {
  const manifest = { name: "hello", version: "1.0.0", type: "module", dependencies: { ms: "^2" } };
  const { filename, archive } = await packEntries(manifest, {
    "index.js": "export {};",
    "assets/pixel.bin": new Uint8Array([0, 255]),
    "empty.txt": "",
  });
  assert.equal(filename, "hello-1.0.0.tgz");
  const entries = await unpackTarball(archive, LIMITS);
  const content = new Map(entries.map(({ path, bytes }) => [path, [...bytes]]));
  assert.deepEqual([...content.keys()], [
    "assets/pixel.bin",
    "empty.txt",
    "index.js",
    "package.json",
  ]);
  assert.deepEqual(content.get("assets/pixel.bin"), [0, 255]);
  const packageJson = entries.find(({ path }) => path === "package.json")!;
  assert.deepEqual(JSON.parse(new TextDecoder().decode(packageJson.bytes)), manifest);
  assert.deepEqual(readManifest(entries).dependencies, { ms: "^2" });
});

test("packEntries() puts everything into the folder package/", async () => {
  const { archive } = await packEntries(HELLO, { "a.js": "" });
  const members = readTarMembers(new Uint8Array(gunzipSync(archive)), { maxEntries: 10 });
  assert.deepEqual(members.map(({ path }) => path), ["package/a.js", "package/package.json"]);
});

test("packEntries() gives the same bytes whatever the order of the files", async () => {
  const one = await packEntries(HELLO, { "a.js": "a", "lib/b.js": "b" });
  const other = await packEntries(HELLO, { "lib/b.js": "b", "a.js": "a" });
  assert.deepEqual(one.archive, other.archive);
});

const FILE_NAMES: [name: string, version: string, filename: string][] = [
  ["hello", "1.0.0", "hello-1.0.0.tgz"],
  ["@scope/hello", "2.1.0-rc.1", "scope-hello-2.1.0-rc.1.tgz"],
  ["hello.js", "1.0.0+build.5", "hello.js-1.0.0+build.5.tgz"],
];

for (const [name, version, filename] of FILE_NAMES) {
  test(`packEntries() calls ${name} ${version} ${filename}`, async () => {
    assert.equal((await packEntries({ name, version }, {})).filename, filename);
  });
}

for (const bin of ["./bin/run.js", { run: "bin/run.js", other: "/bin/other.js" }]) {
  test(`packEntries() makes the files of bin ${JSON.stringify(bin)} programs`, async () => {
    const files = { "bin/run.js": "", "bin/other.js": "", "a.js": "" };
    const { archive } = await packEntries({ ...HELLO, bin }, files);
    const other = typeof bin === "string" ? "bin/other.js" : "bin/other.js*";
    assert.deepEqual(await listing(archive), ["a.js", other, "bin/run.js*", "package.json"]);
  });
}

test("packEntries() packs long and foreign names", async () => {
  const names = [
    `${"folder/".repeat(40)}index.js`,
    `${"ü".repeat(120)}.js`,
    "名前/[id] @+$.js",
    `${"a".repeat(150)}/${"b".repeat(150)}/c.js`,
  ];
  const { archive } = await packEntries(
    HELLO,
    Object.fromEntries(names.map((name) => [name, name])),
  );
  assert.deepEqual(await listing(archive), [...names, "package.json"].sort());
});

const UNPACKABLE: [path: string, code: "archive-invalid" | "path-escapes"][] = [
  ["../a.js", "path-escapes"],
  ["/a.js", "archive-invalid"],
  ["lib\\a.js", "path-escapes"],
  ["nul.js", "archive-invalid"],
  ["Package.json", "archive-invalid"],
  ["package.json/a.js", "archive-invalid"],
];

for (const [path, code] of UNPACKABLE) {
  test(`packEntries() refuses ${path}, which could not be unpacked`, async () => {
    await assert.rejects(packEntries(HELLO, { [path]: "" }), refusal(code, "package/"));
  });
}

const WRONG_MANIFESTS: [manifest: Record<string, unknown>, words: string][] = [
  [{ version: "1.0.0" }, "without a name"],
  [{ name: "hello" }, "without a version"],
  [{ name: "../hello", version: "1.0.0" }, '"../hello"'],
  [{ name: "hello", version: "1.0" }, '"1.0"'],
  [{ name: "hello", version: "v1.0.0" }, '"v1.0.0"'],
  [{ name: "hello", version: "1.0.0/../../a" }, '"1.0.0/../../a"'],
];

for (const [manifest, words] of WRONG_MANIFESTS) {
  test(`packEntries() refuses the manifest ${JSON.stringify(manifest)}`, async () => {
    await assert.rejects(
      packEntries(manifest as PackageJson, {}),
      refusal("archive-invalid", words),
    );
  });
}

test("packEntries() refuses a second package.json", async () => {
  await assert.rejects(
    packEntries(HELLO, { "package.json": "{}" }),
    refusal("archive-invalid", "package.json"),
  );
});

test("packFolder() packs all but node_modules, dot-files and archives where no files are named", async () => {
  using folder = temporaryFolder();
  const packageJson = '{ "name": "@scope/hello", "version": "1.2.3" }';
  write(folder.path, {
    "package.json": packageJson,
    "index.js": "export {};",
    "lib/run.js": "#!/usr/bin/env node",
    "node_modules/ms/index.js": "",
    ".git/config": "",
    ".env": "",
    "lib/.secret": "",
    "scope-hello-1.2.2.tgz": "",
  });
  const { filename, archive, manifest } = await packFolder(folder.path);
  assert.equal(filename, "scope-hello-1.2.3.tgz");
  assert.equal(manifest.name, "@scope/hello");
  assert.deepEqual(await listing(archive), ["index.js", "lib/run.js*", "package.json"]);
  const [, , kept] = await unpackTarball(archive, LIMITS);
  assert.equal(new TextDecoder().decode(kept.bytes), packageJson);
});

const NPM_RULES: [
  what: string,
  packageJson: Record<string, unknown>,
  files: Record<string, string>,
  packed: string[],
][] = [
  [
    "what files names, and what npm always packs",
    { files: ["dist", "!dist/*.map", "assets/.keep"], main: "main.js" },
    {
      "dist/a.js": "",
      "dist/a.js.map": "",
      "src/a.ts": "",
      "assets/.keep": "",
      "main.js": "",
      "README.md": "",
      "LICENSE": "",
      "package-lock.json": "",
    },
    ["LICENSE", "README.md", "assets/.keep", "dist/a.js", "main.js", "package.json"],
  ],
  [
    "nothing that .npmignore leaves out, and what .gitignore does where there is one",
    {},
    { ".npmignore": "*_test.js\n", ".gitignore": "dist\n", "a_test.js": "", "dist/a.js": "" },
    ["dist/a.js", "package.json"],
  ],
  [
    "nothing that .gitignore leaves out where there is no .npmignore",
    {},
    {
      ".gitignore": "tmp\n",
      "a.js": "",
      "tmp/b.js": "",
      "lib/.gitignore": "c.js\n",
      "lib/c.js": "",
    },
    ["a.js", "package.json"],
  ],
  [
    "bundled dependencies and theirs, no others",
    { bundleDependencies: ["ms"], dependencies: { ms: "^2", debug: "^4" } },
    {
      "a.js": "",
      "node_modules/ms/package.json":
        '{ "name": "ms", "dependencies": { "once": "1", "gone": "1" } }',
      "node_modules/ms/index.js": "",
      "node_modules/once/package.json": '{ "name": "once", "dependencies": { "ms": "2" } }',
      "node_modules/debug/package.json": '{ "name": "debug" }',
    },
    [
      "a.js",
      "node_modules/ms/index.js",
      "node_modules/ms/package.json",
      "node_modules/once/package.json",
      "package.json",
    ],
  ],
];

for (const [what, packageJson, files, packed] of NPM_RULES) {
  test(`packFolder() packs ${what}`, async () => {
    using folder = temporaryFolder();
    write(folder.path, { ...files, "package.json": JSON.stringify({ ...HELLO, ...packageJson }) });
    assert.deepEqual(await listing((await packFolder(folder.path)).archive), packed);
  });
}

test("packFolder() knows programs by their content, whatever the file system says", async () => {
  using folder = temporaryFolder();
  write(folder.path, { "package.json": JSON.stringify(HELLO), "a.js": "", "run": "#!/bin/sh\n" });
  writeFileSync(join(folder.path, "native"), new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2]));
  chmodSync(join(folder.path, "a.js"), 0o755);
  chmodSync(join(folder.path, "run"), 0o644);
  const { archive } = await packFolder(folder.path);
  assert.deepEqual(await listing(archive), ["a.js", "native*", "package.json", "run*"]);
});

test("packFolder() gives built files a package.json", async () => {
  using folder = temporaryFolder();
  write(folder.path, { "hello.js": "export {};", "data.txt": "", ".env": "" });
  const { filename, archive } = await packFolder(folder.path, { name: "hello", version: "1.0.0" });
  assert.equal(filename, "hello-1.0.0.tgz");
  const entries = await unpackTarball(archive, LIMITS);
  assert.deepEqual(entries.map(({ path }) => path), ["data.txt", "hello.js", "package.json"]);
  assert.deepEqual(JSON.parse(new TextDecoder().decode(entries[2].bytes)), {
    ...HELLO,
    type: "module",
    exports: "./hello.js",
  });
});

test("packFolder() wants to know the entry of several built files", async () => {
  using folder = temporaryFolder();
  write(folder.path, { "a.js": "", "b.js": "" });
  const built = { name: "hello", version: "1.0.0" };
  await assert.rejects(packFolder(folder.path, built), refusal("archive-invalid", "2 modules"));
  const { archive } = await packFolder(folder.path, { ...built, entry: "./b.js" });
  assert.deepEqual(await listing(archive), ["a.js", "b.js", "package.json"]);
  write(folder.path, { "index.js": "" });
  await packFolder(folder.path, built);
});

test("packFolder() refuses a name for a folder that has one", async () => {
  for (const name of ["package.json", "deno.json"]) {
    using folder = temporaryFolder();
    write(folder.path, { [name]: JSON.stringify(HELLO) });
    await assert.rejects(
      packFolder(folder.path, { name: "hello", version: "1.0.0" }),
      refusal("archive-invalid", "a name of its own"),
    );
  }
});

const ABSENT_ENTRIES: Record<string, unknown>[] = [
  { exports: "./dist/index.js" },
  { exports: { ".": { types: "./a.d.ts", default: "./b.js" } } },
  { exports: { import: "./b.js" } },
  { main: "./dist" },
];

for (const packageJson of ABSENT_ENTRIES) {
  test(`packFolder() refuses ${JSON.stringify(packageJson)} without that file`, async () => {
    using folder = temporaryFolder();
    write(folder.path, {
      "package.json": JSON.stringify({ ...HELLO, ...packageJson }),
      "a.js": "",
      "a.d.ts": "",
    });
    await assert.rejects(
      packFolder(folder.path),
      refusal("archive-invalid", "no file for its entry"),
    );
  });
}

for (
  const packageJson of [
    { exports: { "./sub": "./a.js" } },
    { main: "lib" },
    { exports: { ".": { require: "./a.js" } } },
    {},
  ]
) {
  test(`packFolder() packs ${JSON.stringify(packageJson)} when its files are there`, async () => {
    using folder = temporaryFolder();
    write(folder.path, {
      "package.json": JSON.stringify({ ...HELLO, ...packageJson }),
      "a.js": "",
      "lib/index.js": "",
    });
    await packFolder(folder.path);
  });
}

/** Of the egg below; another number here is another digest for everyone's eggs. */
const GOLDEN = "f5996beb44e153c9f68563e09f56a2063652402f7d4dce5a1c2a12bddb83526f";

test("packFolder() gives the same bytes on every machine", async () => {
  using folder = temporaryFolder();
  write(folder.path, {
    "package.json": '{ "name": "hello", "version": "1.0.0", "exports": "./index.js" }',
    "index.js": "export const greet = (name) => `Hi, ${name}!`;\n".repeat(100),
    "bin/run": "#!/bin/sh\n",
    "Zürich/ß.txt": "ü",
    "a/b.txt": "",
    "a.txt": "",
  });
  const { archive } = await packFolder(folder.path);
  assert.equal(createHash("sha256").update(archive).digest("hex"), GOLDEN);
});

test("packFolder() gives the same bytes for a copy of the folder", async () => {
  using one = temporaryFolder();
  using other = temporaryFolder();
  const files = { "package.json": JSON.stringify(HELLO), "b.js": "b", "a.js": "a" };
  write(one.path, files);
  write(other.path, Object.fromEntries(Object.entries(files).reverse()));
  assert.deepEqual(
    (await packFolder(one.path)).archive,
    (await packFolder(other.path)).archive,
  );
});

test("packFolder() refuses a link, naming it", async () => {
  using folder = temporaryFolder();
  write(folder.path, { "package.json": JSON.stringify(HELLO) });
  symlinkSync("/etc/hostname", join(folder.path, "hostname"));
  await assert.rejects(packFolder(folder.path), refusal("archive-invalid", "hostname"));
});

test("packFolder() refuses a folder without package.json, and one that is not there", async () => {
  using folder = temporaryFolder();
  await assert.rejects(packFolder(folder.path), refusal("archive-invalid", "no package.json"));
  const missing = join(folder.path, "missing");
  await assert.rejects(packFolder(missing), refusal("archive-invalid", missing));
});
