/** The npm package as its users install it. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { buildNpm, NPM_NAME } from "../../scripts/build_npm.ts";
import { runtimePaths } from "../../scripts/runtimes.ts";
import { application, helloEgg, RUNTIMES } from "../fixtures/application.ts";
import { packageProject } from "../fixtures/installed_package.ts";
import { outputOf } from "../fixtures/running_program.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

/** Uses the types as an application does, and misuses them once. */
const TYPED_PROGRAM = `
import * as transmute from "${NPM_NAME}";
import type { Plan, TransmuteOptions, UpdateReport } from "${NPM_NAME}";

interface Hello { greet(name: string): string }

const options: TransmuteOptions = { app: "typed", sources: ["dist"], checkEveryMs: 1000 };
const app = new transmute.Transmute(options);
app.require(["hello@^1.2"]);
const plan: Plan = await app.check();
const report: UpdateReport = await app.update({ relaunch: "if-needed" });
const hello = await transmute.import<Hello>("hello");
const greeting: string = hello.greet(plan.changes ? "new" : report.outcome);
const url: string = transmute.resolve("hello");
try {
  // @ts-expect-error: a requirement is a string
  transmute.require(5);
} catch (error) {
  if (transmute.isTransmuteError(error, "requirement-syntax")) console.log(error.code, error.hint);
}
export { greeting, url };
`;

const PROGRAM = `
import * as transmute from "${NPM_NAME}";
transmute.require("hello", { sources: ["dist"] });
await transmute.update();
console.log((await transmute.import("hello")).greet("you"));
`;

/** The project that has the package, with programs that use it. */
const installed = packageProject().then(({ project }) => {
  Deno.writeTextFileSync(`${project}/typed.ts`, TYPED_PROGRAM);
  Deno.writeTextFileSync(`${project}/main.js`, PROGRAM);
  return project;
});

test("buildNpm() gives a package without dependencies or scripts", async () => {
  const project = await installed;
  const manifest = JSON.parse(
    readFileSync(`${project}/node_modules/${NPM_NAME}/package.json`, "utf8"),
  );
  for (const field of ["dependencies", "optionalDependencies", "peerDependencies", "scripts"]) {
    assert.equal(manifest[field], undefined, field);
  }
  const others = readdirSync(`${project}/node_modules`).filter((name) => !name.startsWith("."));
  assert.deepEqual(others, [NPM_NAME]);
});

test("buildNpm() gives the package the version, licence and exports of deno.json", async () => {
  const root = `${await installed}/node_modules/${NPM_NAME}`;
  const manifest = JSON.parse(readFileSync(`${root}/package.json`, "utf8"));
  const configuration = JSON.parse(readFileSync("deno.json", "utf8"));
  assert.equal(manifest.version, configuration.version);
  assert.equal(manifest.license, configuration.license);
  const sources = Object.entries<Record<string, string>>(manifest.exports)
    .map(([subpath, conditions]) => [subpath, conditions.default.replace(/\.js$/, ".ts")]);
  const sourcesOfOne = Object.entries<string>(configuration.exports)
    .map(([subpath, path]) => [subpath, path.replace("./lib/cli/", "./")]);
  assert.deepEqual(Object.fromEntries(sources), Object.fromEntries(sourcesOfOne));
  for (const [subpath, conditions] of Object.entries<Record<string, string>>(manifest.exports)) {
    // A command exports nothing that could have types.
    assert.deepEqual(
      Object.keys(conditions),
      subpath === "./cli" ? ["default"] : ["types", "default"],
    );
    for (const file of Object.values(conditions)) {
      assert.ok(Deno.statSync(`${root}/${file}`).isFile);
    }
  }
});

test("buildNpm() puts the licence, the readme and nothing unforeseen into the tarball", async () => {
  const root = `${await installed}/node_modules/${NPM_NAME}`;
  const files = readdirSync(root).filter((name) => name !== "CHANGELOG.md");
  assert.deepEqual(files.sort(), [
    ...["LICENSE", "README.md", "bootstrap.ts", "main.js", "mod.d.ts", "mod.js", "package.json"],
    ...["source_contract.d.ts", "source_contract.js"],
  ]);
});

test("buildNpm() gives the same bytes twice", async () => {
  using again = temporaryFolder();
  const { tarball } = await packageProject();
  const [one, other] = [tarball, await buildNpm(again.path)].map((path) => readFileSync(path));
  assert.ok(one.equals(other));
});

test("buildNpm() gives types that TypeScript accepts, strictly and for Node's resolution", async () => {
  const project = await installed;
  await outputOf(
    Deno.execPath(),
    [
      ...["run", "-A", "--no-config", "npm:typescript@6.0.3/tsc", "--noEmit", "--strict"],
      ...["--module", "nodenext", "--target", "es2023", "--lib", "es2023,dom", "typed.ts"],
    ],
    { cwd: project },
  );
});

test("buildNpm() gives types that Deno accepts", async () => {
  await outputOf(Deno.execPath(), ["check", "typed.ts"], { cwd: await installed });
});

for (const runtime of RUNTIMES) {
  test(`buildNpm() gives a package that updates a program in ${runtime}`, async () => {
    const project = await installed;
    using here = application();
    await here.publish(helloEgg("1.0.0"));
    const program = (await runtimePaths())[runtime];
    Deno.mkdirSync(`${project}/dist`, { recursive: true });
    for (const { name } of Deno.readDirSync(here.dist)) {
      Deno.copyFileSync(`${here.dist}/${name}`, `${project}/dist/${name}`);
    }
    const run = runtime === "deno" ? ["run", "-A"] : [];
    assert.equal(
      await outputOf(program, [...run, "main.js"], {
        cwd: project,
        env: { TRANSMUTE_CACHE_DIR: here.store },
      }),
      "Hi, you! -- from version 1.0.0 of hello\n",
    );
  });
}

/** Ways to start the command of an installed package; each prints its version. */
async function waysToStart(): Promise<Record<string, [command: string, args: string[]]>> {
  const { project, tarball } = await packageProject();
  const { deno, node24, bun } = await runtimePaths();
  const folder = dirname(project);
  const prefix = `${folder}/global`;
  await outputOf("npm", ["install", "--global", "--offline", "--prefix", prefix, tarball]);
  return {
    "npx in its project": ["npx", ["--no-install", "transmute", "--version"]],
    "npx with the tarball": [
      "npx",
      [
        ...["--yes", "--offline", `--cache=${folder}/cache`],
        ...[`--package=file:${tarball}`, "transmute", "--version"],
      ],
    ],
    "the folder of global packages": [`${prefix}/bin/transmute`, ["--version"]],
    "node_modules/.bin, by Node": [node24, ["node_modules/.bin/transmute", "--version"]],
    "node_modules/.bin, by Bun": [bun, ["node_modules/.bin/transmute", "--version"]],
    "bunx": [bun, ["x", "--bun", "--no-install", "transmute", "--version"]],
    "its export ./cli, by Deno": [deno, ["run", "-A", `npm:${NPM_NAME}/cli`, "--version"]],
  };
}

test("buildNpm() gives a command that every runtime's own means start", async () => {
  const project = await installed;
  const { node24 } = await runtimePaths();
  const path = `${node24.replace(/\/node$/, "")}:${Deno.env.get("PATH")}`;
  const { version } = JSON.parse(readFileSync("deno.json", "utf8"));
  for (const [way, [command, args]] of Object.entries(await waysToStart())) {
    const output = await outputOf(command, args, { cwd: project, env: { PATH: path } });
    assert.equal(output, `${version}\n`, way);
  }
});

test("deno.json exports the command as ./cli", async () => {
  const { exports, name, version } = JSON.parse(readFileSync("deno.json", "utf8"));
  using folder = temporaryFolder();
  // As a project of its own that maps the name to a checkout, as an address would.
  const imports = { [`${name}/cli`]: `file://${Deno.cwd()}/${exports["./cli"]}` };
  Deno.writeTextFileSync(`${folder.path}/deno.json`, JSON.stringify({ imports }));
  const args = ["run", "-A", `${name}/cli`, "--version"];
  assert.equal(await outputOf(Deno.execPath(), args, { cwd: folder.path }), `${version}\n`);
});
