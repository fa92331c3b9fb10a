import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execPath, kill, platform } from "node:process";
import { test } from "node:test";
import { runtime } from "../../lib/runtime/current.ts";
import type { Command } from "../../lib/runtime/runtime.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";
import { until } from "../fixtures/until.ts";

/** A program of one text, run by what runs this test. */
function program(text: string, env: Record<string, string> = {}): Command {
  const before = { deno: ["eval"], node: ["--input-type=module", "-e"], bun: ["-e"] };
  return { path: execPath, args: [...before[runtime.name], text], env };
}

const never = new AbortController().signal;

test("run() gives what a program prints and its code, and lets go of its errors", async () => {
  const text = `import { readFileSync } from "node:fs"; import process from "node:process";
    console.error("for nobody");
    console.log(process.env.GIVEN, JSON.stringify(readFileSync(0, "utf8")));
    process.exit(3);`;
  assert.deepEqual(await runtime.run(program(text, { GIVEN: "a value" }), never), {
    code: 3,
    signal: null,
    stdout: 'a value ""\n',
  });
});

test("run() ends a program when its signal fires, or fired before", async () => {
  const lasting = program("setInterval(() => {}, 1000);");
  const ending = new AbortController();
  const running = runtime.run(lasting, ending.signal);
  ending.abort();
  await assert.rejects(running);
  await assert.rejects(runtime.run(lasting, ending.signal));
});

const posix = { skip: platform === "win32" ? "it is about programs of sh" : false };

/** Runs a script of sh, and stops it as soon as the script has written a process's id to `$0`. */
async function stopped(script: string): Promise<{ running: Promise<unknown>; id: number }> {
  using folder = temporaryFolder();
  const ending = new AbortController();
  const file = join(folder.path, "id");
  const command = { path: "sh", args: ["-c", script, file], env: {} };
  const running = runtime.run(command, ending.signal);
  const written = () => existsSync(file) && readFileSync(file, "utf8").endsWith("\n");
  await until("the script wrote an id", written);
  const id = Number(readFileSync(file, "utf8"));
  ending.abort();
  return { running, id };
}

function isRunning(id: number): boolean {
  try {
    return kill(id, 0);
  } catch {
    return false;
  }
}

test("run() kills a program that does not end when it is told to", posix, async () => {
  const { running, id } = await stopped('trap "" TERM; echo $$ >"$0"; while :; do sleep 1; done');
  await assert.rejects(running);
  await until("the program is gone", () => !isRunning(id));
});

test(
  "run() does not wait for what a program left behind when its signal fires",
  posix,
  async () => {
    const { running, id } = await stopped('sleep 300 & echo $! >"$0"');
    await assert.rejects(running);
    assert.ok(isRunning(id));
    kill(id, "SIGKILL");
  },
);

test("run() rejects when a program cannot be started", async () => {
  await assert.rejects(runtime.run({ path: "/nowhere/at/all", args: [], env: {} }, never));
});

test("run() gives a program its input, however long, and lets it end without reading it", async () => {
  const text = `import { readFileSync } from "node:fs";
    console.log(readFileSync(0).length);`;
  const input = new Uint8Array(1024 ** 2);
  assert.equal((await runtime.run(program(text), never, { input })).stdout, `${input.length}\n`);
  const deaf = await runtime.run(program("console.log(1);"), never, { input });
  assert.deepEqual([deaf.code, deaf.stdout], [0, "1\n"]);
});
