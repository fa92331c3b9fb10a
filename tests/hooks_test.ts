/** The application's hooks: in order, within their deadlines, and what comes of their answers. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { listGenerations } from "../lib/store/generations.ts";
import type { TransmuteOptions } from "../lib/options.ts";
import { rejection } from "./fixtures/refusal.ts";
import { updated, world } from "./fixtures/world.ts";

const fails = (message: string) => () => {
  throw new Error(message);
};
/** A command that ends with this exit code, whatever runs these tests. */
const exits = (code: number) => ["sh", "-c", `echo said; exit ${code}`];

test("update() calls the hooks in order, and tells each what changes", async () => {
  using here = await updated("1.0.0");
  await here.publish("2.0.0");
  const calls: unknown[] = [];
  const active = () => here.start().transmute.status().then(({ active }) => active?.generation);
  const { transmute } = here.start({
    async verify(egg, folder) {
      const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      calls.push(["verify", egg, version, await active()]);
    },
    smoke: ["sh", "-c", `echo "$TRANSMUTE_TRIAL" > "$TRANSMUTE_CACHE_DIR/tried"`],
    async beforeActivate(change) {
      const tried = readFileSync(join(here.cacheDir, "tried"), "utf8").trim();
      calls.push(["beforeActivate", change, tried, await active()]);
    },
    async afterActivate(change) {
      calls.push(["afterActivate", change, await active()]);
    },
    async onRollback(change) {
      calls.push(["onRollback", change, await active()]);
    },
  });
  await transmute.update();
  await transmute.rollback();
  const change = { from: 1, to: 2, eggs: { hello: { version: "2.0.0", from: "1.0.0" } } };
  const back = { from: 2, to: 1, eggs: { hello: { version: "1.0.0", from: "2.0.0" } } };
  assert.deepEqual(calls, [
    [
      "verify",
      { project: "hello", version: "2.0.0", from: "1.0.0", source: here.dist },
      "2.0.0",
      1,
    ],
    ["beforeActivate", change, "app@2", 1],
    ["afterActivate", change, 2],
    ["onRollback", { ...back, reason: "rollback() was called" }, 1],
  ]);
});

test("update() calls no hook when nothing changes", async () => {
  using here = await updated("1.0.0");
  const never = fails("it was called");
  const hooks = { verify: never, smoke: exits(1), beforeActivate: never, afterActivate: never };
  const report = await here.start(hooks).transmute.update({ force: true });
  assert.deepEqual([report.outcome, report.reason], ["unchanged", "already-newest"]);
});

/** A hook that refuses 2.0.0, and a part of what is said of it. */
const REFUSING: [string, TransmuteOptions, RegExp][] = [
  [
    "the hook verify throws",
    {
      verify({ version }) {
        if (version === "2.0.0") throw new Error("no licence");
      },
    },
    /^Cannot accept hello@2\.0\.0: the hook verify refused it: no licence$/,
  ],
  [
    "the hook verify rejects",
    { verify: ({ version }) => version === "2.0.0" && Promise.reject(new Error("no licence")) },
    /: the hook verify refused it: no licence$/,
  ],
  [
    "the hook verify takes too long",
    {
      verify: ({ version }) => version === "2.0.0" && new Promise(() => {}),
      hookTimeoutMs: 20,
    },
    /: the hook verify refused it: verify took more than 20 ms$/,
  ],
  [
    "the smoke command fails",
    { smoke: exits(3) },
    /: the smoke command ended with exit code 3: said$/,
  ],
  [
    "the smoke command takes too long",
    { smoke: ["sh", "-c", "exec sleep 60"], hookTimeoutMs: 50 },
    /: the smoke command did not end within 50 ms$/,
  ],
  [
    "the smoke command is ended by a signal",
    { smoke: ["sh", "-c", "kill -9 $$"] },
    /: the smoke command was ended by a signal$/,
  ],
  [
    "the smoke command is an entry that the egg does not have",
    { smoke: "hello/selftest" },
    /: it has no entry "hello\/selftest", which is the smoke command$/,
  ],
];

for (const [what, options, message] of REFUSING) {
  test(`update() refuses an egg when ${what}, and remembers`, async () => {
    using here = await updated("1.0.0");
    await here.publish("2.0.0");
    const { transmute, kinds } = here.start(options);
    const report = await transmute.update();
    assert.deepEqual([report.outcome, report.generation], ["unchanged", 1]);
    assert.deepEqual(report.refused.map(({ version, code }) => [version, code]), [
      ["2.0.0", "verify-failed"],
    ]);
    assert.match(report.refused[0].message, message);
    assert.ok(kinds().includes("refused"));
    assert.deepEqual(listGenerations(here.paths), [1], "nothing is left of the attempt");
    const again = here.start({ verify: fails("it was called"), smoke: exits(1) });
    assert.equal((await again.transmute.update({ force: true })).generation, 1);
    assert.ok(!again.kinds().includes("refused"), "it is not judged again");
  });
}

test("update() takes the next best of what a hook refuses", async () => {
  using here = await updated("1.0.0");
  await here.publish("1.5.0");
  await here.publish("2.0.0");
  const { transmute } = here.start({
    verify({ version }) {
      if (version === "2.0.0") throw new Error("too new");
    },
  });
  assert.equal((await transmute.update()).eggs[0].version, "1.5.0");
});

test("update() refuses all eggs of a set together when the smoke command fails", async () => {
  using here = world();
  const start = (options: TransmuteOptions = {}) => here.start(options, ["hello", "world"]);
  for (const version of ["1.0.0", "2.0.0"]) {
    await here.publish(version);
    await here.publish(version, { name: "world" });
    if (version === "1.0.0") await start().transmute.update();
  }
  const { refused } = await start({ smoke: exits(1) }).transmute.update();
  assert.deepEqual(refused.map(({ project, version }) => `${project}@${version}`).sort(), [
    "hello@2.0.0",
    "world@2.0.0",
  ]);
});

test("smoke may be an egg's own entry, which runs in a process of its own", async () => {
  using here = world();
  await here.publish("1.0.0");
  await here.start({ smoke: "hello" }).transmute.update();
  await here.publish("2.0.0", { text: 'throw new Error("cannot greet");' });
  const report = await here.start({ smoke: "hello" }).transmute.update();
  assert.equal(report.generation, 1);
  assert.match(report.refused[0].message, /ended with exit code 1: .*cannot greet/s);
  assert.deepEqual(readdirSync(here.paths.staging), []);
});

test("smoke that cannot be run stops the update, and blames no egg", async () => {
  using here = await updated("1.0.0");
  await here.publish("2.0.0");
  const report = await here.start({ smoke: [join(here.dist, "none")] }).transmute.update();
  assert.equal(report.generation, 1);
  assert.deepEqual(report.problems.map(({ code }) => code), ["option-invalid"]);
  assert.deepEqual(report.refused, []);
});

test("beforeActivate() that throws leaves things as they are, and is asked again at the next start", async () => {
  using here = await updated("1.0.0");
  await here.publish("2.0.0");
  for (const start of ["first", "second"]) {
    const { transmute } = here.start({ beforeActivate: fails("not now") });
    const report = await transmute.update();
    assert.deepEqual([report.outcome, report.reason, report.generation], [
      "unchanged",
      "vetoed",
      1,
    ], start);
    assert.match(report.problems[0].message, /the hook beforeActivate said no: not now$/);
    assert.deepEqual(report.refused, []);
  }
  assert.deepEqual(listGenerations(here.paths), [1]);
  assert.equal((await here.start().transmute.update()).generation, 2);
});

test("update() fails when the first generation is vetoed: there is nothing to run on", async () => {
  using here = world();
  await here.publish("1.0.0");
  const { transmute } = here.start({ beforeActivate: fails("not now") });
  assert.equal((await rejection(transmute.update())).code, "activation-vetoed");
});

test("afterActivate() and onRollback() that throw undo nothing, and are told", async () => {
  using here = await updated("1.0.0");
  await here.publish("2.0.0");
  const { transmute, events } = here.start({
    afterActivate: fails("after"),
    onRollback: fails("back"),
  });
  assert.equal((await transmute.update()).generation, 2);
  assert.equal((await transmute.rollback()).generation, 1);
  assert.deepEqual(
    events.filter(({ kind }) => kind === "hook-failed")
      .map((event) => "hook" in event && [event.hook, event.message]),
    [["afterActivate", "after"], ["onRollback", "back"]],
  );
});
