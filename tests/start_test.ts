/**
 * What a start with nothing to do costs: which files load, what is read, what is left alone. These
 * lists are meant to be hard to lengthen: whoever does pays with every start of every program.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import * as fs from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { Transmute } from "../mod.ts";
import { NOW, remote, world } from "./fixtures/world.ts";

/** Every file that loads with `mod.ts`. */
const EAGER = [
  "lib/default.ts",
  "lib/errors.ts",
  "lib/journal.ts",
  "lib/loader/import.ts",
  "lib/model/egg.ts",
  "lib/model/event.ts",
  "lib/model/executable.ts",
  "lib/model/fingerprint.ts",
  "lib/model/interval.ts",
  "lib/model/python_requirement.ts",
  "lib/model/redact.ts",
  "lib/model/requirement.ts",
  "lib/model/schedule.ts",
  "lib/model/state.ts",
  "lib/options.ts",
  "lib/report.ts",
  "lib/runtime/current.ts",
  "lib/runtime/deno.ts",
  "lib/runtime/later.ts",
  "lib/runtime/node.ts",
  "lib/runtime/paths.ts",
  "lib/sources/directory.ts",
  "lib/sources/egg_files.ts",
  "lib/sources/offline.ts",
  "lib/sources/open.ts",
  "lib/store/cache.ts",
  "lib/store/interpreter_look.ts",
  "lib/store/state.ts",
  "lib/transmute.ts",
  "lib/upkeep.ts",
  "lib/usage.ts",
  "mod.ts",
];

const isDeno = "Deno" in globalThis && !("Bun" in globalThis);
const skip = isDeno ? false : "only Deno loads the files one by one";

function deno(args: string[], env: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, NO_COLOR: "1", ...env }, maxBuffer: 1 << 26 };
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${args.join(" ")} failed: ${stdout}${stderr}`));
    });
  });
}

/** A program whose third start has nothing to do; it says what its update came to. */
function idleProgram(module: string, dist: string, requirement = "hello"): string {
  return `const transmute = await import(${JSON.stringify(module)});
transmute.require(${JSON.stringify(requirement)}, { sources: [${JSON.stringify(dist)}] });
const { outcome, reason } = await transmute.update();
const hello = await transmute.import("hello");
console.log(outcome, reason ?? "", hello.greet("you"));
`;
}

/** The modules that a program evaluates, as V8 tells: those of the project by their paths. */
async function evaluated(main: string, folder: string, env: Record<string, string>) {
  const coverage = join(folder, "coverage");
  const stdout = await deno(["run", "-A", "--no-check", `--coverage=${coverage}`, main], env);
  const root = `${pathToFileURL(resolve(".")).href}/`;
  const urls = fs.readdirSync(coverage).filter((name) => name.endsWith(".json"))
    .map((name): string => JSON.parse(fs.readFileSync(join(coverage, name), "utf8")).url);
  fs.rmSync(coverage, { recursive: true });
  const own = urls.filter((url) => url.startsWith(root)).map((url) => url.slice(root.length));
  return { stdout, own: own.sort(), others: urls.filter((url) => !url.startsWith(root)) };
}

test("mod.ts loads just these files, and none that it does not need", { skip }, async () => {
  interface Info {
    roots: string[];
    modules: { specifier: string; dependencies?: Edge[] }[];
  }
  interface Edge {
    code?: { specifier: string };
    isDynamic?: boolean;
  }
  const { roots, modules }: Info = JSON.parse(await deno(["info", "--json", "mod.ts"]));
  const edges = new Map(modules.map((module) => [module.specifier, module.dependencies ?? []]));
  const loaded = new Set<string>();
  const load = (specifier: string) => {
    if (loaded.has(specifier)) return;
    loaded.add(specifier);
    for (const { code, isDynamic } of edges.get(specifier) ?? []) {
      if (code !== undefined && !isDynamic) load(code.specifier);
    }
  };
  roots.forEach(load);
  const root = roots[0].slice(0, -"mod.ts".length);
  const paths = [...loaded].map((it) => it.startsWith(root) ? it.slice(root.length) : it);
  assert.deepEqual(paths.sort(), EAGER);
});

test("update() with nothing to do loads no further file and no library in Deno", {
  skip,
}, async () => {
  using w = world();
  await w.publish("1.0.0");
  const folder = join(w.dist, "..");
  const main = join(folder, "main.mjs");
  fs.writeFileSync(main, idleProgram(pathToFileURL(resolve("mod.ts")).href, w.dist));
  const env = { TRANSMUTE_CACHE_DIR: w.cacheDir };
  const first = await evaluated(main, folder, env);
  assert.equal(first.stdout, "updated  Hi, you! -- from version 1.0.0 of hello\n");
  assert.ok(first.own.length > EAGER.length);
  // The first has proven its generation at its end; this one takes note of it.
  await evaluated(main, folder, env);

  const second = await evaluated(main, folder, env);
  assert.equal(second.stdout, "unchanged not-due Hi, you! -- from version 1.0.0 of hello\n");
  assert.deepEqual(second.own, EAGER);
  assert.deepEqual(second.others.map((url) => url.split("/").at(-1)).sort(), [
    "index.js",
    "main.mjs",
  ]);
});

test(
  "update() of an egg of JavaScript loads nothing that is about Python's",
  { skip },
  async () => {
    using w = world();
    const folder = join(w.dist, "..");
    const main = join(folder, "main.mjs");
    const mod = pathToFileURL(resolve("mod.ts")).href;
    // A range of npm's: a bare name would be asked for in both worlds, as long as it is in neither.
    fs.writeFileSync(main, idleProgram(mod, w.dist, "hello@^1"));
    for (const version of ["1.0.0", "1.1.0"]) {
      await w.publish(version);
      const start = await evaluated(main, folder, { TRANSMUTE_CACHE_DIR: w.cacheDir });
      assert.match(start.stdout, /^updated /);
      const python = start.own.filter((path) => /python|interpreter|present_eggs/.test(path));
      assert.deepEqual(python, [
        "lib/model/python.ts",
        "lib/model/python_requirement.ts",
        "lib/store/interpreter_look.ts",
      ]);
    }
  },
);

test("update() with nothing to do leaves Node's compatibility layer alone in Deno", {
  skip,
}, async () => {
  using w = world();
  await w.publish("1.0.0");
  const main = join(w.dist, "..", "main.mjs");
  const traps = ["process", "Buffer", "global", "setImmediate"]
    .map((name) =>
      `Object.defineProperty(globalThis, "${name}", { get() { throw new Error("${name}!"); } });\n`
    ).join("");
  const mod = pathToFileURL(resolve("mod.ts")).href;
  const env = { TRANSMUTE_CACHE_DIR: w.cacheDir };
  fs.writeFileSync(main, idleProgram(mod, w.dist));
  for (let start = 0; start < 2; start++) await deno(["run", "-A", "--no-check", main], env);
  fs.writeFileSync(main, traps + idleProgram(mod, w.dist));
  const second = await deno(["run", "-A", "--no-check", main], env);
  assert.match(second, /^unchanged not-due Hi/);
});

/** The file operations of each runtime, by what they are for. */
const READS = ["readFileSync", "readTextFileSync", "openSync", "readdirSync", "readDirSync"];
const LOOKS = ["statSync", "lstatSync"];
const WRITES = [
  ...["writeFileSync", "writeTextFileSync", "mkdirSync", "renameSync", "appendFileSync"],
  ...["rmSync", "removeSync", "unlinkSync", "rmdirSync"],
];

/** Notes every file operation of `work` as `name path`, whichever runtime's it is. */
async function operationsOf(work: () => Promise<unknown>): Promise<string[]> {
  type Operations = Record<string, (...args: unknown[]) => unknown>;
  const owner = (isDeno ? (globalThis as { Deno?: unknown }).Deno : process
    .getBuiltinModule("node:fs")) as Operations;
  const noted: string[] = [];
  const originals = new Map<string, (...args: unknown[]) => unknown>();
  for (const name of [...READS, ...LOOKS, ...WRITES]) {
    const original = owner[name];
    if (typeof original !== "function") continue;
    originals.set(name, original);
    owner[name] = (...args) => {
      noted.push(`${LOOKS.includes(name) ? "look" : name} ${args[0]}`);
      return original.apply(owner, args);
    };
  }
  try {
    await work();
  } finally {
    for (const [name, original] of originals) owner[name] = original;
  }
  return noted;
}

test("update() with nothing to do reads state.json and nothing else of the store", async () => {
  using w = world();
  await w.publish("1.0.0");
  const first = w.start().transmute;
  await first.update();
  await first.confirm();

  const { transmute } = w.start();
  const operations = await operationsOf(async () => {
    assert.equal((await transmute.update()).reason, "not-due");
    await transmute.import("hello");
  });
  const inStore = operations.filter((text) => text.includes(w.cacheDir));
  const [root, state, entry, ...more] = inStore;
  assert.equal(root, `look ${w.cacheDir}`);
  assert.match(state, /^read(Text)?FileSync .*\/apps-v1\/app\/state\.json$/);
  // Whether it is still there, before the runtime is asked to import it.
  assert.match(entry, /^look .*\/eggs-v1\/sha256\/[0-9a-f]{64}\/node_modules\/hello\/index\.js$/);
  // Node's own reading of what it imports.
  assert.deepEqual(more.filter((text) => !text.endsWith(entry.slice("look ".length))), []);
  assert.deepEqual(operations.filter((text) => WRITES.includes(text.split(" ")[0])), []);
});

test("update() with nothing to do asks no network source", async () => {
  using w = world();
  await w.publish("1.0.0");
  const source = remote(w.dist);
  await w.start({ sources: [source] }).transmute.update();

  const silent = {
    ...source,
    list: () => Promise.reject(new Error("asked")),
    fetch: () => Promise.reject(new Error("asked")),
  };
  const { transmute } = w.start({ sources: [silent], now: () => NOW + 1000 });
  const report = await transmute.update();
  assert.deepEqual([report.reason, report.problems], ["not-due", []]);
});

test("new Transmute() and require() read nothing", async () => {
  const operations = await operationsOf(() => {
    const transmute = new Transmute({ app: "app", cacheDir: "/nowhere/at/all" });
    transmute.require(["hello@^1", "npm:chalk@5"], { sources: ["dist"] });
    return Promise.resolve();
  });
  assert.deepEqual(operations, []);
});
