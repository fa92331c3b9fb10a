/** Publishers as real processes: ended by force, several at once, and asked for a passphrase. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { runtimePaths } from "../../scripts/runtimes.ts";
import { installedPackage } from "../fixtures/installed_package.ts";
import { runProgram } from "../fixtures/running_program.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";
import { runInTerminal } from "../fixtures/terminal.ts";
import { transcriptShell } from "../fixtures/transcript.ts";

const MAIN = `${Deno.cwd()}/lib/cli/main.ts`;
const DYING = `${Deno.cwd()}/tests/fixtures/dying_publisher.ts`;

/** A folder with keys, a repository that has hello@1.0.0, and eggs of 1.1.0 and later. */
async function published(count: number) {
  const folder = temporaryFolder();
  const shell = await transcriptShell(folder.path, "deno", MAIN);
  const eggs = Array.from({ length: count + 1 }, (_, minor) => `hello@1.${minor}.0`);
  const commands = [
    "transmute keygen --no-passphrase --quiet",
    "transmute init-repository --to repository --quiet",
    `publish ${eggs.join(" ")}`,
    "transmute publish dist/hello-1.0.0.tgz --to repository --quiet",
  ];
  for (const command of commands) assert.doesNotMatch(await shell.run(command), /error|exit code/);
  return { ...shell, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

/** The versions that the repository offers, the lowest first, proven from the root. */
async function offered(run: (command: string) => Promise<string>): Promise<string[]> {
  const shown = await run("transmute inspect --to repository --quiet");
  return shown.split("\n").map((name) => name.replace("hello@", "")).reverse();
}

test("publish is finished by its repetition after kill -9 at every write", async () => {
  const { deno } = await runtimePaths();
  for (let count = 1;; count++) {
    using author = await published(1);
    const { folder, run } = author;
    const args = ["run", "-A", "--no-check", "--quiet", DYING];
    const end = await runProgram(deno, [
      ...args,
      ...["repository", "root.json", "keys", "dist/hello-1.1.0.tgz"].map((path) =>
        `${folder}/${path}`
      ),
      String(count),
    ]);
    if (end.signal === null) {
      assert.equal(end.stdout, "made 5 writes\n");
      assert.equal(count, 6);
      break;
    }
    assert.equal(end.signal, "SIGKILL");
    const before = count < 4 ? ["1.0.0"] : ["1.0.0", "1.1.0"];
    assert.deepEqual(await offered(run), before, `after ${count} writes`);
    const again = await run("transmute publish dist/hello-1.1.0.tgz --to repository --quiet");
    assert.equal(again, count < 4 ? "hello@1.1.0" : "");
    assert.deepEqual(await offered(run), ["1.0.0", "1.1.0"]);
    const left = Array.from(Deno.readDirSync(`${folder}/repository/metadata`), ({ name }) => name)
      .filter((name) => name.endsWith(".tmp"));
    assert.deepEqual(left, []);
  }
});

test("publish loses nothing of publishers in every runtime at the same time", async () => {
  using author = await published(6);
  const { folder, run, env } = author;
  const { deno, node24, bun } = await runtimePaths();
  const main = `${await installedPackage()}/main.js`;
  const commands = [[deno, "run", "-A", "--quiet", MAIN], [node24, main], [bun, main]];
  const ends = await Promise.all(Array.from({ length: 6 }, (_, index) => {
    const [program, ...args] = commands[index % commands.length];
    const egg = `dist/hello-1.${index + 1}.0.tgz`;
    return runProgram(program, [...args, "publish", egg, "--to", "repository"], {
      cwd: folder,
      env,
    });
  }));
  for (const { code, stderr } of ends) assert.equal(code, 0, stderr);
  assert.deepEqual(await offered(run), Array.from({ length: 7 }, (_, minor) => `1.${minor}.0`));
});

test("keygen and publish ask for a passphrase at the terminal, without showing it", async () => {
  using folder = temporaryFolder();
  const shell = await transcriptShell(folder.path, "deno", MAIN);
  const options = { cwd: folder.path, env: shell.env };
  const secret = "correct horse";
  const typed = (question: string, answer = secret): [string, string] => [question, `${answer}\n`];
  const made = await runInTerminal(
    ["bash", "-c", "transmute keygen"],
    [typed("Passphrase for the new keys: "), typed("The same again: ")],
    options,
  );
  assert.equal(made.code, 0, made.output);
  const begun = await runInTerminal(
    ["bash", "-c", "transmute init-repository --to repository"],
    [typed("Passphrase of keys/", "mistyped"), typed("Passphrase of keys/")],
    options,
  );
  assert.equal(begun.code, 0, begun.output);
  // One passphrase for all keys is asked for once.
  assert.equal(begun.output.match(/Passphrase of/g)?.length, 2);
  for (const { output } of [made, begun]) assert.ok(!/correct|mistyped/.test(output), output);
  const differing = await runInTerminal(
    ["bash", "-c", "transmute keygen other"],
    [typed("Passphrase for the new keys: "), typed("The same again: ", "another")],
    options,
  );
  assert.match(differing.output, /the two passphrases differ/);
  assert.throws(() => Deno.statSync(`${folder.path}/keys/other.pem`), Deno.errors.NotFound);
});
