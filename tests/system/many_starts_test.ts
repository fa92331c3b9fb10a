/** Many starts at the same instant, with an update due. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Application, RuntimeName } from "../fixtures/application.ts";
import { application, helloEgg } from "../fixtures/application.ts";
import { blackHole } from "../fixtures/black_hole.ts";
import type { TestRegistry } from "../fixtures/npm_registry.ts";
import { archivePath, listingPath, startRegistry } from "../fixtures/npm_registry.ts";
import { told } from "../fixtures/running_program.ts";
import { until } from "../fixtures/until.ts";

const STARTS = 40;
/** Enough for one of them to do the work, however busy the machine is with all others. */
const AMPLE_MS = 60_000;
const SHORT_MS = 3000;
/** The machine is busy with all of them. */
const GENEROUS = 4;
const RUNTIMES: RuntimeName[] = ["deno", "node24"];

/** Begins when a line comes in, and tells how long it was held up. */
const PROGRAM = `
const [source, budgetMs] = args;
const own = new transmute.Transmute({
  app: "own", sources: [source], budgetMs: Number(budgetMs), background: "off",
});
own.require(["hello", "world"]);
console.log("ready");
const line = globalThis.Deno
  ? Deno.stdin.readable.getReader().read()
  : new Promise((read) => process.stdin.once("data", read));
await line;
const startedAt = performance.now();
const { outcome, generation } = await own.update();
const tookMs = performance.now() - startedAt;
const greetings = [];
for (const name of ["hello", "world"]) greetings.push((await own.import(name)).greet("x"));
console.log(JSON.stringify({ outcome, generation, tookMs, greetings }));
(globalThis.Deno?.exit ?? process.exit)(0);
`;

/** What a start told. */
interface Told {
  outcome: string;
  generation: number;
  tookMs: number;
  greetings: string[];
}

const greetings = (version: string) =>
  ["hello", "world"].map((name) => `Hi, x! -- from version ${version} of ${name}`);

/** An application on 1.0.0 of two eggs. */
async function world(here: Application, registry: TestRegistry): Promise<void> {
  await here.program("own", PROGRAM);
  for (const name of ["hello", "world"]) await registry.publish(helloEgg("1.0.0", name));
  const [first] = await startAll(here, registry, ["deno"]);
  assert.equal(first.outcome, "updated");
}

/** Lets the next start find that the registry is to be asked. */
function makeDue(here: Application): void {
  const path = `${here.store}/apps-v1/own/state.json`;
  const state = JSON.parse(Deno.readTextFileSync(path));
  for (const check of Object.values<Record<string, number>>(state.checks)) {
    check.checkedAt -= 1000;
    check.nextAt = check.checkedAt + 1;
    delete check.failures;
  }
  Deno.writeTextFileSync(path, JSON.stringify(state));
}

/** Starts all of them, and lets them go on when all are ready. */
async function startAll(
  here: Application,
  registry: TestRegistry,
  runtimes: RuntimeName[],
  { budgetMs = AMPLE_MS, env = {} }: { budgetMs?: number; env?: Record<string, string> } = {},
): Promise<Told[]> {
  const programs = await Promise.all(
    runtimes.map((runtime) =>
      here.start(runtime, "own", [registry.source, String(budgetMs)], { env, held: true })
    ),
  );
  await Promise.all(programs.map((program) => program.line(/^ready$/)));
  for (const program of programs) program.letGo();
  return await Promise.all(programs.map(async (program) => {
    const end = await program.ended;
    assert.equal(end.code, 0, told(end));
    return JSON.parse(end.stdout.split("\n")[1]);
  }));
}

const mixed = () => Array.from({ length: STARTS }, (_, index) => RUNTIMES[index % RUNTIMES.length]);

test(`update() in ${STARTS} starts at once fetches each egg once and holds nobody up`, async () => {
  using here = application();
  await using registry = await startRegistry();
  await world(here, registry);
  for (const name of ["hello", "world"]) await registry.publish(helloEgg("2.0.0", name));
  makeDue(here);
  const starts = await startAll(here, registry, mixed());
  for (const name of ["hello", "world"]) {
    assert.equal(registry.count(archivePath(name, "2.0.0")), 1);
    assert.equal(registry.count(listingPath(name)), 2, "once at first, once now");
  }
  for (const { tookMs, greetings: found, generation } of starts) {
    assert.ok(tookMs < AMPLE_MS, `${tookMs} ms`);
    // One set or the other, whole.
    assert.deepEqual(found, greetings(generation === 2 ? "2.0.0" : "1.0.0"));
  }
  assert.ok(starts.some(({ outcome }) => outcome === "updated"));
  const next = await startAll(here, registry, mixed().slice(0, 4));
  assert.deepEqual(
    next.map(({ outcome, generation }) => [outcome, generation]),
    next.map(() => ["unchanged", 2]),
  );
  const generations = Array.from(Deno.readDirSync(`${here.store}/apps-v1/own/generations`))
    .filter(({ name }) => /^\d+\.json$/.test(name));
  assert.equal(generations.length, 2);
});

test(`update() in ${STARTS} starts at once holds nobody up without a network`, async () => {
  using here = application();
  await using registry = await startRegistry();
  await world(here, registry);
  makeDue(here);
  await using hole = await blackHole();
  const env = { http_proxy: hole.url, HTTP_PROXY: hole.url, NODE_USE_ENV_PROXY: "1" };
  const starts = await startAll(here, registry, mixed(), { env, budgetMs: SHORT_MS });
  for (const { tookMs, generation } of starts) {
    assert.ok(tookMs < SHORT_MS * GENEROUS, `${tookMs} ms`);
    assert.equal(generation, 1);
  }
  // Whoever comes later is free of it.
  const next = await startAll(here, registry, mixed().slice(0, 4), { env });
  assert.deepEqual(next.map(({ outcome }) => outcome), next.map(() => "unchanged"));
});

test("update() does not take the lock from a process that is alive but stopped", async () => {
  using here = application();
  await using registry = await startRegistry();
  await world(here, registry);
  for (const name of ["hello", "world"]) await registry.publish(helloEgg("2.0.0", name));
  makeDue(here);
  const never = Promise.withResolvers<void>();
  registry.fail(listingPath("hello"), { until: never.promise }, 1);
  const asked = registry.count(listingPath("hello"));
  await using holder = await here.start("deno", "own", [registry.source, "60000"], { held: true });
  await holder.line(/^ready$/);
  holder.letGo();
  await until("it asks", () => registry.count(listingPath("hello")) > asked);
  holder.kill("SIGSTOP");
  const state = Deno.readTextFileSync(`${here.store}/apps-v1/own/state.json`);
  // Only who wants it by force comes to the lock; the attempt was noted for all others.
  assert.deepEqual((await startAll(here, registry, ["node24"])).map(({ outcome }) => outcome), [
    "unchanged",
  ]);
  makeDue(here);
  const [waiting] = await startAll(here, registry, ["node24"], { budgetMs: SHORT_MS });
  assert.deepEqual([waiting.outcome, waiting.generation], ["deferred", 1]);
  assert.equal(registry.count(listingPath("hello")), asked + 1, "nobody else asked");
  Deno.writeTextFileSync(`${here.store}/apps-v1/own/state.json`, state);
  holder.kill("SIGKILL");
  await holder.ended;
  makeDue(here);
  const [heir] = await startAll(here, registry, ["node24"]);
  assert.deepEqual([heir.outcome, heir.generation], ["updated", 2]);
});
