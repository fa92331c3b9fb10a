/** Downloads that a dead process began: the next start goes on where it ended. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Application, RuntimeName } from "../fixtures/application.ts";
import { application, helloEgg } from "../fixtures/application.ts";
import { told } from "../fixtures/running_program.ts";
import { startWebFolder } from "../fixtures/web_folder.ts";

/** Enough for several writes to the store, and incompressible. */
const NOISE_BYTES = 1_500_000;
const PATH = "/hello-1.0.0.tgz";

/** Updates from the folder at its argument, and says what it did. */
const PROGRAM = `
app.addSource(args[0]);
const report = await app.update({ budgetMs: 60_000 });
const { greet } = await app.import("hello");
console.log(report.outcome, greet("you"));
`;

function noise(): string {
  let state = 1;
  return Array.from({ length: NOISE_BYTES }, () => {
    state = state * 48271 % 0x7fffffff;
    return String.fromCharCode(32 + state % 95);
  }).join("");
}

/** Waits until a part of the archive is in the store. */
async function untilKept(here: Application): Promise<void> {
  for (;;) {
    try {
      for (const { name } of Deno.readDirSync(`${here.store}/partials-v1`)) {
        if (Deno.statSync(`${here.store}/partials-v1/${name}`).size > 200_000) return;
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

for (const runtime of ["deno", "node22", "node24", "bun"] satisfies RuntimeName[]) {
  test(`update() goes on with what a killed process left of an archive (${runtime})`, async () => {
    using here = application();
    await using web = await startWebFolder();
    const { manifest, files } = helloEgg("1.0.0");
    const archive = await web.publish(manifest, { ...files, "noise.txt": noise() });
    web.index();
    await here.program("main", PROGRAM);

    web.fail(PATH, "stall", 1);
    const first = await here.start(runtime, "main", [web.url]);
    await untilKept(here);
    first.kill("SIGKILL");
    assert.equal((await first.ended).signal, "SIGKILL");

    const second = await here.run(runtime, "main", [web.url]);
    assert.match(second.stdout, /^updated Hi, you! -- from version 1\.0\.0/, told(second));
    const asked = web.requests.filter(({ path }) => path === PATH);
    assert.equal(asked.length, 2);
    const start = Number(/^bytes=(\d+)-$/.exec(String(asked[1].headers.range))?.[1]);
    assert.ok(start > 200_000 && start < archive.length, `it went on at ${start}`);
    assert.equal(asked[1].status, 206);
    assert.deepEqual([...Deno.readDirSync(`${here.store}/partials-v1`)], []);
  });
}

test("update() takes the whole when what was left on the disk was damaged there", async () => {
  using here = application();
  await using web = await startWebFolder();
  const { manifest, files } = helloEgg("1.0.0");
  await web.publish(manifest, { ...files, "noise.txt": noise() });
  web.index();
  await here.program("main", PROGRAM);
  web.fail(PATH, "stall", 1);
  const first = await here.start("deno", "main", [web.url]);
  await untilKept(here);
  first.kill("SIGKILL");
  await first.ended;

  const [{ name }] = [...Deno.readDirSync(`${here.store}/partials-v1`)];
  const path = `${here.store}/partials-v1/${name}`;
  const bytes = Deno.readFileSync(path);
  bytes.fill(0, 100_000, 101_000);
  Deno.writeFileSync(path, bytes);

  const second = await here.run("deno", "main", [web.url]);
  assert.match(second.stdout, /^updated Hi/, told(second));
  const statuses = web.requests.filter(({ path }) => path === PATH).map(({ status }) => status);
  assert.deepEqual(statuses, [200, 206, 200]);
});

test("update() goes on at the next start with what its budget cut short", async () => {
  using here = application();
  await using web = await startWebFolder();
  const { manifest, files } = helloEgg("1.0.0");
  await web.publish(manifest, files);
  web.index();
  await here.program(
    "main",
    `app.addSource(args[0]);
const report = await app.update({ force: true, budgetMs: Number(args[1]) });
console.log(report.outcome, (await app.import("hello")).greet("you"));`,
  );
  const run = (budgetMs: number) => here.run("deno", "main", [web.url, String(budgetMs)]);
  assert.match((await run(60_000)).stdout, /^updated .* version 1\.0\.0/);

  const next = helloEgg("2.0.0");
  const archive = await web.publish(next.manifest, { ...next.files, "noise.txt": noise() });
  web.index();
  const newer = "/hello-2.0.0.tgz";
  web.fail(newer, "stall", 1);
  const cut = await here.start("deno", "main", [web.url, "2000"]);
  const { stdout } = await cut.ended;
  assert.match(stdout, /^deferred .* version 1\.0\.0/);
  assert.match((await run(60_000)).stdout, /^updated .* version 2\.0\.0/);
  const asked = web.requests.filter(({ path }) => path === newer);
  const start = Number(/^bytes=(\d+)-$/.exec(String(asked.at(-1)!.headers.range))?.[1]);
  assert.ok(start > 0 && start < archive.length, `it went on at ${start}`);
});
