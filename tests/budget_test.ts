/** What a due start may take: nothing that a network does makes it longer than its budget. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { TransmuteError } from "../lib/errors.ts";
import { FIRST_REST_MS } from "../lib/model/next_check.ts";
import type { State } from "../lib/model/state.ts";
import type { TransmuteOptions } from "../lib/options.ts";
import type { UpdateReport } from "../lib/report.ts";
import { runtime } from "../lib/runtime/current.ts";
import type { Fault } from "./fixtures/faulty_server.ts";
import type { TestRegistry } from "./fixtures/npm_registry.ts";
import { archivePath, listingPath, startRegistry } from "./fixtures/npm_registry.ts";
import { selfSignedServer } from "./fixtures/certificates.ts";
import type { Greeter } from "./fixtures/world.ts";
import { DAY, NOW, remote, world } from "./fixtures/world.ts";

const BUDGET_MS = 400;
/** Shared machines are slow at times; a start that waits for a network is slower by far. */
const GENEROUS = 6;

type World = ReturnType<typeof world>;

const EGG = { type: "module", exports: "./index.js" };

function publish(registry: TestRegistry, version: string, name = "hello"): Promise<void> {
  return registry.publish({
    manifest: { name, version, ...EGG },
    files: { "index.js": `export const greet = () => "${name} ${version}";` },
  });
}

function stateOf(here: World): State {
  return JSON.parse(readFileSync(join(here.cacheDir, "apps-v1/app/state.json"), "utf8"));
}

/** A start that must keep its budget, and what the program then greets with. */
async function startWithin(
  here: World,
  options: TransmuteOptions,
  force = true,
): Promise<{ report: UpdateReport; greeting: string; tookMs: number }> {
  const { transmute } = here.start({ budgetMs: BUDGET_MS, ...options });
  const startedAt = performance.now();
  const report = await transmute.update({ force });
  const tookMs = performance.now() - startedAt;
  assert.ok(tookMs < BUDGET_MS * GENEROUS, `it took ${tookMs} ms`);
  const { greet } = await transmute.import<Greeter>("hello");
  return { report, greeting: greet("x"), tookMs };
}

const LOGIN = "<!doctype html><title>Welcome to the hotel's network</title>";

/** What goes wrong, and where. */
const FAULTS: [what: string, fault: Fault][] = [
  ["never says a word", "silent"],
  ["sends its headers letter by letter", "slow-head"],
  ["sends its body letter by letter", "drip"],
  ["stops in the middle", "stall"],
  ["sends without end", "endless"],
  ["resets the connection", "reset"],
  ["hangs up at once", "hang-up"],
  ["hangs up in the middle", "truncate"],
  ["answers 500", { status: 500 }],
  ["answers 503", { status: 503, headers: { "retry-after": "3600" } }],
  ["answers 429", { status: 429, headers: { "retry-after": "3600" } }],
  ["redirects in a loop", { status: 302, headers: { location: "?again" } }],
  ["redirects to a portal", { status: 302, headers: { location: "http://127.0.0.1:1/login" } }],
  ["is a portal itself", { status: 200, headers: { "content-type": "text/html" }, body: LOGIN }],
  ["answers nonsense", { status: 200, body: "\0\0\0" }],
  ["has gone", { status: 410 }],
];

for (const [what, fault] of FAULTS) {
  for (const place of ["listing", "archive"] as const) {
    test(`update() keeps its budget when a registry ${what} (${place})`, async () => {
      using here = world();
      await using registry = await startRegistry();
      await publish(registry, "1.0.0");
      const options = { sources: [registry.source], maxDownloadBytes: 1_000_000 };
      await here.start(options).transmute.update();
      await publish(registry, "2.0.0");
      const path = place === "listing" ? listingPath("hello") : archivePath("hello", "2.0.0");
      registry.fail(path, fault);
      const { report, greeting } = await startWithin(here, options);
      assert.ok(["deferred", "unchanged"].includes(report.outcome), report.outcome);
      assert.equal(greeting, "hello 1.0.0");

      // It rests, so that the next start is free of it.
      const asked = registry.requests.length;
      const next = await startWithin(here, options, false);
      assert.equal(next.report.reason, "not-due");
      assert.equal(registry.requests.length, asked);

      // And it is well again when the registry is.
      registry.heal(path);
      const later = { ...options, now: () => NOW + 2 * DAY, budgetMs: 60_000 };
      const { transmute } = here.start(later);
      const end = await transmute.update();
      const refused = end.refused.length > 0;
      assert.equal(end.outcome, refused ? "unchanged" : "updated");
    });
  }
}

test("update() keeps its budget when a certificate is nobody's", async (context) => {
  using here = world();
  await using server = await selfSignedServer();
  if (server === null) return context.skip("there is no openssl");
  await using registry = await startRegistry();
  await publish(registry, "1.0.0");
  const text = (value: unknown) => JSON.stringify(value).replaceAll(registry.url, server.url);
  registry.rewrite("hello", (packument) => JSON.parse(text(packument)));
  const sources = [`npm+${server.url}`];
  // What the server would say, if it were the one it says it is.
  const trusting: typeof fetch = (input, init) =>
    fetch(String(input).replace(server.url, registry.url), init);
  await here.start({ sources, fetch: trusting }).transmute.update();
  await publish(registry, "2.0.0");
  const { report, greeting } = await startWithin(here, { sources });
  assert.ok(["deferred", "unchanged"].includes(report.outcome));
  assert.equal(greeting, "hello 1.0.0");
  assert.equal(server.answered(), 0, "nothing was said to it");
  assert.equal(stateOf(here).checks[sources[0]].failures, 1);
});

const NEVER: [what: string, fetch: typeof fetch][] = [
  [
    "gives up when it is told to",
    (_input, init) =>
      new Promise((_resolve, reject) =>
        init?.signal?.addEventListener("abort", () => reject(init.signal!.reason))
      ),
  ],
  ["cannot even be told to give up", () => new Promise(() => {})],
];

for (const [what, fetch] of NEVER) {
  test(`update() keeps its budget with a name server that ${what}`, async () => {
    using here = world();
    await using registry = await startRegistry();
    await publish(registry, "1.0.0");
    const options = { sources: [registry.source] };
    await here.start(options).transmute.update();
    const { report, greeting } = await startWithin(here, { ...options, fetch });
    assert.equal(report.outcome, "deferred");
    assert.equal(report.background, "off");
    assert.equal(greeting, "hello 1.0.0");
  });
}

for (const place of ["listing", "archive"] as const) {
  test(`update() takes what one source gave though another is stuck (${place})`, async () => {
    using here = world();
    await using good = await startRegistry();
    await using stuck = await startRegistry();
    const others = Array.from({ length: 15 }, (_, index) => `other-${index}`);
    await publish(good, "1.0.0");
    for (const name of others) await publish(stuck, "1.0.0", name);
    const options = { sources: [good.source, stuck.source], strategy: "first" as const };
    const requirements = ["hello", ...others];
    await here.start(options, requirements).transmute.update();
    await publish(good, "2.0.0");
    for (const name of others) {
      await publish(stuck, "2.0.0", name);
      stuck.fail(place === "listing" ? listingPath(name) : archivePath(name, "2.0.0"), "silent");
    }

    const budgetMs = 1000;
    const { transmute, events } = here.start({ ...options, budgetMs }, requirements);
    const startedAt = performance.now();
    const report = await transmute.update({ force: true });
    assert.ok(performance.now() - startedAt < budgetMs * GENEROUS);
    assert.equal(report.outcome, "updated", JSON.stringify(events));
    assert.equal(report.background, "off", "there is more to do, and nobody to do it");
    const { greet } = await transmute.import<Greeter>("hello");
    assert.equal(greet("x"), "hello 2.0.0");
    assert.equal(report.eggs.find(({ project }) => project === "other-0")?.version, "1.0.0");
    assert.ok(report.problems.some(({ source }) => source === stuck.source));

    // The stuck one is asked again soon, the other one tomorrow.
    const { checks } = stateOf(here);
    assert.equal(checks[good.source].failures, undefined);
    assert.equal(checks[good.source].nextAt, NOW + DAY);
    assert.equal(checks[stuck.source].failures, 1);
    assert.equal(checks[stuck.source].nextAt, NOW + FIRST_REST_MS);
  });
}

test("update() uses the budget to its end when nobody has news yet", async () => {
  using here = world();
  await using registry = await startRegistry();
  await publish(registry, "1.0.0");
  const options = { sources: [registry.source] };
  await here.start(options).transmute.update();
  await publish(registry, "2.0.0");
  const gate = Promise.withResolvers<void>();
  registry.fail(listingPath("hello"), { until: gate.promise });
  const { transmute } = here.start({ ...options, budgetMs: 60_000 });
  const updating = transmute.update({ force: true });
  gate.resolve();
  assert.equal((await updating).outcome, "updated");
});

/** An egg of many files that all have to be linked. */
async function publishLarge(registry: TestRegistry): Promise<void> {
  const count = 400;
  const files = Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `part-${index}.js`,
      `import "hello/part-${(index + 1) % count}.js";\n`.repeat(20),
    ]),
  );
  const exports = { ".": "./index.js", "./*": "./*" };
  await registry.publish({
    manifest: { name: "hello", version: "2.0.0", type: "module", exports },
    files: { ...files, "index.js": "" },
  });
}

test("update() keeps its budget while much is unpacked, linked and written", async () => {
  await using registry = await startRegistry();
  await publish(registry, "1.0.0");
  const options = { sources: [registry.source] };
  using whole = world();
  using first = world();
  using second = world();
  using third = world();
  for (const here of [whole, first, second, third]) await here.start(options).transmute.update();
  await publishLarge(registry);
  const startedAt = performance.now();
  const { transmute } = whole.start({ ...options, budgetMs: 600_000 });
  assert.equal((await transmute.update({ force: true })).outcome, "updated");
  const wholeMs = performance.now() - startedAt;
  // The budget ends in one stage or another, each of them work of this processor.
  for (const [here, part] of [[first, 0.08], [second, 0.16], [third, 0.32]] as const) {
    const start = here.start({ ...options, budgetMs: wholeMs * part });
    const begunAt = performance.now();
    const report = await start.transmute.update({ force: true });
    const tookMs = performance.now() - begunAt;
    assert.equal(report.outcome, "deferred", `${part} of ${wholeMs} ms`);
    assert.ok(tookMs < wholeMs * (part + 0.3), `${tookMs} of ${wholeMs} ms, wanted ${part}`);
    const { greet } = await start.transmute.import<Greeter>("hello");
    assert.equal(greet("x"), "hello 1.0.0");
  }
});

test("update() notes an attempt before it asks, so that who is killed rests too", async () => {
  using here = world();
  await here.publish("1.0.0");
  await here.start({ sources: [remote(here.dist)] }).transmute.update();
  const seen: (State | null)[] = [];
  const source = {
    ...remote(here.dist),
    list: () => {
      seen.push(stateOf(here));
      return Promise.reject(new TransmuteError("source-unreachable", "Cannot ask: it is down"));
    },
  };
  const failures = [];
  let now = NOW;
  for (let count = 0; count < 3; count++) {
    now += DAY;
    await here.start({ sources: [source], now: () => now }).transmute.update({ force: true });
    const check = stateOf(here).checks["remote"];
    failures.push([check.failures, check.nextAt - now]);
  }
  assert.deepEqual(failures, [1, 2, 4].map((times, index) => [index + 1, times * FIRST_REST_MS]));
  assert.deepEqual(
    seen.map((state) => state!.checks["remote"].failures),
    [1, 2, 3],
  );
  await here.start({ sources: [remote(here.dist)], now: () => now })
    .transmute.update({ force: true });
  assert.equal(stateOf(here).checks["remote"].failures, undefined);
});

for (const place of ["listing", "archive"] as const) {
  test(`update() leaves a registry alone for as long as it wished (${place})`, async () => {
    using here = world();
    await using registry = await startRegistry();
    await publish(registry, "1.0.0");
    const options = { sources: [registry.source], budgetMs: 60_000 };
    await here.start(options).transmute.update();
    await publish(registry, "2.0.0");
    const path = place === "listing" ? listingPath("hello") : archivePath("hello", "2.0.0");
    const seconds = 2 * 60 * 60;
    registry.fail(path, { status: 429, headers: { "retry-after": String(seconds) } });
    await here.start(options).transmute.update({ force: true });
    const { nextAt } = stateOf(here).checks[registry.source];
    // Everybody was told the same, so not everybody comes back at the same time.
    assert.equal(nextAt, NOW + seconds * 1000 * 1.25);
    const start = (at: number) => here.start({ ...options, now: () => at });
    assert.equal((await start(nextAt - 1).transmute.update()).reason, "not-due");
    registry.heal(path);
    assert.equal((await start(nextAt).transmute.update()).outcome, "updated");
  });
}

test("update() asks nobody when the attempt cannot be noted", async () => {
  using here = world();
  await here.publish("1.0.0");
  await here.start({ sources: [remote(here.dist)] }).transmute.update();
  let asked = 0;
  const source = {
    ...remote(here.dist),
    list: () => {
      asked++;
      return Promise.reject(new Error("never"));
    },
  };
  const { rename } = runtime;
  runtime.rename = () => {
    throw Object.assign(new Error("No space left on device"), { code: "ENOSPC" });
  };
  try {
    const { report } = await startWithin(here, { sources: [source] });
    assert.deepEqual([report.outcome, report.reason], ["unchanged", "source-failed"]);
    assert.equal(report.problems[0].code, "disk-failure");
    assert.equal(asked, 0);
  } finally {
    runtime.rename = rename;
  }
});
