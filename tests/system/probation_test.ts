/**
 * What counts against a new generation and what does not, with real programs that end in all the
 * ways that programs do.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Application, EggContent, RuntimeName } from "../fixtures/application.ts";
import { application, helloEgg } from "../fixtures/application.ts";
import type { ProgramEnd } from "../fixtures/running_program.ts";
import { told } from "../fixtures/running_program.ts";
import { Transmute } from "../../mod.ts";

const RUNTIMES: RuntimeName[] = ["deno", "node24", "bun"];
/** More than reject a generation. */
const STARTS = 4;

/** Uses the egg, and ends as its first argument says. */
const USING = `
const isDeno = "Deno" in globalThis && !("Bun" in globalThis);
const exit = isDeno ? Deno.exit : process.exit;
if (args[0] === "--help") {
  console.log("Usage: using [how to end]");
  exit(0);
}
const report = await app.update({ budgetMs: 60_000 });
if (report.rolledBack) console.log("rolled back to", report.rolledBack.to);
const hello = await app.import("hello");
console.log(hello.greet("you"));
const ends = {
  well() {},
  code: () => exit(3),
  exitCode: () => void (isDeno ? Deno.exitCode = 3 : process.exitCode = 3),
  stays: () => setInterval(() => {}, 1000),
  throws() { throw new Error("from the program"); },
  later: () => setTimeout(() => { throw new Error("from a timer"); }, 1),
  rejects: () => void Promise.reject(new Error("from a promise")),
  handled() {
    if (isDeno) addEventListener("error", (event) => event.preventDefault());
    else process.on("uncaughtException", () => {});
    setTimeout(() => { throw new Error("from a timer"); }, 1);
    setTimeout(() => exit(3), 300);
  },
  aborts: () => globalThis.process.abort(),
};
ends[args[0] ?? "well"]();
`;

/** An egg whose module does something before it can greet. */
function eggThat(version: string, text: string): EggContent {
  const egg = helloEgg(version);
  egg.files["index.js"] = `${text}\n${egg.files["index.js"]}`;
  return egg;
}

/** An application on a proven 1.0.0 whose folder has this egg as well by now. */
async function outdated(egg: EggContent = helloEgg("2.0.0")): Promise<Application> {
  const here = application();
  await here.publish(helloEgg("1.0.0"));
  await here.program("using", USING);
  await here.program("updating", "await app.update({ budgetMs: 60_000 });");
  assert.deepEqual(await here.lines("bun", "using"), [greeting("1.0.0")]);
  await here.publish(egg);
  return here;
}

const greeting = (version: string) => `Hi, you! -- from version ${version} of hello`;

const statusOf = ({ store }: Application) =>
  new Transmute({ app: "app", cacheDir: store, log: "off" }).status();

/** Ends that no update is to blame for: how a start is made to end. */
const BLAMELESS: [string, (here: Application, runtime: RuntimeName) => Promise<ProgramEnd>][] = [
  ["Ctrl-C", (here, runtime) => killed(here, runtime, "SIGINT")],
  ["SIGTERM", (here, runtime) => killed(here, runtime, "SIGTERM")],
  ["the end of its terminal", (here, runtime) => killed(here, runtime, "SIGHUP")],
  ["a user killing a slow command", (here, runtime) => killed(here, runtime, "SIGKILL")],
  ["a chosen exit code", (here, runtime) => here.run(runtime, "using", ["code"])],
  ["a chosen exit code at the end", (here, runtime) => here.run(runtime, "using", ["exitCode"])],
  ["an error that the program handles", (here, runtime) => here.run(runtime, "using", ["handled"])],
  ["--help", (here, runtime) => here.run(runtime, "using", ["--help"])],
  ["a crash long after the imports", (here, runtime) => here.run(runtime, "using", ["aborts"])],
];

async function killed(here: Application, runtime: RuntimeName, signal: Deno.Signal) {
  await using program = await here.start(runtime, "using", ["stays"]);
  await program.line(/^Hi, you/);
  program.kill(signal);
  const end = await program.ended;
  assert.equal(end.signal, signal, "the signal has its usual effect");
  return end;
}

for (const runtime of RUNTIMES) {
  for (const [what, end] of BLAMELESS) {
    test(`${what} does not count against a good generation (${runtime})`, async () => {
      using here = await outdated();
      await here.lines("bun", "updating");
      for (let start = 0; start < STARTS; start++) await end(here, runtime);
      const { active, failedStarts } = await statusOf(here);
      assert.deepEqual([active?.generation, failedStarts], [2, 0]);
      assert.notEqual(active?.status, "rejected");
      assert.deepEqual(await here.lines(runtime, "using"), [greeting("2.0.0")]);
    });
  }
}

for (const runtime of RUNTIMES) {
  test(`ten commands at once, interrupted together, count as one (${runtime})`, async () => {
    // Importing takes until somebody has waited long enough.
    const waits = 'console.log("importing"); await new Promise((done) => setTimeout(done, 1e6));';
    using here = await outdated(eggThat("2.0.0", waits));
    await here.lines("bun", "updating");
    const programs = await Promise.all(
      Array.from({ length: 10 }, () => here.start(runtime, "using")),
    );
    await Promise.all(programs.map((program) => program.line(/^importing$/)));
    assert.equal((await statusOf(here)).failedStarts, 0, "all of them are still there");
    for (const program of programs) program.kill("SIGINT");
    await Promise.all(programs.map((program) => program.ended));
    const { failedStarts, leases } = await statusOf(here);
    assert.ok(failedStarts <= 1, JSON.stringify(leases));
  });
}

test("the end of the machine does not count against a good generation", async () => {
  const waits = 'console.log("importing"); await new Promise((done) => setTimeout(done, 1e6));';
  using here = await outdated(eggThat("2.0.0", waits));
  const leases = `${here.store}/apps-v1/app/leases`;
  for (let start = 0; start < STARTS; start++) {
    await using program = await here.start("node24", "using");
    await program.line(/^importing$/);
    program.kill("SIGKILL");
    await program.ended;
    // What the lease of a process says whose machine was started anew since.
    for (const { name } of Deno.readDirSync(leases)) {
      const path = `${leases}/${name}`;
      const text = Deno.readTextFileSync(path).replace(/"boot":"[^"]*"/, '"boot":"another"');
      Deno.writeTextFileSync(path, text);
    }
  }
  assert.equal((await statusOf(here)).failedStarts, 0);
});

test("a start that came through its imports clears those that were killed in theirs", async () => {
  const waits = 'console.log("importing"); await globalThis.gate;';
  using here = await outdated(eggThat("2.0.0", waits));
  await here.program("waiting", "globalThis.gate = new Promise(() => {});\n" + USING);
  for (let round = 0; round < 2; round++) {
    for (let start = 0; start < 2; start++) {
      await using program = await here.start("bun", "waiting");
      await program.line(/^importing$/);
      program.kill("SIGKILL");
      await program.ended;
    }
    assert.equal((await here.run("bun", "using", ["code"])).code, 3);
  }
  const { active, failedStarts } = await statusOf(here);
  assert.deepEqual([active?.generation, failedStarts], [2, 0]);
});

/** Eggs that are to blame: what they do, the program's argument, a part of what is told of it. */
const TO_BLAME: [string, string, string, RegExp][] = [
  ["throws while it is imported", 'throw new Error("from the egg");', "well", /from the egg$/],
  ["is no JavaScript", "this is no JavaScript", "well", /threw while it was imported/],
  ["crashes while it is imported", "globalThis.process.abort();", "well", /the process was gone/],
  ["makes its program throw", "", "throws", /an error was not caught: from the program$/],
  ["makes its program throw later", "", "later", /an error was not caught: from a timer$/],
  ["leaves a rejection unhandled", "", "rejects", /an error was not caught: from a promise$/],
];

for (const runtime of RUNTIMES) {
  for (const [what, text, how, reason] of TO_BLAME) {
    test(`an egg that ${what} is gone back from (${runtime})`, async () => {
      using here = await outdated(eggThat("2.0.0", text));
      for (let start = 0; start < 3; start++) {
        const end = await here.run(runtime, "using", [how]);
        assert.notEqual(end.code, 0, told(end));
        assert.equal((await statusOf(here)).failedStarts, start + 1);
      }
      assert.deepEqual(await here.lines(runtime, "using"), [
        "rolled back to 1",
        greeting("1.0.0"),
      ]);
      assert.deepEqual(await here.lines(runtime, "using"), [greeting("1.0.0")]);
      const { generations: [{ status, rejected }] } = await statusOf(here);
      assert.equal(status, "rejected");
      assert.match(rejected!.reason, /^3 starts failed; the last: /);
      assert.match(rejected!.reason, reason);
    });
  }
}

// Bun waits for ever.
for (const runtime of ["deno", "node24"] as const) {
  test(`an egg whose import never ends is gone back from (${runtime})`, async () => {
    using here = await outdated(eggThat("2.0.0", "await new Promise(() => {});"));
    for (let start = 0; start < 3; start++) {
      assert.notEqual((await here.run(runtime, "using")).code, 0);
    }
    assert.deepEqual(await here.lines(runtime, "using"), ["rolled back to 1", greeting("1.0.0")]);
  });
}

for (const runtime of RUNTIMES) {
  test(`a thread that ends says nothing about its program (${runtime})`, async () => {
    using here = await outdated();
    await here.lines("bun", "updating");
    await here.program(
      "thread",
      `
      await app.import("hello");
      const port = globalThis.process?.getBuiltinModule("node:worker_threads").parentPort;
      (port ?? globalThis).postMessage("done");
      `,
    );
    await here.program(
      "starting",
      `
      const { Worker } = process.getBuiltinModule("node:worker_threads");
      await app.import("hello");
      const thread = new Worker(new URL(import.meta.url.replace("/starting", "/thread")));
      thread.on("message", () => console.log("done"));
      thread.on("exit", () => process.exit(3));
      `,
    );
    assert.equal((await here.run(runtime, "starting")).code, 3);
    assert.equal((await statusOf(here)).active?.status, "probation");
  });

  test(`a start that ends well proves its generation (${runtime})`, async () => {
    using here = await outdated();
    assert.deepEqual(await here.lines(runtime, "using"), [greeting("2.0.0")]);
    assert.equal((await statusOf(here)).active?.status, "confirmed");
    assert.deepEqual([...Deno.readDirSync(`${here.store}/apps-v1/app/leases`)], []);
  });

  test(`a program that lives long enough proves its generation (${runtime})`, async () => {
    using here = await outdated();
    await here.program(
      "living",
      `
      const own = new transmute.Transmute({
        app: "app",
        sources: ["${here.dist}"],
        confirmAfterMs: 10,
        onEvent: ({ kind, reason }) => console.log(kind, reason ?? ""),
      });
      own.require("hello");
      await own.update();
      await own.import("hello");
      setInterval(() => {}, 1000);
      `,
    );
    await using program = await here.start(runtime, "living");
    assert.equal(await program.line(/^confirmed/), "confirmed a program lived for 10 ms");
    assert.equal((await statusOf(here)).active?.status, "confirmed");
    program.kill("SIGKILL");
  });

  test(`a program that only updates proves nothing (${runtime})`, async () => {
    using here = await outdated();
    await here.lines(runtime, "updating");
    const { active, leases } = await statusOf(here);
    assert.deepEqual([active?.generation, active?.status, leases], [2, "probation", []]);
  });

  test(`confirm: "manual" leaves it to confirm() (${runtime})`, async () => {
    using here = await outdated();
    await here.program(
      "manual",
      `
      const own = new transmute.Transmute({ app: "app", sources: ["${here.dist}"], confirm: "manual", confirmAfterMs: 0 });
      own.require("hello");
      await own.update();
      await own.import("hello");
      if (args[0] === "works") await own.confirm();
      `,
    );
    await here.run(runtime, "manual");
    assert.equal((await statusOf(here)).active?.status, "probation");
    await here.run(runtime, "manual", ["works"]);
    assert.equal((await statusOf(here)).active?.status, "confirmed");
  });

  test(`fallback: "same-start" goes on with the eggs before at once (${runtime})`, async () => {
    using here = await outdated(eggThat("2.0.0", 'throw new Error("from the egg");'));
    await here.program(
      "falling",
      `
      const own = new transmute.Transmute({ app: "app", sources: ["${here.dist}"], fallback: "same-start" });
      own.require("hello");
      await own.update();
      const { greet } = await own.import("hello");
      console.log(greet("you"));
      console.log((await own.import("hello/sub")).default);
      `,
    );
    for (let start = 0; start < 3; start++) {
      assert.deepEqual(await here.lines(runtime, "falling"), [
        greeting("1.0.0"),
        "the subpath of 1.0.0",
      ]);
    }
    assert.equal((await statusOf(here)).failedStarts, 3);
    await here.lines(runtime, "falling");
    assert.equal((await statusOf(here)).active?.generation, 1);
  });

  test(`smoke may be the program itself, which runs on what is not active yet (${runtime})`, async () => {
    using here = await outdated();
    const path = here.path(runtime, "smoking");
    await here.program(
      "smoking",
      `
      const isDeno = "Deno" in globalThis && !("Bun" in globalThis);
      const command = isDeno
        ? [Deno.execPath(), "run", "-A", ${JSON.stringify(path)}, "selftest"]
        : [process.execPath, ${JSON.stringify(path)}, "selftest"];
      const own = new transmute.Transmute({ app: "app", sources: ["${here.dist}"], smoke: command });
      own.require("hello");
      const { outcome, refused } = await own.update();
      const text = (await own.import("hello")).greet("you");
      if (args[0] === "selftest") {
        console.log("Error:", outcome, text);
        (isDeno ? Deno.exit : process.exit)(text.includes("2.0.0") ? 1 : 0);
      }
      console.log(text);
      for (const { message } of refused) console.log(message);
      `,
    );
    const [greeted, refused] = await here.lines(runtime, "smoking");
    assert.equal(greeted, greeting("1.0.0"));
    assert.match(
      refused,
      /smoke command ended with exit code 1: Error: unchanged Hi, you! -- from version 2\.0\.0/,
    );
    const { active, leases } = await statusOf(here);
    assert.deepEqual([active?.generation, active?.status, leases], [1, "confirmed", []]);
  });

  test(`a program that lives long leases its generation, proven or not (${runtime})`, async () => {
    using here = application();
    await here.publish(helloEgg("1.0.0"));
    // Time runs a thousand times as fast, as far as the module waits for it.
    const hurry = `
      const wait = Atomics.waitAsync;
      Atomics.waitAsync = (cell, index, value, ms) => wait(cell, index, value, ms / 1000);
    `;
    await here.program(
      "living",
      `${hurry}
      await app.update();
      await app.import("hello");
      console.log("imported");
      setInterval(() => {}, 1000);
      `,
    );
    await here.program("updating", "await app.update(); await app.confirm();");
    await here.lines("bun", "updating");
    const folder = `${here.store}/apps-v1/app/leases`;
    Deno.mkdirSync(folder, { recursive: true });
    using watcher = Deno.watchFs(folder);
    await using program = await here.start(runtime, "living");
    await program.line(/^imported$/);
    let { leases } = await statusOf(here);
    for await (const _ of watcher) {
      ({ leases } = await statusOf(here));
      if (leases.length > 0) break;
    }
    assert.deepEqual(leases.map(({ pid, generation, state }) => [pid, generation, state]), [
      [program.pid, 1, "running"],
    ]);
    program.kill("SIGTERM");
    await program.ended;
    assert.deepEqual((await statusOf(here)).leases.map(({ state }) => state), ["ended"]);
  });
}

test("a program with Deno's narrowest permissions is on probation as well", async () => {
  using here = await outdated(eggThat("2.0.0", 'throw new Error("from the egg");'));
  const flags = [
    ...["--no-prompt", `--allow-read=${here.dist},${here.store}`, `--allow-write=${here.store}`],
    ...["--allow-env=TRANSMUTE_*", "--allow-sys=uid"],
  ];
  for (let start = 0; start < 3; start++) {
    const end = await here.run("deno", "using", [], { flags });
    assert.match(end.stderr, /from the egg/, told(end));
    assert.equal((await statusOf(here)).failedStarts, start + 1);
  }
  assert.deepEqual(await here.lines("deno", "using", [], { flags }), [
    "rolled back to 1",
    greeting("1.0.0"),
  ]);
});
