import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";
import { verifyStore } from "../../lib/store/verify.ts";
import { memorySource } from "../fixtures/memory_source.ts";
import type { Greeter } from "../fixtures/world.ts";
import { world } from "../fixtures/world.ts";

/** A store with two generations, both proven, the eggs of `hello` 1.0.0 and 2.0.0. */
async function stored() {
  const here = world();
  for (const version of ["1.0.0", "2.0.0"]) {
    await here.publish(version);
    const { transmute } = here.start();
    await transmute.update();
    await transmute.confirm();
  }
  const file = new URL(here.start().transmute.resolve("hello")).pathname;
  const closure = file.replace(/\/node_modules\/.*/, "");
  return Object.assign(here, { file, closure });
}

/** Changes a file that nobody may write to. */
function overwrite(path: string, change: (content: Uint8Array) => Uint8Array | string): void {
  chmodSync(path, 0o644);
  writeFileSync(path, change(readFileSync(path)));
}

const flipped = (content: Uint8Array) => {
  const copy = Uint8Array.from(content);
  copy[copy.length >> 1] ^= 1;
  return copy;
};

type Stored = Awaited<ReturnType<typeof stored>>;

/** What is damaged, how, and what must be told of it: kind and a part of the message. */
const DAMAGES: [string, (here: Stored) => void, [string, RegExp]][] = [
  ["one bit of an egg's file", (here) => overwrite(here.file, flipped), [
    "closure",
    /index\.js has sha256:[0-9a-f]{64}, wanted sha256:[0-9a-f]{64}$/,
  ]],
  ["a file that is cut off", (here) => overwrite(here.file, (all) => all.subarray(1)), [
    "closure",
    /index\.js has sha256:/,
  ]],
  ["a file that is gone", (here) => rmSync(here.file), ["closure", /index\.js is gone$/]],
  [
    "a file that nobody recorded",
    (here) => writeFileSync(join(here.closure, "node_modules/hello/more.js"), ""),
    ["closure", /more\.js is not one of its files$/],
  ],
  ["a link in a file's place", (here) => {
    rmSync(here.file);
    symlinkSync("sub.js", here.file);
  }, ["closure", /index\.js has sha256:/]],
  ["a closure that is gone", (here) => rmSync(here.closure, { recursive: true }), [
    "closure",
    /^it is gone$/,
  ]],
  ["one bit of a closure's record", (here) => overwrite(`${here.closure}.json`, flipped), [
    "closure",
    /^its record is gone or damaged$/,
  ]],
  ["another closure's record", (here) => {
    const [other] = readdirSync(here.paths.closures)
      .filter((name) => name.endsWith(".json") && !here.closure.endsWith(name.slice(0, -5)));
    overwrite(`${here.closure}.json`, () => readFileSync(join(here.paths.closures, other)));
  }, ["closure", /^its record is of other eggs than its name says$/]],
  ["one bit of an archive", (here) => {
    const [archive] = readdirSync(here.paths.archives);
    overwrite(join(here.paths.archives, archive), flipped);
  }, ["archive", /^it has sha512:/]],
  [
    "one bit of a generation",
    (here) =>
      overwrite(
        join(here.paths.generations, "000001.json"),
        (all) => new TextDecoder().decode(all).replace("1.0.0", "1.0.1"),
      ),
    [
      "generation",
      /is not as it was written$/,
    ],
  ],
  [
    "one bit of the state",
    (here) =>
      overwrite(here.paths.state, (all) => new TextDecoder().decode(all).replace("2.0.0", "2.0.1")),
    [
      "state",
      /is not as it was written$/,
    ],
  ],
  [
    "a cut-off answer of a source",
    (here) => writeFileSync(join(here.paths.listings, "answer.json"), '{ "key": "x", '),
    [
      "listing",
      /is not as it was written$/,
    ],
  ],
  ["a line of the history", (here) => appendFileSync(here.paths.history, '{"kind": "act\n'), [
    "history",
    /^has 1 lines that cannot be read$/,
  ]],
];

test("verifyStore() finds nothing wrong with a store as it was written", async () => {
  using here = await stored();
  const { problems, files, bytes } = await verifyStore(here.paths);
  assert.deepEqual(problems, []);
  assert.ok(files >= 10 && bytes > 1000, `${files} files, ${bytes} bytes`);
});

for (const [what, damage, [kind, message]] of DAMAGES) {
  test(`verifyStore() finds ${what}, and repairStore() mends it without any source`, async () => {
    using here = await stored();
    rmSync(here.dist, { recursive: true });
    damage(here);
    const before = readdirSync(here.cacheDir, { recursive: true });
    const found = await here.start().transmute.verifyStore();
    assert.deepEqual(found.problems.map((problem) => problem.kind), [kind]);
    assert.match(found.problems[0].message, message);
    assert.ok(!found.problems[0].path.startsWith("/"), found.problems[0].path);
    assert.equal(found.problems[0].repair, undefined);
    assert.deepEqual(readdirSync(here.cacheDir, { recursive: true }), before, "nothing changes");

    const { problems } = await here.start().transmute.repairStore();
    assert.deepEqual(problems.filter(({ repair }) => !repair || repair === "failed"), []);
    assert.deepEqual((await here.start().transmute.verifyStore()).problems, []);
    const started = here.start().transmute;
    await started.update();
    assert.match((await started.import<Greeter>("hello")).greet("x"), /[12]\.0\.0/);
  });
}

test("repairStore() makes a closure anew from archives, the very same", async () => {
  using here = await stored();
  rmSync(here.dist, { recursive: true });
  const text = readFileSync(here.file, "utf8");
  overwrite(here.file, flipped);
  const { transmute, events } = here.start();
  const { problems } = await transmute.repairStore();
  assert.deepEqual(problems.map(({ repair }) => repair), ["rebuilt"]);
  assert.equal(readFileSync(here.file, "utf8"), text);
  assert.deepEqual(
    events.filter(({ kind }) => kind === "damaged" || kind === "repaired").map(({ kind }) => kind),
    ["damaged", "repaired"],
  );
  assert.deepEqual(readdirSync(here.paths.staging), []);
});

test("repairStore() brings from its source what no archive has", async () => {
  using here = await stored();
  rmSync(here.paths.archives, { recursive: true });
  overwrite(here.file, flipped);
  const { transmute } = here.start();
  const { problems } = await transmute.repairStore();
  assert.deepEqual(problems.map(({ repair }) => repair), ["fetched"]);
  const { active } = await transmute.status();
  assert.deepEqual([active?.generation, active?.status], [2, "confirmed"], "it is no new one");
  assert.match((await transmute.import<Greeter>("hello")).greet("x"), /2\.0\.0/);
});

test("repairStore() goes on with another generation when nobody has what is damaged", async () => {
  using here = await stored();
  rmSync(here.paths.archives, { recursive: true });
  overwrite(here.file, flipped);
  const { transmute, kinds } = here.start({ sources: [join(here.dist, "none")] });
  const { problems } = await transmute.repairStore();
  assert.deepEqual(problems.map(({ repair }) => repair), ["fell-back"]);
  assert.ok(kinds().includes("rolled-back"));
  assert.match((await transmute.import<Greeter>("hello")).greet("x"), /1\.0\.0/);
  const again = here.start().transmute;
  assert.deepEqual((await again.update({ force: true })).eggs, [
    { project: "hello", version: "2.0.0", from: "1.0.0" },
  ], "it was not at fault, and may come again");
});

test("repairStore() tells what cannot be mended, and takes it out of the way", async () => {
  using here = world();
  await here.publish("1.0.0");
  await here.start().transmute.update();
  rmSync(here.paths.archives, { recursive: true });
  rmSync(here.dist, { recursive: true });
  overwrite(new URL(here.start().transmute.resolve("hello")).pathname, flipped);
  const { transmute } = here.start();
  const { problems } = await transmute.repairStore();
  assert.deepEqual(problems.map(({ repair }) => repair), ["failed"]);
  await assert.rejects(transmute.import("hello"), { code: "closure-missing" });
});

test("repairStore() makes a damaged closure of an older generation no matter", async () => {
  using here = await stored();
  rmSync(here.paths.archives, { recursive: true });
  const older = here.start();
  await older.transmute.rollback();
  const file = new URL(older.transmute.resolve("hello")).pathname;
  await older.transmute.rollback({ to: 2 });
  overwrite(file, flipped);
  const network = memorySource("network", { releases: {} });
  const { transmute } = here.start({ sources: [network] });
  const { problems } = await transmute.repairStore();
  assert.deepEqual(problems.map(({ repair }) => repair), ["removed"]);
  assert.deepEqual(network.asked, []);
  await assert.rejects(transmute.rollback(), { code: "nothing-to-roll-back-to" });
  assert.match((await transmute.import<Greeter>("hello")).greet("x"), /2\.0\.0/);
});

test("import() notices a file of another size, and mends it first", async () => {
  using here = await stored();
  rmSync(here.dist, { recursive: true });
  overwrite(here.file, (all) => all.subarray(0, all.length - 10));
  const { transmute, events } = here.start();
  assert.match((await transmute.import<Greeter>("hello")).greet("x"), /2\.0\.0/);
  assert.ok(events.some(({ kind }) => kind === "repaired"));
  assert.equal(relative(here.closure, here.file), "node_modules/hello/index.js");
});
