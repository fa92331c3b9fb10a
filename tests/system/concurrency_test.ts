/** Processes that update one store at once. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Application, RuntimeName } from "../fixtures/application.ts";
import { application, helloEgg } from "../fixtures/application.ts";
import type { TestRegistry } from "../fixtures/npm_registry.ts";
import { archivePath, listingPath, startRegistry } from "../fixtures/npm_registry.ts";
import type { RunningProgram } from "../fixtures/running_program.ts";
import { told } from "../fixtures/running_program.ts";

const MIXED: RuntimeName[] = ["deno", "node24", "bun"];

/** Updates from a registry, whose answers wait at a gate, and greets. */
const UPDATING = `
const [source, gate, name] = args;
const own = new transmute.Transmute({
  app: name,
  budgetMs: 60_000,
  sources: [source],
  onEvent: ({ kind }) => console.log(kind),
  fetch: async (...request) => {
    await fetch(gate);
    return await fetch(...request);
  },
});
own.require(["hello", "world"]);
const { outcome, generation } = await own.update({ force: true });
const [hello, world] = [await own.import("hello"), await own.import("world")];
console.log("end", outcome, generation, hello.greet("x"), world.greet("x"));
`;

/** A server that answers nobody before it is opened. */
class Gate implements AsyncDisposable {
  readonly #opened = Promise.withResolvers<void>();
  readonly #server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async () => {
      await this.#opened.promise;
      return new Response("open");
    },
  );
  readonly url = `http://127.0.0.1:${this.#server.addr.port}/`;

  open(): void {
    this.#opened.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.open();
    await this.#server.shutdown();
  }
}

async function publish(registry: TestRegistry, version: string): Promise<void> {
  await registry.publish(helloEgg(version));
  await registry.publish(helloEgg(version, "world"));
}

/** Starts that many processes, and lets the first go on when all others wait for it. */
async function updateAtOnce(
  here: Application,
  registry: TestRegistry,
  count: number,
): Promise<string[]> {
  await using gate = new Gate();
  const starting = Array.from(
    { length: count },
    (_, index) =>
      here.start(MIXED[index % MIXED.length], "updating", [registry.source, gate.url, "app"]),
  );
  const programs: RunningProgram[] = await Promise.all(starting);
  const firsts = await Promise.all(programs.map((program) => program.line(/^[a-z-]+$/)));
  assert.deepEqual(
    firsts.toSorted(),
    ["check-started", ...Array.from({ length: count - 1 }, () => "waiting")],
  );
  gate.open();
  const ends = await Promise.all(programs.map((program) => program.ended));
  return ends.map((end) => {
    const line = end.stdout.split("\n").find((line) => line.startsWith("end "));
    assert.ok(line !== undefined && end.code === 0, told(end));
    return line;
  });
}

function greeting(version: string): string {
  return ["hello", "world"].map((name) => `Hi, x! -- from version ${version} of ${name}`).join(" ");
}

function namesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
}

for (const count of [2, 12]) {
  test(`update() in ${count} processes makes one generation of one download of each egg`, async () => {
    using here = application();
    await using registry = await startRegistry();
    await here.program("updating", UPDATING);
    for (const [generation, version] of [[1, "1.0.0"], [2, "2.0.0"]] as const) {
      await publish(registry, version);
      const ends = await updateAtOnce(here, registry, count);
      assert.deepEqual(
        ends,
        ends.map(() => `end updated ${generation} ${greeting(version)}`),
      );
      for (const project of ["hello", "world"]) {
        assert.equal(registry.count(archivePath(project, version)), 1);
      }
      const generations = namesIn(`${here.store}/apps-v1/app/generations`)
        .filter((name) => /^\d+\.json$/.test(name));
      assert.equal(generations.length, generation);
    }
    assert.deepEqual(namesIn(`${here.store}/staging-v1`), []);
    assert.deepEqual(namesIn(here.store).filter((name) => name.endsWith(".tmp")), []);
  });
}

test("update() asks a registry once when many processes are due at once", async () => {
  using here = application();
  await using registry = await startRegistry();
  await here.program("updating", UPDATING.replace("force: true", "force: false"));
  await publish(registry, "1.0.0");
  await updateAtOnce(here, registry, 3);
  assert.equal(registry.count(listingPath("hello")), 1);
  assert.equal(registry.count(listingPath("world")), 1);
});

test("update() of several applications shares a store without locking one another out", async () => {
  using here = application();
  await using registry = await startRegistry();
  await publish(registry, "1.0.0");
  await here.program("updating", UPDATING);
  await using gate = new Gate();
  const programs = await Promise.all(
    MIXED.map((runtime) => here.start(runtime, "updating", [registry.source, gate.url, runtime])),
  );
  // All of them get through to the registry, which none does while it waits for another.
  for (const program of programs) await program.line(/^check-started$/);
  gate.open();
  for (const program of programs) {
    const end = await program.ended;
    assert.match(end.stdout, new RegExp(`^end updated 1 ${greeting("1.0.0")}$`, "m"), told(end));
  }
  const closures = namesIn(`${here.store}/eggs-v1/sha256`);
  assert.equal(closures.length, 4, "two closures, each with its record");
  assert.deepEqual(namesIn(`${here.store}/staging-v1`), []);
});

for (const [holder, heir] of [["deno", "node24"], ["node24", "bun"], ["bun", "deno"]] as const) {
  test(`update() goes on at once when ${holder}, which ${heir} waits for, is killed`, async () => {
    using here = application();
    await using registry = await startRegistry();
    await publish(registry, "1.0.0");
    await here.program("updating", UPDATING);
    await using closed = new Gate();
    await using open = new Gate();
    open.open();
    await using first = await here.start(holder, "updating", [registry.source, closed.url, "app"]);
    await first.line(/^check-started$/);
    await using second = await here.start(heir, "updating", [registry.source, open.url, "app"]);
    await second.line(/^waiting$/);
    first.kill("SIGKILL");
    const end = await second.ended;
    assert.match(end.stdout, new RegExp(`^end updated 1 ${greeting("1.0.0")}$`, "m"), told(end));
  });
}
