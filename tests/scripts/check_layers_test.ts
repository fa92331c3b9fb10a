import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLayers } from "../../scripts/check_layers.ts";

/** A small project that breaks no rule. */
const SOUND: Record<string, string> = {
  "mod.ts": `export { start } from "./lib/transmute.ts";\n`,
  "lib/transmute.ts": [
    `import type { Plan } from "./updater/plan.ts";`,
    `import { read } from "./store/state.ts";`,
    `export const start = (): Promise<Plan> => (read(), import("./updater/plan.ts").then(String));`,
  ].join("\n"),
  "lib/store/state.ts": `import { runtime } from "../runtime/current.ts";
    // Deno, process and Bun may be spoken of, and node:fs too
    export const read = () => runtime.process;`,
  "lib/runtime/current.ts":
    `export const runtime = { process: globalThis.process, os: Deno.build };`,
  "lib/updater/plan.ts": `// @ts-types="npm:@types/semver@7.8.0"
    import semver from "npm:semver@7.8.6";
    import type { Stats } from "node:fs";
    export type Plan = Stats & typeof semver;`,
  "tests/hello_test.ts": `await import("hello");`,
};

/** Each rule: the files that break it, and what is then said. */
const BROKEN: [rule: string, files: Record<string, string>, said: string][] = [
  [
    "siblings never import one another",
    { "lib/store/unpack.ts": `import { prove } from "../trust/digest.ts";` },
    "lib/store/unpack.ts:1: store may not import trust (lib/trust/digest.ts)",
  ],
  [
    "siblings share no types either",
    { "lib/trust/digest.ts": `import type { Source } from "../sources/source.ts";` },
    "lib/trust/digest.ts:1: trust may not import sources (lib/sources/source.ts)",
  ],
  [
    "lib/model/ has no input or output",
    { "lib/model/egg.ts": `import { runtime } from "../runtime/current.ts";` },
    "lib/model/egg.ts:1: model may import runtime only as types or by import() " +
    "(lib/runtime/current.ts)",
  ],
  [
    "nothing below reaches up",
    { "lib/loader/import.ts": `\nconst plan = () => import("../updater/plan.ts");` },
    "lib/loader/import.ts:2: loader may not import updater (lib/updater/plan.ts)",
  ],
  [
    "lib/ imports nothing above it",
    { "lib/errors.ts": `export * from "../mod.ts";` },
    "lib/errors.ts:1: lib/ may not import mod.ts",
  ],
  [
    "the updater loads lazily",
    {
      "lib/transmute.ts": `import { plan } from "./updater/select.ts";\nexport const start = plan;`,
      "lib/updater/select.ts": `export const plan = null;`,
    },
    "lib/transmute.ts:1: transmute.ts may import updater only as types or by import() " +
    "(lib/updater/select.ts)",
  ],
  [
    "every folder of lib/ has its place",
    { "lib/network/get.ts": `export const get = fetch;` },
    "lib/network/get.ts:1: lib/network has no place among the layers yet",
  ],
  [
    "only lib/runtime/ names Deno",
    { "lib/store/state.ts": `export const read = () => Deno.cwd();` },
    "lib/store/state.ts:1: only lib/runtime/ may name Deno",
  ],
  [
    "only lib/runtime/ names process, by globalThis too",
    { "lib/store/state.ts": `export const read = () => globalThis.process.cwd();` },
    "lib/store/state.ts:1: only lib/runtime/ may name process",
  ],
  [
    "only lib/runtime/ imports node: modules, lazily too",
    { "lib/store/lock.ts": `export const open = () => import("node:sqlite");` },
    `lib/store/lock.ts:1: only lib/runtime/ may import "node:sqlite"`,
  ],
  [
    "no node: module loads at start",
    { "lib/runtime/current.ts": `import fs from "node:fs";\nexport const runtime = fs;` },
    `lib/runtime/current.ts:1: "node:fs" would load at every start: mod.ts loads this file`,
  ],
  [
    "no dependency loads at start",
    { "lib/store/state.ts": `export { read } from "npm:read@1.2.3";` },
    `lib/store/state.ts:1: "npm:read@1.2.3" would load at every start: mod.ts loads this file`,
  ],
  [
    "no modules import one another, types included",
    {
      "lib/store/cache.ts": `import type { Egg } from "./closure.ts";\nexport type Cache = Egg;`,
      "lib/store/closure.ts": `export type Egg = import("./cache.ts").Cache;`,
    },
    "lib/store/cache.ts:1: imports itself: " +
    "lib/store/cache.ts → lib/store/closure.ts → lib/store/cache.ts",
  ],
  [
    "types are imported by the statement form",
    { "lib/updater/fetch.ts": `import { type Plan } from "./plan.ts";\nexport type F = Plan;` },
    "lib/updater/fetch.ts:1: `type` inside the braces stays a real import: " +
    "write `import type { … }`",
  ],
  [
    "a dependency has one home",
    { "lib/updater/tree.ts": `import semver from "npm:semver@7.8.6";\nexport { semver };` },
    "lib/updater/tree.ts:1: npm:semver is already imported in lib/updater/plan.ts",
  ],
  [
    "a dependency is pinned",
    { "lib/updater/tree.ts": `import tar from "npm:tar@^7.1.2";\nexport { tar };` },
    `lib/updater/tree.ts:1: "npm:tar@^7.1.2" is not pinned as npm:<name>@<major>.<minor>.<patch>`,
  ],
  [
    "a dependency's types are pinned",
    { "lib/updater/tree.ts": `// @ts-types="npm:@types/tar"\nexport {};` },
    `lib/updater/tree.ts:1: "npm:@types/tar" is not pinned as npm:<name>@<major>.<minor>.<patch>`,
  ],
  [
    "a bare specifier is no dependency",
    { "lib/updater/tree.ts": `export const load = () => import("tar");` },
    `lib/updater/tree.ts:1: "tar" is not pinned as npm:<name>@<major>.<minor>.<patch>`,
  ],
  [
    "files say what they are about",
    { "lib/store/file_utils.ts": "export {};" },
    `lib/store/file_utils.ts:1: "file_utils.ts" does not say what the file is about`,
  ],
  [
    "files are in snake_case",
    { "lib/store/fileTree.ts": "export {};" },
    `lib/store/fileTree.ts:1: "fileTree.ts" is not in snake_case`,
  ],
  [
    "files end in sight",
    { "tests/long_test.ts": "test();\n".repeat(451) },
    "tests/long_test.ts:451: longer than 450 lines",
  ],
  [
    "no registry host is named",
    { "README.md": `fetch from https://${["registry.npmjs", "org"].join(".")}/hello` },
    `README.md:1: names the registry host ${["registry.npmjs", "org"].join(".")}`,
  ],
  [
    "no machine's path is named",
    { "lib/errors.ts": `\nexport const path = "${"/ho" + "me"}/jan/transmute";` },
    `lib/errors.ts:2: names a path of one machine: ${"/ho" + "me"}/jan/t…`,
  ],
];

/** What the check says of a project of these files. */
async function said(files: Record<string, string>): Promise<string[]> {
  const root = await Deno.makeTempDir();
  try {
    for (const [path, text] of Object.entries(files)) {
      await Deno.mkdir(`${root}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(`${root}/${path}`, text);
    }
    return (await checkLayers(root)).map(({ path, line, text }) => `${path}:${line}: ${text}`);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

test("checkLayers() finds nothing wrong with a sound project", async () => {
  assert.deepEqual(await said(SOUND), []);
});

test("checkLayers() looks into no folder that is not the project's own", async () => {
  assert.deepEqual(await said({ ...SOUND, "build/index.ts": "export {};" }), []);
});

for (const [rule, files, problem] of BROKEN) {
  test(`checkLayers() enforces that ${rule}`, async () => {
    assert.deepEqual(await said({ ...SOUND, ...files }), [problem]);
  });
}
