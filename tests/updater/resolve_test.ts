import assert from "node:assert/strict";
import { test } from "node:test";
import { TransmuteError } from "../../lib/errors.ts";
import type { Source } from "../../lib/sources/source.ts";
import { memorySource } from "../fixtures/memory_source.ts";
import { rejection } from "../fixtures/refusal.ts";
import { active, ask } from "../fixtures/resolution.ts";

test("resolve() tells which versions it saw and why each was passed over", async () => {
  const error = await rejection(ask({
    requirements: ["hello@^3"],
    sources: [memorySource("memory", {
      releases: {
        "hello@1.0.0": {},
        "hello@3.0.0-rc.1": {},
        "hello@3.1.0": { os: ["darwin"] },
      },
    })],
  }));
  assert.equal(error.code, "no-matching-version");
  for (
    const part of [
      "3.1.0 for darwin only",
      "3.0.0-rc.1 is a pre-release",
      "1.0.0 does not satisfy ^3",
    ]
  ) assert.ok(error.message.includes(part), `${error.message} lacks ${part}`);
  assert.match(error.hint!, /\[memory\] 3 releases/);
});

test("resolve() tells platform-unsupported when that is the only obstacle", async () => {
  const error = await rejection(
    ask({
      requirements: ["hello"],
      sources: [memorySource("memory", { releases: { "hello@1.0.0": { os: ["darwin"] } } })],
    }),
  );
  assert.equal(error.code, "platform-unsupported");
});

test("resolve() takes a project from the first source that has it, and asks no further", async () => {
  const first = memorySource("first", { releases: { "hello@1.0.0": {} } });
  const second = memorySource("second", { releases: { "hello@9.0.0": {}, "world@1.0.0": {} } });
  const { resolution } = await ask({ requirements: ["hello", "world"], sources: [first, second] });
  const eggs = resolution.closures.flatMap(({ eggs }) => eggs);
  assert.deepEqual(
    eggs.map(({ release, source }) => `${source.id} ${release.project}@${release.version}`),
    ["first hello@1.0.0", "second world@1.0.0"],
  );
  assert.deepEqual(second.asked, ["world"], "a private name is not told to the second source");
});

test("resolve() lets no source stand in for one that could not be asked", async () => {
  const broken: Source = {
    ...memorySource("first", { releases: {} }),
    list: () =>
      Promise.reject(new TransmuteError("source-unreachable", "Cannot ask first: it is down")),
  };
  const second = memorySource("second", { releases: { "hello@9.0.0": {} } });
  const error = await rejection(ask({ requirements: ["hello"], sources: [broken, second] }));
  assert.equal(error.code, "source-unreachable");
  assert.match(error.message, /\[first\] Cannot ask first: it is down/);
  assert.deepEqual(second.asked, []);
});

test('resolve() takes the best of all sources with the strategy "best"', async () => {
  const { resolution } = await ask({
    requirements: ["hello"],
    strategy: "best",
    sources: [
      memorySource("first", { releases: { "hello@1.0.0": {}, "hello@2.0.0": {} } }),
      memorySource("second", { releases: { "hello@2.0.0": {} } }),
    ],
  });
  const [egg] = resolution.closures[0].eggs;
  assert.equal(egg.release.version, "2.0.0");
  assert.equal(egg.source.id, "first", "of equal versions, the source declared first");
});

test("resolve() looks for dependencies where the egg came from before anywhere else", async () => {
  const folder = memorySource("folder", { releases: { "debug@9.9.9": {} } });
  const registry = memorySource("registry", {
    releases: { "express@4.0.0": { dependencies: { debug: "*" } }, "debug@2.6.9": {} },
  });
  const { resolution } = await ask({ requirements: ["express"], sources: [folder, registry] });
  const debug = resolution.closures[0].eggs.find(({ release }) => release.project === "debug");
  assert.equal(debug?.release.version, "2.6.9");
});

test("resolve() keeps what is active when the same version is offered", async () => {
  const { resolution } = await ask({
    requirements: ["hello"],
    sources: [memorySource("memory", { releases: { "hello@1.0.0": {} } })],
    active: { hello: active("1.0.0", "memory") },
  });
  assert.deepEqual(resolution.closures, []);
  assert.equal(resolution.kept.get("hello")?.reason, "already-newest");
});

test("resolve() tells that the requirement holds an egg back", async () => {
  const { resolution } = await ask({
    requirements: ["hello@^1"],
    sources: [memorySource("memory", { releases: { "hello@1.0.0": {}, "hello@2.0.0": {} } })],
    active: { hello: active("1.0.0", "memory") },
  });
  assert.equal(resolution.kept.get("hello")?.reason, "held-by-requirement");
});

test("resolve() never goes back to an older version on a source's word", async () => {
  const { resolution, events } = await ask({
    requirements: ["hello"],
    sources: [memorySource("memory", { releases: { "hello@1.0.0": {} } })],
    active: { hello: active("2.1.0", "memory") },
  });
  assert.equal(resolution.kept.get("hello")?.egg.version, "2.1.0");
  assert.ok(events.some(({ kind }) => kind === "downgrade-refused"));
});

test("resolve() goes back to an older version on the application's word", async () => {
  const { resolution } = await ask({
    requirements: ["hello@^1"],
    sources: [memorySource("memory", { releases: { "hello@1.0.0": {}, "hello@2.1.0": {} } })],
    active: { hello: active("2.1.0", "memory") },
  });
  assert.equal(resolution.closures[0].eggs[0].release.version, "1.0.0");
});

test("resolve() takes an egg's updates from no other source than its own", async () => {
  const other = memorySource("other", { releases: { "hello@9.0.0": {} } });
  const own = memorySource("own", { releases: { "hello@1.1.0": {} } });
  const { resolution } = await ask({
    requirements: ["hello"],
    sources: [other, own],
    active: { hello: active("1.0.0", "own") },
  });
  assert.equal(resolution.closures[0].eggs[0].release.version, "1.1.0");
  assert.deepEqual(other.asked, []);
});

test("resolve() asks no source that is not due about what is active", async () => {
  const source = memorySource("memory", { releases: { "hello@2.0.0": {} } });
  const { resolution } = await ask({
    requirements: ["hello"],
    sources: [source],
    due: [],
    active: { hello: active("1.0.0", "memory") },
  });
  assert.equal(resolution.kept.get("hello")?.reason, "not-due");
  assert.deepEqual(source.asked, []);
});

test("resolve() keeps what is active when its source fails, and updates the rest", async () => {
  const broken: Source = {
    ...memorySource("broken", { releases: {} }),
    list: () => Promise.reject(new TransmuteError("source-timeout", "Cannot ask broken: too slow")),
  };
  const fine = memorySource("fine", { releases: { "world@2.0.0": {} } });
  const { resolution } = await ask({
    requirements: ["hello", "world"],
    sources: [broken, fine],
    active: { hello: active("1.0.0", "broken", "c1"), world: active("1.0.0", "fine", "c2") },
  });
  assert.equal(resolution.kept.get("hello")?.reason, "source-failed");
  assert.deepEqual(resolution.closures.map(({ roots }) => roots), [["world"]]);
  assert.equal(resolution.problems.length, 1);
});

test("resolve() gives requirements that are each other's peers one closure", async () => {
  const source = memorySource("memory", {
    releases: {
      "react@19.0.0": {},
      "react-dom@19.0.0": { peerDependencies: { react: "^19" } },
      "hello@1.0.0": {},
    },
  });
  const { resolution } = await ask({
    requirements: ["react-dom", "hello", "react"],
    sources: [source],
  });
  assert.deepEqual(resolution.closures.map(({ roots }) => roots), [["react-dom", "react"], [
    "hello",
  ]]);
});

test("resolve() meets two requirements on one project with one version", async () => {
  const source = memorySource("memory", {
    releases: { "hello@1.1.0": {}, "hello@1.5.0": {}, "hello@2.0.0": {} },
  });
  const { resolution } = await ask({ requirements: ["hello@^1", "hello<1.4"], sources: [source] });
  assert.equal(resolution.closures[0].eggs[0].release.version, "1.1.0");
  const error = await rejection(ask({ requirements: ["hello@^1", "hello@^2"], sources: [source] }));
  assert.equal(error.code, "no-matching-version");
});

test("resolve() asks only the npm source about an npm: requirement", async () => {
  const folder = memorySource("/dist", { releases: { "chalk@9.0.0": {} } });
  const npm = memorySource("npm:", { releases: { "chalk@5.0.0": {} } });
  const { resolution } = await ask({ requirements: ["npm:chalk"], sources: [folder, npm] });
  assert.equal(resolution.closures[0].eggs[0].release.version, "5.0.0");
  assert.deepEqual(folder.asked, []);
});
