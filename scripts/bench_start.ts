/**
 * What an idle start costs: a program that requires, updates with nothing due and imports one
 * egg, against a program that imports the same file by its path, without Transmute.
 *
 * `deno run -A scripts/bench_start.ts [--runs 60]` prints a table in Markdown.
 */

import { packEntries } from "../lib/publisher/pack.ts";
import { bundle } from "./bundle.ts";
import type { Contestant } from "./interleaved_runs.ts";
import {
  markdownTable,
  ratioOf,
  runsArgument,
  timeInterleaved,
  timingText,
} from "./interleaved_runs.ts";
import { runtimePaths } from "./runtimes.ts";

const RUNS = 60;
const WARM_UPS = 5;
const ONE_YEAR_MS = 365 * 24 * 60 * 60 * 1000;
const MANIFEST = { name: "hello", version: "1.0.0", type: "module", exports: "./index.js" };
const FILES = {
  "index.js": 'import { greeting } from "./greeting.js";\n' +
    'export const greet = (name) => greeting + ", " + name;\n',
  "greeting.js": 'export const greeting = "Hi";\n',
};
const USE = 'if (hello.greet("world") !== "Hi, world") throw new Error("another egg");\n';

const project = decodeURIComponent(new URL("../", import.meta.url).pathname);
const scratch = Deno.makeTempDirSync({ prefix: "transmute-bench-" });
const environment = {
  TRANSMUTE_CACHE_DIR: `${scratch}/store`,
  TRANSMUTE_CHECK_EVERY_MS: String(ONE_YEAR_MS),
  NO_COLOR: "1",
};

/** Writes a program, and gives its path. */
function program(name: string, text: string): string {
  const path = `${scratch}/${name}.mjs`;
  Deno.writeTextFileSync(path, text);
  return path;
}

/** A program that takes its egg from `source` through the module at `url`. */
function application(name: string, url: string, source: string): string {
  return program(
    name,
    `import * as transmute from ${JSON.stringify(url)};
transmute.require("hello", { sources: [${JSON.stringify(source)}] });
await transmute.update();
const hello = await transmute.import("hello");
${USE}`,
  );
}

/** Runs a program until its store is ready; gives what it writes. */
async function run(command: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command[0], {
    args: command.slice(1),
    env: environment,
    cwd: scratch,
  }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

/** A registry of this one egg. */
function serve(archive: Uint8Array<ArrayBuffer>): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async ({ url }) => {
    if (url.endsWith(".tgz")) return new Response(archive);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", archive));
    const dist = {
      tarball: `${url}/-/hello-1.0.0.tgz`,
      integrity: `sha512-${digest.toBase64()}`,
    };
    return Response.json({
      name: MANIFEST.name,
      "dist-tags": { latest: MANIFEST.version },
      versions: { [MANIFEST.version]: { ...MANIFEST, dist } },
    });
  });
}

try {
  const runs = runsArgument(Deno.args, RUNS);
  const { deno, node22, node24, node26, bun } = await runtimePaths();
  const runtimes: [string, string[]][] = [
    ["Deno", [deno, "run", "-A"]],
    ["Node 22", [node22]],
    ["Node 24", [node24]],
    ["Node 26", [node26]],
    ["Bun", [bun]],
  ];
  const { filename, archive } = await packEntries(MANIFEST, FILES);
  Deno.mkdirSync(`${scratch}/dist`);
  Deno.writeFileSync(`${scratch}/dist/${filename}`, archive);
  const registry = serve(archive as Uint8Array<ArrayBuffer>);
  const npm = `npm+http://127.0.0.1:${registry.addr.port}/`;

  // As a package has it: without the field, Node reads a module twice to find out what it is.
  const published = `${scratch}/published`;
  await bundle({ folder: published });
  Deno.writeTextFileSync(`${published}/package.json`, '{ "type": "module" }');
  const inBundle = {
    "folder source": application("folder", `file://${published}/mod.js`, "dist"),
    "npm source": application("npm", `file://${published}/mod.js`, npm),
  };
  const inSource = {
    "folder source, from mod.ts": application("source_folder", `file://${project}mod.ts`, "dist"),
    "npm source, from mod.ts": application("source_npm", `file://${project}mod.ts`, npm),
  };
  for (const path of [...Object.values(inBundle), ...Object.values(inSource)]) {
    await run([deno, "run", "-A", path]);
  }
  await registry.shutdown();

  const where = `import * as transmute from "file://${published}/mod.js";
transmute.require("hello", { sources: ["dist"] });
await transmute.update();
console.log(transmute.resolve("hello"));
`;
  const egg = await run([deno, "run", "-A", program("where", where)]);
  const byPath = program("by_path", `const hello = await import(${JSON.stringify(egg)});\n${USE}`);
  const empty = program("empty", "");

  const rows: string[][] = [];
  for (const [name, command] of runtimes) {
    const programs = { nothing: empty, "by path": byPath, ...inBundle };
    if (name === "Deno") Object.assign(programs, inSource);
    const contestants = Object.entries(programs).map(([title, path]): Contestant => ({
      name: title,
      command: [...command, path],
      workingDirectory: scratch,
      environment,
    }));
    const timings = timeInterleaved(contestants, { rounds: runs, warmUps: WARM_UPS });
    for (const timing of timings) {
      rows.push([name, timing.name, timingText(timing), ratioOf(timing, timings[1]).toFixed(2)]);
    }
  }
  console.log(markdownTable(["runtime", "program", "ms", "ratio to by path"], rows));
} finally {
  Deno.removeSync(scratch, { recursive: true });
}
