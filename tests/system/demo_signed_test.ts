/** The demonstration of signed repositories, which fails by itself when an attack is not named. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { pythonPackages, SEAWEEDFS } from "../../scripts/python_packages.ts";
import { runProgram } from "../fixtures/running_program.ts";

const missing = await pythonPackages(SEAWEEDFS).then(
  () => false as const,
  (error: Error) => error.message,
);
if (missing !== false) console.log(`# skip demo:signed: ${missing}`);

test(
  "demo:signed shows every attack named, and the application running on",
  { skip: missing },
  async () => {
    const { code, stdout, stderr } = await runProgram(
      Deno.execPath(),
      ["run", "-A", "--quiet", "--no-check", "examples/signed/demo.ts"],
      { longestMs: 300_000 },
    );
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    for (
      const named of ["downgrade-refused", "digest-mismatch", "metadata-expired", "size-mismatch"]
    ) {
      assert.match(stdout, new RegExp(`\\b${named}: `));
    }
    assert.match(stdout, /from version 3\.0\.0 of hello\n$/);
  },
);
