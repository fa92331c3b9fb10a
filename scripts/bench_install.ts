/**
 * What a cold update costs: fetch, prove, unpack, link and activate an egg from a registry on
 * loopback into an empty store, against `curl | tar`, npm, pnpm, Bun and Deno doing the like with
 * empty caches and install scripts off. Whole processes, wall time.
 *
 * `deno run -A scripts/bench_install.ts [--runs 15]` prints tables in Markdown. The packages and
 * pnpm come from the npm registry, once for each run of the script.
 */

import { parentPath } from "../lib/runtime/paths.ts";
import type { PackageVersion } from "./bench_registry.ts";
import { archiveFile, fillRegistry, startRegistry } from "./bench_registry.ts";
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

const RUNS = 15;
const WARM_UPS = 2;
/** The last line of pnpm that is written in JavaScript, and the first that is not. */
const PNPM_VERSIONS = ["11.28.11", "12.21.0"];

/** A package to install, and how its registry lists it. */
interface Load extends PackageVersion {
  title: string;
  listing: "short" | "whole";
}

const LOADS: Load[] = [
  { title: "small: chalk, 1 archive", name: "chalk", version: "5.6.2", listing: "short" },
  {
    title: "medium: express 4 with its tree",
    name: "express",
    version: "4.21.2",
    listing: "short",
  },
  { title: "large: typescript, 1 archive", name: "typescript", version: "5.9.3", listing: "short" },
  {
    title: "large: typescript, listed with all its versions",
    name: "typescript",
    version: "5.9.3",
    listing: "whole",
  },
];

const { deno, node24, bun } = await runtimePaths();
const scratch = Deno.makeTempDirSync({ prefix: "transmute-bench-" });
/** Everything that a run may leave behind. */
const work = `${scratch}/work`;

/** Makes the working folder new, and lets the disk finish what others left to it. */
function clean(manifest: object): void {
  try {
    Deno.removeSync(work, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  Deno.mkdirSync(`${work}/app`, { recursive: true });
  Deno.writeTextFileSync(`${work}/app/package.json`, JSON.stringify(manifest));
  new Deno.Command("sync").outputSync();
}

function assertInstalled({ name, version }: PackageVersion): void {
  const path = `${work}/app/node_modules/${name}/package.json`;
  const found = JSON.parse(Deno.readTextFileSync(path)).version;
  if (found !== version) throw new Error(`Installed ${name} ${found}, wanted ${version}`);
}

/** Installs a version of pnpm, and gives its command. */
function installPnpm(version: string): string[] {
  const folder = `${scratch}/pnpm-${version}`;
  const { success, stderr } = new Deno.Command("npm", {
    args: ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
      .concat("--prefix", folder, `pnpm@${version}`),
  }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const modules = `${folder}/node_modules`;
  // Its own install script would put the program of the platform's package in place.
  for (const { name } of Deno.readDirSync(modules)) {
    if (name !== "@pnpm") continue;
    const [exe] = [...Deno.readDirSync(`${modules}/@pnpm`)];
    return [`${modules}/@pnpm/${exe.name}/pnpm`];
  }
  const { bin } = JSON.parse(Deno.readTextFileSync(`${modules}/pnpm/package.json`));
  return [node24, `${modules}/pnpm/${bin.pnpm}`];
}

/** The update as an application does it. */
function program(module: string, { name, version }: PackageVersion, registry: string): string {
  const path = `${scratch}/update-${name}.mjs`;
  Deno.writeTextFileSync(
    path,
    `import { Transmute } from ${JSON.stringify(`file://${module}`)};
const eggs = new Transmute({ app: "bench" });
eggs.require("npm:${name}@${version}", { sources: ["npm+${registry}"] });
const { outcome } = await eggs.update();
if (outcome !== "updated") throw new Error(outcome);
eggs.resolve("${name}");
`,
  );
  return path;
}

/** `curl | tar` of every archive at once, into a folder each. */
function shellScript(url: string, tree: PackageVersion[]): string {
  const one = (archive: string) =>
    `(mkdir ${archive} && curl -sf ${url}archives/${archive} | tar xz -C ${archive}) &`;
  return `${tree.map((it) => one(archiveFile(it))).join("\n")}\nwait`;
}

function contestants(
  load: Load,
  tree: PackageVersion[],
  url: string,
  commands: { updates: Record<string, string[]>; installs: Record<string, string[]> },
): Contestant[] {
  const registry = `${url}${load.listing}/`;
  const manifest = {
    name: "app",
    version: "1.0.0",
    dependencies: { [load.name]: load.version },
  };
  const prepare = () => clean(manifest);
  const base = { workingDirectory: `${work}/app`, prepare };
  const peer = {
    ...base,
    verify: () => assertInstalled(load),
    environment: {
      npm_config_registry: registry,
      npm_config_cache: `${work}/npm`,
      BUN_CONFIG_REGISTRY: registry,
      BUN_INSTALL_CACHE_DIR: `${work}/bun`,
      DENO_DIR: `${work}/deno`,
      // npm and pnpm run on the same Node as Transmute.
      PATH: `${parentPath(node24)}:${Deno.env.get("PATH")}`,
      XDG_DATA_HOME: `${work}/data`,
      XDG_CACHE_HOME: `${work}/cache`,
      XDG_STATE_HOME: `${work}/state`,
    },
  };
  const update = program(`${scratch}/build/mod.js`, load, registry);
  return [
    { ...base, name: "`curl`, `tar xz`", command: ["sh", "-c", shellScript(url, tree)] },
    ...Object.entries(commands.updates).map(([name, command]) => ({
      ...base,
      name: `Transmute in ${name}`,
      command: [...command, update],
      environment: { TRANSMUTE_CACHE_DIR: `${work}/store` },
    })),
    ...Object.entries(commands.installs).map(([name, command]) => ({ ...peer, name, command })),
  ];
}

try {
  const runs = runsArgument(Deno.args, RUNS);
  await bundle({ folder: `${scratch}/build` });
  Deno.writeTextFileSync(`${scratch}/build/package.json`, '{ "type": "module" }');
  const silent = ["install", "--ignore-scripts", "--silent"];
  const commands = {
    updates: { "Deno": [deno, "run", "-A"], "Node 24": [node24], "Bun": [bun] },
    installs: {
      "bun install": [bun, ...silent],
      "deno install": [deno, "install", "--quiet"],
      "npm install": ["npm", ...silent, "--no-audit", "--no-fund"],
      ...Object.fromEntries(
        PNPM_VERSIONS.map((version) => [
          `pnpm install (${version})`,
          [...installPnpm(version), ...silent],
        ]),
      ),
    },
  };
  Deno.mkdirSync(`${scratch}/registry`);
  const trees = await fillRegistry(`${scratch}/registry`, LOADS);
  const registry = await startRegistry(`${scratch}/registry`);
  try {
    for (const [index, load] of LOADS.entries()) {
      const timings = timeInterleaved(
        contestants(load, trees[index], registry.url, commands),
        { rounds: runs, warmUps: WARM_UPS },
      );
      const rows = timings.map((timing) => [
        timing.name,
        timingText(timing),
        ratioOf(timing, timings[0]).toFixed(2),
      ]);
      console.log(`### ${load.title} (${trees[index].length})\n`);
      console.log(markdownTable(["", "ms", "ratio to `tar`"], rows), "\n");
    }
  } finally {
    await registry.stop();
  }
} finally {
  Deno.removeSync(scratch, { recursive: true });
}
