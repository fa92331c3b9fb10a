/**
 * What was refused, as it is remembered: by its source and its validator, so that it is judged
 * again when the source offers other bytes. Pure.
 *
 * @module
 */

import type { Release } from "../model/egg.ts";
import type { Refusal } from "../model/state.ts";
import type { Source } from "../sources/source.ts";
import type { RefusedCandidate } from "./fetch.ts";

/** A digest among what a validator is made of: a size, a time, other digests. */
const DIGEST = /(?:^| )sha\d+:[0-9a-f]+(?: |$)/;

/**
 * Whether what was refused may be had by asking again: it was offered by its digest, and other bytes
 * came. Whoever altered them on the way must not be able to have it refused for good.
 */
export function mayBeRight({ code, validator }: Refusal): boolean {
  return (code === "digest-mismatch" || code === "size-mismatch") && DIGEST.test(validator);
}

/** What is remembered of a candidate that failed its proof. */
export function refusalOf(
  { candidate: { source, release }, cause }: RefusedCandidate,
): Refusal {
  return {
    source: source.id,
    project: release.project,
    version: release.version,
    validator: release.artifact.validator,
    code: cause.code,
    message: cause.message,
  };
}

/** The refusal of a release, if its source offers the same bytes as then. */
export function findRefusal(
  refused: Refusal[],
  { project, version, artifact }: Release,
  source: Source,
): Refusal | undefined {
  return refused.find((refusal) =>
    refusal.source === source.id && refusal.project === project &&
    refusal.version === version && refusal.validator === artifact.validator
  );
}
