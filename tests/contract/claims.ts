/**
 * What the clauses of the contract are said with.
 *
 * @module
 */

import type { ErrorCode } from "../../lib/errors.ts";
import { isTransmuteError } from "../../lib/errors.ts";
import type { Artifact, Release } from "../../lib/model/egg.ts";
import type { Source, SourceContext } from "../../lib/sources/source.ts";
import { contextOf } from "../fixtures/source_context.ts";
import type { EggContent, Eggs } from "./eggs.ts";
import type { ContractEgg, ContractStage } from "./subject.ts";

const MAX_BYTES = 16 * 1024 * 1024;

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

/** What a source lists of a project, asked as an update asks. */
export async function releasesOf(
  { source }: ContractStage,
  { ecosystem }: Pick<Eggs, "ecosystem">,
  project: string,
  context: SourceContext,
): Promise<Release[]> {
  const { listing } = await source.list(project, context, ecosystem);
  claim(listing.project === project, `it listed ${listing.project}, asked for ${project}`);
  return listing.releases;
}

export async function onlyRelease(stage: ContractStage, egg: ContractEgg): Promise<Release> {
  const releases = await releasesOf(stage, egg, egg.manifest.name, stageContext(stage));
  claim(releases.length === 1, `it listed ${releases.length} releases, wanted 1`);
  return releases[0];
}

/** Publishes one egg; gives it with its artifact, as the source lists that. */
export async function publishHello(
  stage: ContractStage,
  eggs: Eggs,
  content: EggContent = {},
): Promise<{ egg: ContractEgg; artifact: Artifact }> {
  const egg = await eggs.make(eggs.named("hello"), "1.0.0", content);
  await stage.publish(egg);
  return { egg, artifact: (await onlyRelease(stage, egg)).artifact };
}

/** Asserts that bytes are as they were listed. */
export async function claimProven(
  bytes: Uint8Array,
  artifact: Pick<Artifact, "sizeBytes" | "digests">,
): Promise<void> {
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
