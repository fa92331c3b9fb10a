/** Relaunching in every runtime: real programs that replace themselves. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Application, RuntimeName } from "../fixtures/application.ts";
import { application, helloEgg, RUNTIMES } from "../fixtures/application.ts";
import { told } from "../fixtures/running_program.ts";

/** An application that runs on `hello` 1.0.0 while 2.0.0 is already published. */
async function outdated(): Promise<Application> {
  const here = application();
  await here.publish(helloEgg("1.0.0"));
  await here.program("install", `await app.update();`);
  await here.lines("deno", "install");
  await here.publish(helloEgg("2.0.0"));
  return here;
}

/** The predecessor was started for ever by this: it imports before it updates. */
const IMPORTS_FIRST = `
const { greet } = await app.import("hello");
console.log(greet("you"));
await app.update({ relaunch: "if-needed" });
console.log("started", JSON.stringify(args));
`;

/** Relaunches without a condition; the second process does what its first argument says. */
const SECOND_PROCESS = `
await app.update();
if (args[1] !== "always" && (globalThis.Deno?.env.get ?? ((name) => process.env[name]))(
  "TRANSMUTE_RELAUNCHED") !== undefined) {
  await second(args[0]);
} else {
  try {
    await app.relaunch();
  } catch (error) {
    console.log(error.code, "|", error.message, "|", error.hint);
  }
}
async function second(task) {
  const exit = globalThis.Deno?.exit ?? process.exit;
  if (task === "exit") exit(Number(args[2]));
  if (task === "input") {
    const input = new Response(globalThis.Deno?.stdin.readable ?? await body()).text();
    console.log("read", (await input).length, (await input).at(-1));
    console.error("to the other stream");
  }
  if (task === "signal") {
    const on = globalThis.Deno?.addSignalListener ?? process.on.bind(process);
    on(args[2], () => {
      console.log("got", args[2]);
      exit(42);
    });
    setInterval(() => {}, 1000);
    console.log("ready");
  }
  if (task === "killed") {
    setInterval(() => {}, 1000);
    console.log("ready");
  }
}
async function body() {
  const { Readable } = await import("node:stream");
  return Readable.toWeb(process.stdin);
}
`;

/** The same test in every runtime, under titles of their own. */
function testEach(title: string, body: (runtime: RuntimeName) => Promise<void>): void {
  for (const runtime of RUNTIMES) test(`${title} (${runtime})`, () => body(runtime));
}

testEach("update() relaunches once a program that imports before it", async (runtime) => {
  using here = await outdated();
  await here.program("main", IMPORTS_FIRST);
  assert.deepEqual(await here.lines(runtime, "main", ["--flag", "a b", ""]), [
    "Hi, you! -- from version 1.0.0 of hello",
    "Hi, you! -- from version 2.0.0 of hello",
    'started ["--flag","a b",""]',
  ]);
  // The next start has nothing to do, and nothing to relaunch for.
  assert.equal((await here.lines(runtime, "main")).length, 2);
});

testEach(
  "relaunch() ends with relaunch-failed when it is called in every process",
  async (runtime) => {
    using here = await outdated();
    await here.program("main", SECOND_PROCESS);
    const [line, ...more] = await here.lines(runtime, "main", ["", "always"]);
    assert.match(line, /^relaunch-failed \| .*already relaunched for generation 2 \| .*update\(\)/);
    assert.deepEqual(more, []);
  },
);

testEach("relaunch() keeps the streams and the exit code", async (runtime) => {
  using here = await outdated();
  await here.program("main", SECOND_PROCESS);
  const end = await here.run(runtime, "main", ["exit", "", "17"]);
  assert.equal(end.code, 17, told(end));
  // More than a pipe holds, so that both processes must leave it to the second.
  const input = "x".repeat(300_000) + "y";
  const { code, stdout, stderr } = await here.run(runtime, "main", ["input"], { input });
  assert.deepEqual([code, stdout, stderr], [0, "read 300001 y\n", "to the other stream\n"]);
});

testEach("relaunch() hands signals on", async (runtime) => {
  using here = await outdated();
  await here.program("main", SECOND_PROCESS);
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    await using program = await here.start(runtime, "main", ["signal", "", signal]);
    await program.line(/^ready$/);
    program.kill(signal);
    const end = await program.ended;
    assert.equal(end.code, 42, told(end));
    assert.equal(end.stdout, `ready\ngot ${signal}\n`);
  }
  await using program = await here.start(runtime, "main", ["killed"]);
  await program.line(/^ready$/);
  program.kill("SIGTERM");
  assert.equal((await program.ended).code, 128 + 15);
});

test("relaunch() in Deno needs flags that it can start the program with", async () => {
  using here = await outdated();
  const flags = [
    ...["--no-prompt", "--allow-read", "--allow-write", "--allow-env", "--allow-sys=uid"],
    `--allow-run=${Deno.execPath()}`,
  ];
  await here.program("main", SECOND_PROCESS);
  const [line] = await here.lines("deno", "main", ["", "always"], { flags });
  assert.match(line, /^relaunch-failed \| .*cannot learn the flags .* \| .*denoFlags/);

  await here.program(
    "given",
    `const given = new transmute.Transmute({ app: "app", denoFlags: ${JSON.stringify(flags)} });
    if (Deno.env.get("TRANSMUTE_RELAUNCHED") === undefined) await given.relaunch();
    console.log(args.join(), Deno.permissions.querySync({ name: "net" }).state);`,
  );
  assert.deepEqual(await here.lines("deno", "given", ["a"], { flags }), ["a prompt"]);
});

test("relaunch() in Deno needs the permission to run Deno", async () => {
  using here = await outdated();
  const flags = ["--no-prompt", "--allow-read", "--allow-write", "--allow-env", "--allow-sys=uid"];
  await here.program(
    "main",
    `const given = new transmute.Transmute({ app: "app", denoFlags: ["-A"] });
    await given.relaunch().catch(({ code, message }) => console.log(code, message));`,
  );
  const [line] = await here.lines("deno", "main", [], { flags });
  assert.ok(line.startsWith("permission-missing "), line);
  assert.ok(line.endsWith(`--allow-run=${Deno.execPath()}`), line);
});

test("relaunch() of one application leaves another's alone", async () => {
  using here = await outdated();
  await here.program(
    "main",
    `for (const app of ["one", "two"]) {
      const own = new transmute.Transmute({ app, sources: ["dist"] });
      own.require("hello");
      await own.update();
      await own.relaunch().catch(({ code }) => console.log(app, code));
    }`,
  );
  for (const runtime of ["deno", "node24"] as const) {
    assert.deepEqual(await here.lines(runtime, "main"), [
      "one relaunch-failed",
      "one relaunch-failed",
      "two relaunch-failed",
    ]);
  }
});
