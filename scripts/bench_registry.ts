/**
 * A fast npm registry on loopback for measurements: everything is in memory before it answers.
 *
 * Fill a folder with `fillRegistry()`; then run this file, in a process of its own, with the
 * folder as its argument. It prints its address. Projects are listed below `short/` with the
 * versions that the folder holds, and below `whole/` those that were asked for by name with as
 * many as the real registry has.
 */

import { readManifest, unpackTarball } from "../lib/store/unpack.ts";

/** The address that listings are written with; the real one is known when the registry runs. */
const ORIGIN = "http://registry.invalid";
const MAX_UNPACKED_BYTES = 1024 ** 3;
const LISTED_FIELDS = [
  ...["name", "version", "dependencies", "optionalDependencies", "peerDependencies"],
  ...["peerDependenciesMeta", "bundleDependencies", "engines", "os", "cpu", "libc", "bin"],
];

/** One version of one project. */
export interface PackageVersion {
  name: string;
  version: string;
}

/** The name of an archive in the registry's folder. */
export function archiveFile({ name, version }: PackageVersion): string {
  return `${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
}

/** Runs npm, which needs nothing but the network and `folder`; gives what it prints. */
async function npm(folder: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("npm", {
    args: [...args, "--cache", `${folder}/npm-cache`, "--loglevel=error"],
    cwd: folder,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`npm ${args[0]} failed:\n${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

/** Every package that `wanted` needs, itself included, as npm resolves it. */
async function wholeTree(folder: string, wanted: PackageVersion): Promise<PackageVersion[]> {
  const manifest = {
    name: "tree",
    version: "1.0.0",
    dependencies: { [wanted.name]: wanted.version },
  };
  await Deno.writeTextFile(`${folder}/package.json`, JSON.stringify(manifest));
  await npm(folder, ["install", "--package-lock-only", "--ignore-scripts", "--no-audit"]);
  const lock = JSON.parse(await Deno.readTextFile(`${folder}/package-lock.json`));
  await Deno.remove(`${folder}/package-lock.json`);
  const packages = Object.entries<{ version: string }>(lock.packages)
    .filter(([location]) => location !== "")
    .map(([location, { version }]) => ({ name: location.split("node_modules/").at(-1)!, version }));
  const unique = new Map(packages.map((one) => [archiveFile(one), one]));
  return [...unique.values()];
}

/** The digest of bytes as npm writes it. */
async function integrityOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return `sha512-${new Uint8Array(await crypto.subtle.digest("SHA-512", bytes)).toBase64()}`;
}

/** What a listing says of one archive. */
async function listedVersion(folder: string, one: PackageVersion): Promise<object> {
  const archive = await Deno.readFile(`${folder}/archives/${archiveFile(one)}`);
  const entries = await unpackTarball(archive, { maxUnpackedBytes: MAX_UNPACKED_BYTES });
  if (readManifest(entries).name !== one.name) throw new Error(`Another package than ${one.name}`);
  const text = entries.find(({ path }) => path === "package.json")!.bytes;
  const manifest = JSON.parse(new TextDecoder().decode(text));
  return {
    ...Object.fromEntries(
      LISTED_FIELDS.filter((field) => field in manifest).map((field) => [field, manifest[field]]),
    ),
    dist: {
      integrity: await integrityOf(archive),
      tarball: `${ORIGIN}/archives/${archiveFile(one)}`,
      fileCount: entries.length,
      unpackedSize: entries.reduce((total, { bytes }) => total + bytes.length, 0),
    },
  };
}

/** A listing of versions that were published long ago. */
function listing(name: string, latest: string, versions: Record<string, object>): string {
  const published = "2020-01-01T00:00:00.000Z";
  const time = Object.fromEntries(Object.keys(versions).map((version) => [version, published]));
  const times = { created: published, modified: published, ...time };
  return JSON.stringify({
    name,
    "dist-tags": { latest },
    modified: published,
    time: times,
    versions,
  });
}

/**
 * Brings packages with all they depend on from the npm registry into `folder`.
 *
 * @returns for each of `wanted`, the packages of its tree
 * @throws {Error} when npm fails
 */
export async function fillRegistry(
  folder: string,
  wanted: PackageVersion[],
): Promise<PackageVersion[][]> {
  for (const part of ["archives", "short", "whole"]) await Deno.mkdir(`${folder}/${part}`);
  const trees: PackageVersion[][] = [];
  for (const one of wanted) trees.push(await wholeTree(folder, one));
  const all = new Map(trees.flat().map((one) => [archiveFile(one), one]));
  const specifiers = [...all.values()].map(({ name, version }) => `${name}@${version}`);
  await npm(folder, ["pack", "--silent", "--pack-destination", "archives", ...specifiers]);

  const projects = new Map<string, Record<string, object>>();
  for (const one of all.values()) {
    const versions = projects.get(one.name) ?? {};
    versions[one.version] = await listedVersion(folder, one);
    projects.set(one.name, versions);
  }
  for (const [name, versions] of projects) {
    const [latest] = Object.keys(versions);
    const file = `${encodeURIComponent(name)}.json`;
    await Deno.writeTextFile(`${folder}/short/${file}`, listing(name, latest, versions));
    if (!wanted.some((one) => one.name === name)) continue;
    // The others' listings as long as the real ones: each with a manifest like the one we have.
    const whole: Record<string, object> = {};
    for (const version of JSON.parse(await npm(folder, ["view", name, "versions", "--json"]))) {
      whole[version] = { ...versions[latest], version };
    }
    const text = listing(name, latest, { ...whole, ...versions });
    await Deno.writeTextFile(`${folder}/whole/${file}`, text);
  }
  return trees;
}

/** A running registry: its address ends with a slash, and `short/` or `whole/` goes behind it. */
export interface RunningRegistry {
  url: string;
  stop(): Promise<void>;
}

/** Starts the registry of a folder in a process of its own. */
export async function startRegistry(folder: string): Promise<RunningRegistry> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", import.meta.filename!, folder],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  return {
    url: value.trim(),
    async stop() {
      process.kill();
      await reader.cancel();
      await process.status;
    },
  };
}

/** Loads a folder and answers until the process is killed. */
async function serve(folder: string): Promise<void> {
  const answers = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const part of ["archives", "short", "whole"]) {
    for await (const { name } of Deno.readDir(`${folder}/${part}`)) {
      const path = `/${part}/${decodeURIComponent(name.replace(/\.json$/, ""))}`;
      answers.set(path, await Deno.readFile(`${folder}/${part}/${name}`));
    }
  }
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const path = decodeURIComponent(new URL(request.url).pathname);
    const body = answers.get(path) ?? answers.get(path.replace(/^\/whole\//, "/short/"));
    if (body === undefined) return new Response("{}", { status: 404 });
    const type = path.endsWith(".tgz") ? "application/octet-stream" : "application/json";
    return new Response(body, { headers: { "content-type": type } });
  });
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const [decoder, encoder] = [new TextDecoder(), new TextEncoder()];
  for (const [path, body] of answers) {
    if (path.endsWith(".tgz")) continue;
    answers.set(path, encoder.encode(decoder.decode(body).replaceAll(ORIGIN, origin)));
  }
  console.log(`${origin}/`);
}

if (import.meta.main) await serve(Deno.args[0]);
