/**
 * What a large signed repository costs: 100,000 eggs in 5,000 projects, behind a web server on
 * loopback that counts every byte. For a client that requires one project: its first check, a daily
 * check with nothing new, and one with a new release. For the author: publishing one more egg.
 *
 * `deno run -A scripts/bench_repository.ts [--projects 5000] [--releases 20]` prints tables in
 * Markdown. Only the eggs that are fetched have bytes; what is signed about the others is made up of
 * the same fields.
 */

import { parseArgs } from "node:util";
import type { SignedCustom } from "../lib/model/signed_target.ts";
import { pathsOfProject, roleOfProject, SIGNED_FORMAT } from "../lib/model/signed_target.ts";
import { changeRepository } from "../lib/publisher/commit.ts";
import { folderDestination } from "../lib/publisher/folder_destination.ts";
import { firstRoot, initRepository } from "../lib/publisher/init_repository.ts";
import { generateKeyFile } from "../lib/publisher/key_file.ts";
import type { SigningKey } from "../lib/publisher/keys.ts";
import type { DelegatedRole, Target } from "../lib/publisher/metadata.ts";
import { documentBytes, signedTime } from "../lib/publisher/metadata.ts";
import { packEntries } from "../lib/publisher/pack.ts";
import { hexOf, publicKeyOf } from "../lib/publisher/public_key.ts";
import { publish } from "../lib/publisher/publish.ts";
import { readRelease } from "../lib/publisher/release.ts";
import { signDocument } from "../lib/publisher/signing.ts";
import { startCountingServer } from "./counting_server.ts";
import { runtimePaths } from "./runtimes.ts";

const { values: { projects: projectsText, releases: releasesText } } = parseArgs({
  args: Deno.args,
  options: {
    projects: { type: "string", default: "5000" },
    releases: { type: "string", default: "20" },
  },
});
const [PROJECTS, RELEASES] = [Number(projectsText), Number(releasesText)];
const RUNS = 5;

const scratch = Deno.makeTempDirSync({ prefix: "transmute-bench-" });
const folder = `${scratch}/repository`;
const now = Date.now();

async function signingKey(name: string): Promise<SigningKey> {
  const { key } = await generateKeyFile(null);
  const sign = (bytes: Uint8Array) => Promise.resolve(hexOf(key.sign(bytes)));
  return { name, public: await publicKeyOf(key.publicBytes), sign };
}

const [ofRoot, ofTargets, online] = await Promise.all(
  ["root", "targets", "online"].map(signingKey),
);
const signing = { keys: [ofRoot, ofTargets, online], now };
const unsigned = firstRoot({
  root: [ofRoot.public],
  targets: [ofTargets.public],
  online: [online.public],
}, now);
const root = await signDocument(unsigned, [ofRoot]);
const destination = folderDestination(folder);

/** What is signed about a release that nobody fetches. */
function madeUp(project: string, version: string): Target {
  const random = hexOf(crypto.getRandomValues(new Uint8Array(64)));
  const custom: SignedCustom = {
    format: SIGNED_FORMAT,
    ecosystem: "js",
    project,
    version,
    publishedAt: signedTime(now),
    unpacked: { sizeBytes: 100_000, digest: `sha512:${random}` },
    manifest: {
      name: project,
      version,
      dependencies: { "is-odd": "^3.0.0", "@scope/other": "^1" },
    },
  };
  return { length: 25_000, hashes: { sha512: random }, custom };
}

async function fill(): Promise<void> {
  await initRepository(destination, root, signing.keys, now);
  const names = Array.from({ length: PROJECTS }, (_, index) => `project-${index}`);
  const { keyids, threshold } = root.signed.roles.targets;
  const roles = names.map((project): DelegatedRole => ({
    name: roleOfProject("js", project),
    keyids,
    threshold,
    terminating: true,
    paths: [pathsOfProject("js", project)],
  }));
  const projects = new Map(names.map((project) => [
    roleOfProject("js", project),
    Object.fromEntries(Array.from({ length: RELEASES }, (_, minor) => {
      const version = `0.${minor}.0`;
      return [`js/${project}/${project}-${version}.tgz`, madeUp(project, version)];
    })),
  ]));
  const keys = Object.fromEntries(keyids.map((id) => [id, root.signed.keys[id]]));
  const delegations = { keys, roles };
  await changeRepository(
    destination,
    root,
    signing,
    () => Promise.resolve({ projects, delegations }),
  );
}

/** Publishes one egg; the milliseconds that it took. */
async function publishOne(project: string, version: string): Promise<number> {
  const { archive, filename } = await packEntries(
    { name: project, version, type: "module", exports: "./index.js" },
    { "index.js": `export default "${version}";\n` },
  );
  const release = await readRelease(archive, filename);
  const start = performance.now();
  await publish(destination, root, [release], {}, signing);
  return performance.now() - start;
}

const { deno } = await runtimePaths();
await using server = startCountingServer(folder);
const client = new URL("repository_client.ts", import.meta.url).pathname;
Deno.mkdirSync(scratch, { recursive: true });
Deno.writeFileSync(`${scratch}/root.json`, documentBytes(root));
const rows: string[] = [];

/** One start of a program that requires project-17, and what it cost. */
async function check(title: string, wanted: string): Promise<void> {
  server.reset();
  const start = performance.now();
  const { code, stdout, stderr } = await new Deno.Command(deno, {
    args: ["run", "-A", "--quiet", client, server.url, `${scratch}/root.json`],
    env: { TRANSMUTE_CACHE_DIR: `${scratch}/store` },
  }).output();
  const ms = performance.now() - start;
  const text = new TextDecoder().decode(stdout).trim();
  if (code !== 0 || text !== wanted) {
    throw new Error(`${title}: found "${text}"\n${new TextDecoder().decode(stderr)}`);
  }
  const { requests, bytesOut, bytesIn } = server.counted();
  const names = requests.map((path) => path.replace(/[0-9a-f]{128}/, "…").split("/").at(-1));
  rows.push(
    `| ${title} | ${requests.length} | ${bytesIn} | ${bytesOut} | ${Math.round(ms)} | ${
      names.join(", ")
    } |`,
  );
}

function median(values: number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1];
}

try {
  const start = performance.now();
  await fill();
  const filledMs = performance.now() - start;
  await publishOne("project-17", "1.0.0");

  await check("first check", "project-17@1.0.0");
  await check("nothing new", "project-17@1.0.0");
  await check("nothing new, again", "project-17@1.0.0");
  await publishOne("project-18", "1.0.0");
  await check("a release of another project", "project-17@1.0.0");
  await publishOne("project-17", "1.1.0");
  await check("a release of its project", "project-17@1.1.0");

  const again: number[] = [];
  const first: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    again.push(await publishOne("project-17", `2.${run}.0`));
    first.push(await publishOne(`new-project-${run}`, "1.0.0"));
  }
  const sizes = Object.fromEntries(
    Array.from(Deno.readDirSync(`${folder}/metadata`), ({ name }) => name)
      .filter((name) => /(?:snapshot|targets|project-17)\.json$/.test(name))
      .map((name) => [
        name.replace(/^\d+\./, ""),
        Deno.statSync(`${folder}/metadata/${name}`).size,
      ]),
  );
  console.log(
    `${PROJECTS * RELEASES} eggs in ${PROJECTS} projects, signed and written in ${
      (filledMs / 1000).toFixed(1)
    } s\n`,
  );
  console.log("| check | requests | bytes received | bytes sent | process, ms | files |");
  console.log("| --- | --- | --- | --- | --- | --- |");
  for (const row of rows) console.log(row);
  console.log("\n| publishing one more egg | median of 5, ms |");
  console.log("| --- | --- |");
  console.log(`| of a project that is there | ${Math.round(median(again))} |`);
  console.log(`| of a new project | ${Math.round(median(first))} |`);
  console.log("\n| document | bytes |");
  console.log("| --- | --- |");
  for (const [name, size] of Object.entries(sizes)) console.log(`| ${name} | ${size} |`);
} finally {
  Deno.removeSync(scratch, { recursive: true });
}
