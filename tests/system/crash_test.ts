/** Updates that are killed, at every step: what ran before or what was to come runs after. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Application, RuntimeName } from "../fixtures/application.ts";
import { application, helloEgg } from "../fixtures/application.ts";
import { archivePath, startRegistry } from "../fixtures/npm_registry.ts";
import { told } from "../fixtures/running_program.ts";

/**
 * Updates, and stops for good in the middle: at an event by its name, or after the nth operation
 * that changes the disk. Whoever started it kills it then.
 */
const STOPPING = `
const stop = (where) => {
  console.log("stopped " + where);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
};
const [place] = args;
if (/^[0-9]+$/.test(place)) {
  const files = globalThis.Deno ?? process.getBuiltinModule("node:fs");
  let count = 0;
  for (const name of ["mkdirSync", "openSync", "renameSync", "removeSync", "rmSync", "unlinkSync"]) {
    const original = files[name];
    if (original === undefined) continue;
    files[name] = (...given) => {
      const result = original.apply(files, given);
      const reads = name === "openSync" && (given[1] === "r" || given[1]?.read === true);
      if (!reads && ++count === Number(place)) stop(name + " " + given[0]);
      return result;
    };
  }
}
const own = new transmute.Transmute({
  app: "app",
  budgetMs: 60_000,
  sources: [args[1] ?? "dist"],
  onEvent: ({ kind }) => kind === place && stop(kind),
});
own.require("hello");
await own.update();
console.log("completed");
`;

/** Greets with what is active, updates, and greets again. */
const STARTING = `
const greet = async () => {
  try {
    console.log((await app.import("hello")).greet("you"));
  } catch (error) {
    console.log(error.code);
  }
};
await greet();
await app.update({ budgetMs: 60_000 });
await greet();
`;

async function world(): Promise<Application> {
  const here = application();
  await here.program("stopping", STOPPING);
  await here.program("starting", STARTING);
  return here;
}

const greeting = (version: string) => `Hi, you! -- from version ${version} of hello`;

/** Kills an update at a place; gives where that was, or `null` when it never came there. */
async function killAt(here: Application, runtime: RuntimeName, place: string) {
  await using program = await here.start(runtime, "stopping", [place]);
  const line = await program.line(/^(?:stopped|completed)/);
  program.kill("SIGKILL");
  const end = await program.ended;
  if (line === "completed") return null;
  assert.equal(end.signal, "SIGKILL", told(end));
  return line.slice("stopped ".length);
}

const EVENTS = ["check-started", "source-answered", "fetch-started", "fetched", "stored"];

for (const runtime of ["deno", "node24", "bun"] as const) {
  test(`update() killed at any event leaves the old version or the new (${runtime})`, async () => {
    for (const event of [...EVENTS, "activated"]) {
      using here = await world();
      await here.publish(helloEgg("1.0.0"));
      await here.lines("bun", "starting");
      await here.publish(helloEgg("2.0.0"));
      assert.equal(await killAt(here, runtime, event), event);
      const survived = event === "activated" ? "2.0.0" : "1.0.0";
      const started = await here.lines(runtime === "deno" ? "node24" : "deno", "starting");
      assert.deepEqual(started, [greeting(survived), greeting("2.0.0")]);
    }
  });
}

test("update() killed after any change of the disk can be done again", async () => {
  using here = await world();
  await here.publish(helloEgg("1.0.0"));
  const places: string[] = [];
  for (;;) {
    const place = await killAt(here, "deno", String(places.length + 1));
    if (place === null) break;
    places.push(place);
    const [first, second] = await here.lines("bun", "starting");
    assert.ok(first === "egg-not-active" || first === greeting("1.0.0"), `${place}: ${first}`);
    assert.equal(second, greeting("1.0.0"), place);
    Deno.removeSync(here.store, { recursive: true });
  }
  assertEveryKind(places);
});

test("update() killed after any change of the disk leaves the old version or the new", async () => {
  using here = await world();
  await here.publish(helloEgg("1.0.0"));
  await here.lines("bun", "starting");
  await here.publish(helloEgg("2.0.0"));
  const before = await snapshot(here);
  const places: string[] = [];
  for (;;) {
    const place = await killAt(here, "node24", String(places.length + 1));
    if (place === null) break;
    places.push(place);
    const [first, second] = await here.lines("bun", "starting");
    assert.ok([greeting("1.0.0"), greeting("2.0.0")].includes(first), `${place}: ${first}`);
    assert.equal(second, greeting("2.0.0"), place);
    await before.restore();
  }
  assertEveryKind(places);
});

/** Asserts that an update was stopped within the writing of everything that the store has. */
function assertEveryKind(places: string[]): void {
  const kinds = [
    ["openSync", "/staging-v1/"],
    ["renameSync", "/staging-v1/"],
    ["openSync", "/eggs-v1/"],
    ["openSync", "/archives-v1/"],
    ["openSync", "/generations/"],
    ["openSync", "/state.json."],
    ["renameSync", "/state.json."],
    ["openSync", "/history.jsonl"],
  ];
  for (const [operation, path] of kinds) {
    assert.ok(
      places.some((place) => place.startsWith(operation) && place.includes(path)),
      `never stopped at ${operation} of ${path}: ${places.join("\n")}`,
    );
  }
}

/** The store as it is, to be put back. */
async function snapshot({ store }: Application): Promise<{ restore(): Promise<void> }> {
  const copy = async (from: string, to: string) => {
    const { success } = await new Deno.Command("cp", { args: ["-a", from, to] }).output();
    assert.ok(success);
  };
  await copy(store, `${store}-before`);
  return {
    async restore() {
      Deno.removeSync(store, { recursive: true });
      await copy(`${store}-before`, store);
    },
  };
}

test("update() killed while a registry is silent leaves a store that can be used", async () => {
  await using registry = await startRegistry();
  for (const runtime of ["deno", "node24", "bun"] as const) {
    using here = await world();
    await registry.publish(helloEgg("1.0.0"));
    const path = archivePath("hello", "1.0.0");
    registry.fail(path, "stall", 1);
    const stalled = registry.answered(path);
    await using program = await here.start(runtime, "stopping", ["-", registry.source]);
    await stalled;
    program.kill("SIGKILL");
    await program.ended;
    assert.deepEqual(await here.lines(runtime, "stopping", ["-", registry.source]), ["completed"]);
    const [started] = await here.lines(runtime, "starting");
    assert.equal(started, greeting("1.0.0"));
  }
});
