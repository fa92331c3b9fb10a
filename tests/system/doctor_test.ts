/** What `transmute doctor` finds that no transcript can bring about: clocks, locks, other machines. */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { Finding } from "../../lib/cli/finding.ts";
import { generationSum } from "../../lib/model/state.ts";
import { startRegistry } from "../fixtures/npm_registry.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";
import type { TranscriptShell } from "../fixtures/transcript.ts";
import { transcriptShell } from "../fixtures/transcript.ts";

const MAIN = `${Deno.cwd()}/lib/cli/main.ts`;

/** A shell with one application, of a folder. */
async function prepared(folder: string): Promise<TranscriptShell> {
  const shell = await transcriptShell(folder, "deno", MAIN);
  await shell.run("publish hello@1.0.0");
  const result = await shell.run("transmute update hello --source dist --app my-tool --quiet");
  assert.equal(result, "hello@1.0.0");
  return shell;
}

/** What the doctor says of the only application. */
async function findings(shell: TranscriptShell): Promise<Finding[]> {
  const printed = await shell.run("transmute doctor --json");
  return JSON.parse(printed.replace(/\n\[exit code 4\]$/, "")).applications[0].findings;
}

test("doctor tells that another process is updating the application", async () => {
  using folder = temporaryFolder();
  const shell = await prepared(folder.path);
  const lock = new DatabaseSync(`${folder.path}/store/apps-v1/my-tool/updating.sqlite`);
  lock.exec("BEGIN EXCLUSIVE");
  const during = await findings(shell);
  lock.close();
  const text = "Another process is updating it at this moment";
  assert.ok(during.some((finding) => finding.text === text && finding.level === "note"));
  assert.ok(!(await findings(shell)).some((finding) => finding.text === text));
});

for (const [direction, hours] of [["behind", 3], ["ahead of", -3]] as const) {
  test(`doctor tells that the clock is ${direction} that of a source`, async () => {
    using folder = temporaryFolder();
    await using registry = await startRegistry();
    await registry.publish({ manifest: { name: "hello", version: "1.0.0" } });
    const shell = await transcriptShell(folder.path, "deno", MAIN);
    await shell.run(`transmute update hello --source ${registry.source} --app my-tool`);
    assert.deepEqual((await findings(shell)).filter(({ about }) => about === "clock"), []);

    const date = new Date(Date.now() + (hours * 60 + 1) * 60 * 1000).toUTCString();
    registry.fail("/hello", { status: 404, headers: { date } }, 1);
    const clock = (await findings(shell)).find(({ about }) => about === "clock");
    const length = hours > 0 ? "3 hours" : "2 hours";
    assert.equal(clock?.text, `This machine's clock is ${length} ${direction} its sources'`);
    assert.equal(clock.level, "problem");
  });
}

test("doctor tells that what is active was planned for another machine", async () => {
  using folder = temporaryFolder();
  const shell = await prepared(folder.path);
  const file = `${folder.path}/store/apps-v1/my-tool/state.json`;
  const state = JSON.parse(Deno.readTextFileSync(file));
  state.active.platform = { os: "darwin", cpu: "arm64" };
  state.active.sum = generationSum(state.active);
  Deno.writeTextFileSync(file, JSON.stringify(state));
  const text = "It was planned for darwin on arm64, which this is not: the next start plans anew";
  assert.ok((await findings(shell)).some((finding) => finding.text === text));
});

test("doctor goes on to other applications when one cannot be read", async () => {
  using folder = temporaryFolder();
  const shell = await prepared(folder.path);
  await shell.run("transmute update hello --source dist --app later");
  await shell.run(`sed -i 's/"format":1,/"format":7,/' store/apps-v1/later/state.json`);
  const printed = await shell.run("transmute doctor --json");
  const { applications } = JSON.parse(printed.replace(/\n\[exit code 4\]$/, ""));
  assert.deepEqual(applications.map(({ app }: { app: string }) => app), ["later", "my-tool"]);
  assert.match(applications[0].findings[0].text, /^Cannot read .*: its format is 7, wanted 1$/);
  assert.ok(applications[1].findings.some(({ about }: Finding) => about === "egg"));
});
