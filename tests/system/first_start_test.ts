/** A first start, with nothing to run on: what is seen of it, and what is said when it fails. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { RuntimeName } from "../fixtures/application.ts";
import { application, helloEgg } from "../fixtures/application.ts";
import { archivePath, startRegistry } from "../fixtures/npm_registry.ts";
import { runInTerminal } from "../fixtures/terminal.ts";
import { runtimePaths } from "../../scripts/runtimes.ts";

const PROGRAM = `
const own = new transmute.Transmute({ app: "own", sources: args });
own.require("hello");
try {
  await own.update({ budgetMs: 1 });
  console.log((await own.import("hello")).greet("x"));
} catch ({ message }) {
  console.log(message);
}
`;

const GREETING = "Hi, x! -- from version 1.0.0 of hello\n";

for (const runtime of ["deno", "node24", "bun"] as RuntimeName[]) {
  test(`update() shows a first start in one line, which is gone after it (${runtime})`, async () => {
    using here = application();
    await using registry = await startRegistry();
    await registry.publish(helloEgg("1.0.0"));
    await here.program("own", PROGRAM);
    const gate = Promise.withResolvers<void>();
    registry.fail(archivePath("hello", "1.0.0"), { until: gate.promise });
    const program = (await runtimePaths())[runtime];
    const command = [
      program,
      ...runtime === "deno" ? ["run", "-A"] : [],
      here.path(runtime, "own"),
      registry.source,
    ];
    const env = { TRANSMUTE_CACHE_DIR: here.store, TERM: "xterm" };
    // The archive comes when the line has been seen; the budget of 1 ms is not for first starts.
    const { code, output } = await runInTerminal(
      command,
      [],
      { cwd: here.folder, env, onOutput: (text) => text.includes("fetching") && gate.resolve() },
    );
    assert.equal(code, 0);
    const [line, ...rest] = output.split("\r\x1b[K").slice(-2);
    assert.match(line, /^transmute: /);
    assert.deepEqual(rest, [GREETING], JSON.stringify(output));

    // Nothing is seen of a start that is not the first, nor where nothing is to be printed.
    for (const [store, log] of [["store", "error"], ["another", "off"]]) {
      const again = await runInTerminal(command, [], {
        cwd: here.folder,
        env: { ...env, TRANSMUTE_CACHE_DIR: `${here.folder}/${store}`, TRANSMUTE_LOG: log },
      });
      assert.equal(again.output, GREETING);
    }
  });
}

test("update() names every source and its answer when a first start cannot be done", async () => {
  using here = application();
  await using down = await startRegistry();
  await using empty = await startRegistry();
  await here.program("own", PROGRAM);
  await down.close();
  const [message] = await here.lines("deno", "own", ["dist", empty.source, down.source]);
  assert.ok(
    message.startsWith(
      `Cannot find a version of hello for "hello": [${here.dist}] no such project`,
    ),
    message,
  );
  assert.ok(message.includes(`; [${empty.source}] no such project; [${down.source}] `), message);
  assert.match(message, /refused|ECONNREFUSED/i);
});
