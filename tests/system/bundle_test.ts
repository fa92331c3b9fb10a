/** The one file that is published, as strangers load it. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { bundle } from "../../scripts/bundle.ts";
import { application, helloEgg } from "../fixtures/application.ts";
import { outputOf } from "../fixtures/running_program.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

/** Where the bundle lies that most tests here look at; made once. */
const folder = temporaryFolder();
const made = bundle({ folder: folder.path });
globalThis.addEventListener("unload", () => folder[Symbol.dispose]());

/** Deno's modes: the configuration beside the program, and whether its types are checked too. */
const MODES = [
  [null, "--check"],
  ["deno.json", "--check"],
  // With one, Deno checks no program at all until its node_modules has Node's types.
  ["package.json", "--no-check"],
] as const;

/** A program of an application that takes `hello` from `dist`. */
function greeter(url: string, dist: string): string {
  return `import * as transmute from "${url}";
transmute.require("hello", { sources: ["${dist}"] });
await transmute.update();
const hello = await transmute.import<{ greet(name: string): string }>("hello");
console.log(hello.greet("you"));
`;
}

/** Bundles an entry that is not Transmute's: files by name, of which `mod.ts` is the entry. */
async function bundleOf(files: Record<string, string>): Promise<string> {
  using scratch = temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    Deno.writeTextFileSync(`${scratch.path}/${name}`, text);
  }
  await bundle({ entry: `${scratch.path}/mod.ts`, folder: scratch.path });
  return readFileSync(`${scratch.path}/mod.js`, "utf8");
}

test("bundle() gives the same bytes twice", async () => {
  using again = temporaryFolder();
  await made;
  await bundle({ folder: again.path });
  for (const name of ["mod.js", "mod.d.ts"]) {
    const [one, other] = [folder.path, again.path].map((path) => readFileSync(`${path}/${name}`));
    assert.ok(one.equals(other), name);
  }
});

test("bundle() has what an idle start runs compiled with the file, and the rest when it is called", async () => {
  await made;
  const text = readFileSync(`${folder.path}/mod.js`, "utf8");
  for (const name of ["readState", "isCheckDue", "parseRequirement"]) {
    assert.match(text, new RegExp(`^var ${name} = \\(function ${name}\\(`, "m"));
  }
  assert.match(text, /^function onTrial\(/m);
});

test("bundle() gives a file that runs from a URL in every mode of Deno", async () => {
  await made;
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => {
      const name = new URL(request.url).pathname.slice(1);
      const type = name.endsWith(".js") ? "text/javascript" : "application/typescript";
      if (!["mod.js", "mod.d.ts"].includes(name)) return new Response(null, { status: 404 });
      return new Response(readFileSync(`${folder.path}/${name}`), {
        headers: { "content-type": type },
      });
    },
  );
  using here = application();
  await here.publish(helloEgg("1.0.0"));
  const url = `http://127.0.0.1:${server.addr.port}/mod.js`;
  for (const [configuration, flag] of MODES) {
    const project = `${here.folder}/${configuration ?? "none"}-project`;
    Deno.mkdirSync(project);
    if (configuration !== null) Deno.writeTextFileSync(`${project}/${configuration}`, "{}");
    Deno.writeTextFileSync(`${project}/main.ts`, greeter(url, here.dist));
    assert.equal(
      await outputOf(Deno.execPath(), ["run", "-A", flag, "main.ts"], {
        cwd: project,
        env: { TRANSMUTE_CACHE_DIR: `${project}/store` },
      }),
      "Hi, you! -- from version 1.0.0 of hello\n",
      configuration ?? "no configuration",
    );
  }
});

test("bundle() gives a file that leaves Node's compatibility layer alone in Deno", async () => {
  await made;
  const program = `
    Object.defineProperty(globalThis, "process", { get() { throw new Error("process is loaded"); } });
    Object.defineProperty(globalThis, "Buffer", { get() { throw new Error("Buffer is loaded"); } });
    const transmute = await import("file://${folder.path}/mod.js");
    console.log(typeof transmute.update);`;
  assert.equal(await outputOf(Deno.execPath(), ["eval", program]), "function\n");
});

test("bundle() names every package that it holds first, and their licences last", async () => {
  await made;
  const text = readFileSync(`${folder.path}/mod.js`, "utf8");
  const header = text.slice(0, text.indexOf("*/"));
  const notices = text.slice(text.lastIndexOf("/*!"));
  const { modules } = JSON.parse(await outputOf(Deno.execPath(), ["info", "--json", "mod.ts"]));
  const sources = modules.map(({ local }: { local?: string }) => local)
    .filter((path?: string) => path?.startsWith(`${Deno.cwd()}/lib/`))
    .map((path: string) => readFileSync(path, "utf8"));
  const dependencies = sources.flatMap((source: string) => [
    ...source.matchAll(/^(?:import|export|\}).* from "npm:((?:@[^/]+\/)?[^@/]+)@([\d.]+)/gm),
  ]);
  assert.ok(dependencies.length > 0);
  for (const [, name, version] of dependencies) {
    assert.ok(header.includes(` * - ${name} ${version} (`), `${name} is not in the header`);
    assert.ok(notices.includes(`${name} ${version}`), `${name} is not in the notices`);
  }
});

test("bundle() leaves what a start does not need as a text until it is asked for", async () => {
  const text = await bundleOf({
    "mod.ts": `import { shared } from "./shared.ts";
      export const eager: string = shared;
      export const later = (): Promise<{ all: string[] }> => import("./later.ts");\n`,
    "shared.ts": `export let shared = "one"; export const change = () => { shared = "two"; };\n`,
    "later.ts": `import { change, shared } from "./shared.ts";
      import { deep } from "./deep.ts";
      const before = shared;
      change();
      const { deeper } = await import("./deep.er.ts");
      export const all: string[] = [before, shared, deep, deeper, "in-later"];\n`
      .replace("const { deeper } = await", "export const deeper = (): Promise<object> =>")
      .replace(", deeper", ""),
    "deep.ts": `export const deep: string = "deep";\n`,
    "deep.er.ts": `import { deep } from "./deep.ts"; export const deeper: string = deep + "er";\n`,
  });
  assert.doesNotMatch(text, /in-later/);
  const { eager, later } = await import(`data:text/javascript,${encodeURIComponent(text)}`);
  const { all, deeper } = await later();
  assert.deepEqual([eager, ...all, (await deeper()).deeper], [
    ...["one", "one", "two", "deep", "in-later", "deeper"],
  ]);
  assert.equal(await later(), await later());
});

test("bundle() takes a built-in of a CommonJS dependency when it is needed, not before", async () => {
  const text = await bundleOf({
    "mod.ts": `import old from "./old.cjs";\nexport const separator: string = old.sep;\n`,
    "old.cjs": `module.exports = require("node:path");\n`,
  });
  assert.doesNotMatch(text, /^import /m);
  const url = `data:text/javascript,${encodeURIComponent(text)}`;
  assert.equal((await import(url)).separator, "/");
});

test("bundle() refuses a file that would import a built-in when it is loaded", async () => {
  await assert.rejects(
    bundleOf({ "mod.ts": `import { sep } from "node:path";\nexport const s: string = sep;\n` }),
    { message: /^Cannot publish the bundle: it imports node:path when it is loaded\./ },
  );
});

test("bundle() refuses to write a path of this machine", async () => {
  await assert.rejects(
    bundleOf({ "mod.ts": `export const here: string = "${Deno.cwd()}/lib";\n` }),
    { message: /^Cannot publish the bundle: it names .*, which is on this machine only$/ },
  );
});
