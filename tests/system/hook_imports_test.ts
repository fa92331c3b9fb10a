/** Plain `import("hello")` in programs, in every runtime. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { packEntries } from "../../lib/publisher/pack.ts";
import type { EggContent, RuntimeName } from "../fixtures/application.ts";
import { application, helloEgg, RUNTIMES } from "../fixtures/application.ts";

/** An egg with an entry of every kind that can be imported. */
const MIXED: EggContent = {
  manifest: {
    name: "mixed",
    version: "1.0.0",
    exports: { ".": "./old.cjs", "./table": "./table.json", "./module": "./module.mjs" },
  },
  files: {
    "old.cjs": `exports.answer = 42; exports.self = () => module.id.endsWith("old.cjs");\n`,
    "table.json": `{ "rows": 3 }\n`,
    "module.mjs": `export default "a module"; export { answer } from "./old.cjs";\n`,
  },
};

/** What a program prints that hooks its imports after an update. */
interface HookCase {
  title: string;
  /** What the program does then. */
  text: string;
  lines: string[];
  /** Eggs besides hello 1.0.0, which the program requires too. */
  eggs?: EggContent[];
  /** Modules beside the program, by name. */
  modules?: Record<string, string>;
  runtimes?: RuntimeName[];
}

function testHook({ title, text, lines, eggs = [], modules = {}, runtimes = RUNTIMES }: HookCase) {
  for (const runtime of runtimes) {
    test(`hookImports() ${title} (${runtime})`, async () => {
      using here = application();
      await here.publish(helloEgg("1.0.0"), ...eggs);
      const more = eggs.map(({ manifest }) => `app.require("${manifest.name}");\n`).join("");
      await here.program("main", `${more}await app.update();\nawait app.hookImports();\n${text}`);
      for (const [name, module] of Object.entries(modules)) {
        Deno.writeTextFileSync(`${here.folder}/${name}`, module);
      }
      assert.deepEqual(await here.lines(runtime, "main"), lines);
    });
  }
}

testHook({
  title: "lets import() find a project and its subpaths by name",
  text: `const { greet } = await import("hello");
    const sub = await import("hello/sub");
    const same = await app.import("hello");
    console.log(greet("you"));
    console.log(sub.default);
    console.log(same.greet("you") === greet("you"));`,
  lines: ["Hi, you! -- from version 1.0.0 of hello", "the subpath of 1.0.0", "true"],
});

testHook({
  title: "serves CommonJS, JSON and modules as Transmute's import() does",
  eggs: [MIXED],
  text: `const old = await import("mixed");
    console.log(old.default.answer, old.default.self());
    const table = await import("mixed/table", { with: { type: "json" } });
    console.log(table.default.rows, (await app.import("mixed/table")).default.rows);
    const module = await import("mixed/module");
    console.log(module.default, module.answer);`,
  lines: ["42 true", "3 3", "a module 42"],
});

testHook({
  title: "reaches static imports of modules that load afterwards",
  text: `await import("./part.mjs");`,
  modules: { "part.mjs": `import { greet } from "hello";\nconsole.log(greet("part"));\n` },
  lines: ["Hi, part! -- from version 1.0.0 of hello"],
});

testHook({
  title: "leaves the imports of others alone",
  text: `const { basename } = await import("node:path");
    const own = await import("./own.mjs");
    console.log(basename("/a/b"), own.default);`,
  modules: { "own.mjs": `export default "own";\n` },
  lines: ["b own"],
});

testHook({
  title: "refuses what the exports map does not offer",
  // Bun asks nobody about names that are not registered: what a project does not export is Bun's
  // own to look for there.
  runtimes: RUNTIMES.filter((name) => name !== "bun"),
  text: `try {
      await import("hello/hidden");
      console.log("loaded");
    } catch (error) {
      // Deno puts an error of its own around the hook's.
      console.log("refused", String(error).includes("hello/hidden"));
    }`,
  lines: ["refused true"],
});

for (const runtime of ["deno", "node24"] as const) {
  test(`hookImports() follows an update in the same process (${runtime})`, async () => {
    using here = application();
    await here.publish(helloEgg("1.0.0"));
    const { manifest, files } = helloEgg("1.1.0");
    const { filename, archive } = await packEntries(manifest, files);
    Deno.writeFileSync(`${here.folder}/${filename}`, archive);
    await here.program(
      "main",
      `await app.update();
      await app.hookImports();
      const { renameSync } = await import("node:fs");
      renameSync("${here.folder}/${filename}", "${here.dist}/${filename}");
      const { outcome } = await app.update();
      console.log(outcome, (await import("hello")).greet("you"));`,
    );
    assert.deepEqual(await here.lines(runtime, "main"), [
      "updated Hi, you! -- from version 1.1.0 of hello",
    ]);
  });
}

test("hookImports() keeps Bun from fetching a required project that is not active", async () => {
  using here = application();
  await here.publish(helloEgg("1.0.0"));
  await here.program(
    "main",
    `app.require("is-number");
    await app.hookImports();
    try {
      await import("is-number");
      console.log("loaded");
    } catch (error) {
      console.log(error.code ?? String(error));
    }`,
  );
  assert.deepEqual(await here.lines("bun", "main"), ["egg-not-active"]);
});
