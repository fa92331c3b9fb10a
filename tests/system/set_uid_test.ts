/** Variables of a user who starts a program that has more rights than he has. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { runtimePaths } from "../../scripts/runtimes.ts";
import { application } from "../fixtures/application.ts";
import { runProgram, told } from "../fixtures/running_program.ts";

const NOBODY = 65534;
const skip = Deno.uid() === 0 ? false : "only root can make a program set-uid";
if (skip) console.log(`Skipped: ${skip}`);

for (const name of ["node24", "bun"] as const) {
  test(`a set-uid program is not told by TRANSMUTE_* where its store is (${name})`, {
    skip,
  }, async () => {
    using here = application();
    await here.program("probe", `console.log((await app.status()).store);\n`);
    Deno.chmodSync(here.folder, 0o755);
    const raised = `${here.folder}/raised`;
    await Deno.copyFile((await runtimePaths())[name], raised);
    Deno.chmodSync(raised, 0o4755);
    const program = here.path(name, "probe");
    Deno.chmodSync(program, 0o644);
    const env = { TRANSMUTE_CACHE_DIR: "/tmp/of-another", HOME: "/nowhere", XDG_DATA_HOME: "" };
    const asNobody = ["--reuid", `${NOBODY}`, "--regid", `${NOBODY}`, "--clear-groups"];
    const end = await runProgram("setpriv", [...asNobody, raised, program], { env });
    assert.equal(end.stdout.trim(), "/nowhere/.local/share/transmute", told(end));
    // Started by its own user, it is told.
    const own = await runProgram(raised, [program], { env });
    assert.equal(own.stdout.trim(), "/tmp/of-another", told(own));
  });
}
