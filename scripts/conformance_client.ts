/**
 * The client of signed repositories behind the command line that TUF's conformance suite drives:
 * `init`, `refresh` and `download`, exit code 0 or 1. It runs in Deno, Node and Bun.
 *
 * Of the client it changes one thing: keys of every kind are taken, since the suite tries them all.
 */

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { KeptMetadata, RawTarget } from "../lib/trust/tuf.ts";
import { SignedRepository } from "../lib/trust/tuf.ts";
import { proveBytes } from "../lib/trust/digest.ts";
import { httpGet } from "../lib/sources/http_request.ts";

const MAX_TARGET_BYTES = 16 * 1024 ** 2;

interface Request {
  command: string;
  rest: string[];
  options: Map<string, string>;
  targets: string[];
}

function readArguments(args: string[]): Request {
  const request: Request = { command: "", rest: [], options: new Map(), targets: [] };
  for (let index = 0; index < args.length; index++) {
    const [word, value] = [args[index], args[index + 1]];
    if (word === "--target-name") request.targets.push(value);
    else if (word.startsWith("--")) request.options.set(word.slice(2), value);
    else if (request.command === "") request.command = word;
    else request.rest.push(word);
    if (word.startsWith("--")) index++;
  }
  return request;
}

/** The suite reads metadata by role, `root.json`; roots are kept by version beside that. */
function metadataIn(folder: string): KeptMetadata {
  const roots = join(folder, "roots");
  mkdirSync(roots, { recursive: true });
  const write = (path: string, bytes: Uint8Array) => {
    writeFileSync(`${path}.new`, bytes);
    renameSync(`${path}.new`, path);
  };
  const pathOf = (name: string) =>
    /^\d+\.root$/.test(name)
      ? join(roots, `${name}.json`)
      : join(folder, `${encodeURIComponent(name)}.json`);
  return {
    read: (name) => existsSync(pathOf(name)) ? readFileSync(pathOf(name)) : null,
    write(name, bytes) {
      write(pathOf(name), bytes);
      if (/^\d+\.root$/.test(name)) write(join(folder, "root.json"), bytes);
    },
  };
}

/** The bytes at an address below `base`, or `null`; as every HTTP source asks for them. */
async function bring(base: string, path: string, maxBytes: number): Promise<Uint8Array | null> {
  const url = new URL(path, base.replace(/\/?$/, "/"));
  const answer = await httpGet(
    {
      action: `fetch ${path}`,
      source: base,
      url,
      headers: {},
      configured: [url],
      judged: [403],
      maxBytes,
      tooLarge: "size-mismatch",
    },
    { fetch, signal: AbortSignal.timeout(60_000) },
  );
  return answer.status === 200 ? answer.body : null;
}

function openRepository(options: Map<string, string>): SignedRepository {
  const folder = options.get("metadata-dir")!;
  const base = options.get("metadata-url")!;
  return new SignedRepository({
    source: base,
    root: readFileSync(join(folder, "trusted", "root.json")),
    kept: metadataIn(folder),
    bring: (file, maxBytes) => bring(base, encodeURIComponent(file), maxBytes),
    now: Date.now(),
    keyTypes: null,
  });
}

/** `path/to/name`, where it lies when names begin with digests. */
function storedAt(path: string, hash: string): string {
  const slash = path.lastIndexOf("/") + 1;
  return `${path.slice(0, slash)}${hash}.${path.slice(slash)}`;
}

async function download(repository: SignedRepository, path: string, options: Map<string, string>) {
  const target: RawTarget | null = await repository.target(path);
  if (target === null) throw new Error(`no role lists ${path}`);
  const hashes = Object.entries(target.hashes as Record<string, string>);
  const claims = {
    sizeBytes: target.length as number,
    digests: hashes.map(([algorithm, hex]) => `${algorithm}:${hex}`),
  };
  const place = join(options.get("target-dir")!, encodeURIComponent(path));
  const about = { egg: path, source: options.get("target-base-url")! };
  if (existsSync(place)) {
    const known = await proveBytes(readFileSync(place), claims, about).catch(() => null);
    if (known !== null) return;
  }
  const stored = repository.isConsistent ? storedAt(path, hashes[0][1]) : path;
  const limit = Math.min(claims.sizeBytes, MAX_TARGET_BYTES);
  const bytes = await bring(options.get("target-base-url")!, stored, limit);
  if (bytes === null) throw new Error(`the repository has no ${stored}`);
  await proveBytes(bytes, claims, about);
  writeFileSync(place, bytes);
}

async function run({ command, rest, options, targets }: Request): Promise<void> {
  const folder = options.get("metadata-dir")!;
  if (command === "init") {
    mkdirSync(join(folder, "trusted"), { recursive: true });
    const root = readFileSync(rest[0]);
    writeFileSync(join(folder, "trusted", "root.json"), root);
    writeFileSync(join(folder, "root.json"), root);
    return;
  }
  const repository = openRepository(options);
  await repository.refresh();
  if (command === "download") {
    for (const path of targets) await download(repository, path, options);
  } else if (command !== "refresh") throw new Error(`no command ${command}`);
}

try {
  await run(readArguments(process.argv.slice(2)));
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
