/**
 * Shows a tool of one file that updates itself from a signed repository, goes on as the new one, and
 * goes back from one that crashes. Run by `deno task demo:executable`.
 */

import { bundle } from "../../scripts/bundle.ts";
import { playground, say, show } from "../../scripts/playground.ts";
import { runtimePaths } from "../../scripts/runtimes.ts";

const here = new URL(".", import.meta.url).pathname;
const main = new URL("../../lib/cli/main.ts", import.meta.url).pathname;
const place = playground("executable", (folder) => ({
  TRANSMUTE_CACHE_DIR: `${folder}/store`,
  MYTOOL_EGGS: `${folder}/repository`,
  MYTOOL_ROOT: `${folder}/root.json`,
}));
const { folder, run } = place;
const tool = `${folder}/bin/mytool`;
const target = `${Deno.build.arch}-unknown-linux-gnu`;

async function transmute(...args: string[]): Promise<void> {
  console.log(`  $ transmute ${args.join(" ")}`.replaceAll(folder, "…"));
  const { code, stdout, stderr } = await run(Deno.execPath(), [
    ...["run", "-A", "--quiet", "--no-check", main, ...args],
  ]);
  show(stdout);
  if (code !== 0) throw new Error(`transmute ${args[0]} failed: ${stderr}`);
}

/** Builds the tool as one file with Bun; gives its path. */
async function build(version: string): Promise<string> {
  const { bun } = await runtimePaths();
  const text = Deno.readTextFileSync(`${here}mytool.ts`)
    .replace("../../mod.ts", `${folder}/module/mod.js`);
  Deno.writeTextFileSync(`${folder}/mytool-${version}.ts`, text);
  const file = `${folder}/mytool-${version}-${target}`;
  const { code, stderr } = await run(bun, [
    ...["build", "--compile", `${folder}/mytool-${version}.ts`, "--outfile", file],
    ...["--define", `VERSION=${JSON.stringify(version)}`],
  ]);
  if (code !== 0) throw new Error(`Bun built nothing: ${stderr}`);
  return file;
}

async function start(expected: string): Promise<void> {
  console.log("  $ bin/mytool you");
  const { code, stdout, stderr } = await run(tool, ["you"], {
    env: { TRANSMUTE_LOG: "warn" },
  });
  show(
    stderr.split("\n").filter((line) => line.startsWith("transmute:") || /^error/.test(line)).join(
      "\n",
    ),
  );
  show(stdout);
  if (!`${code} ${stdout}`.includes(expected)) {
    throw new Error(`The demonstration failed: wanted "${expected}", found exit code ${code}`);
  }
}

try {
  if (Deno.build.os !== "linux") throw new Error("This demonstration is made for Linux");
  say(
    "mytool 1.0.0 is installed, one file with its runtime. Its author makes a signed repository:",
  );
  Deno.mkdirSync(`${folder}/bin`);
  await bundle({ folder: `${folder}/module` });
  Deno.copyFileSync(await build("1.0.0"), tool);
  await transmute("keygen", "--no-passphrase");
  await transmute("init-repository", "--to", "repository");

  say("mytool 1.0.0 starts; nothing newer is there:");
  await start("mytool 1.0.0 greets you");

  say(
    "The author publishes 2.0.0. The same file is started again: it replaces itself, and goes on:",
  );
  await transmute("publish", await build("2.0.0"), "--to", "repository");
  await start("mytool 2.0.0 greets you");

  say("The author publishes 3.0.0, which crashes at its start:");
  await transmute("publish", await build("3.0.0"), "--to", "repository");
  for (let count = 0; count < 3; count++) await start("1 ");

  say("After three of them, the next start is on 2.0.0 again, by itself:");
  await start("mytool 2.0.0 greets you");
  show((await run(tool, ["--version"])).stdout);

  say("What became of it is on record:");
  await transmute("list", "--app", "mytool");
} finally {
  place[Symbol.dispose]();
}
