/**
 * Runs the project's tests in one runtime: the files as they are in Deno, bundled in Node and Bun.
 */

import * as esbuild from "npm:esbuild@0.25.5";
import type { TestResult } from "./junit.ts";
import { readJunit } from "./junit.ts";
import { runtimePaths } from "./runtimes.ts";

/** In Deno run too: `docs`, the examples in docstrings, and `live`, what asks public registries. */
export type RunName = "deno" | "docs" | "live" | "node22" | "node24" | "node26" | "bun";

/** One runner's work, done. */
export interface TestRun {
  name: RunName;
  seconds: number;
  results: TestResult[];
  /** What is wrong with the run itself, beyond a failed test. */
  problems: string[];
  /** What the runner printed. */
  log: string;
}

/** Where the runs leave reports, logs and bundled tests. */
export const REPORTS = "build/reports";
const BUNDLED = "build/tests";
/** A file outside `tests/`: outputs are placed below the nearest folder that all entries share. */
const PLACE_MARK = "scripts/runtimes.ts";

/** No single test is waited for longer than this. */
const TEST_TIMEOUT_MS = 300_000;
/** No run of a whole suite is waited for longer than this. */
const RUN_TIMEOUT_MS = 2_700_000;

/** Whether a test file asks public registries. */
export function isLive(file: string): boolean {
  return file.startsWith("tests/live/");
}

/** Whether a test file runs outside Deno too. */
export function isPortable(file: string): boolean {
  return !/^tests\/(system|live|scripts)\//.test(file);
}

/**
 * Turns test files into ones that Node and Bun run: each with all that it imports, in
 * `build/tests/` at the same path.
 */
export async function bundleTests(files: string[]): Promise<void> {
  await Deno.remove(BUNDLED, { recursive: true }).catch(ignoreMissing);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--outdir=build", "--sourcemap=inline", PLACE_MARK, ...files],
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot bundle the tests:\n${new TextDecoder().decode(stderr)}`);
  for (const file of files) await rewriteUsing(`build/${file.replace(/\.ts$/, ".js")}`);
  await esbuild.stop();
}

/** Node 22 does not know `using`, which the tests may use; the product may not. */
async function rewriteUsing(file: string): Promise<void> {
  const text = await Deno.readTextFile(file);
  if (!/^\s*(await )?using \w+ = /m.test(text)) return;
  const { code } = await esbuild.transform(text, { target: "node22", sourcemap: "inline" });
  await Deno.writeTextFile(file, code);
}

/**
 * Brings what the sources import into Deno's cache as programs outside the project find it: with no
 * lock file. Fetched by a program under test, it would be told of in the output of that program.
 */
export async function fillCache(sources: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", "--quiet", "--no-config", "--no-lock", ...sources],
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot fetch libraries:\n${new TextDecoder().decode(stderr)}`);
}

/** Runs `files` in one runtime. Node and Bun need them to be bundled before. */
export async function runTests(name: RunName, files: string[]): Promise<TestRun> {
  const report = `${REPORTS}/${name}.xml`;
  await Deno.mkdir(REPORTS, { recursive: true });
  await Deno.remove(report).catch(ignoreMissing);
  const [program, ...args] = await commandLine(name, files, report);

  const startedAt = performance.now();
  const signal = AbortSignal.timeout(RUN_TIMEOUT_MS);
  const child = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    // Tests look for updates wherever they run.
    env: { NO_COLOR: "1", TRANSMUTE_NO_UPDATE: "0" },
    signal,
  }).spawn();
  const [{ code }, stdout, stderr] = await Promise.all([
    child.status,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const log = stdout + stderr;
  await Deno.writeTextFile(`${REPORTS}/${name}.log`, log);

  const run: TestRun = {
    name,
    seconds: (performance.now() - startedAt) / 1000,
    results: [],
    problems: [],
    log,
  };
  if (signal.aborted) run.problems.push(`was ended after ${RUN_TIMEOUT_MS / 60_000} minutes`);
  try {
    run.results = readJunit(await Deno.readTextFile(report))
      .map((result) => ({ ...result, file: sourceFile(result.file) }));
  } catch (error) {
    run.problems.push(`left no whole report (${(error as Error).message.split("\n")[0]})`);
  }
  run.problems.push(...lostFiles(run, files));
  if (code !== 0 && !run.results.some(({ outcome }) => outcome === "failed")) {
    run.problems.push(`ended with exit code ${code} though no test failed`);
  }
  return run;
}

async function commandLine(name: RunName, files: string[], report: string): Promise<string[]> {
  const runtimes = await runtimePaths();
  const bundled = files.map((file) => `./build/${file.replace(/\.ts$/, ".js")}`);
  switch (name) {
    case "deno":
    case "live":
      return [runtimes.deno, "test", "-A", "--no-check", `--junit-path=${report}`, ...files];
    case "docs":
      return [runtimes.deno, "test", "-A", "--doc", `--junit-path=${report}`, ...files];
    case "bun":
      return [
        ...[runtimes.bun, "test", "--isolate", `--timeout=${TEST_TIMEOUT_MS}`],
        ...["--reporter=junit", `--reporter-outfile=${report}`, ...bundled],
      ];
    default:
      return [
        ...[runtimes[name], "--test", "--enable-source-maps", `--test-timeout=${TEST_TIMEOUT_MS}`],
        ...["--test-reporter=junit", `--test-reporter-destination=${report}`, ...bundled],
      ];
  }
}

/** Files of which no test was reported: a typing error in a name must not lose a test. */
function lostFiles({ name, results }: TestRun, files: string[]): string[] {
  if (results.length === 0) return ["ran no test"];
  // Examples are where somebody wrote one. Node 22 does not say which file a test is from.
  if (name === "docs" || results.every(({ file }) => file === null)) return [];
  const seen = new Set(results.map(({ file }) => file));
  return files.filter((file) => !seen.has(file)).map((file) => `ran no test of ${file}`);
}

/** The source, relative to the project, of a file as a runner names it. */
function sourceFile(file: string | null): string | null {
  if (file === null) return null;
  const path = file.replace(/^file:\/\//, "").replace(`${Deno.cwd()}/`, "").replace(/^\.\//, "");
  return path.startsWith("build/tests/") ? path.slice(6).replace(/\.js$/, ".ts") : path;
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
