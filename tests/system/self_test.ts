/** Programs of one file that replace themselves: made by Bun and Node, run for real. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { packEntries } from "../../lib/publisher/pack.ts";
import { bundledModule } from "../fixtures/bundled_module.ts";
import { programWheel } from "../fixtures/python_wheel.ts";
import type { ProgramEnd } from "../fixtures/running_program.ts";
import { outputOf, runProgram, told } from "../fixtures/running_program.ts";
import type { MakerName } from "../fixtures/single_executable.ts";
import { makerIsMissing, MAKERS, singleExecutable } from "../fixtures/single_executable.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

/** A tool of this version. Version 3 crashes at its starts; version 4 lies about its version. */
const tool = (module: string, version: string) => `
import { self } from ${JSON.stringify(module)};
const version = ${JSON.stringify(version)};
const args = process.argv.slice(2);
async function main() {
  if (args[0] === "--version") {
    console.log("mytool " + (version === "4.0.0" ? "0.0.1" : version));
    return;
  }
  const report = await self({
    name: "mytool", version, sources: [process.env.EGGS], log: "warn",
    budgetMs: 60_000, relaunch: process.env.RELAUNCH || "if-needed",
  });
  if (version === "3.0.0") throw new Error("version 3 crashes");
  const problems = report.problems.map(({ code, hint }) => code + ": " + hint);
  console.log(JSON.stringify({ version, args, ...report, problems }));
}
main();
`;

const TARGET = `${Deno.build.arch}-unknown-linux-gnu`;

interface Place {
  folder: string;
  /** Where the tool is installed. */
  path: string;
  /** Puts a version on offer. */
  offer(version: string): void;
  start(env?: Record<string, string>, path?: string): Promise<ProgramEnd>;
  /** What a start that ends well prints. */
  printed(env?: Record<string, string>): Promise<Record<string, unknown>>;
}

/** Version 1.0.0 installed, and the others made. */
async function place(maker: MakerName, folder: string, versions: string[]): Promise<Place> {
  const module = await bundledModule();
  for (const version of ["1.0.0", ...versions]) {
    await singleExecutable(maker, folder, `made-${version}`, tool(module, version));
  }
  const path = `${folder}/bin/mytool`;
  Deno.mkdirSync(`${folder}/bin`);
  Deno.mkdirSync(`${folder}/eggs`);
  Deno.chmodSync(`${folder}/eggs`, 0o755);
  Deno.renameSync(`${folder}/made-1.0.0`, path);
  const here: Place = {
    folder,
    path,
    offer(version) {
      Deno.renameSync(`${folder}/made-${version}`, `${folder}/eggs/mytool-${version}-${TARGET}`);
    },
    start: (env = {}, program = path) =>
      runProgram(program, ["an argument", "--and=another"], {
        cwd: folder,
        env: { TRANSMUTE_CACHE_DIR: `${folder}/store`, EGGS: `${folder}/eggs`, ...env },
      }),
    async printed(env) {
      const end = await here.start(env);
      assert.equal(end.code, 0, told(end));
      return JSON.parse(end.stdout);
    },
  };
  return here;
}

for (const maker of Object.keys(MAKERS) as MakerName[]) {
  const title =
    `self() replaces the program, goes on as the new one, and goes back from one that crashes (${maker})`;
  test(title, { skip: makerIsMissing(maker, title) }, async () => {
    using folder = temporaryFolder();
    const here = await place(maker, folder.path, ["2.0.0", "3.0.0"]);
    const first = await here.printed();
    assert.deepEqual([first.version, first.replaced, first.path], ["1.0.0", false, here.path]);

    here.offer("2.0.0");
    const second = await here.printed();
    assert.equal(second.version, "2.0.0", "the same start went on as the new one");
    assert.deepEqual(second.args, ["an argument", "--and=another"]);
    assert.equal((await outputOf(here.path, ["--version"])).trim(), "mytool 2.0.0");

    here.offer("3.0.0");
    for (let start = 0; start < 3; start++) {
      const end = await here.start();
      assert.notEqual(end.code, 0, told(end));
      assert.match(end.stderr, /version 3 crashes/);
    }
    const back = await here.printed();
    assert.equal(back.version, "2.0.0");
    assert.equal((await outputOf(here.path, ["--version"])).trim(), "mytool 2.0.0");
  });
}

test("self() takes a newer program that somebody installed by hand for what it is", async () => {
  using folder = temporaryFolder();
  const here = await place("bun build --compile", folder.path, ["2.0.0", "5.0.0"]);
  await here.printed();
  Deno.renameSync(`${folder.path}/made-5.0.0`, here.path);
  for (let start = 0; start < 2; start++) {
    const { version, replaced } = await here.printed();
    assert.deepEqual([version, replaced], ["5.0.0", false]);
  }
  here.offer("2.0.0");
  assert.equal((await here.printed()).version, "5.0.0", "what is lower is not taken");
});

test("self() takes the program of an npm package that is made for one platform", async () => {
  using folder = temporaryFolder();
  const here = await place("bun build --compile", folder.path, ["2.0.0"]);
  const cpu = Deno.build.arch === "x86_64" ? "x64" : "arm64";
  const { filename, archive } = await packEntries(
    { name: "mytool", version: "2.0.0", os: ["linux"], cpu: [cpu], bin: { mytool: "bin/mytool" } },
    { "bin/mytool": Deno.readFileSync(`${folder.path}/made-2.0.0`) },
  );
  Deno.writeFileSync(`${folder.path}/eggs/${filename}`, archive);
  assert.equal((await here.printed()).version, "2.0.0");
  assert.equal((await outputOf(here.path, ["--version"])).trim(), "mytool 2.0.0");
});

test("self() takes the program of a wheel of this platform, and goes back from one that crashes", async () => {
  using folder = temporaryFolder();
  const here = await place("bun build --compile", folder.path, ["2.0.0", "3.0.0"]);
  await here.printed();
  const offer = (version: string, tag?: string) => {
    const made = Deno.readFileSync(`${folder.path}/made-${version}`);
    const { name, bytes } = programWheel(version, made, tag === undefined ? {} : { tag });
    Deno.writeFileSync(`${folder.path}/${name}`, bytes);
    Deno.renameSync(`${folder.path}/${name}`, `${folder.path}/eggs/${name}`);
  };
  // Of other machines, and none at all: passed over.
  offer("3.0.0", "py3-none-win_amd64");
  offer("3.0.0", "py3-none-any");
  assert.equal((await here.printed()).version, "1.0.0");

  offer("2.0.0");
  // Nothing of Python is asked for.
  const second = await here.printed({ TRANSMUTE_PYTHON: "/nowhere/python3" });
  assert.equal(second.version, "2.0.0", "the same start went on as the new one");
  assert.equal((await outputOf(here.path, ["--version"])).trim(), "mytool 2.0.0");
  assert.equal(Deno.statSync(here.path).mode! & 0o111, 0o111);

  offer("3.0.0");
  for (let start = 0; start < 3; start++) {
    const end = await here.start();
    assert.notEqual(end.code, 0, told(end));
    assert.match(end.stderr, /version 3 crashes/);
  }
  assert.equal((await here.printed()).version, "2.0.0");
  assert.equal((await outputOf(here.path, ["--version"])).trim(), "mytool 2.0.0");
});

test("self() says of a wheel without the program why it is refused, and keeps the one it is", async () => {
  using folder = temporaryFolder();
  const here = await place("bun build --compile", folder.path, []);
  await here.printed();
  const { name, bytes } = programWheel("2.0.0", "", { files: { "mytool.py": "" } });
  Deno.writeFileSync(`${folder.path}/eggs/${name}`, bytes);
  const end = await here.start();
  assert.equal(JSON.parse(end.stdout).version, "1.0.0", told(end));
  assert.match(end.stderr, /refused .*mytool@2\.0\.0 .*no program mytool among the scripts/);
});

test("self() refuses a program that does not answer its version, and keeps the one it is", async () => {
  using folder = temporaryFolder();
  const here = await place("bun build --compile", folder.path, ["4.0.0"]);
  await here.printed();
  here.offer("4.0.0");
  const end = await here.start();
  assert.equal(JSON.parse(end.stdout).version, "1.0.0", told(end));
  assert.match(end.stderr, /refused .*mytool@4\.0\.0 .*verify-failed/);
  assert.equal((await outputOf(here.path, ["--version"])).trim(), "mytool 1.0.0");
});

test("self() can leave going on to the next start, and replaces what a link leads to", async () => {
  using folder = temporaryFolder();
  const here = await place("bun build --compile", folder.path, ["2.0.0"]);
  const link = `${folder.path}/mytool`;
  Deno.symlinkSync(here.path, link);
  here.offer("2.0.0");
  const end = await here.start({ RELAUNCH: "never" }, link);
  const report = JSON.parse(end.stdout);
  assert.deepEqual([report.version, report.replaced], ["2.0.0", true], told(end));
  assert.ok(Deno.lstatSync(link).isSymlink, "the link is still one");
  assert.equal((await here.printed()).version, "2.0.0");
});

test("self() does not replace what a package manager installed, and says what does", async () => {
  using folder = temporaryFolder();
  const here = await place("bun build --compile", folder.path, ["2.0.0"]);
  const installed = `${folder.path}/node_modules/mytool/mytool`;
  Deno.mkdirSync(`${folder.path}/node_modules/mytool`, { recursive: true });
  Deno.renameSync(here.path, installed);
  here.offer("2.0.0");
  const end = await here.start({}, installed);
  const { version, replaced, problems } = JSON.parse(end.stdout);
  assert.deepEqual([version, replaced], ["1.0.0", false], told(end));
  assert.deepEqual(problems, ["replace-refused: Run: npm update -g mytool"]);
  assert.equal((await outputOf(installed, ["--version"])).trim(), "mytool 1.0.0");
});

test("spawn() runs the newest executable from the store, for who cannot replace a file", async () => {
  using folder = temporaryFolder();
  const here = await place("bun build --compile", folder.path, ["2.0.0"]);
  const launcher = `${folder.path}/launcher.ts`;
  Deno.writeTextFileSync(
    launcher,
    `import { Transmute } from ${JSON.stringify(await bundledModule())};
    const app = new Transmute({
      app: "launcher", sources: [process.env.EGGS], budgetMs: 60_000,
    });
    app.require("executable:mytool");
    await app.update();
    const { code } = await app.spawn("mytool", ["--version"]);
    process.exit(code);
    `,
  );
  const env = { TRANSMUTE_CACHE_DIR: `${folder.path}/launched`, EGGS: `${folder.path}/eggs` };
  Deno.copyFileSync(here.path, `${folder.path}/eggs/mytool-1.0.0-${TARGET}`);
  const launch = () => outputOf(Deno.execPath(), ["run", "-A", "--no-check", launcher], { env });
  assert.equal((await launch()).trim(), "mytool 1.0.0");
  here.offer("2.0.0");
  assert.equal((await launch()).trim(), "mytool 2.0.0");
});
