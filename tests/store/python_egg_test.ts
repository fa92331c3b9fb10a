import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePythonFileName } from "../../lib/model/python_file.ts";
import { assemblePython } from "../../lib/store/python_closure.ts";
import { unpackPythonEgg } from "../../lib/store/python_egg.ts";
import type { PythonArchive } from "../fixtures/python_wheel.ts";
import { egg, metadataOf, recordLine, wheel, wheelFiles, zipOf } from "../fixtures/python_wheel.ts";
import { entry, gzip, tar } from "../fixtures/raw_tar.ts";
import { refusal } from "../fixtures/refusal.ts";

const LIMITS = { maxUnpackedBytes: 1024 ** 2 };

async function unpack({ name, bytes }: PythonArchive, project?: string) {
  const unpacked = await unpackPythonEgg(bytes, parsePythonFileName(name, project)!, LIMITS);
  const texts = new Map(
    unpacked.entries.map(({ path, bytes }) => [path, new TextDecoder().decode(bytes)]),
  );
  return { ...unpacked, texts };
}

const FOO = {
  name: "foo-bar",
  version: "1.0",
  files: {
    "foo_bar/__init__.py": "VERSION = 1\n",
    "foo_bar-1.0.data/purelib/pure.py": "",
    "foo_bar-1.0.data/scripts/foo-old": "#!python\nprint(1)\n",
    "foo_bar-1.0.data/scripts/foo-sh": "#!/bin/sh\necho 1\n",
    "foo_bar-1.0.data/headers/foo.h": "",
    "foo_bar-1.0.data/data/share/foo.txt": "",
  },
  requires: ["six>=1.9"],
  commands: { "foo-cmd": "foo_bar.app:App.main" },
};

test("unpackPythonEgg() lays a wheel out as an installer would", async () => {
  const { texts, manifest, commands, entries } = await unpack(wheel(FOO));
  assert.deepEqual([...texts.keys()].sort(), [
    "bin/foo-cmd",
    "bin/foo-old",
    "bin/foo-sh",
    "include/foo.h",
    "share/foo.txt",
    "site/foo_bar-1.0.dist-info/INSTALLER",
    "site/foo_bar-1.0.dist-info/METADATA",
    "site/foo_bar-1.0.dist-info/RECORD",
    "site/foo_bar-1.0.dist-info/WHEEL",
    "site/foo_bar-1.0.dist-info/entry_points.txt",
    "site/foo_bar/__init__.py",
    "site/pure.py",
  ]);
  assert.match(texts.get("bin/foo-old")!, /^#!\/usr\/bin\/env python3\nprint\(1\)/);
  assert.match(texts.get("bin/foo-sh")!, /^#!\/bin\/sh/);
  assert.match(texts.get("bin/foo-cmd")!, /import_module\("foo_bar\.app"\)/);
  assert.ok(entries.filter(({ path }) => path.startsWith("bin/")).every((it) => it.executable));
  assert.deepEqual(manifest.requires, ["six>=1.9"]);
  assert.deepEqual(Object.keys(commands), ["foo-cmd", "foo-old", "foo-sh"]);
});

test("unpackPythonEgg() gives an egg's EGG-INFO a name of its own", async () => {
  const { texts, manifest, commands } = await unpack(egg({ ...FOO, name: "hello" }));
  assert.ok(texts.has("site/hello-1.0.egg-info/PKG-INFO"));
  assert.ok(texts.has("site/foo_bar/__init__.py"));
  assert.deepEqual(manifest.requires, ["six>=1.9"]);
  assert.deepEqual(Object.keys(commands), ["foo-cmd"]);
});

const GOOD = wheelFiles(FOO);
const RECORD = "foo_bar-1.0.dist-info/RECORD";
const without = (path: string) =>
  Object.fromEntries(Object.entries(GOOD).filter(([name]) => name !== path));

const REFUSED: [what: string, files: Record<string, string>, code: string, ...words: string[]][] = [
  [
    "a file of other content",
    { ...GOOD, "foo_bar/__init__.py": "VERSION = 2\n" },
    "digest-mismatch",
    "foo_bar/__init__.py",
  ],
  [
    "a file that its RECORD does not name",
    { ...GOOD, "evil.py": "" },
    "archive-invalid",
    "evil.py",
    "RECORD does not name",
  ],
  ["a file too few", without("foo_bar/__init__.py"), "archive-invalid", "no foo_bar/__init__.py"],
  ["no RECORD", without(RECORD), "archive-invalid", "no foo_bar-1.0.dist-info/RECORD"],
  [
    "a weak digest",
    { ...GOOD, [RECORD]: GOOD[RECORD].replace(/sha256=[^,]*/, "md5=AAAA") },
    "archive-invalid",
    "no digest of",
  ],
  ["a RECORD that is none", { ...GOOD, [RECORD]: '"x' }, "archive-invalid", "names no file"],
  ["no METADATA", without("foo_bar-1.0.dist-info/METADATA"), "archive-invalid", "no METADATA"],
  ["no WHEEL", without("foo_bar-1.0.dist-info/WHEEL"), "archive-invalid", "no WHEEL"],
  [
    "two .dist-info folders",
    { ...GOOD, "other-1.0.dist-info/METADATA": "" },
    "archive-invalid",
    "2 .dist-info folders",
  ],
  [
    "a file in place of a folder of .data",
    wheelFiles({ ...FOO, files: { "foo_bar-1.0.data/scripts": "" } }),
    "archive-invalid",
    "foo_bar-1.0.data/scripts, wanted a folder",
  ],
];

for (const [what, files, code, ...words] of REFUSED) {
  test(`unpackPythonEgg() refuses a wheel with ${what}`, async () => {
    const archive = { name: wheel(FOO).name, bytes: zipOf(files) };
    await assert.rejects(unpack(archive), refusal(code as "archive-invalid", ...words));
  });
}

test("unpackPythonEgg() reads paths with commas and quotes in RECORD", async () => {
  const odd = "foo_bar/a,b.txt";
  const record = GOOD[RECORD] + recordLine(odd, "x").replace(odd, `"${odd}"`) + "\n";
  const { texts } = await unpack({
    name: wheel(FOO).name,
    bytes: zipOf({ ...GOOD, [odd]: "x", [RECORD]: record }),
  });
  assert.equal(texts.get(`site/${odd}`), "x");
});

test("unpackPythonEgg() refuses an archive of another project or version than its name says", async () => {
  const { bytes } = wheel(FOO);
  for (const name of ["foo_bar-1.1-py3-none-any.whl", "other-1.0-py3-none-any.whl"]) {
    await assert.rejects(
      unpack({ name, bytes }),
      refusal("archive-invalid", "the metadata of foo-bar 1.0"),
    );
  }
});

function sdist(files: Record<string, string>): PythonArchive {
  const entries = Object.entries(files)
    .map(([path, content]) => entry(`hello-1.0/${path}`, content));
  return { name: "hello-1.0.tar.gz", bytes: gzip(tar(...entries)) };
}

const SOURCE = {
  "PKG-INFO": metadataOf({ name: "hello", version: "1.0" }),
  "setup.py": "raise SystemExit('a setup.py was run')\n",
  "src/hello/__init__.py": "",
  "src/hello/data.txt": "",
  "src/hello.egg-info/PKG-INFO": metadataOf({ name: "hello", version: "1.0" }),
  "src/hello.egg-info/requires.txt": "six\n",
  "src/hello.egg-info/top_level.txt": "hello\n",
  "src/hello.egg-info/entry_points.txt": "[console_scripts]\nhello = hello:main\n",
  "tests/test_hello.py": "",
};

test("unpackPythonEgg() takes a source archive that needs no build step", async () => {
  const { texts, manifest, commands } = await unpack(sdist(SOURCE));
  assert.deepEqual([...texts.keys()].sort(), [
    "bin/hello",
    "site/hello-1.0.dist-info/INSTALLER",
    "site/hello-1.0.dist-info/METADATA",
    "site/hello-1.0.dist-info/entry_points.txt",
    "site/hello/__init__.py",
    "site/hello/data.txt",
  ]);
  assert.deepEqual(manifest.requires, ["six"]);
  assert.deepEqual(commands, { hello: "bin/hello" });
});

const NEEDS_BUILD: [what: string, files: Record<string, string>, found: string][] = [
  ["an extension module", { ...SOURCE, "src/hello/fast.c": "" }, "src/hello/fast.c"],
  ["no PKG-INFO", { "setup.py": "", "hello.py": "" }, "no PKG-INFO"],
  [
    "requirements that only its setup.py knows",
    { "PKG-INFO": SOURCE["PKG-INFO"], "setup.py": "", "hello.py": "" },
    "requirements in its setup.py",
  ],
  [
    "commands that only its pyproject.toml knows",
    {
      "PKG-INFO": SOURCE["PKG-INFO"],
      "pyproject.toml": "[project.scripts]\na='b:c'\n",
      "hello.py": "",
    },
    "commands in its pyproject.toml",
  ],
  [
    "two folders that its name could mean",
    { ...SOURCE, "hello/__init__.py": "" },
    "hello and src/hello",
  ],
  ["nothing to import", { "PKG-INFO": SOURCE["PKG-INFO"], "README": "" }, "no hello to import"],
];

for (const [what, files, found] of NEEDS_BUILD) {
  test(`unpackPythonEgg() refuses a source archive with ${what}`, async () => {
    await assert.rejects(unpack(sdist(files)), refusal("archive-invalid", found, "no build step"));
  });
}

test("assemblePython() gives a file that two eggs have to the later name, and says so", () => {
  const part = (project: string, path: string, text: string) => ({
    project,
    entries: [{ path, bytes: new TextEncoder().encode(text), executable: false }],
  });
  const { files, notes } = assemblePython([
    part("beta", "site/tests/__init__.py", "b"),
    part("alpha", "site/tests/__init__.py", "a"),
  ], ["alpha"]);
  assert.equal(new TextDecoder().decode(files.get("site/tests/__init__.py")!.bytes), "b");
  assert.deepEqual(notes, ["site/tests/__init__.py is that of beta, not that of alpha"]);
  assert.throws(
    () => assemblePython([part("a", "site/x.py", ""), part("b", "site/X.py", "")], []),
    refusal("archive-invalid", "site/X.py"),
  );
  for (const [file, inside] of [["site/x", "site/x/y/z.py"], ["site/X/y", "site/x/Y/z.py"]]) {
    for (const [one, other] of [[file, inside], [inside, file]]) {
      assert.throws(
        () => assemblePython([part("a", one, ""), part("b", other, "")], []),
        refusal("archive-invalid", file, inside),
      );
    }
  }
});
