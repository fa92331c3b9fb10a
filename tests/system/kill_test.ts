/**
 * Programs that are killed after every single operation that changes the disk, in everything that
 * changes the store: whatever is started next finds a program that works.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Transmute } from "../../mod.ts";
import { storePaths } from "../../lib/store/cache.ts";
import { age } from "../fixtures/aged.ts";
import type { Application, RuntimeName } from "../fixtures/application.ts";
import { application, helloEgg } from "../fixtures/application.ts";
import { FAULTY_DISK } from "../fixtures/faulty_disk.ts";
import { writeLease } from "../fixtures/leases.ts";
import { outputOf, runProgram, told } from "../fixtures/running_program.ts";
import { runtimePaths } from "../../scripts/runtimes.ts";

const DAY = 24 * 60 * 60 * 1000;
/** As many programs are killed at once as this machine has processors for. */
const TOGETHER = 2;

const END = `
globalThis.addEventListener?.("unload", () => console.log("operations", operations));
globalThis.process?.on?.("exit", () => console.log("operations", operations));
`;

/** What changes the store: the program, the store before it, and which versions may run after. */
interface Stage {
  name: string;
  program: string;
  prepare: (here: Application) => Promise<void>;
  /** What a start may find before it updates, and what it must have when it has. */
  before: string[];
  after: string;
  /** Parts of the operations that must be among those it was killed at. */
  touches: string[];
}

/** One start's updates, in this process; `prove` confirms what they bring. */
async function updated(
  here: Application,
  versions: string[],
  { prove = true, at = Date.now() } = {},
) {
  for (const version of versions) {
    await here.publish(helloEgg(version));
    const own = new Transmute({
      ...{ app: "app", cacheDir: here.store, sources: [here.dist], log: "off" },
      now: () => at,
    });
    own.require("hello");
    await own.update({ budgetMs: 60_000 });
    if (prove) await own.confirm();
  }
}

const OWN = 'const own = new transmute.Transmute({ app: "app", sources: [args[1]] });\n' +
  'own.require("hello");\n';

const STAGES: Stage[] = [
  {
    name: "a first update",
    program: "await own.update({ budgetMs: 60_000 });",
    prepare: (here) => here.publish(helloEgg("1.0.0")),
    before: ["egg-not-active", "1.0.0"],
    after: "1.0.0",
    touches: [
      "mkdirSync",
      "/archives-v1/",
      "/staging-v1/",
      "/eggs-v1/",
      "/generations/",
      "/state.json",
    ],
  },
  {
    name: "an update",
    program: "await own.update({ budgetMs: 60_000 });",
    prepare: async (here) => {
      await updated(here, ["1.0.0"]);
      await here.publish(helloEgg("2.0.0"));
    },
    before: ["1.0.0", "2.0.0"],
    after: "2.0.0",
    touches: [
      "/archives-v1/",
      "/staging-v1/",
      "/eggs-v1/",
      "/generations/",
      "/state.json",
      "/history",
    ],
  },
  {
    name: "a start on probation that proves its generation at its end",
    program: 'await own.update(); await own.import("hello");',
    prepare: async (here) => {
      await updated(here, ["1.0.0"]);
      await updated(here, ["2.0.0"], { prove: false });
    },
    before: ["2.0.0"],
    after: "2.0.0",
    touches: ["/leases", "/000002.confirmed"],
  },
  {
    name: "confirm()",
    program: "await own.confirm();",
    prepare: async (here) => {
      await updated(here, ["1.0.0"]);
      await updated(here, ["2.0.0"], { prove: false });
    },
    before: ["2.0.0"],
    after: "2.0.0",
    touches: ["/000002.confirmed", "/state.json"],
  },
  {
    name: "rollback()",
    program: "await own.rollback();",
    prepare: (here) => updated(here, ["1.0.0", "2.0.0"]),
    before: ["1.0.0", "2.0.0"],
    after: "1.0.0 or 2.0.0",
    touches: ["/state.json", "/000002.rejected", "/history"],
  },
  {
    name: "going back after failed starts",
    program: "await own.update({ budgetMs: 60_000 });",
    prepare: async (here) => {
      await updated(here, ["1.0.0"]);
      await updated(here, ["2.0.0"], { prove: false });
      for (let start = 0; start < 3; start++) {
        writeLease(storePaths(here.store, "app"), `start${start}`, {
          ...{ generation: 2, since: start * 10, at: start * 10 + 5, phase: "failed", reason: "x" },
        });
      }
    },
    before: ["1.0.0"],
    after: "1.0.0",
    touches: ["/state.json", "/000002.rejected", "/leases/", "/history"],
  },
  {
    name: "collectGarbage()",
    program: "await own.collectGarbage();",
    prepare: async (here) => {
      for (const [index, version] of ["1.0.0", "2.0.0", "3.0.0", "4.0.0", "5.0.0"].entries()) {
        await updated(here, [version], { at: Date.now() - 9 * DAY + index * 3 * 60 * 60 * 1000 });
      }
      age(here.store, 2 * DAY);
    },
    before: ["5.0.0"],
    after: "5.0.0",
    touches: ["/generations/", "/eggs-v1/", "/staging-v1/", "/archives-v1/"],
  },
  {
    name: "repairStore()",
    program: "await own.repairStore();",
    prepare: async (here) => {
      await updated(here, ["1.0.0"]);
      const own = new Transmute({ app: "app", cacheDir: here.store });
      // Of the same size, so that only its digest tells.
      const path = new URL(own.resolve("hello")).pathname;
      Deno.chmodSync(path, 0o644);
      Deno.writeTextFileSync(path, Deno.readTextFileSync(path).replace("version", "damaged"));
    },
    before: ["1.0.0", "damaged"],
    after: "1.0.0",
    touches: ["/staging-v1/", "/eggs-v1/"],
  },
];

/** Starts on each of many stores: what it finds, what it has after an update, what is damaged. */
const CHECKING = `
const [dist, repairs, ...stores] = args;
for (const cacheDir of stores) {
  const own = new transmute.Transmute({ app: "app", cacheDir, sources: [dist], log: "off" });
  own.require("hello");
  const greet = () => own.import("hello").then(
    ({ greet }) => /(?:version|damaged) [\\d.]+/.exec(greet("x"))[0],
    ({ code }) => code,
  );
  const before = await greet();
  await own.update({ budgetMs: 60_000 });
  if (repairs === "repair") await own.repairStore();
  const fresh = new transmute.Transmute({ app: "app", cacheDir, sources: [dist], log: "off" });
  fresh.require("hello");
  const after = await fresh.import("hello").then(({ greet }) => greet("x"));
  const { problems } = await fresh.verifyStore();
  console.log(JSON.stringify({ before, after, problems }));
}
`;

async function copy(from: string, to: string): Promise<void> {
  if (!exists(from)) return;
  await outputOf("cp", ["-a", from, to]);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Kills the stage's program after its nth operation, on a copy of the store of its own. */
async function killAt(here: Application, runtime: RuntimeName, number: number) {
  const store = `${here.store}-${number}`;
  await copy(here.store, store);
  const { deno, ...others } = await runtimePaths();
  const command = runtime === "deno" ? [deno, "run", "-A"] : [others[runtime as "node24"]];
  // The bundle in Deno too: it starts faster.
  const program = here.path("node24", "stage");
  const end = await runProgram(command[0], [
    ...command.slice(1),
    program,
    `kill:${number}`,
    here.dist,
  ], {
    cwd: here.folder,
    env: { TRANSMUTE_CACHE_DIR: store },
  });
  if (end.signal === null) {
    assert.equal(end.code, 0, told(end));
    return null;
  }
  assert.equal(end.signal, "SIGKILL", told(end));
  return { store, place: /^killed after (.*)$/m.exec(end.stdout)![1].replace(store, "") };
}

for (const stage of STAGES) {
  for (const runtime of ["deno", "node24"] as const) {
    test(`${stage.name} may be killed after any operation (${runtime})`, async () => {
      using here = application({ inMemory: true });
      await here.program("stage", FAULTY_DISK + OWN + stage.program + END);
      await here.program("checking", CHECKING);
      await stage.prepare(here);
      const killed: { store: string; place: string }[] = [];
      for (let first = 1, isOver = false; !isOver; first += TOGETHER) {
        const round = await Promise.all(
          Array.from({ length: TOGETHER }, (_, index) => killAt(here, runtime, first + index)),
        );
        isOver = round.includes(null);
        killed.push(...round.filter((one) => one !== null));
      }
      const places = killed.map(({ place }) => place);
      for (const part of stage.touches) {
        assert.ok(places.some((place) => place.includes(part)), `${part}: ${places.join("\n")}`);
      }
      const stores = killed.map(({ store }) => store);
      const lines = await here.lines("bun", "checking", [
        here.dist,
        stage.name === "repairStore()" ? "repair" : "as it is",
        ...stores,
      ]);
      for (const [index, { place }] of killed.entries()) {
        const { before, after, problems } = JSON.parse(lines[index]);
        const found = before.replace("version ", "").replace(/^damaged .*/, "damaged");
        assert.ok(stage.before.includes(found), `${place}: ${before}`);
        assert.ok(
          stage.after.split(" or ").some((version) => after.includes(version)),
          `${place}: ${after}`,
        );
        assert.deepEqual(problems, [], place);
      }
      console.log(`# ${stage.name} (${runtime}): ${killed.length} operations`);
    });
  }
}
