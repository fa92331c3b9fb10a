/** The file that an application copies, as its users run it: in every runtime, from real sources. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { packEntries } from "../../lib/publisher/pack.ts";
import { buildBootstrap } from "../../scripts/build_bootstrap.ts";
import { runtimePaths } from "../../scripts/runtimes.ts";
import type { RuntimeName } from "../fixtures/application.ts";
import { helloEgg, RUNTIMES } from "../fixtures/application.ts";
import { bundledModule } from "../fixtures/bundled_module.ts";
import { archivePath, listingPath, startRegistry } from "../fixtures/npm_registry.ts";
import type { TestRegistry } from "../fixtures/npm_registry.ts";
import { outputOf, runProgram, told } from "../fixtures/running_program.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

const NAME = "transmute-js";
/** What an application puts in the place of the template's end: its settings are an argument. */
const FILLED_IN = `
const settings = JSON.parse((Deno?.args ?? node().argv.slice(2))[0]);
const say = (what: object) => console.log(JSON.stringify(what));
if (isProgram()) {
  await bootstrap({
    app: "app",
    requirements: "hello",
    ...settings,
    onStarting: () => say({ hook: "starting" }),
    onSucceeded: (loaded) => say({ hook: "succeeded", ...loaded }),
    onFailed: (error) => say({ hook: "failed", code: codeOf(error), message: textOf(error) }),
    onProblem: (error) => say({ problem: textOf(error) }),
    async main(transmute) {
      const hello = await transmute.import<{ greet(name: string): string }>("hello");
      say({ main: hello.greet("you") });
      return settings.exitCode;
    },
  });
}
`;

/** A module that passes as Transmute, and greets with its own version. */
function stand(version: string, flaw = ""): string {
  return `export class Transmute {
    require() {}
    update() { ${flaw} return Promise.resolve({ outcome: "unchanged", eggs: [], refused: [] }); }
    import() { return Promise.resolve({ greet: (name) => "Hi, " + name + ", from ${version}" }); }
  }\n`;
}

const publication = (version: string, mod = stand(version)) => ({
  manifest: { name: NAME, version, type: "module" },
  files: { "mod.js": mod },
});

interface Line {
  hook?: string;
  version?: string;
  origin?: string;
  main?: string;
  problem?: string;
  code?: string;
  message?: string;
}

/** A folder with the copied file, a home with an `.npmrc`, and a store. */
async function copied(registry?: TestRegistry) {
  const folder = temporaryFolder();
  const home = `${folder.path}/home`;
  Deno.mkdirSync(home);
  if (registry) Deno.writeTextFileSync(`${home}/.npmrc`, `registry=${registry.url}\n`);
  const text = Deno.readTextFileSync(await buildBootstrap(`${folder.path}/built`));
  const file = `${folder.path}/main.ts`;
  Deno.writeTextFileSync(file, text.split("// ═════ Fill in from here")[0] + FILLED_IN);
  Deno.writeTextFileSync(`${folder.path}/package.json`, `{ "type": "module" }`);
  return {
    path: folder.path,
    file,
    [Symbol.dispose]: () => folder[Symbol.dispose](),

    /** Starts it; a start is a day after the one before when `day` says so. */
    async start(runtime: RuntimeName, settings: object, env: Record<string, string> = {}) {
      const program = (await runtimePaths())[runtime];
      const flags = { deno: ["run", "-A", "--no-check"], node22: ["--experimental-strip-types"] };
      const args = [...(flags as Record<string, string[]>)[runtime] ?? [], file];
      const end = await runProgram(program, [...args, JSON.stringify(settings)], {
        cwd: folder.path,
        env: { HOME: home, TRANSMUTE_CACHE_DIR: `${folder.path}/store`, ...env },
      });
      const lines: Line[] = end.stdout.split("\n").filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line));
      const main = lines.find((line) => "main" in line)?.main;
      const succeeded = lines.find(({ hook }) => hook === "succeeded");
      const failed = lines.find(({ hook }) => hook === "failed");
      const problems = lines.flatMap(({ problem }) => problem ?? []);
      return { ...end, lines, main, succeeded, failed, problems };
    },
  };
}

test("buildBootstrap() gives a file that imports nothing and that TypeScript accepts", async () => {
  using scratch = temporaryFolder();
  const path = await buildBootstrap(scratch.path);
  const text = Deno.readTextFileSync(path);
  assert.doesNotMatch(text, /^import /m);
  assert.match(text, /^ \* Copy this file, and/m);
  await outputOf(Deno.execPath(), ["check", "--no-config", path], { cwd: scratch.path });
});

test("buildBootstrap() keeps the end that is filled in", async () => {
  using scratch = temporaryFolder();
  const [, end] = Deno.readTextFileSync(await buildBootstrap(scratch.path))
    .split("// ═════ Fill in from here. ═════");
  assert.match(end, /await bootstrap\(\{[\s\S]*requirements: \["hello@\^1"\]/);
});

for (const runtime of RUNTIMES) {
  test(`bootstrap() brings Transmute and the program's eggs, and needs neither source again (${runtime})`, async () => {
    await using registry = await startRegistry();
    using at = await copied(registry);
    await registry.publish(publication("0.1.0", Deno.readTextFileSync(await bundledModule())));
    const dist = `${at.path}/dist`;
    Deno.mkdirSync(dist);
    const { manifest, files } = helloEgg("1.0.0");
    const { filename, archive } = await packEntries(manifest, files);
    Deno.writeFileSync(`${dist}/${filename}`, archive);

    const settings = { sources: [dist], exitCode: 7 };
    const first = await at.start(runtime, settings);
    assert.equal(first.main, "Hi, you! -- from version 1.0.0 of hello", told(first));
    assert.deepEqual(first.lines.map(({ hook }) => hook), ["starting", "succeeded", undefined]);
    assert.deepEqual([first.succeeded?.version, first.succeeded?.origin], ["0.1.0", "fetched"]);
    assert.equal(first.code, 7);

    await registry.close();
    Deno.removeSync(dist, { recursive: true });
    const second = await at.start(runtime, settings);
    assert.equal(second.main, "Hi, you! -- from version 1.0.0 of hello", told(second));
    assert.equal(second.succeeded?.origin, "kept");
    assert.deepEqual(second.problems, []);
  });

  test(`bootstrap() takes a newer Transmute when a check is due (${runtime})`, async () => {
    await using registry = await startRegistry({ packages: [publication("0.1.0")] });
    using at = await copied(registry);
    assert.equal((await at.start(runtime, {})).main, "Hi, you, from 0.1.0");
    await registry.publish(publication("0.1.1"));
    assert.equal((await at.start(runtime, {})).main, "Hi, you, from 0.1.0");
    const due = await at.start(runtime, { checkEveryMs: 0 });
    assert.deepEqual([due.main, due.succeeded?.origin], ["Hi, you, from 0.1.1", "fetched"]);
  });

  test(`bootstrap() prefers a Transmute that is importable already (${runtime})`, async () => {
    using at = await copied();
    const folder = `${at.path}/node_modules/${NAME}`;
    Deno.mkdirSync(folder, { recursive: true });
    Deno.writeTextFileSync(
      `${folder}/package.json`,
      `{ "name": "${NAME}", "version": "9.9.9", "type": "module", "exports": "./mod.js" }`,
    );
    Deno.writeTextFileSync(`${folder}/mod.js`, stand("9.9.9"));
    const start = await at.start(runtime, {});
    assert.deepEqual([start.main, start.succeeded?.origin], ["Hi, you, from 9.9.9", "importable"]);
  });
}

/** What the second version of Transmute may be like, and what is told of it. */
const BAD_SUCCESSORS: [what: string, mod: string, told: RegExp][] = [
  ["is no Transmute", "export const other = 1;\n", /another module/],
  ["cannot be parsed", "export const = ;\n", /./],
  ["breaks in update()", stand("0.1.1", `throw new TypeError("a mistake");`), /a mistake/],
];

for (const [what, mod, problem] of BAD_SUCCESSORS) {
  test(`bootstrap() goes on with what it has when the new one ${what}`, async () => {
    await using registry = await startRegistry({ packages: [publication("0.1.0")] });
    using at = await copied(registry);
    await at.start("deno", {});
    await registry.publish(publication("0.1.1", mod));
    const second = await at.start("deno", { checkEveryMs: 0 });
    assert.equal(second.main, "Hi, you, from 0.1.0", told(second));
    assert.match(second.problems.join("\n"), problem);
    await registry.publish(publication("0.1.2"));
    assert.equal((await at.start("deno", { checkEveryMs: 0 })).main, "Hi, you, from 0.1.2");
  });
}

test("bootstrap() does not take again what broke", async () => {
  await using registry = await startRegistry({ packages: [publication("0.1.0")] });
  using at = await copied(registry);
  await at.start("node24", {});
  await registry.publish(publication("0.1.1", stand("0.1.1", `throw new TypeError("broken");`)));
  await at.start("node24", { checkEveryMs: 0 });
  const third = await at.start("node24", { checkEveryMs: 0 });
  assert.equal(third.main, "Hi, you, from 0.1.0");
  assert.deepEqual(third.problems, []);
  assert.equal(registry.count(archivePath(NAME, "0.1.1")), 1);
});

test("bootstrap() runs on what it has when the registry is gone or silent, and says so", async () => {
  await using registry = await startRegistry({ packages: [publication("0.1.0")] });
  using at = await copied(registry);
  await at.start("deno", {});
  registry.fail(listingPath(NAME), { status: 500 }, 1);
  const broken = await at.start("deno", { checkEveryMs: 0 });
  assert.equal(broken.main, "Hi, you, from 0.1.0");
  assert.match(broken.problems[0], /answered 500/);
  await registry.publish(publication("0.1.1"));
  registry.fail(archivePath(NAME, "0.1.1"), "stall");
  const silent = await at.start("deno", { checkEveryMs: 0, budgetMs: 300 });
  assert.equal(silent.main, "Hi, you, from 0.1.0");
  assert.match(silent.problems[0], /did not answer in time/);
});

test("bootstrap() refuses bytes that are not what the registry promised", async () => {
  await using registry = await startRegistry({ packages: [publication("0.1.0")] });
  using at = await copied(registry);
  registry.fail(archivePath(NAME, "0.1.0"), "corrupt");
  const { code, failed } = await at.start("deno", {});
  assert.equal(code, 1);
  assert.equal(failed?.code, "digest-mismatch");
});

test("bootstrap() brings a kept copy again that the disk damaged", async () => {
  await using registry = await startRegistry({ packages: [publication("0.1.0")] });
  using at = await copied(registry);
  await at.start("deno", {});
  const folder = `${at.path}/store/bootstrap-v1`;
  const [{ name }] = Array.from(Deno.readDirSync(folder)).filter((it) => it.name.endsWith(".mjs"));
  Deno.writeTextFileSync(`${folder}/${name}`, stand("of somebody else"));
  const start = await at.start("deno", {});
  assert.deepEqual([start.main, start.succeeded?.origin], ["Hi, you, from 0.1.0", "fetched"]);
  assert.match(start.problems[0], /has the digest/);
});

test("bootstrap() runs on the copy before a damaged one when nothing can be asked", async () => {
  await using registry = await startRegistry({ packages: [publication("0.1.0")] });
  using at = await copied(registry);
  await at.start("deno", {});
  await registry.publish(publication("0.1.1"));
  await at.start("deno", { checkEveryMs: 0 });
  const folder = `${at.path}/store/bootstrap-v1`;
  const newer = Array.from(Deno.readDirSync(folder)).find((it) => it.name.startsWith("0.1.1"))!;
  Deno.truncateSync(`${folder}/${newer.name}`, 10);
  const start = await at.start("deno", {}, { TRANSMUTE_OFFLINE: "1" });
  assert.equal(start.main, "Hi, you, from 0.1.0", told(start));
});

test("bootstrap() takes Transmute from a folder, and proves it by the digest beside it", async () => {
  using at = await copied();
  const dist = `${at.path}/dist`;
  Deno.mkdirSync(dist);
  const { manifest, files } = publication("0.1.0");
  const { filename, archive } = await packEntries(manifest, files);
  Deno.writeFileSync(`${dist}/${filename}`, archive);
  const digest = createHash("sha256").update(archive).digest("hex");
  Deno.writeTextFileSync(`${dist}/${filename}.sha256`, `${"0".repeat(64)}  ${filename}\n`);
  const settings = { transmute: { sources: [dist] } };
  assert.equal((await at.start("deno", settings)).failed?.code, "digest-mismatch");
  Deno.writeTextFileSync(`${dist}/${filename}.sha256`, `${digest}  ${filename}\n`);
  assert.equal((await at.start("deno", settings)).main, "Hi, you, from 0.1.0");
});

test("bootstrap() takes the one file at an address that carries its digest", async () => {
  const text = stand("an address");
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => new Response(text),
  );
  using at = await copied();
  const digest = createHash("sha256").update(text).digest("hex");
  const source = (sha256: string) => ({
    transmute: { sources: [`http://127.0.0.1:${server.addr.port}/mod.js#sha256=${sha256}`] },
  });
  assert.equal((await at.start("deno", source("0".repeat(64)))).failed?.code, "digest-mismatch");
  assert.equal((await at.start("deno", source(digest))).main, "Hi, you, from an address");
});

test("bootstrap() names every source and its answer when none has a Transmute", async () => {
  await using registry = await startRegistry();
  using at = await copied(registry);
  const { code, failed, main } = await at.start("node24", {
    transmute: { sources: ["npm:", `${at.path}/nowhere`] },
  });
  assert.equal(code, 1);
  assert.equal(main, undefined);
  assert.match(failed!.message!, /npm: .* answered 404; .*nowhere: there is no such folder/);
});

test("bootstrap() sends a token to its registry, and to no other host", async () => {
  await using registry = await startRegistry({
    packages: [publication("0.1.0")],
    token: "secret",
  });
  await using other = await startRegistry({ packages: [publication("0.1.0")] });
  registry.rewrite(NAME, (packument) => {
    const text = JSON.stringify(packument);
    return JSON.parse(text.replaceAll(`${registry.url}${NAME}/-`, `${other.url}${NAME}/-`));
  });
  using at = await copied(registry);
  const { host } = new URL(registry.url);
  Deno.writeTextFileSync(
    `${at.path}/home/.npmrc`,
    `registry=${registry.url}\n//${host}/:_authToken=\${HELLO_TOKEN}\n`,
  );
  const start = await at.start("deno", {}, { HELLO_TOKEN: "secret" });
  assert.equal(start.main, "Hi, you, from 0.1.0", told(start));
  assert.equal(registry.requests[0].headers.authorization, "Bearer secret");
  assert.deepEqual(other.requests.map(({ headers }) => headers.authorization), [undefined]);
});

test("bootstrap() refuses a store that others may enter", async () => {
  using at = await copied();
  Deno.mkdirSync(`${at.path}/store`, { mode: 0o755 });
  assert.equal((await at.start("deno", {})).failed?.code, "store-not-private");
});
