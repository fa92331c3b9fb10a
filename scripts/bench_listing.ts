/**
 * What a check of a large folder costs: 10,000 eggs of 200 projects, all of which an application
 * requires. Whole processes, wall time: a check that finds nothing newer, and one that updates one
 * project within the budget that a start has by default.
 *
 * `deno run -A scripts/bench_listing.ts [--runs 15]` prints a table in Markdown.
 */

import { packEntries } from "../lib/publisher/pack.ts";
import type { IndexedFile } from "../lib/sources/folder_index.ts";
import { writeFolderIndex } from "../lib/sources/folder_index.ts";
import { digestHex } from "../lib/trust/digest.ts";
import { bundle } from "./bundle.ts";
import type { Contestant, Timing } from "./interleaved_runs.ts";
import { markdownTable, runsArgument, timeInterleaved, timingText } from "./interleaved_runs.ts";
import { runtimePaths } from "./runtimes.ts";
import type { AskBucket } from "./s3_client.ts";
import { bucketClient } from "./s3_client.ts";
import type { S3Server } from "./s3_servers.ts";
import { startSeaweed } from "./s3_servers.ts";

const RUNS = 15;
const WARM_UPS = 2;
const PROJECTS = 200;
const VERSIONS = 50;
const PARALLEL_UPLOADS = 32;

/** A place that has the eggs, how it is listed, and the variables to ask it with. */
interface Place {
  name: string;
  address: string;
  env?: Record<string, string>;
}

const { deno } = await runtimePaths();
const scratch = Deno.makeTempDirSync({ prefix: "transmute-bench-" });
const folder = `${scratch}/eggs`;
Deno.mkdirSync(folder);

const projects = Array.from(
  { length: PROJECTS },
  (_, index) => `project-${String(index).padStart(3, "0")}`,
);

const indexed: IndexedFile[] = [];
const s3 = await startBucketServer();

/** Lays an egg into the folder; gives its path. */
async function publish(name: string, version: string): Promise<string> {
  const { filename, archive, manifest } = await packEntries(
    { name, version, type: "module", exports: "./index.js" },
    { "index.js": `export const version = "${version}";\n` },
  );
  const path = `${folder}/${filename}`;
  Deno.writeFileSync(path, archive);
  const sha256 = await digestHex("sha256", archive);
  indexed.push({ name: filename, sizeBytes: archive.length, sha256, manifest });
  return path;
}

/** Lays 50 versions of a project into the folder. Nobody fetches the older ones: any bytes will do. */
async function publishAll(name: string): Promise<void> {
  const newest = await publish(name, `1.0.${VERSIONS - 1}`);
  const last = indexed.at(-1)!;
  for (let patch = 0; patch < VERSIONS - 1; patch++) {
    const version = `1.0.${patch}`;
    const filename = `${name}-${version}.tgz`;
    Deno.linkSync(newest, `${folder}/${filename}`);
    indexed.push({ ...last, name: filename, manifest: { ...last.manifest!, version } });
  }
}

function writeIndex(): void {
  Deno.writeTextFileSync(`${folder}/index.json`, writeFolderIndex(indexed));
}

/** A program that requires all projects, and says what an update came to. */
function program(address: string): string {
  const path = `${scratch}/${address.replace(/\W+/g, "_")}.mjs`;
  Deno.writeTextFileSync(
    path,
    `import { Transmute } from ${JSON.stringify(`file://${scratch}/mod.js`)};
const [cacheDir, budgetMs] = Deno.args;
let requests = 0;
const eggs = new Transmute({
  app: "bench",
  cacheDir,
  sources: [${JSON.stringify(address)}],
  fetch: (...question) => (requests++, fetch(...question)),
});
eggs.require(${JSON.stringify(projects)});
const { outcome, reason, problems } = await eggs.update({
  force: true,
  ...(budgetMs === undefined ? {} : { budgetMs: Number(budgetMs) }),
});
for (const problem of problems) console.error(problem.message);
console.log(requests, outcome, reason ?? "");
`,
  );
  return path;
}

const decoder = new TextDecoder();

/** Runs a program once; gives the line that it printed. */
function run(path: string, args: string[], env: Record<string, string> = {}): string {
  const { stdout, stderr } = new Deno.Command(deno, { args: ["run", "-A", path, ...args], env })
    .outputSync();
  return decoder.decode(stdout).trim() || decoder.decode(stderr);
}

function copy(from: string, to: string): void {
  new Deno.Command("rm", { args: ["-rf", to] }).outputSync();
  new Deno.Command("cp", { args: ["-a", from, to] }).outputSync();
}

/** Times a check at every place, and tells what one of its runs asked and came to. */
function time(title: string, places: Place[], rounds: number): string[][] {
  const contestants = places.map(({ name, address, env }, index): Contestant => {
    const [template, store] = [`${scratch}/store-${index}`, `${scratch}/store`];
    return {
      name,
      command: [deno, "run", "-A", program(address), store],
      workingDirectory: scratch,
      ...(env === undefined ? {} : { environment: env }),
      prepare: () => copy(template, store),
    };
  });
  const seen = contestants.map(({ command, prepare, environment }) => {
    prepare!();
    const [requests, ...outcome] = run(command[3], [command[4]], environment).split(" ");
    return [requests, outcome.join(" ")];
  });
  const timings = timeInterleaved(contestants, { rounds, warmUps: WARM_UPS });
  return timings.map((timing: Timing, index) => [
    `${title}: ${timing.name}`,
    timingText(timing),
    ...seen[index],
  ]);
}

/** Puts files of the folder into a bucket, below a prefix. */
async function upload(ask: AskBucket, prefix: string, names: string[]): Promise<void> {
  for (let from = 0; from < names.length; from += PARALLEL_UPLOADS) {
    await Promise.all(
      names.slice(from, from + PARALLEL_UPLOADS).map((name) =>
        ask("PUT", `/${prefix}/${name}`, Deno.readFileSync(`${folder}/${name}`))
      ),
    );
  }
}

/** The bucket's two folders, or none where its server cannot be had. */
async function bucketPlaces(): Promise<{ places: Place[]; publishTo: AskBucket | null }> {
  if (s3 === null) return { places: [], publishTo: null };
  const ask = await bucketClient(s3, "eggs");
  const names = indexed.map(({ name }) => name);
  await upload(ask, "listed", names);
  // Who has the index asks for nothing but what it takes.
  const newest = names.filter((name) => name.endsWith(`-1.0.${VERSIONS - 1}.tgz`));
  await upload(ask, "indexed", ["index.json", ...newest]);
  const env = {
    AWS_ENDPOINT_URL: s3.url,
    AWS_REGION: s3.region,
    AWS_ACCESS_KEY_ID: s3.keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.keys.secretAccessKey,
  };
  return {
    publishTo: ask,
    places: [
      { name: "a bucket's index.json", address: "s3://eggs/indexed", env },
      { name: "a bucket's listing", address: "s3://eggs/listed", env },
    ],
  };
}

/** A real server, or `null` where there is none. */
async function startBucketServer(): Promise<S3Server | null> {
  try {
    return await startSeaweed();
  } catch (error) {
    console.error(`Without a bucket: ${(error as Error).message}`);
    return null;
  }
}

try {
  const rounds = runsArgument(Deno.args, RUNS);
  await bundle({ folder: scratch });
  for (const project of projects) await publishAll(project);
  writeIndex();

  const { places: bucket, publishTo } = await bucketPlaces();
  const server = new Deno.Command(deno, {
    args: ["run", "-A", "scripts/bench_folder_server.ts", folder],
    stdout: "piped",
  }).spawn();
  try {
    const [line] = await Array.fromAsync(
      firstOf(server.stdout.pipeThrough(new TextDecoderStream() as never)),
    );
    const address = `http://127.0.0.1:${line.trim()}`;
    const places: Place[] = [
      { name: "a web server's index.json", address: `${address}/indexed/` },
      { name: "a web server's page", address: `${address}/listed/` },
      ...bucket,
      { name: "the folder itself", address: folder },
    ];
    places.forEach(({ address, env }, index) => {
      const found = run(program(address), [`${scratch}/store-${index}`, "600000"], env);
      if (!/^\d+ updated/.test(found)) throw new Error(`Cannot fill a store: ${found}`);
    });
    const rows = time("nothing newer", places, rounds);
    await publish(projects[7], `1.0.${VERSIONS}`);
    writeIndex();
    if (publishTo !== null) {
      const { name } = indexed.at(-1)!;
      await upload(publishTo, "listed", [name]);
      await upload(publishTo, "indexed", [name, "index.json"]);
    }
    rows.push(...time("one update", places, rounds));
    console.log(
      markdownTable(
        [`${indexed.length} eggs of ${PROJECTS} projects`, "ms", "requests", "outcome"],
        rows,
      ),
    );
  } finally {
    server.kill();
    await server.status;
  }
} finally {
  await s3?.[Symbol.asyncDispose]();
  Deno.removeSync(scratch, { recursive: true });
}

/** The first piece of a stream. */
async function* firstOf(stream: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const piece of stream) {
    yield piece;
    return;
  }
}
