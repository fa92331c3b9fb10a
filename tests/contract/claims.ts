/**
 * What the clauses of the contract are said with.
 *
 * @module
 */

import type { ErrorCode } from "../../lib/errors.ts";
import { isTransmuteError } from "../../lib/errors.ts";
import type { Artifact, Release } from "../../lib/model/egg.ts";
import { packEntries } from "../../lib/publisher/pack.ts";
import type { Source, SourceContext } from "../../lib/sources/source.ts";
import { contextOf } from "../fixtures/source_context.ts";
import type { ContractEgg, ContractStage } from "./subject.ts";

const MAX_BYTES = 16 * 1024 * 1024;

/** Makes an egg; `bytes` is about how long its archive becomes. */
export async function makeEgg(
  name: string,
  version: string,
  bytes = 0,
  seed = 1,
): Promise<ContractEgg> {
  const manifest = { name, version };
  const files = { "index.js": `export const seed = ${seed};`, "noise.bin": noise(bytes, seed) };
  return await packEntries(manifest, files);
}

/** Bytes that do not compress, the same for the same seed. */
function noise(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed * 0x9e3779b1 | 1;
  for (let index = 0; index < length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state;
  }
  return bytes;
}

/** A context as an update has one: its own object, and what earlier updates kept. */
export function stageContext(
  stage: ContractStage,
  changes: Partial<SourceContext> = {},
) {
  return contextOf({ fetch: stage.fetch ?? fetch, maxDownloadBytes: MAX_BYTES, ...changes });
}

export function claim(condition: boolean, found: string): asserts condition {
  if (!condition) throw new Error(`The source breaks its contract: ${found}`);
}

export function claimSameBytes(found: Uint8Array, wanted: Uint8Array): void {
  claim(
    found.length === wanted.length && wanted.every((byte, index) => byte === found[index]),
    `found ${found.length} bytes, wanted the ${wanted.length} that were published`,
  );
}

/** Asserts that a question fails with one of these codes, and tells what it said. */
export async function claimFails(asked: Promise<unknown>, source: Source, codes: ErrorCode[]) {
  let found: unknown;
  try {
    found = await asked;
  } catch (error) {
    claim(isTransmuteError(error), `it threw ${String(error)}, wanted a TransmuteError`);
    claim(codes.includes(error.code), `${error.code} (${error.message}), wanted ${codes}`);
    claim(error.source === source.id, `the error's source is ${error.source}, wanted ${source.id}`);
    return error;
  }
  const shown = found instanceof Uint8Array ? `${found.length} bytes` : JSON.stringify(found);
  claim(false, `it gave ${shown?.slice(0, 200)}, wanted ${codes}`);
}

export async function releasesOf(source: Source, project: string, context: SourceContext) {
  const { listing } = await source.list(project, context);
  claim(listing.project === project, `it listed ${listing.project}, asked for ${project}`);
  return listing.releases;
}

export async function onlyRelease(stage: ContractStage, egg: ContractEgg): Promise<Release> {
  const releases = await releasesOf(stage.source, egg.manifest.name, stageContext(stage));
  claim(releases.length === 1, `it listed ${releases.length} releases, wanted 1`);
  return releases[0];
}

/** Publishes one egg; gives it with its artifact, as the source lists that. */
export async function publishHello(
  stage: ContractStage,
  named: (name: string) => string,
  bytes = 0,
): Promise<{ egg: ContractEgg; artifact: Artifact }> {
  const egg = await makeEgg(named("hello"), "1.0.0", bytes);
  await stage.publish(egg);
  return { egg, artifact: (await onlyRelease(stage, egg)).artifact };
}

export async function claimProven(bytes: Uint8Array, artifact: Artifact): Promise<void> {
  const { sizeBytes = bytes.length, digests } = artifact;
  claim(sizeBytes === bytes.length, `it listed ${sizeBytes} bytes of ${bytes.length}`);
  for (const digest of digests) {
    const [algorithm, hex] = digest.split(":");
    claim(/^sha(?:1|256|384|512)$/.test(algorithm), `it listed the digest ${digest}`);
    const name = algorithm.replace("sha", "SHA-");
    const found = new Uint8Array(await crypto.subtle.digest(name, new Uint8Array(bytes)));
    const text = Array.from(found, (byte) => byte.toString(16).padStart(2, "0")).join("");
    claim(text === hex, `it listed ${digest}, found ${text}`);
  }
}
