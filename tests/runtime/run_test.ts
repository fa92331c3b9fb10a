import assert from "node:assert/strict";
import { execPath } from "node:process";
import { test } from "node:test";
import { runtime } from "../../lib/runtime/current.ts";
import type { Command } from "../../lib/runtime/runtime.ts";

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

test("run() kills a program when its signal fires", async () => {
  const ending = new AbortController();
  const running = runtime.run(program("setInterval(() => {}, 1000);"), ending.signal);
  ending.abort();
  const succeeded = await running.then(({ code }) => code === 0, () => false);
  assert.equal(succeeded, false);
});

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
