/**
 * What a start costs when an update is due: with a network that is dead, slow or good; and what
 * two hundred starts at the same instant do to one another and to the source.
 *
 * `deno run -A scripts/bench_budget.ts [--runs 10] [--starts 200]` prints tables in Markdown.
 */

import type { Application, RuntimeName } from "../tests/fixtures/application.ts";
import { application, helloEgg } from "../tests/fixtures/application.ts";
import { blackHole } from "../tests/fixtures/black_hole.ts";
import type { TestRegistry } from "../tests/fixtures/npm_registry.ts";
import { archivePath, listingPath, startRegistry } from "../tests/fixtures/npm_registry.ts";
import type { RunningProgram } from "../tests/fixtures/running_program.ts";
import { told } from "../tests/fixtures/running_program.ts";
import { markdownTable, quantile } from "./interleaved_runs.ts";

const RUNS = 10;
const STARTS = 200;
const RUNTIMES: RuntimeName[] = ["deno", "node24", "bun"];

/** Tells how long it was held up, and ends by itself. */
const PROGRAM = `
const { source, budgetMs, background, waits } = JSON.parse(args[0]);
const own = new transmute.Transmute({
  app: "own",
  sources: [source],
  background,
  ...(budgetMs === undefined ? {} : { budgetMs }),
});
own.require("hello");
if (waits) {
  console.log("ready");
  await (globalThis.Deno
    ? Deno.stdin.readable.getReader().read()
    : new Promise((read) => process.stdin.once("data", read)));
  globalThis.process?.stdin.destroy();
}
const startedAt = performance.now();
const { outcome, generation } = await own.update();
const heldMs = performance.now() - startedAt;
(await own.import("hello")).greet("x");
console.log(JSON.stringify({ outcome, generation, heldMs }));
`;

/** What a program is given. */
interface Given {
  source: string;
  budgetMs?: number;
  background?: string;
  waits?: boolean;
}

/** What a start came to. */
interface Start {
  outcome: string;
  generation: number;
  /** What \`update()\` took. */
  heldMs: number;
  /** From the start of the process to its end. */
  wholeMs: number;
}

async function startOf(program: RunningProgram, startedAt: number): Promise<Start> {
  const end = await program.ended;
  if (end.code !== 0) throw new Error(told(end));
  const line = end.stdout.trim().split("\n").at(-1)!;
  return { ...JSON.parse(line), wholeMs: performance.now() - startedAt };
}

async function start(here: Application, runtime: RuntimeName, given: Given): Promise<Start> {
  const startedAt = performance.now();
  return await startOf(await here.start(runtime, "own", [JSON.stringify(given)]), startedAt);
}

/** Lets the next start find that the source is to be asked, or not. */
function schedule(here: Application, isDue: boolean): void {
  const path = `${here.store}/apps-v1/own/state.json`;
  const state = JSON.parse(Deno.readTextFileSync(path));
  for (const check of Object.values<Record<string, number>>(state.checks)) {
    check.checkedAt = Date.now() - 1000;
    check.nextAt = isDue ? check.checkedAt + 1 : Date.now() + 12 * 60 * 60 * 1000;
    delete check.failures;
  }
  Deno.writeTextFileSync(path, JSON.stringify(state));
}

const text = (values: number[]) =>
  `${quantile(values, 0.5).toFixed(0)} (${quantile(values, 0.25).toFixed(0)}–${
    quantile(values, 0.75).toFixed(0)
  })`;

/** An application on 1.0.0. */
async function installed(): Promise<{ here: Application; registry: TestRegistry }> {
  const here = application();
  const registry = await startRegistry();
  await registry.publish(helloEgg("1.0.0"));
  await here.program("own", PROGRAM);
  await start(here, "deno", { source: registry.source });
  return { here, registry };
}

/** One situation, so many times in each runtime. */
async function measure(
  name: string,
  runs: number,
  situation: (runtime: RuntimeName, run: number) => Promise<Start>,
): Promise<string[][]> {
  const rows: string[][] = [];
  for (const runtime of RUNTIMES) {
    await situation(runtime, -1);
    const starts: Start[] = [];
    for (let run = 0; run < runs; run++) starts.push(await situation(runtime, run));
    rows.push([
      name,
      runtime,
      text(starts.map(({ heldMs }) => heldMs)),
      text(starts.map(({ wholeMs }) => wholeMs)),
      [...new Set(starts.map(({ outcome }) => outcome))].join(", "),
    ]);
  }
  return rows;
}

async function networks(runs: number): Promise<string[][]> {
  const rows: string[][] = [];
  {
    const { here, registry } = await installed();
    using _here = here;
    await using _registry = registry;
    const given = { source: registry.source, background: "off" };
    rows.push(
      ...await measure("not due", runs, (runtime) => {
        schedule(here, false);
        return start(here, runtime, given);
      }),
    );
    rows.push(
      ...await measure("nothing new", runs, (runtime) => {
        schedule(here, true);
        return start(here, runtime, given);
      }),
    );
    let version = 1;
    rows.push(
      ...await measure("a new egg", runs, async (runtime) => {
        await registry.publish(helloEgg(`${++version}.0.0`));
        schedule(here, true);
        return await start(here, runtime, given);
      }),
    );
    // Something new: a listing that has not changed would be answered without a body.
    await registry.publish(helloEgg(`${++version}.0.0`));
    registry.fail(listingPath("hello"), "drip");
    for (const background of ["off", "process"]) {
      rows.push(
        ...await measure(`slow: a letter at a time; background ${background}`, runs, (runtime) => {
          schedule(here, true);
          return start(here, runtime, { ...given, background });
        }),
      );
    }
  }
  for (const background of ["off", "process", "in-process"]) {
    const { here, registry } = await installed();
    using _here = here;
    await registry.close();
    await using _hole = await blackHole(Number(new URL(registry.url).port));
    const given = { source: registry.source, background };
    rows.push(
      ...await measure(`dead: packets vanish; background ${background}`, runs, (runtime) => {
        schedule(here, true);
        return start(here, runtime, given);
      }),
    );
  }
  return rows;
}

/** Starts all, lets them go at the same instant, and sees what comes of it. */
async function startAtOnce(
  here: Application,
  registry: TestRegistry,
  count: number,
  budgetMs: number,
): Promise<{ starts: Start[]; letGoMs: number }> {
  const given = { source: registry.source, background: "off", waits: true, budgetMs };
  const programs: RunningProgram[] = [];
  // They are made a few at a time, as the system allows, and wait for one another.
  for (let at = 0; at < count; at += 10) {
    const batch = Array.from({ length: Math.min(10, count - at) }, (_, index) => {
      const runtime = RUNTIMES[(at + index) % 2];
      return here.start(runtime, "own", [JSON.stringify(given)], { held: true });
    });
    const started = await Promise.all(batch);
    await Promise.all(started.map((program) => program.line(/^ready$/)));
    programs.push(...started);
  }
  const startedAt = performance.now();
  for (const program of programs) program.letGo();
  const starts = await Promise.all(programs.map((program) => startOf(program, startedAt)));
  return { starts, letGoMs: performance.now() - startedAt };
}

async function manyStarts(count: number): Promise<string[][]> {
  const { here, registry } = await installed();
  using _here = here;
  await using _registry = registry;
  const rows: string[][] = [];
  const row = async (name: string, budgetMs: number) => {
    const before = registry.requests.length;
    const { starts, letGoMs } = await startAtOnce(here, registry, count, budgetMs);
    const held = starts.map(({ heldMs }) => heldMs);
    rows.push([
      name,
      text(held),
      Math.max(...held).toFixed(0),
      (letGoMs / 1000).toFixed(1),
      String(registry.requests.length - before),
      String(registry.count(archivePath("hello", "2.0.0"))),
      starts.filter(({ generation }) => generation === 2).length.toString(),
    ]);
  };
  schedule(here, false);
  await row("not due", 1500);
  await registry.publish(helloEgg("2.0.0"));
  schedule(here, true);
  await row("an update due, a budget of 30 s", 30_000);
  schedule(here, true);
  registry.fail(listingPath("hello"), "silent");
  await row("due, nobody answers, a budget of 1.5 s", 1500);
  schedule(here, false);
  await row("afterwards", 1500);
  return rows;
}

function argument(args: string[], name: string, otherwise: number): number {
  const at = args.indexOf(name);
  return at === -1 ? otherwise : Number(args[at + 1]);
}

const rows = await networks(argument(Deno.args, "--runs", RUNS));
console.log("A start with one egg and the default budget of 1500 ms: median and quartiles.\n");
console.log(
  markdownTable(["situation", "runtime", "update() ms", "process ms", "outcome"], rows),
);
const starts = argument(Deno.args, "--starts", STARTS);
console.log(`\n${starts} starts at the same instant, half of them Deno, half Node.\n`);
console.log(markdownTable(
  ["situation", "update() ms", "most", "all done, s", "requests", "archives", "on 2.0.0"],
  await manyStarts(starts),
));
