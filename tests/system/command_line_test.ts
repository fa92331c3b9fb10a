/**
 * The command as people use it: transcripts (`tests/cli/transcripts/`) and the examples of the
 * documentation, run for real in Deno from the sources, in Node and Bun from the npm package.
 *
 * After a change that was meant, `TRANSCRIPTS=write deno test -A tests/system/command_line_test.ts`
 * writes down what appears now; read the difference before it is committed.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommandName } from "../../lib/cli/commands.ts";
import { COMMANDS } from "../../lib/cli/commands.ts";
import { EXIT_CODES } from "../../lib/cli/exit_codes.ts";
import type { RuntimeName } from "../fixtures/application.ts";
import { installedPackage } from "../fixtures/installed_package.ts";
import { startRegistry } from "../fixtures/npm_registry.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";
import { runInTerminal } from "../fixtures/terminal.ts";
import { masked, readTranscript, transcriptShell, withResults } from "../fixtures/transcript.ts";

const FOLDER = "tests/cli/transcripts";
const RUNTIMES: RuntimeName[] = ["deno", "node24", "bun"];

/** The file that is the command in a runtime. */
async function commandFile(runtime: RuntimeName): Promise<string> {
  return runtime === "deno"
    ? `${Deno.cwd()}/lib/cli/main.ts`
    : `${await installedPackage()}/main.js`;
}

const names = Array.from(Deno.readDirSync(FOLDER), ({ name }) => name)
  .filter((name) => name.endsWith(".txt")).sort();

for (const name of names) {
  const path = `${FOLDER}/${name}`;
  for (const runtime of RUNTIMES) {
    test(`transmute prints in ${runtime} what ${name} shows`, async () => {
      const text = Deno.readTextFileSync(path);
      const steps = readTranscript(text);
      using folder = temporaryFolder();
      const shell = await transcriptShell(folder.path, runtime, await commandFile(runtime));
      const results: string[] = [];
      for (const { command } of steps) results.push(await shell.run(command));
      if (runtime === "deno" && Deno.env.get("TRANSCRIPTS") === "write") {
        Deno.writeTextFileSync(path, withResults(text, results));
        return;
      }
      steps.forEach(({ line, command, result }, index) => {
        assert.equal(masked(results[index]), masked(result), `${path}:${line}: ${command}`);
      });
    });
  }
}

/** Runs commands in a terminal, in a folder with an application; what appeared, as it is. */
async function inTerminal(commands: string, env: Record<string, string>): Promise<string> {
  using folder = temporaryFolder();
  const shell = await transcriptShell(folder.path, "deno", await commandFile("deno"));
  assert.equal(await shell.run("publish hello@1.0.0"), "");
  const { output } = await runInTerminal(["bash", "-c", commands], [], {
    cwd: folder.path,
    env: { ...shell.env, NO_COLOR: "", TERM: "xterm", ...env },
  });
  return output;
}

const UPDATE = "transmute update hello --source dist --app my-tool";
const [STRONG, CLEARED] = ["\u001b[1m", "\r\u001b[K"];

test("transmute has colour and progress on a terminal, and leaves no trace of the progress", async () => {
  const output = await inTerminal(UPDATE, {});
  assert.ok(output.includes(`${STRONG}my-tool\u001b[0m is on generation 1 now`), output);
  assert.match(output, /asking .*dist for hello/);
  assert.ok(output.includes(`${CLEARED}fetching hello@1.0.0`), output);
  const [last] = output.split(CLEARED).slice(-1);
  assert.match(last, /is on generation 1 now\n/);
});

test("transmute has no colour on a terminal where NO_COLOR is set or the terminal is dumb", async () => {
  for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }] as Record<string, string>[]) {
    const output = await inTerminal(`${UPDATE} 2>/dev/null; transmute status --app nobody`, env);
    assert.match(output, /^my-tool is on generation 1 now$/m);
    assert.match(output, /^error: Cannot find the application/m);
  }
});

test("transmute shows no progress with --quiet, nor with --json", async () => {
  for (const option of ["--quiet", "--json"]) {
    const output = await inTerminal(`${UPDATE} ${option}`, {});
    assert.ok(!output.includes("\u001b") && output.includes("hello"), JSON.stringify(output));
  }
});

/** The processes that run in a folder, where the system tells. */
function processesIn(folder: string): string[] {
  if (Deno.build.os !== "linux") return [];
  return Array.from(Deno.readDirSync("/proc"), ({ name }) => name).filter((name) => {
    try {
      return /^\d+$/.test(name) && Deno.readLinkSync(`/proc/${name}/cwd`) === folder;
    } catch {
      return false; // it has ended, or is another user's
    }
  });
}

test("transmute gives up when the time of --timeout is spent, and leaves nothing behind", async () => {
  using folder = temporaryFolder();
  await using registry = await startRegistry();
  await registry.publish({ manifest: { name: "hello", version: "1.0.0" } });
  const shell = await transcriptShell(folder.path, "deno", await commandFile("deno"));
  const update = `transmute update hello --source ${registry.source} --app my-tool`;
  registry.fail("/hello", "stall", 1);
  assert.equal(
    await shell.run(`${update} --timeout 0.5`),
    "error: Cannot go on: 0.5 seconds are spent\n" +
      "hint: Allow more with --timeout\n[exit code 3]",
  );
  assert.equal(await shell.run("transmute list --quiet"), "");
  assert.equal(await shell.run(`${update} --quiet`), "hello@1.0.0");
  registry.fail("/hello", { status: 503, headers: { "retry-after": "5" } });
  assert.match(await shell.run("transmute update --timeout 0.5"), /\[exit code 3\]$/);
  assert.match(await shell.run("transmute status"), /^my-tool is on generation 1/);
  assert.deepEqual(processesIn(folder.path), []);
});

test("docs/command-line.md shows what transmute prints", async () => {
  const path = "docs/command-line.md";
  const text = Deno.readTextFileSync(path);
  using folder = temporaryFolder();
  const shell = await transcriptShell(folder.path, "deno", await commandFile("deno"));
  let steps = 0;
  // What readers need not see stands in comments between the examples.
  for (const block of text.matchAll(/^<!-- run: (.+) -->$|^```console\n([^]+?)^```$/gm)) {
    const [, unseen, example] = block;
    const line = text.slice(0, block.index).split("\n").length + 1;
    if (unseen !== undefined) assert.equal(await shell.run(unseen), "", `${path}:${line - 1}`);
    for (const { line: at, command, result } of readTranscript(example ?? "", line)) {
      assert.equal(masked(await shell.run(command)), masked(result), `${path}:${at}: ${command}`);
      steps++;
    }
  }
  assert.ok(steps > 8, `${steps} examples`);
  const fences = text.match(/^```\w+$/gm) ?? [];
  assert.deepEqual([...new Set(fences)], ["```console"], "a block that nobody runs");
});

test("docs/command-line.md names every command and exit code", () => {
  const text = Deno.readTextFileSync("docs/command-line.md");
  for (const { name } of COMMANDS) assert.match(text, new RegExp(`\\b${name}\\b`), name);
  const table = text.slice(text.indexOf("## Exit codes"));
  const codes = Array.from(table.matchAll(/^\| (\d+) +\|/gm), ([, code]) => Number(code));
  assert.deepEqual(codes, Object.values(EXIT_CODES));
});

/** A line of a table: commands, and the fields of what they print. */
const FIELDS_ROW = /^\| ((?:`\w+`(?:, )?)+) +\| (`[^|]+`) +\|$/gm;

test("docs/command-line.md lists the fields of what transmute prints with --json", async () => {
  const text = Deno.readTextFileSync("docs/command-line.md");
  const words = (cell: string) => Array.from(cell.matchAll(/`(\w+)`/g), ([, word]) => word);
  const documented = new Map(
    Array.from(text.matchAll(FIELDS_ROW))
      .flatMap(([, commands, fields]) => words(commands).map((name) => [name, words(fields)])),
  );
  const args: Partial<Record<CommandName, string>> = {
    hold: "hello",
    unhold: "hello",
    rollback: "--to 1",
    index: "dist",
    keygen: "--no-passphrase",
    pack: "source --name hello --release 3.0.0",
    "init-repository": "--to repository",
    publish: "hello-3.0.0.tgz --to repository",
    yank: "hello@3.0.0 --to repository --reason mistaken",
    promote: "hello@3.0.0 --to repository --channel beta --rollout 10%/3d --minimum 1.0.0",
    refresh: "--to repository",
    inspect: "--to repository",
  };
  // Whose fields depend on whether others must sign too.
  const several = new Set<CommandName>(["init-repository", "rotate-key"]);
  using folder = temporaryFolder();
  const shell = await transcriptShell(folder.path, "deno", await commandFile("deno"));
  await shell.run("publish hello@1.0.0 && transmute update hello --source dist --app my-tool");
  await shell.run("publish hello@1.1.0 && transmute update");
  await shell.run("mkdir source && echo 'export default 3;' > source/index.js");
  for (const { name } of COMMANDS) {
    // The script of the first is not JSON to anybody; the second needs another key; before what the
    // third prints comes what its command does.
    if (name === "completion" || name === "rotate-key" || name === "run") continue;
    const printed = await shell.run(`transmute ${name} ${args[name] ?? ""} --json`);
    const fields = Object.keys(JSON.parse(printed.replace(/\n\[exit code \d+\]$/, "")));
    if (several.has(name)) assert.ok(!fields.includes("error"), printed);
    else assert.deepEqual(fields, documented.get(name), name);
  }
});
