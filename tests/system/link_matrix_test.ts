/**
 * Linked trees load in every mode of every runtime: each small tree is written to a folder as the
 * store would have it, and a program loads them all by absolute `file:` URL.
 *
 * Deno runs this and starts the others.
 */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { dirname } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { linkTree } from "../../lib/store/link.ts";
import { runtimePaths } from "../../scripts/runtimes.ts";
import { LINK_CASES } from "../fixtures/link_cases.ts";
import { packagesOf } from "../fixtures/package_trees.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

const ROOT = "node_modules/app";

/** What the program prints for each case, by its index. */
type Outcome = { value: unknown } | { error: string };

/** The linked tree of a case, written below `folder`; gives the entries of its package. */
async function writeTree(index: number, folder: string): Promise<Record<string, string>> {
  const packages = packagesOf(LINK_CASES[index].files);
  const { rewritten, added, entries } = await linkTree(packages, [ROOT]);
  const files = new Map(
    packages.flatMap(({ location, files }) =>
      [...files].map(([path, content]) => [`${location}/${path}`, content])
    ),
  );
  for (const [path, content] of [...files, ...rewritten, ...added]) {
    mkdirSync(dirname(`${folder}/${path}`), { recursive: true });
    writeFileSync(`${folder}/${path}`, content);
  }
  return entries.get(ROOT)!;
}

/** A program that loads every tree and prints an outcome for each. */
async function program(folder: string): Promise<string> {
  const uses = await Promise.all(LINK_CASES.map(async ({ use }, index) => {
    const closure = `${folder}/${index.toString(16).padStart(8, "0")}`;
    const entries = await writeTree(index, closure);
    const base = `${pathToFileURL(closure)}/`;
    return `[${JSON.stringify(base)}, ${JSON.stringify(entries)}, async (load) => {${use}\n}],`;
  }));
  return `
const loader = (base, entries) => async (specifier) => {
  const entry = entries[specifier.replace("app", ".")];
  if (entry === undefined) throw new Error("no entry for " + specifier);
  const url = new URL(entry.replace(/^(?:cjs|json):/, "").replaceAll("#", "%23"), base);
  if (entry.startsWith("json:")) return await import(url.href, { with: { type: "json" } });
  if (!entry.startsWith("cjs:")) return await import(url.href);
  const { createRequire } = await import("node:module");
  return { default: createRequire(url)(decodeURIComponent(url.pathname)) };
};
const outcomes = [];
for (const [base, entries, use] of [
${uses.join("\n")}
]) {
  try {
    outcomes.push({ value: await use(loader(base, entries)) });
  } catch (error) {
    outcomes.push({ error: String(error?.stack ?? error) });
  }
}
console.log("\\n@@" + JSON.stringify(outcomes));
(globalThis.Deno?.exit ?? globalThis.process.exit)(0);
`;
}

async function run(command: string, args: string[], cwd: string): Promise<Outcome[]> {
  const output = await new Deno.Command(command, {
    args,
    cwd,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const [stdout, stderr] = [output.stdout, output.stderr].map((it) => new TextDecoder().decode(it));
  const line = stdout.split("\n").find((line) => line.startsWith("@@"));
  assert.ok(line, `The program ended early: ${stdout}${stderr}`);
  assert.doesNotMatch(stderr, /warning/i);
  return JSON.parse(line.slice(2));
}

/** Serves one script on loopback while `use` runs. */
async function served<T>(path: string, use: (url: string) => Promise<T>): Promise<T> {
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "text/javascript");
    response.end(readFileSync(path));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await use(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** What a program of ours may do: read the closures, and what every Node program reads. */
const flags = (store: string) => ["--no-prompt", `--allow-read=${store}`, "--allow-env"];

type Run = (main: string, folder: string, store: string) => Promise<Outcome[]>;

const { deno, node22, node24, node26, bun } = await runtimePaths();
const onDeno = (...more: string[]): Run => (main, folder, store) =>
  run(deno, ["run", ...flags(store), ...more, main], folder);

/** Every mode of every runtime: the files beside the main module, and how it is run. */
const CELLS: [title: string, beside: Record<string, string>, run: Run][] = [
  ["Deno without configuration", {}, onDeno()],
  ["Deno with --no-config", {}, onDeno("--no-config")],
  ["Deno with a deno.json", { "deno.json": "{}" }, onDeno()],
  [
    "Deno with a node_modules of its own",
    { "deno.json": '{ "nodeModulesDir": "auto" }' },
    onDeno(),
  ],
  ["Deno with a package.json", { "package.json": '{ "type": "module" }' }, onDeno()],
  [
    "Deno with its main module at a URL",
    {},
    (main, folder, store) =>
      served(main, (host) => {
        const args = ["run", ...flags(store), `--allow-import=${host}`, `http://${host}/main.mjs`];
        return run(deno, args, folder);
      }),
  ],
  ["Node 22", {}, (main, folder) => run(node22, [main], folder)],
  ["Node 24", {}, (main, folder) => run(node24, [main], folder)],
  ["Node 26", {}, (main, folder) => run(node26, [main], folder)],
  ["Bun", {}, (main, folder) => run(bun, [main], folder)],
];

for (const [cell, beside, runIn] of CELLS) {
  test(`linkTree() gives trees that load in ${cell}`, async (t) => {
    using folder = temporaryFolder();
    const store = `${folder.path}/store`;
    const application = `${folder.path}/application`;
    mkdirSync(application);
    writeFileSync(`${application}/main.mjs`, await program(store));
    for (const [name, text] of Object.entries(beside)) {
      writeFileSync(`${application}/${name}`, text);
    }
    const outcomes = await runIn(`${application}/main.mjs`, application, store);
    for (const [index, { title, expect }] of LINK_CASES.entries()) {
      await t.test(`linkTree() in ${cell}: ${title}`, () => {
        assert.deepEqual(outcomes[index], { value: expect });
      });
    }
  });
}
