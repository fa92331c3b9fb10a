/** Python eggs from folders: updated, run, gone back from, in every runtime, with a real Python. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Application, RuntimeName } from "../fixtures/application.ts";
import { application, helloEgg, moduleUrl } from "../fixtures/application.ts";
import type { PythonArchive } from "../fixtures/python_wheel.ts";
import { egg, helloWheel, wheel } from "../fixtures/python_wheel.ts";
import type { ProgramEnd } from "../fixtures/running_program.ts";
import { outputOf, told } from "../fixtures/running_program.ts";

const PYTHON = (await outputOf("python3", ["-c", "import sys; print(sys.executable)"])).trim();
const VERSION =
  (await outputOf(PYTHON, ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]))
    .trim();

function put(here: Application, ...archives: PythonArchive[]): void {
  for (const { name, bytes } of archives) {
    Deno.writeFileSync(`${here.folder}/${name}`, bytes);
    Deno.renameSync(`${here.folder}/${name}`, `${here.dist}/${name}`);
  }
}

/** A program that requires what its first argument says, updates, and runs the rest. */
async function launcher(here: Application): Promise<void> {
  for (const runtime of ["deno", "node24"] as const) {
    Deno.writeTextFileSync(
      here.path(runtime, "launcher"),
      `import { Transmute } from "${await moduleUrl(runtime)}";
      const [requirements, command, ...args] =
        "Deno" in globalThis ? Deno.args : process.argv.slice(2);
      const app = new Transmute({ app: "app", sources: [${
        JSON.stringify(here.dist)
      }], log: "warn" });
      app.require(requirements.split(" "));
      const report = await app.update();
      if (command === undefined) console.log(JSON.stringify(report));
      else {
        const { code } = await app.spawn(command, args);
        ("Deno" in globalThis ? Deno.exit : process.exit)(code);
      }
      `,
    );
  }
}

function launch(here: Application, runtime: RuntimeName, ...args: string[]): Promise<ProgramEnd> {
  return here.run(runtime, "launcher", args, { env: { TRANSMUTE_PYTHON: PYTHON } });
}

async function printed(here: Application, runtime: RuntimeName, ...args: string[]) {
  const end = await launch(here, runtime, ...args);
  assert.equal(end.code, 0, told(end));
  return end.stdout.trim();
}

const greeting = (version: string) => `Hi, test! -- from version ${version} of hello`;

for (const runtime of ["deno", "node22", "node24", "node26", "bun"] as const) {
  test(`spawn() runs a Python egg's command, and its newer version after an update (${runtime})`, async () => {
    using here = application();
    await launcher(here);
    put(here, helloWheel("0"));
    assert.equal(await printed(here, runtime, "python:hello", "hello", "test"), greeting("0"));
    put(here, helloWheel("2.1"));
    assert.equal(await printed(here, runtime, "python:hello", "hello", "test"), greeting("2.1"));
    // The folder is gone: what is there still runs.
    Deno.removeSync(here.dist, { recursive: true });
    assert.equal(await printed(here, runtime, "python:hello", "hello", "test"), greeting("2.1"));
  });
}

for (const runtime of ["deno", "node24", "bun"] as const) {
  test(`spawn() passes arguments, exit codes and the environment (${runtime})`, async () => {
    using here = application();
    await launcher(here);
    put(here, helloWheel("1.0"));
    const end = await launch(here, runtime, "hello~=1.0", "hello", "a b", "7");
    assert.deepEqual([end.code, end.stdout.trim()], [
      7,
      "Hi, a b! -- from version 1.0 of hello",
    ]);
    const code =
      "import hello, importlib.metadata as m; print(hello.greet('you'), m.version('hello'))";
    assert.equal(
      await printed(here, runtime, "hello~=1.0", "python3", "-c", code),
      "Hi, you! -- from version 1.0 of hello 1.0",
    );
    const missing = await launch(here, runtime, "hello~=1.0", "nosuch");
    assert.notEqual(missing.code, 0);
    assert.match(missing.stderr, /Cannot run nosuch/);
  });

  test(`update() takes a Python egg's dependencies, extras and markers (${runtime})`, async () => {
    using here = application();
    await launcher(here);
    const needs = ["dep>=1", "tls; extra == 'tls'", "win; sys_platform == 'win32'"];
    put(
      here,
      helloWheel("1.0", { requires: needs, extras: ["tls"] }),
      wheel({ name: "dep", version: "1.5", files: { "dep.py": "" } }),
      wheel({ name: "dep", version: "2.0b1", files: { "dep.py": "" } }),
      egg({ name: "tls", version: "0.1", files: { "tls.py": "" } }, VERSION),
    );
    const code = "import importlib.metadata as m; " +
      "print(sorted(d.name + ' ' + d.version for d in m.distributions() if 'site' in str(d._path) " +
      "and 'sha256' in str(d._path)))";
    assert.equal(
      await printed(here, runtime, "hello[tls]", "python3", "-c", code),
      "['dep 1.5', 'hello 1.0', 'tls 0.1']",
    );
  });
}

test("update() goes back from a Python egg whose command cannot be imported", async () => {
  using here = application();
  await launcher(here);
  put(here, helloWheel("1.0"));
  assert.equal(await printed(here, "deno", "python:hello", "hello", "test"), greeting("1.0"));
  put(here, helloWheel("2.0", { files: { "hello.py": "raise ImportError('broken')\n" } }));
  for (let start = 0; start < 3; start++) {
    const end = await launch(here, "deno", "python:hello", "hello", "test");
    assert.equal(end.code, 1, told(end));
    assert.match(end.stderr, /ImportError: broken/);
  }
  assert.equal(await printed(here, "deno", "python:hello", "hello", "test"), greeting("1.0"));
});

test("a signal from outside counts nothing against a Python egg, though it has not started", async () => {
  using here = application();
  await launcher(here);
  put(here, helloWheel("1.0"));
  assert.equal(await printed(here, "deno", "python:hello", "hello", "test"), greeting("1.0"));
  const killed = "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n";
  put(here, helloWheel("2.0", { files: { "hello.py": killed } }));
  for (let start = 0; start < 4; start++) {
    const end = await launch(here, "deno", "python:hello", "hello", "test");
    assert.equal(end.code, 128 + 15, told(end));
  }
});

test("a Python egg that crashes while it is imported is gone back from", async () => {
  using here = application();
  await launcher(here);
  put(here, helloWheel("1.0"));
  const hello = ["python:hello", "hello", "test"];
  assert.equal(await printed(here, "deno", ...hello), greeting("1.0"));
  const crash = "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n";
  put(here, helloWheel("2.0", { files: { "hello.py": crash } }));
  for (let start = 0; start < 3; start++) {
    assert.equal((await launch(here, "deno", ...hello)).code, 139);
  }
  assert.equal(await printed(here, "deno", ...hello), greeting("1.0"));
});

test("an exit code of its own counts nothing against a Python egg", async () => {
  using here = application();
  await launcher(here);
  put(here, helloWheel("1.0"));
  assert.equal(await printed(here, "deno", "python:hello", "hello", "test"), greeting("1.0"));
  put(here, helloWheel("2.0"));
  for (let start = 0; start < 5; start++) {
    const end = await launch(here, "deno", "python:hello", "hello", "test", "3");
    assert.deepEqual([end.code, end.stdout.trim()], [3, greeting("2.0")]);
  }
});

test("update() refuses a wheel that is not what its RECORD says, and runs the one before", async () => {
  using here = application();
  await launcher(here);
  put(here, helloWheel("1.0"));
  assert.equal(await printed(here, "deno", "python:hello", "hello", "test"), greeting("1.0"));
  const { name, bytes } = helloWheel("2.0");
  bytes[60] ^= 1;
  put(here, { name, bytes });
  const end = await launch(here, "deno", "python:hello", "hello", "test");
  assert.deepEqual([end.code, end.stdout.trim()], [0, greeting("1.0")], told(end));
  assert.match(end.stderr, /refused .*hello@2\.0/);
});

test("update() takes no egg of a folder whose metadata wants another Python, and says why", async () => {
  using here = application();
  await launcher(here);
  put(
    here,
    helloWheel("1.0", { requiresPython: ">=3.6.*" }),
    helloWheel("2.0", { requiresPython: ">=99" }),
  );
  const report = JSON.parse(await printed(here, "deno", "python:hello"));
  assert.deepEqual(report.eggs.map(({ version }: { version: string }) => version), ["1.0"]);
  const end = await launch(here, "deno", "python:hello>=2");
  assert.notEqual(end.code, 0);
  assert.match(end.stderr, /found 2\.0 needs Python >=99/);
});

test("update() tells which Python eggs exclude each other", async () => {
  using here = application();
  await launcher(here);
  put(
    here,
    wheel({ name: "one", version: "1", requires: ["dep>=2"] }),
    wheel({ name: "other", version: "1", requires: ["dep<2"] }),
    wheel({ name: "dep", version: "1" }),
    wheel({ name: "dep", version: "2" }),
  );
  const end = await launch(here, "deno", "python:one python:other");
  assert.notEqual(end.code, 0);
  assert.match(end.stderr, /Cannot find a version of dep: one@1 wants >=2, and other@1 wants <2/);
});

test("update() asks which is meant when both worlds have a project", async () => {
  using here = application();
  await launcher(here);
  put(here, helloWheel("1.0"));
  await here.publish(helloEgg("1.0.0"));
  const end = await launch(here, "deno", "hello");
  assert.match(end.stderr, /Cannot tell which "hello" is meant/);
  const { eggs } = JSON.parse(await printed(here, "deno", "python:hello js:hello"));
  assert.deepEqual(eggs.map(({ project }: { project: string }) => project).sort(), [
    "hello",
    "python:hello",
  ]);
});

test("a bare name means the world that has the project, and stays with it", async () => {
  using here = application();
  await launcher(here);
  put(here, helloWheel("1.0"));
  assert.equal(await printed(here, "deno", "hello", "hello", "test"), greeting("1.0"));
  await here.publish(helloEgg("9.0.0"));
  put(here, helloWheel("1.1"));
  assert.equal(await printed(here, "deno", "hello", "hello", "test"), greeting("1.1"));
});

test("eggs on PYTHONPATH hold their project", async () => {
  using here = application();
  await launcher(here);
  const held = helloWheel("0.5");
  Deno.mkdirSync(`${here.folder}/held`);
  Deno.writeFileSync(`${here.folder}/held/${held.name}`, held.bytes);
  put(here, helloWheel("1.0"), wheel({ name: "app", version: "1", requires: ["hello<1"] }));
  const end = await here.run("deno", "launcher", [
    "python:app",
    "python3",
    "-c",
    "import hello; print(hello.__version__)",
  ], {
    env: { TRANSMUTE_PYTHON: PYTHON, PYTHONPATH: `${here.folder}/held/${held.name}` },
  });
  assert.deepEqual([end.code, end.stdout.trim()], [0, "0.5"], told(end));
});

/** A program that runs the tests' Python, and says that it is of another minor version. */
function pretender(path: string, minor: number): void {
  const own = VERSION.split(".")[1];
  const says = [
    `s#"path": "[^"]*"#"path": "${path}"#`,
    `s#"minor": ${own},#"minor": ${minor},#`,
    `s#"python_version": "[^"]*"#"python_version": "3.${minor}"#`,
    `s#"python_full_version": "[^"]*"#"python_full_version": "3.${minor}.1"#`,
  ];
  Deno.writeTextFileSync(path, `#!/bin/sh\n${PYTHON} "$@" | sed '${says.join("; ")}'\n`);
  Deno.chmodSync(path, 0o755);
}

const CHANGES = {
  "another is chosen": (one: string) => {
    const other = one.replace(/one$/, "other");
    pretender(other, 71);
    return other;
  },
  "it is replaced": (one: string) => {
    Deno.removeSync(one);
    pretender(one, 71);
    Deno.utimeSync(one, 1, 1);
    return one;
  },
};

for (const runtime of ["deno", "node24", "bun"] as const) {
  for (const [how, change] of Object.entries(CHANGES)) {
    test(`update() takes the eggs of another Python when ${how} (${runtime})`, async () => {
      using here = application();
      await launcher(here);
      for (const minor of [70, 71]) {
        const tag = `cp3${minor}-none-any`;
        const files = { "hello.py": `built_for = "3.${minor}"\n` };
        put(here, wheel({ name: "hello", version: "1.0", tag, files }));
      }
      const run = async (python: string, ...args: string[]) => {
        const env = { TRANSMUTE_PYTHON: python };
        const end = await here.run(runtime, "launcher", ["python:hello", ...args], { env });
        assert.equal(end.code, 0, told(end));
        return end.stdout.trim();
      };
      const ask = ["python3", "-c", "import hello; print(hello.built_for)"];
      const one = `${here.folder}/one`;
      pretender(one, 70);
      assert.equal(await run(one, ...ask), "3.70");
      const other = change(one);
      assert.equal(await run(other, ...ask), "3.71");
      // Compared once, and then not at every start.
      assert.equal(JSON.parse(await run(other)).reason, "not-due");
    });
  }
}

test("without a network, what was chosen for another Python still starts", async () => {
  using here = application();
  await launcher(here);
  put(here, helloWheel("1.0"));
  const [one, other] = [`${here.folder}/one`, `${here.folder}/other`];
  pretender(one, 70);
  pretender(other, 71);
  const run = (python: string) =>
    here.run("deno", "launcher", ["python:hello", "hello", "test"], {
      env: { TRANSMUTE_PYTHON: python },
    });
  await run(one);
  Deno.removeSync(here.dist, { recursive: true });
  for (let start = 0; start < 2; start++) {
    const end = await run(other);
    assert.deepEqual([end.code, end.stdout.trim()], [0, greeting("1.0")], told(end));
  }
});

/** The folder of the one closure. */
function closureOf(here: Application): string {
  const closures = `${here.store}/eggs-v1/sha256`;
  return `${closures}/${
    [...Deno.readDirSync(closures)].map(({ name }) => name).find((it) => !it.endsWith(".json"))
  }`;
}

test("what Python compiles is never written into a closure, and its own library's once", async () => {
  using here = application();
  await launcher(here);
  put(here, helloWheel("1.0"));
  const env = { PYTHONDONTWRITEBYTECODE: "", TRANSMUTE_PYTHON: PYTHON };
  const start = async () => {
    const end = await here.run("deno", "launcher", ["python:hello", "hello", "test"], { env });
    assert.equal(end.code, 0, told(end));
  };
  await start();
  const compiled = `${here.store}/pycache-v1`;
  const closure = closureOf(here);
  assert.deepEqual([...Deno.readDirSync(`${compiled}${closure}/site`)].length, 1);
  const library = (await outputOf(PYTHON, ["-c", "import os; print(os.__file__)"])).trim();
  const before = Deno.statSync(`${compiled}${library.replace(/\/os\.py$/, "")}`).mtime;
  put(here, helloWheel("1.1"));
  await start();
  assert.deepEqual(
    Deno.statSync(`${compiled}${library.replace(/\/os\.py$/, "")}`).mtime,
    before,
    "compiled again",
  );
  // Whoever has its command on PATH, and nothing else.
  const direct = { env: { PYTHONDONTWRITEBYTECODE: "" } };
  await outputOf(`${closure}/bin/hello`, ["test"], direct);
  await outputOf(PYTHON, [`${closure}/bin/hello`, "test"], direct);
  await here.program("verifying", `console.log(JSON.stringify(await app.verifyStore()));`);
  assert.deepEqual(JSON.parse((await here.lines("deno", "verifying"))[0]).problems, []);
});

test("import() of a Python egg tells how it is run", async () => {
  using here = application();
  put(here, helloWheel("1.0"));
  await here.program(
    "importing",
    `await app.update();
    for (const name of ["hello", "python:hello", "hello/sub"]) {
      await app.import(name).catch(({ code, hint }) => console.log(code, hint));
    }`,
  );
  const hint = 'entry-missing spawn("hello") runs its command';
  assert.deepEqual(
    await here.lines("deno", "importing", [], { env: { TRANSMUTE_PYTHON: PYTHON } }),
    [hint, hint, hint],
  );
});

test("verify finds a changed file of a Python egg, and mends it from its archive", async () => {
  using here = application();
  await launcher(here);
  put(here, helloWheel("1.0"));
  await printed(here, "deno", "python:hello", "hello", "test");
  const closure = closureOf(here);
  const record = Deno.readTextFileSync(`${closure}.json`);
  const path = `${closure}/site/hello.py`;
  const text = Deno.readTextFileSync(path);
  Deno.chmodSync(path, 0o600);
  Deno.writeTextFileSync(path, `${text}# changed\n`);
  await here.program(
    "verifying",
    `console.log(JSON.stringify((await app.repairStore()).report ?? 0));`,
  );
  await here.lines("deno", "verifying");
  assert.equal(Deno.readTextFileSync(path), text);
  assert.deepEqual(JSON.parse(Deno.readTextFileSync(`${closure}.json`)), JSON.parse(record));
});
