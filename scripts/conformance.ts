/**
 * Runs TUF's official conformance suite (theupdateframework/tuf-conformance) against the client of
 * this project in Deno, Node and Bun.
 *
 * Usage: `deno task conformance --suite=<checkout> [--runtime=deno,node24,bun]`, or with the
 * checkout's path in `TUF_CONFORMANCE`. No package registry carries the suite and this project
 * does not: clone its repository once. Its Python packages are brought from PyPI with the
 * machine's own pip; it also needs the program `faketime` (Debian: `apt-get install faketime`).
 *
 * Exit code 1 when a test fails that is not listed here, and when one that is listed passes.
 */

import { runtimePaths } from "./runtimes.ts";

/** What the suite's revision of August 2026 asks for. */
const PACKAGES = ["securesystemslib[crypto]==1.4.0", "tuf==7.0.0", "pytest==9.1.1"];
/** Deno's `node:crypto` takes another salt length for RSA-PSS; repositories of ours have none. */
const EXPECTED_FAILURES: Record<string, string[]> = {
  deno: ["test_keytype_and_scheme[rsa/rsassa-pss-sha256]"],
};
const RUNTIMES = ["deno", "node22", "node24", "node26", "bun"];
const OUTPUT = "build/conformance";
const CLIENT = "scripts/conformance_client.ts";

function fail(message: string): never {
  console.error(message);
  Deno.exit(1);
}

async function run(program: string, args: string[], env: Record<string, string> = {}) {
  try {
    const { code } = await new Deno.Command(program, { args, env, stdin: "null" }).spawn().status;
    return code;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) fail(`This machine has no ${program}`);
    throw error;
  }
}

function readArguments(args: string[]): { suite: string; runtimes: string[] } {
  let suite = Deno.env.get("TUF_CONFORMANCE") ?? "";
  let runtimes = ["deno", "node24", "bun"];
  for (const arg of args) {
    const [name, value = ""] = arg.split("=", 2);
    if (name === "--suite") suite = value;
    else if (name === "--runtime") runtimes = value.split(",");
    else fail(`No option ${arg}: there are --suite=<checkout> and --runtime=${RUNTIMES.join(",")}`);
  }
  const unknown = runtimes.find((name) => !RUNTIMES.includes(name));
  if (unknown !== undefined) fail(`No runtime ${unknown}: there are ${RUNTIMES.join(", ")}`);
  try {
    Deno.statSync(`${suite}/tuf_conformance/conftest.py`);
  } catch {
    fail(
      `Found no suite in "${suite}". Clone theupdateframework/tuf-conformance from GitHub and ` +
        "give its folder as --suite=<checkout> or TUF_CONFORMANCE",
    );
  }
  return { suite: Deno.realPathSync(suite), runtimes };
}

/** The suite's Python packages, in a folder of the build. */
async function pythonPackages(): Promise<string> {
  const folder = `${OUTPUT}/python`;
  const wanted = PACKAGES.join("\n");
  const mark = `${folder}/packages.txt`;
  const present = await Deno.readTextFile(mark).catch(() => "");
  if (present === wanted) return folder;
  await Deno.mkdir(OUTPUT, { recursive: true });
  const args = ["-m", "pip", "install", "--quiet", "--upgrade", "--target", folder, ...PACKAGES];
  if (await run("python3", args) !== 0) fail("Cannot bring the suite's Python packages");
  await Deno.writeTextFile(mark, wanted);
  return folder;
}

/** Writes the program that the suite starts for one runtime, and what it may fail. */
async function entrypoint(runtime: string, program: string): Promise<string> {
  const client = runtime === "deno" ? CLIENT : `build/${CLIENT.replace(/\.ts$/, ".js")}`;
  const flags = runtime === "deno" ? " run -A --no-check --quiet" : "";
  const path = `${OUTPUT}/${runtime}`;
  const script = `#!/bin/sh\nexec '${program}'${flags} '${Deno.realPathSync(client)}' "$@"\n`;
  await Deno.writeTextFile(path, script, { mode: 0o755 });
  await Deno.writeTextFile(`${path}.xfails`, (EXPECTED_FAILURES[runtime] ?? []).join("\n"));
  return Deno.realPathSync(path);
}

const { suite, runtimes } = readArguments(Deno.args);
const packages = Deno.realPathSync(await pythonPackages());
if (runtimes.some((runtime) => runtime !== "deno")) {
  // A second file outside scripts/, so that outputs keep their folders.
  const args = ["bundle", "--quiet", "--outdir=build", "mod.ts", CLIENT];
  if (await run(Deno.execPath(), args) !== 0) fail("Cannot bundle the client");
}
const programs = { ...await runtimePaths() } as Record<string, string>;
const failed: string[] = [];
for (const runtime of runtimes) {
  console.log(`\n${runtime}`);
  const entry = await entrypoint(runtime, programs[runtime]);
  const args = ["-m", "pytest", "-q", "-p", "no:cacheprovider", `${suite}/tuf_conformance`];
  const code = await run("python3", [...args, "--entrypoint", entry], {
    PYTHONPATH: `${packages}:${suite}`,
    PYTHONDONTWRITEBYTECODE: "1",
  });
  if (code !== 0) failed.push(runtime);
}
console.log(failed.length === 0 ? "\nConforms" : `\nDoes not conform: ${failed.join(", ")}`);
Deno.exit(failed.length === 0 ? 0 : 1);
