/** The demonstration of programs of one file, whole: it fails by itself when anything is not so. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { runProgram, told } from "../fixtures/running_program.ts";

const title = "demo:executable updates a program of one file, and goes back from one that crashes";
const skip = Deno.build.os === "linux" ? false : "it is made for Linux";
if (skip !== false) console.log(`# skip ${title}: ${skip}`);

test(title, { skip }, async () => {
  const end = await runProgram(Deno.execPath(), [
    ...["run", "-A", "--quiet", "--no-check", "examples/executable/demo.ts"],
  ]);
  assert.equal(end.code, 0, told(end));
  assert.match(end.stdout, /mytool 1\.0\.0 greets you[^]*mytool 2\.0\.0 greets you/);
});
