/**
 * Proxies as the runtimes have them: Deno and Bun take `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`
 * from the environment, Node does with `NODE_USE_ENV_PROXY=1`. The documents state it so.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { RuntimeName } from "../fixtures/application.ts";
import { application, helloEgg, RUNTIMES } from "../fixtures/application.ts";
import { proxyVariables, startProxy } from "../fixtures/proxy.ts";
import { told } from "../fixtures/running_program.ts";
import { startWebFolder } from "../fixtures/web_folder.ts";

/** Starts a program on an egg behind a web server; gives where the proxy was told to go. */
async function updateThrough(
  runtime: RuntimeName,
  variables: (proxy: string) => Record<string, string>,
): Promise<{ output: string; web: string; passed: string[] }> {
  using here = application();
  await using web = await startWebFolder();
  await using proxy = await startProxy();
  const { manifest, files } = helloEgg("1.0.0");
  await web.publish(manifest, files);
  web.index();
  await here.program(
    "main",
    `app.addSource(args[0]);
try {
  await app.update();
  console.log((await app.import("hello")).greet("you"));
} catch (error) {
  console.log(error.code);
}`,
  );
  const { host } = new URL(web.url);
  // No permission for the proxy itself, nor for its variables.
  const flags = ["--allow-read", "--allow-write", "--allow-sys=uid", "--allow-env=TRANSMUTE_*"];
  const end = await here.run(runtime, "main", [web.url], {
    env: proxyVariables(variables(proxy.url)),
    ...(runtime === "deno" ? { flags: [...flags, `--allow-net=${host}`] } : {}),
  });
  assert.equal(end.code, 0, told(end));
  return { output: end.stdout.trim(), web: host, passed: await proxy.end() };
}

for (const runtime of RUNTIMES) {
  const own: Record<string, string> = runtime.startsWith("node") ? { NODE_USE_ENV_PROXY: "1" } : {};

  test(`update() goes through the proxy that the environment names (${runtime})`, async () => {
    const { output, web, passed } = await updateThrough(runtime, (url) => ({
      ...own,
      HTTP_PROXY: url,
    }));
    assert.equal(output, "Hi, you! -- from version 1.0.0 of hello");
    assert.ok(passed.length > 0);
    assert.deepEqual([...new Set(passed)], [web]);
  });

  test(`update() asks without a proxy where NO_PROXY says so (${runtime})`, async () => {
    const { output, passed } = await updateThrough(runtime, (url) => ({
      ...own,
      HTTP_PROXY: url,
      NO_PROXY: "127.0.0.1",
    }));
    assert.equal(output, "Hi, you! -- from version 1.0.0 of hello");
    assert.deepEqual(passed, []);
  });
}

test("update() tells that a proxy does not answer", async () => {
  const { output, passed } = await updateThrough("deno", () => ({
    HTTP_PROXY: "http://127.0.0.1:1",
  }));
  assert.equal(output, "source-unreachable");
  assert.deepEqual(passed, []);
});
