/**
 * Shows a Python application that is kept up to date: eggs that setuptools builds, a launcher that
 * takes them, and a command from PyPI without pip. Run by `deno task demo:python`; with `--local`,
 * it leaves PyPI alone.
 */

import { playground, say, show } from "../../scripts/playground.ts";
import { pythonPackages, SETUPTOOLS } from "../../scripts/python_packages.ts";

const here = new URL(".", import.meta.url).pathname;
const main = new URL("../../lib/cli/main.ts", import.meta.url).pathname;
const place = playground("python", (folder) => ({ TRANSMUTE_CACHE_DIR: `${folder}/store` }));
const { folder, run } = place;

/** Has setuptools build the egg of hello, as its author would, and puts it into the folder. */
async function build(version: string): Promise<void> {
  const source = `${folder}/build-${version}`;
  Deno.mkdirSync(source);
  for (const name of ["setup.py", "hello.py"]) {
    Deno.copyFileSync(`${here}hello/${name}`, `${source}/${name}`);
  }
  const packages = await pythonPackages(SETUPTOOLS);
  const built = await run(
    "python3",
    ["setup.py", "--quiet", "bdist_egg", "--dist-dir", `${folder}/dist`],
    { env: { PYTHONPATH: packages, HELLO_VERSION: version }, cwd: source },
  );
  if (built.code !== 0) throw new Error(`setuptools built nothing: ${built.stderr}`);
}

async function launch(expected: string): Promise<void> {
  const { code, stdout, stderr } = await run(
    Deno.execPath(),
    ["run", "-A", "--quiet", "--no-check", `${here}launch.ts`, "test"],
  );
  show(stderr);
  show(stdout);
  if (code !== 0 || stdout.trim() !== expected) {
    throw new Error(
      `The demonstration failed: wanted "${expected}" and exit code 0, found ${code}`,
    );
  }
}

const transmute = (args: string[], env: Record<string, string> = {}) =>
  run(Deno.execPath(), ["run", "-A", "--quiet", "--no-check", main, ...args], { env });

const greeting = (version: string) => `Hi, test! -- from version ${version} of hello`;

try {
  say(
    "setuptools builds the egg of hello 0 into the folder dist. The launcher starts the application:",
  );
  await build("0");
  show([...Deno.readDirSync(`${folder}/dist`)].map(({ name }) => name).join("\n"));
  await launch(greeting("0"));

  say("The author builds hello 2.1. The same launcher starts the same application again:");
  await build("2.1");
  await launch(greeting("2.1"));

  say("The folder dist is gone. The application starts all the same:");
  Deno.removeSync(`${folder}/dist`, { recursive: true });
  await launch(greeting("2.1"));

  if (!Deno.args.includes("--local")) await runFromPypi();
} finally {
  place[Symbol.dispose]();
}

/** A command of a project that is not there yet, and once more without a network. */
async function runFromPypi(): Promise<void> {
  say("transmute run pypi:cowsay -- -t hi, into a fresh store:");
  const first = await transmute(["run", "pypi:cowsay", "--", "-t", "hi"]);
  if (first.code === 3) {
    console.log(`  Skipped: PyPI is out of reach from here. ${first.stderr.trim().split("\n")[0]}`);
  } else {
    show(first.stderr);
    show(first.stdout);
    if (first.code !== 0 || !first.stdout.includes("| hi |")) {
      throw new Error("The cow said nothing");
    }

    say("The same again, offline:");
    const again = await transmute(["run", "pypi:cowsay", "--", "-t", "hi"], {
      TRANSMUTE_OFFLINE: "1",
    });
    show(again.stderr);
    if (again.stdout !== first.stdout) throw new Error("The cow said something else");
    show(again.stdout);
  }
}
