/** What goes on when a start's budget is spent: real processes, in every runtime. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Application, RuntimeName, StartOptions } from "../fixtures/application.ts";
import { application, helloEgg } from "../fixtures/application.ts";
import { bundledModule } from "../fixtures/bundled_module.ts";
import { blackHole } from "../fixtures/black_hole.ts";
import type { TestRegistry } from "../fixtures/npm_registry.ts";
import { archivePath, listingPath, startRegistry } from "../fixtures/npm_registry.ts";
import { outputOf, told } from "../fixtures/running_program.ts";
import { until } from "../fixtures/until.ts";

const RUNTIMES: RuntimeName[] = ["deno", "node22", "node24", "node26", "bun"];

/** Updates, imports, tells, and ends with a code of its own; notes what it did in a file. */
const PROGRAM = `
import { appendFileSync, existsSync } from "node:fs";
const [source, given] = [args[0], JSON.parse(args[1])];
const { own, force = true, ...options } = given;
const note = (word) => given.notes && appendFileSync(given.notes, word + "\\n");
note("begins");
const program = new transmute.Transmute({
  app: "own",
  budgetMs: 150,
  sources: [own ? ownSource(source.slice(4)) : source],
  ...options,
});
program.require("hello");
const { outcome, background } = await program.update({ force });
const hello = await program.import("hello");
note("goes on");
console.log(JSON.stringify({ outcome, background, greeting: hello.greet("x") }));
while (given.until && !existsSync(given.until)) await new Promise((done) => setTimeout(done, 20));
if (!given.naturally) (globalThis.Deno?.exit ?? process.exit)(7);

/** The registry as an object that this program only knows. */
function ownSource(url) {
  return {
    id: "own",
    kind: "network",
    async list(project, { fetch, signal }) {
      const { versions } = await (await fetch(url + project, { signal })).json();
      const releases = Object.values(versions).map((manifest) => ({
        project,
        version: manifest.version,
        manifest,
        artifact: { locator: manifest.dist.tarball, digests: [], validator: manifest.version },
      }));
      return { listing: { project, releases, tags: {} }, cached: false };
    },
    async fetch({ locator }, { fetch, signal }) {
      return new Uint8Array(await (await fetch(locator, { signal })).arrayBuffer());
    },
  };
}
`;

/** A start's line. */
interface Told {
  outcome: string;
  background?: string;
  greeting: string;
}

interface World extends AsyncDisposable {
  here: Application;
  registry: TestRegistry;
  start(runtime: RuntimeName, given?: object, options?: StartOptions): Promise<Told>;
  /** The events of the history, of every process. */
  events(): Record<string, unknown>[];
  marker: string;
}

async function world(): Promise<World> {
  const here = application();
  const registry = await startRegistry();
  await registry.publish(helloEgg("1.0.0"));
  await here.program("own", PROGRAM);
  const folder = `${here.store}/apps-v1/own`;
  return {
    here,
    registry,
    marker: `${folder}/background.json`,
    async start(runtime, given = {}, options = {}) {
      const args = [registry.source, JSON.stringify(given)];
      const end = await here.run(runtime, "own", args, options);
      assert.equal(end.code, "naturally" in given ? 0 : 7, told(end));
      assert.equal(end.stderr, "");
      return JSON.parse(end.stdout);
    },
    events: () =>
      Deno.readTextFileSync(`${folder}/history.jsonl`).trim().split("\n").map((line) =>
        JSON.parse(line)
      ),
    async [Symbol.asyncDispose]() {
      await registry.close();
      here[Symbol.dispose]();
    },
  };
}

const greeting = (version: string) => `Hi, x! -- from version ${version} of hello`;

/** A first start, then a newer version behind a gate. */
async function behindGate(
  { start, registry }: World,
  runtime: RuntimeName,
  given: object,
  options?: StartOptions,
): Promise<() => void> {
  const first = await start(runtime, { ...given, budgetMs: 60_000 }, options);
  assert.equal(first.greeting, greeting("1.0.0"));
  await registry.publish(helloEgg("2.0.0"));
  const gate = Promise.withResolvers<void>();
  registry.fail(listingPath("hello"), { until: gate.promise });
  return gate.resolve;
}

for (const runtime of RUNTIMES) {
  test(`update() leaves what it has no time for to a process of its own (${runtime})`, async () => {
    await using at = await world();
    const { registry, start, marker } = at;
    const open = await behindGate(at, runtime, {});
    // It ends, streams and all, while the registry still keeps everybody waiting.
    assert.deepEqual(await start(runtime), {
      outcome: "deferred",
      background: "process",
      greeting: greeting("1.0.0"),
    });
    await until("the process signs its mark", () => pidIn(marker) !== null);
    assertApart(pidIn(marker)!, registry);
    open();
    await until("the process is done", () => !exists(marker));
    assert.equal(registry.count(archivePath("hello", "2.0.0")), 1);
    const next = await start(runtime, { force: false });
    assert.deepEqual(next, { outcome: "unchanged", greeting: greeting("2.0.0") });
    const started = at.events().filter(({ kind }) => kind === "background-started");
    assert.deepEqual(started.map(({ runs }) => runs), ["transmute"]);
  });

  test(`update() starts the program again where only it knows its sources (${runtime})`, async () => {
    await using at = await world();
    const { start, marker, here } = at;
    const notes = `${here.folder}/notes`;
    const given = { own: true, notes };
    const open = await behindGate(at, runtime, given);
    assert.equal((await start(runtime, given)).background, "process");
    await until("the process signs its mark", () => pidIn(marker) !== null);
    open();
    await until("the process is done", () => !exists(marker));
    // Twice started and gone on; the third began and left.
    assert.deepEqual(Deno.readTextFileSync(notes).trim().split("\n").sort(), [
      ...["begins", "begins", "begins", "goes on", "goes on"],
    ]);
    const next = await start(runtime, { ...given, force: false });
    assert.equal(next.greeting, greeting("2.0.0"));
  });

  test(`update() goes on in a thread that ends with the program (${runtime})`, async () => {
    await using at = await world();
    const { start, marker, events } = at;
    const given = { background: "in-process", naturally: true };
    await behindGate(at, runtime, given);
    // The program has nothing more to do, so it ends, though the registry has not answered.
    assert.equal((await start(runtime, given)).background, "in-process");
    assert.equal(exists(marker), false);
    assert.ok(!events().some(({ kind }) => kind === "background-started"));
  });

  test(`update() is done by a thread when the program lives longer (${runtime})`, async () => {
    await using at = await world();
    const { start, here, registry, events } = at;
    const given = { background: "in-process", naturally: true };
    const open = await behindGate(at, runtime, given);
    const end = `${here.folder}/end`;
    const args = [registry.source, JSON.stringify({ ...given, until: end })];
    await using program = await here.start(runtime, "own", args);
    const line = await program.line(/outcome/);
    assert.equal(JSON.parse(line).greeting, greeting("1.0.0"));
    open();
    await until("2.0.0 is active", () => events().some(({ generation }) => generation === 2));
    Deno.writeTextFileSync(end, "");
    assert.equal((await program.ended).code, 0);
    assert.equal((await program.ended).stderr, "");
    assert.equal((await start(runtime, given)).greeting, greeting("2.0.0"));
  });
}

test("update() leaves the rest to the next start where it may start nothing", async () => {
  await using at = await world();
  const { start, registry, events } = at;
  const open = await behindGate(at, "deno", {});
  const told = await start("deno", { background: "off" });
  assert.deepEqual(told, { outcome: "deferred", background: "off", greeting: greeting("1.0.0") });
  assert.ok(!events().some(({ kind }) => kind === "background-started"));
  open();
  assert.equal((await start("deno", { budgetMs: 60_000 })).greeting, greeting("2.0.0"));
  assert.equal(registry.count(archivePath("hello", "2.0.0")), 1);
});

/** Less than what Node's own connections keep a program alive for. */
const LINGERING_MS = 8000;

/** What the README names for a registry, but for paths. */
const NARROW = [
  ...["--no-prompt", "--allow-sys=uid", "--allow-net"],
  "--allow-env=TRANSMUTE_*,HOME,npm_config_registry,NPM_CONFIG_REGISTRY,npm_config_userconfig," +
  "NPM_CONFIG_USERCONFIG",
];

const DENO_CASES: [what: string, flags: string[], denoFlags: boolean, background: string][] = [
  ["may run Deno, and says its flags", [`--allow-run=${Deno.execPath()}`], true, "process"],
  ["may run Deno, and keeps its flags to itself", [`--allow-run=${Deno.execPath()}`], false, "off"],
  ["may not run Deno", [], true, "off"],
  ["may not run Deno, and reads the module", [`--allow-read=${Deno.cwd()}`], true, "in-process"],
];

for (const [what, more, saysFlags, background] of DENO_CASES) {
  test(`update() goes on as "${background}" in a Deno program that ${what}`, async () => {
    await using at = await world();
    const { start, here, marker } = at;
    const flags = [
      ...NARROW,
      `--allow-read=${here.store},${here.folder}/.npmrc,${Deno.env.get("HOME")}/.npmrc`,
      `--allow-write=${here.store}`,
      ...more,
    ];
    const given = saysFlags ? { denoFlags: flags } : {};
    const options = { flags };
    const open = await behindGate(at, "deno", given, options);
    assert.equal((await start("deno", given, options)).background, background);
    open();
    if (background === "process") {
      await until("the process is done", () => !exists(marker));
      assert.equal((await start("deno", given, options)).greeting, greeting("2.0.0"));
    }
  });
}

for (const background of ["process", "in-process"]) {
  test(`update() goes on as "${background}" where Deno has the module from a URL`, async () => {
    await using at = await world();
    const { here, registry, events } = at;
    const module = await Deno.readTextFile(await bundledModule());
    await using server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      () => new Response(module, { headers: { "content-type": "text/javascript" } }),
    );
    const program = here.path("deno", "own");
    const text = Deno.readTextFileSync(program);
    const address = `http://127.0.0.1:${server.addr.port}/mod.js`;
    Deno.writeTextFileSync(program, text.replace(/"file:[^"]*"/, JSON.stringify(address)));
    await outputOf(Deno.execPath(), ["cache", "--no-lock", "--allow-import", address]);
    const end = `${here.folder}/end`;
    const given = { background, until: end };
    const open = await behindGate(at, "deno", { background });
    const args = [registry.source, JSON.stringify(given)];
    await using running = await here.start("deno", "own", args);
    assert.equal(JSON.parse(await running.line(/outcome/)).background, background);
    open();
    await until("2.0.0 is active", () => events().some(({ generation }) => generation === 2));
    Deno.writeTextFileSync(end, "");
    assert.equal((await running.ended).code, 7);
  });
}

for (const runtime of RUNTIMES) {
  test(`update() starts no second process while one is at work (${runtime})`, async () => {
    await using at = await world();
    const { start, marker, events } = at;
    await behindGate(at, runtime, {});
    for (let count = 0; count < 3; count++) {
      assert.equal((await start(runtime, { backgroundLifeMs: 30_000 })).outcome, "deferred");
    }
    const starts = events().filter(({ kind }) => kind === "background-started");
    assert.equal(starts.length, 1);
    const pid = starts[0].pid as number;
    await until("the process signs its mark", () => pidIn(marker) === pid);
    // Whoever kills it makes room for another.
    Deno.kill(pid, "SIGKILL");
    await until("it is gone", () => !runs(pid));
    await start(runtime, { backgroundLifeMs: 1000 });
    const again = events().filter(({ kind }) => kind === "background-started");
    assert.equal(again.length, 2);
    await until("the second has lived its life", () => !runs(again[1].pid as number));
  });

  test(`update() does not keep a program that is done (${runtime})`, async () => {
    await using at = await world();
    const { start, registry } = at;
    const given = { naturally: true, background: "off" };
    await start(runtime, { ...given, budgetMs: 60_000 });
    const port = Number(new URL(registry.url).port);
    await registry.close();
    await using _hole = await blackHole(port);
    const startedAt = performance.now();
    assert.equal((await start(runtime, given)).outcome, "deferred");
    assert.ok(performance.now() - startedAt < LINGERING_MS, "it ended when it was done");
  });

  test(`update() leaves no process behind after ten starts without a network (${runtime})`, async () => {
    await using at = await world();
    const { start, events, registry } = at;
    await start(runtime, { budgetMs: 60_000 });
    await registry.close();
    await using _hole = await blackHole(Number(new URL(registry.url).port));
    const given = { backgroundLifeMs: 3000, checkEveryMs: 0, force: false };
    const outcomes = [];
    for (let count = 0; count < 10; count++) {
      outcomes.push((await start(runtime, given)).outcome);
    }
    assert.deepEqual(outcomes, ["deferred", ...Array(9).fill("unchanged")]);
    const starts = events().filter(({ kind }) => kind === "background-started");
    assert.equal(starts.length, 1);
    await until("it is gone", () => !runs(starts[0].pid as number));
  });
}

function runs(pid: number): boolean {
  return exists(`/proc/${pid}/exe`) && !/^\S+ \(.*\) Z/.test(textOf(`/proc/${pid}/stat`));
}

function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}

/** Asserts that a process has no terminal, no session and no stream of another's. */
function assertApart(pid: number, registry: TestRegistry): void {
  const status = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1].split(" ");
  const [, parent, , session, terminal] = status;
  assert.deepEqual([parent, session, terminal], ["1", String(pid), "0"]);
  for (const stream of [0, 1, 2]) {
    assert.equal(Deno.readLinkSync(`/proc/${pid}/fd/${stream}`), "/dev/null");
  }
  const command = Deno.readTextFileSync(`/proc/${pid}/cmdline`);
  assert.ok(!command.includes(new URL(registry.url).host), command);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function pidIn(marker: string): number | null {
  try {
    return JSON.parse(Deno.readTextFileSync(marker)).owner?.pid ?? null;
  } catch {
    return null;
  }
}
