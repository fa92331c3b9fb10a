/**
 * Programs that are one file with their runtime: there is no module to load and no flag to give,
 * so the program itself is started again to finish an update.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { application, helloEgg } from "../fixtures/application.ts";
import { bundledModule } from "../fixtures/bundled_module.ts";
import { listingPath, startRegistry } from "../fixtures/npm_registry.ts";
import { runProgram, told } from "../fixtures/running_program.ts";
import type { MakerName } from "../fixtures/single_executable.ts";
import { makerIsMissing, MAKERS, singleExecutable } from "../fixtures/single_executable.ts";
import { until } from "../fixtures/until.ts";

/** Notes that it begins, updates, and notes that it goes on. */
const program = (module: string) => `
import { appendFileSync } from "node:fs";
import { Transmute } from ${JSON.stringify(module)};
const [source, notes, budgetMs, ...others] = process.argv.slice(2);
appendFileSync(notes, "begins " + others.join(" ") + "\\n");
const own = new Transmute({ app: "own", sources: [source], budgetMs: Number(budgetMs) });
own.require("hello");
own.update({ force: true }).then(async ({ outcome, background, eggs: [{ version }] }) => {
  appendFileSync(notes, "goes on\\n");
  const { greet } = await own.import("hello");
  console.log(JSON.stringify({ outcome, background, version, greeting: greet("you") }));
});
`;

for (const name of Object.keys(MAKERS) as MakerName[]) {
  const title = `update() starts a program of one file again to finish (${name})`;
  test(title, { skip: makerIsMissing(name, title) }, async () => {
    using here = application();
    await using registry = await startRegistry();
    await registry.publish(helloEgg("1.0.0"));
    const notes = `${here.folder}/notes`;
    const text = program(await bundledModule());
    const executable = await singleExecutable(name, here.folder, "own", text);
    const start = async (budgetMs: number) => {
      const args = [registry.source, notes, String(budgetMs), "--own", "argument"];
      const env = { TRANSMUTE_CACHE_DIR: here.store };
      const end = await runProgram(executable, args, { cwd: here.folder, env });
      assert.equal(end.code, 0, told(end));
      return JSON.parse(end.stdout);
    };
    const greeting = (version: string) => `Hi, you! -- from version ${version} of hello`;
    const first = { outcome: "updated", version: "1.0.0", greeting: greeting("1.0.0") };
    assert.deepEqual(await start(60_000), first);
    await registry.publish(helloEgg("2.0.0"));
    const gate = Promise.withResolvers<void>();
    registry.fail(listingPath("hello"), { until: gate.promise });
    const deferred = { ...first, outcome: "deferred", background: "process" };
    assert.deepEqual(await start(300), deferred);
    gate.resolve();
    const state = `${here.store}/apps-v1/own/state.json`;
    await until("2.0.0 is active", () => /"version":"2.0.0"/.test(Deno.readTextFileSync(state)));
    const begins = "begins --own argument";
    assert.deepEqual(Deno.readTextFileSync(notes).trim().split("\n").sort(), [
      ...[begins, begins, begins, "goes on", "goes on"],
    ]);
    const last = { outcome: "unchanged", version: "2.0.0", greeting: greeting("2.0.0") };
    assert.deepEqual(await start(60_000), last);
  });
}
