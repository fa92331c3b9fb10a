/** The demonstration of Python eggs, whole: it fails by itself when anything is not as it says. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { pythonPackages, SETUPTOOLS } from "../../scripts/python_packages.ts";
import { runProgram, told } from "../fixtures/running_program.ts";

async function absence(): Promise<string | false> {
  try {
    await pythonPackages(SETUPTOOLS);
    return false;
  } catch (error) {
    return (error as Error).message;
  }
}

const title = "demo:python updates a Python application from eggs that setuptools built";
const missing = await absence();
if (missing !== false) console.log(`# skip ${title}: ${missing}`);

test(title, { skip: missing }, async () => {
  const end = await runProgram(Deno.execPath(), [
    ...["run", "-A", "--quiet", "--no-check", "examples/python-launcher/demo.ts", "--local"],
  ]);
  assert.equal(end.code, 0, told(end));
  for (const version of ["0", "2.1"]) {
    assert.match(end.stdout, new RegExp(`Hi, test! -- from version ${version} of hello`));
  }
});
