/** Updates from a signed repository that are killed while they keep its metadata. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { application } from "../fixtures/application.ts";
import { told } from "../fixtures/running_program.ts";
import { layFiles, SignedFolder } from "../fixtures/signed_folder.ts";
import { NOW } from "../fixtures/world.ts";

/** Updates, and stops for good after the nth change of the disk within the metadata. */
const STOPPING = `
const stop = (where) => {
  console.log("stopped " + where);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
};
const files = globalThis.Deno ?? process.getBuiltinModule("node:fs");
let count = 0;
for (const name of ["openSync", "renameSync"]) {
  const original = files[name];
  files[name] = (...given) => {
    const result = original.apply(files, given);
    const reads = name === "openSync" && (given[1] === "r" || given[1]?.read === true);
    const isMetadata = String(given[0]).includes("tuf-v1");
    if (isMetadata && !reads && ++count === Number(args[0])) stop(name + " " + given[0]);
    return result;
  };
}
const own = new transmute.Transmute({
  app: "app",
  budgetMs: 60_000,
  now: () => ${NOW},
  sources: [{ source: "dist", trust: { root: "root.json" } }],
});
own.require("hello");
const { problems, eggs } = await own.update();
for (const { message } of problems) console.log(message);
console.log("completed " + eggs.map(({ version }) => version).join());
`;

// Bun runs the same code as Node here.
for (const runtime of ["deno", "node24"] as const) {
  test(`update() killed while it keeps metadata goes on at the next start (${runtime})`, async () => {
    using here = application();
    await here.program("stopping", STOPPING);
    const folder = await SignedFolder.create();
    Deno.writeTextFileSync(`${here.folder}/root.json`, JSON.stringify(folder.root));
    const places: string[] = [];
    let version = 0;
    for (;;) {
      // A new release for every kill, so that each finds what the one before left behind.
      await folder.add({ name: "hello", version: `1.${++version}.0` });
      await folder.add({ name: `another${version}`, version: "1.0.0" });
      await folder.signRoot();
      await folder.publish();
      layFiles(folder, here.dist);
      await using program = await here.start(runtime, "stopping", [String(places.length + 1)]);
      const line = await program.line(/^(?:stopped|completed)/);
      program.kill("SIGKILL");
      const end = await program.ended;
      if (line.startsWith("completed")) {
        assert.equal(line, `completed 1.${version}.0`, told(end));
        break;
      }
      places.push(line);
      const after = await here.lines(runtime, "stopping", ["0"]);
      assert.deepEqual(after, [`completed 1.${version}.0`], line);
    }
    for (const name of ["root", "timestamp", "snapshot", "targets", "js-hello", "last-seen"]) {
      assert.ok(places.some((place) => place.includes(`${name}.json`)), `never at ${name}`);
    }
  });
}
