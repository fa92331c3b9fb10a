/** What real interpreters say about themselves, against Python's own library for tags. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { storePaths } from "../../lib/store/cache.ts";
import { prepareStore } from "../../lib/store/files.ts";
import { findInterpreter } from "../../lib/store/interpreters.ts";
import { askPackaging, packagingIsMissing } from "../fixtures/packaging.ts";
import { refusal } from "../fixtures/refusal.ts";
import { outputOf } from "../fixtures/running_program.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

const PRINTED =
  "import sys, packaging.tags as t; print(sys.executable); print(*t.sys_tags(), sep='\\n')";

function store(folder: string) {
  const paths = storePaths(`${folder}/store`, "app");
  prepareStore(paths);
  return paths;
}

const title = "findInterpreter() knows the tags that Python's own library has, in its order";

test(title, { skip: packagingIsMissing(title) }, async () => {
  using folder = temporaryFolder();
  const printed = await askPackaging(PRINTED);
  const [python, ...tags] = printed.trim().split("\n");
  const interpreter = await findInterpreter(store(folder.path), { python });
  assert.equal(interpreter.path, python);
  assert.deepEqual(interpreter.tags, tags);
});

test("findInterpreter() asks an interpreter once, and again when it is another", async () => {
  using folder = temporaryFolder();
  const paths = store(folder.path);
  const python = (await outputOf("python3", ["-c", "import sys; print(sys.executable)"])).trim();
  // A wrapper that counts how often it is run, and is the interpreter as far as it says.
  const wrapper = `${folder.path}/python`;
  const write = () => {
    Deno.writeTextFileSync(
      wrapper,
      `#!/bin/sh\necho >> ${folder.path}/count\n` +
        `${python} "$@" | sed 's#"path": "[^"]*"#"path": "${wrapper}"#'\n`,
    );
    Deno.chmodSync(wrapper, 0o755);
  };
  const count = () => Deno.readTextFileSync(`${folder.path}/count`).length;
  write();
  for (let time = 0; time < 3; time++) await findInterpreter(paths, { python: wrapper });
  assert.equal(count(), 1);
  write();
  Deno.utimeSync(wrapper, 1, 1);
  await findInterpreter(paths, { python: wrapper });
  assert.equal(count(), 2);
});

test("findInterpreter() asks again when what its links lead to is another program", async () => {
  using folder = temporaryFolder();
  const paths = store(folder.path);
  const python = (await outputOf("python3", ["-c", "import sys; print(sys.executable)"])).trim();
  const [program, link] = [`${folder.path}/program`, `${folder.path}/python`];
  const write = (version: string) => {
    Deno.writeTextFileSync(
      program,
      `#!/bin/sh\n${python} "$@" | ` +
        `sed 's#"path": "[^"]*"#"path": "${link}"#; ` +
        `s#"python_full_version": "[^"]*"#"python_full_version": "${version}"#'\n`,
    );
    Deno.chmodSync(program, 0o755);
  };
  write("3.70.1");
  Deno.symlinkSync("program", `${folder.path}/python3`);
  Deno.symlinkSync("python3", link);
  assert.equal((await findInterpreter(paths, { python: link })).version, "3.70.1");
  write("3.70.22");
  assert.equal((await findInterpreter(paths, { python: link })).version, "3.70.22");
});

test("findInterpreter() runs nothing of the working folder", async () => {
  using folder = temporaryFolder();
  const paths = store(folder.path);
  const python = (await outputOf("python3", ["-c", "import sys; print(sys.executable)"])).trim();
  for (const name of ["json", "os", "platform", "struct", "sysconfig"]) {
    Deno.writeTextFileSync(`${folder.path}/${name}.py`, "raise SystemExit('it was run')\n");
  }
  const before = Deno.cwd();
  Deno.chdir(folder.path);
  try {
    assert.match((await findInterpreter(paths, { python })).version, /^3\./);
  } finally {
    Deno.chdir(before);
  }
});

test("findInterpreter() says what it found where nothing fits", async () => {
  using folder = temporaryFolder();
  const paths = store(folder.path);
  await assert.rejects(
    findInterpreter(paths, { python: "python3", requiresPython: [">=99"] }),
    refusal("interpreter-missing", "wanted >=99"),
  );
  await assert.rejects(
    findInterpreter(paths, { python: "/nowhere/python" }),
    refusal("interpreter-missing", "/nowhere/python"),
  );
});
