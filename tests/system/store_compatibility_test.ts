/** A store that 0.1.0 wrote, read by this version, and the other way round. */

import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runtime } from "../../lib/runtime/current.ts";
import { checkOutOldRelease, layOutOldStore } from "../fixtures/old_release.ts";
import { runProgram, told } from "../fixtures/running_program.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";
import type { Greeter } from "../fixtures/world.ts";
import { DAY, world } from "../fixtures/world.ts";

const REQUIREMENTS = ["hello@>=1", "world"];

/** The store of 0.1.0 as this machine would have had it, and starts on it without its source. */
function oldStore() {
  const here = world();
  layOutOldStore(here.cacheDir);
  for (const name of ["state.json", "generations/000001.json", "generations/000002.json"]) {
    const path = join(here.paths.app, name);
    const record = JSON.parse(readFileSync(path, "utf8"));
    (record.active ?? record).platform = runtime.platform();
    writeFileSync(path, JSON.stringify(record));
  }
  const start = () => here.start({ sources: [here.dist] }, REQUIREMENTS);
  return Object.assign(here, { again: start });
}

test("update() and import() run on a store of 0.1.0", async () => {
  using here = oldStore();
  const { transmute, kinds } = here.again();
  const report = await transmute.update();
  assert.deepEqual([report.outcome, report.generation], ["unchanged", 2]);
  assert.ok(!kinds().includes("recovered"));
  assert.equal((await transmute.import<Greeter>("hello")).greet("x"), "Hi, x! 2.0.0 of hello");
  assert.equal((await transmute.import("world/sub")).default, "the subpath of 4.0.0");
});

test("status() takes what 0.1.0 made active for proven", async () => {
  using here = oldStore();
  const { active, generations, eggs, damaged } = await here.again().transmute.status();
  assert.equal(damaged, false);
  assert.deepEqual([active?.generation, active?.status], [2, "confirmed"]);
  assert.deepEqual(generations.map(({ status }) => status), ["confirmed", "confirmed"]);
  assert.equal(eggs[0].proof, "unsigned; size as its source promised");
});

test("rollback() goes back to what 0.1.0 made", async () => {
  using here = oldStore();
  const { transmute } = here.again();
  assert.equal((await transmute.rollback()).generation, 1);
  assert.match((await transmute.import<Greeter>("hello")).greet("x"), /1\.0\.0/);
});

test("verifyStore() finds a store of 0.1.0 whole, and repairStore() mends it", async () => {
  using here = oldStore();
  const { transmute } = here.again();
  assert.deepEqual((await transmute.verifyStore()).problems, []);
  const file = new URL(transmute.resolve("hello")).pathname;
  const text = readFileSync(file, "utf8");
  chmodSync(file, 0o644);
  writeFileSync(file, text.replace("2.0.0", "2.0.1"));
  const { problems } = await transmute.repairStore();
  assert.deepEqual(problems.map(({ kind, repair }) => [kind, repair]), [["closure", "rebuilt"]]);
  assert.equal(readFileSync(file, "utf8"), text);
});

test("collectGarbage() leaves what a store of 0.1.0 needs", async () => {
  using here = oldStore();
  const report = await here.start({ now: () => 1.9e12 + 100 * DAY }).transmute.collectGarbage();
  assert.deepEqual([report.generations, report.closures, report.archives], [[], [], []]);
});

test("update() goes on from a store of 0.1.0, and back to it", async () => {
  using here = oldStore();
  await here.publish("3.0.0", { text: 'throw new Error("bad");' });
  const options = { sources: [here.dist], strategy: "best" as const };
  const { transmute } = here.start(options, REQUIREMENTS);
  assert.equal((await transmute.update()).generation, 3);
  assert.equal((await transmute.status()).active?.status, "probation");
  assert.equal((await transmute.rollback()).generation, 2);
});

/** A program on the sources of 0.1.0. */
const OLD_PROGRAM = `
import { Transmute } from "./mod.ts";
const [dist, cacheDir] = Deno.args;
const transmute = new Transmute({ app: "app", cacheDir, sources: [dist], log: "warn" });
transmute.require("hello");
const { outcome, generation } = await transmute.update();
const { greet } = await transmute.import("hello");
console.log(outcome, generation, greet("x"));
`;

test("0.1.0 runs on a store of this version, updates it, and this version goes on", async (context) => {
  using folder = temporaryFolder();
  const release = join(folder.path, "release");
  mkdirSync(release);
  if (!await checkOutOldRelease(release)) {
    const reason = "this project has no history here to take 0.1.0 from";
    console.log(`# skip ${context.name}: ${reason}`);
    return context.skip(reason);
  }
  writeFileSync(join(release, "old.ts"), OLD_PROGRAM);
  using here = world();
  const now = Date.now;
  const old = async () => {
    const program = [
      ...["run", "-A", "--no-check", "--quiet", join(release, "old.ts")],
      ...[here.dist, here.cacheDir],
    ];
    const end = await runProgram(Deno.execPath(), program);
    assert.equal(end.code, 0, told(end));
    assert.equal(end.stderr, "");
    return end.stdout.trim();
  };
  for (const version of ["1.0.0", "2.0.0", "3.0.0"]) {
    await here.publish(version);
    await here.start({ now }).transmute.update();
    if (version !== "3.0.0") await here.start({ now }).transmute.confirm();
  }
  assert.match(await old(), /^unchanged 3 .*3\.0\.0/, "on probation");
  await here.start({ now }).transmute.rollback();
  await here.start({ now }).transmute.hold("hello");
  assert.match(await old(), /^unchanged 2 .*2\.0\.0/, "what is rejected is not taken again");
  await here.publish("4.0.0");
  assert.match(await old(), /^updated 4 .*4\.0\.0/);

  const { transmute, kinds } = here.start({ now });
  assert.equal((await transmute.update()).generation, 4);
  assert.ok(!kinds().includes("recovered"), "nothing looks damaged");
  const { active, held, refused } = await transmute.status();
  assert.deepEqual([active?.status, held], ["confirmed", ["hello"]]);
  assert.deepEqual(refused.map(({ version }) => version), ["3.0.0"]);
  assert.deepEqual((await transmute.verifyStore()).problems, []);
  assert.equal((await transmute.rollback()).generation, 2);
});
