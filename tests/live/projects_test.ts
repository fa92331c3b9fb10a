/**
 * The bar: real npm projects with their whole trees load, and do one real thing each, in every
 * mode of every runtime. Fetched once from the registry, through the source that is being tested.
 */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { isTransmuteError, NPM_SOURCE, Transmute } from "../../mod.ts";
import { runtimePaths } from "../../scripts/runtimes.ts";
import { bundledModule } from "../fixtures/bundled_module.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";
import { PROJECTS } from "./projects.ts";
import { SPECIAL_PROJECTS } from "./special_projects.ts";

/** What a program of a cell prints for each project. */
interface Outcome {
  requirement: string;
  got?: string;
  error?: string;
}

const APP = "projects";
const ALL = [...PROJECTS, ...SPECIAL_PROJECTS];
const CELLS = [
  "deno without configuration",
  "deno with a deno.json",
  "deno with a package.json",
  "deno with its main module at a URL",
  "node22",
  "node24",
  "node26",
  "bun",
] as const;

/** One program that uses every project and prints an outcome for each. */
function program(cacheDir: string): string {
  const uses = ALL.map(({ requirement, use }) =>
    `[${JSON.stringify(requirement)}, async () => {${use}\n}],`
  );
  return `import { Transmute } from "./mod.js";
const transmute = new Transmute({ app: ${JSON.stringify(APP)}, cacheDir: ${
    JSON.stringify(cacheDir)
  }, offline: true });
transmute.require(${JSON.stringify(ALL.map(({ requirement }) => requirement))});
const load = (specifier) => transmute.import(specifier);
const report = await transmute.update();
if (report.outcome !== "unchanged") throw new Error("found " + report.outcome + ", wanted an idle start");
for (const [requirement, use] of [
${uses.join("\n")}
]) {
  let outcome;
  try {
    outcome = { requirement, got: await use() };
  } catch (error) {
    outcome = { requirement, error: String(error?.stack ?? error) };
  }
  console.log("\\n@@" + JSON.stringify(outcome));
}
const exit = globalThis.Deno?.exit ?? globalThis.process.exit;
exit(0);
`;
}

async function run(command: string, args: string[], cwd: string): Promise<Outcome[]> {
  const { stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd,
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1", TRANSMUTE_CACHE_DIR: "" },
  }).output();
  const decoder = new TextDecoder();
  const outcomes = decoder.decode(stdout).split("\n")
    .filter((line) => line.startsWith("@@"))
    .map((line) => JSON.parse(line.slice(2)));
  assert.notEqual(outcomes.length, 0, `The program ended early: ${decoder.decode(stderr)}`);
  return outcomes;
}

/** Serves a folder's scripts on loopback while `use` runs. */
async function served<T>(folder: string, use: (url: string) => Promise<T>): Promise<T> {
  const server = createServer((request, response) => {
    response.setHeader("content-type", "text/javascript");
    response.end(readFileSync(`${folder}${request.url}`));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function runCell(cell: typeof CELLS[number], folder: string): Promise<Outcome[]> {
  const paths = await runtimePaths();
  const main = `${folder}/program.js`;
  switch (cell) {
    case "deno with a deno.json":
      writeFileSync(`${folder}/deno.json`, "{}");
      return await run(paths.deno, ["run", "-A", main], folder);
    case "deno with a package.json":
      writeFileSync(`${folder}/package.json`, '{ "type": "module" }');
      return await run(paths.deno, ["run", "-A", main], folder);
    case "deno with its main module at a URL":
      return await served(
        folder,
        (url) => run(paths.deno, ["run", "-A", "--reload", `${url}/program.js`], folder),
      );
    case "deno without configuration":
      return await run(paths.deno, ["run", "-A", "--no-config", main], folder);
    default:
      writeFileSync(`${folder}/package.json`, '{ "type": "module" }');
      return await run(paths[cell], [main], folder);
  }
}

test("npm: brings real projects, and import() loads each in every mode of every runtime", async (t) => {
  using folder = temporaryFolder();
  const cacheDir = `${folder.path}/store`;
  const transmute = new Transmute({ app: APP, cacheDir, sources: [NPM_SOURCE] });
  transmute.require(ALL.map(({ requirement }) => requirement));
  try {
    await transmute.update();
  } catch (error) {
    if (!isTransmuteError(error) || !/^source-(unreachable|timeout)$/.test(error.code)) throw error;
    t.skip(`the npm registry cannot be reached: ${error.message}`);
    return;
  }
  for (const cell of CELLS) {
    const cellFolder = `${folder.path}/${cell.replaceAll(/\W/g, "_")}`;
    mkdirSync(cellFolder);
    writeFileSync(`${cellFolder}/program.js`, program(cacheDir));
    writeFileSync(`${cellFolder}/mod.js`, readFileSync(await bundledModule()));
    const outcomes = await runCell(cell, cellFolder);
    for (const { requirement, expect } of ALL) {
      await t.test(`import() of ${requirement} in ${cell}`, () => {
        const outcome = outcomes.find((it) => it.requirement === requirement);
        assert.equal(outcome?.error, undefined);
        assert.equal(outcome?.got, expect);
      });
    }
  }
});
