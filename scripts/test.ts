/**
 * Runs all tests in every runtime, with nothing set up beforehand: `deno task test`.
 *
 * Usage: `deno task test [--runtime=deno,docs,node22,node24,node26,bun] [part of a path…]`,
 * or with `--live` for the tests that ask public registries, and only those.
 *
 * Prints each failure, what was skipped and why, a table, and last `N passed, N failed, N skipped`.
 * Exit code 1 when a test failed, when a runtime ran no test and when a test file was lost.
 */

import { bundleTests, fillCache, isLive, isPortable, REPORTS, runTests } from "./test_runs.ts";
import type { RunName, TestRun } from "./test_runs.ts";

const RUN_NAMES: RunName[] = ["deno", "docs", "live", "node22", "node24", "node26", "bun"];
/** How much is shown of each failure and of a broken run; the whole is in the reports. */
const SHOWN_LINES = 40;
/** How many failures of a run are shown with their text. */
const SHOWN_FAILURES = 10;

interface Selection {
  runtimes: RunName[];
  /** Parts of paths; none means all files. */
  parts: string[];
}

function readArguments(args: string[]): Selection {
  const runtimes = RUN_NAMES.filter((name) => name !== "live");
  const selection: Selection = { runtimes, parts: [] };
  for (const arg of args) {
    if (arg === "--live") selection.runtimes = ["live"];
    else if (arg.startsWith("--runtime=")) {
      selection.runtimes = arg.slice("--runtime=".length).split(",") as RunName[];
      const unknown = selection.runtimes.find((name) => !RUN_NAMES.includes(name));
      if (unknown !== undefined) fail(`No runtime ${unknown}: there are ${RUN_NAMES.join(", ")}`);
    } else if (arg.startsWith("-")) fail(`No option ${arg}: there are --runtime=… and --live`);
    else selection.parts.push(arg.replace(/^\.\//, ""));
  }
  return selection;
}

/** Every file below `folder` whose name ends in `ending`, sorted. */
async function filesBelow(folder: string, ending: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) files.push(...await filesBelow(path, ending));
    else if (name.endsWith(ending)) files.push(path);
  }
  return files.sort();
}

/** The runs that a selection means, in two lanes: the tests of Deno take as long as the others. */
async function lanesOf({ runtimes, parts }: Selection): Promise<(() => Promise<TestRun>)[][]> {
  const isChosen = (file: string) =>
    parts.length === 0 || parts.some((part) => file.includes(part));
  const all = (await filesBelow("tests", "_test.ts")).filter(isChosen);
  const [live, tests] = [all.filter(isLive), all.filter((file) => !isLive(file))];
  const portable = tests.filter(isPortable);
  const documented = [
    "mod.ts",
    ...await filesBelow("lib", ".ts"),
    ...await filesBelow("docs", ".md"),
  ].filter(isChosen);

  const lanes: (() => Promise<TestRun>)[][] = [[], []];
  let bundled: Promise<void> | undefined;
  for (const name of runtimes) {
    const files = { deno: tests, docs: documented, live }[name as string] ?? portable;
    if (files.length === 0) continue;
    lanes[files === portable ? 1 : 0].push(async () => {
      if (files === portable) await (bundled ??= bundleTests(portable));
      return await runTests(name, files);
    });
  }
  return lanes;
}

/** Does the work of each lane in order, both lanes at once, telling of each run as it ends. */
async function runLanes(lanes: (() => Promise<TestRun>)[][]): Promise<TestRun[]> {
  const runs: TestRun[] = [];
  await Promise.all(lanes.map(async (lane) => {
    for (const start of lane) {
      const run = await start();
      runs.push(run);
      printFailures(run);
    }
  }));
  return runs.sort((a, b) => RUN_NAMES.indexOf(a.name) - RUN_NAMES.indexOf(b.name));
}

function printFailures({ name, results, problems, log }: TestRun): void {
  const failures = results.filter(({ outcome }) => outcome === "failed");
  failures.forEach(({ title, file, detail }, index) => {
    console.log(`\n✗ ${name}: ${title}${file === null ? "" : ` (${file})`}`);
    if (index < SHOWN_FAILURES) console.log(indented((detail ?? "").split("\n")));
  });
  for (const problem of problems) console.log(`\n✗ ${name} ${problem}`);
  if (problems.length > 0) console.log(indented(log.trimEnd().split("\n").slice(-SHOWN_LINES)));
}

/** Each skipped test once, with why and in which runtimes. */
function printSkipped(runs: TestRun[]): void {
  const printed = new Map<string, string>();
  for (const run of runs) {
    for (const [, title, reason] of run.log.matchAll(/^# skip (.+?): (.+)$/gm)) {
      printed.set(title, reason);
    }
  }
  const skipped = new Map<string, { reason: string | null; names: RunName[] }>();
  for (const run of runs) {
    for (const { title, outcome, detail } of run.results) {
      if (outcome !== "skipped") continue;
      const entry = skipped.get(title) ?? { reason: null, names: [] };
      entry.names.push(run.name);
      // Only Node puts the reason into its report: the test prints it for the others.
      entry.reason ??= detail === "TODO" ? null : detail;
      skipped.set(title, entry);
    }
  }
  if (skipped.size > 0) console.log(`\nSkipped:`);
  for (const [title, { reason, names }] of skipped) {
    const why = reason ?? printed.get(title) ?? "no reason given";
    console.log(`  ${title} (${names.join(", ")}): ${why}`);
  }
}

function printTable(runs: TestRun[]): { passed: number; failed: number; skipped: number } {
  const total = { passed: 0, failed: 0, skipped: 0 };
  console.log(`\n${row("", "passed", "failed", "skipped", "seconds")}`);
  for (const run of runs) {
    const count = { passed: 0, failed: 0, skipped: 0 };
    for (const { outcome } of run.results) count[outcome]++;
    count.failed += run.problems.length;
    for (const outcome of ["passed", "failed", "skipped"] as const) {
      total[outcome] += count[outcome];
    }
    const { passed, failed, skipped } = count;
    console.log(row(run.name, passed, failed, skipped, run.seconds.toFixed(1)));
  }
  return total;
}

function row(name: string, ...columns: (string | number)[]): string {
  return `${name.padEnd(8)}${columns.map((column) => String(column).padStart(9)).join("")}`;
}

function indented(lines: string[]): string {
  return lines.slice(0, SHOWN_LINES).map((line) => `    ${line}`).join("\n");
}

function fail(message: string): never {
  console.error(message);
  Deno.exit(1);
}

const lanes = await lanesOf(readArguments(Deno.args));
await fillCache(await filesBelow("lib", ".ts"));
const runs = await runLanes(lanes);
if (runs.length === 0) fail("No test file is meant by these arguments");
printSkipped(runs);
const { passed, failed, skipped } = printTable(runs);
console.log(`\nReports: ${REPORTS}/`);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
Deno.exit(failed === 0 && passed > 0 ? 0 : 1);
