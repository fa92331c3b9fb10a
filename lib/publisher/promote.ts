/**
 * Offering a release to others than before.
 *
 * @module
 */

import type { Rollout } from "../model/rollout.ts";
import { STABLE_CHANNEL } from "../model/signed_target.ts";
import type { Egg } from "./amend.ts";
import { amendRelease } from "./amend.ts";
import type { Signing } from "./commit.ts";
import type { Destination } from "./destination.ts";
import type { Document, Root } from "./metadata.ts";

/** To whom a release is offered from then on; what is absent stays as it is. */
export interface Promotion {
  channel?: string;
  /** `null`: to everyone on its channel, at once. */
  rollout?: Rollout | null;
  minimumVersion?: string;
}

/**
 * Moves a release to another channel, or changes its rollout or the least version that may be run.
 *
 * A rollout of the same share that is under way goes on as it is: it does not begin again.
 *
 * @returns false when it is offered like that already
 * @throws {TransmuteError} as `amendRelease`
 */
export async function promote(
  destination: Destination,
  trusted: Document<Root>,
  egg: Egg,
  { channel, rollout, minimumVersion }: Promotion,
  signing: Signing,
): Promise<boolean> {
  return await amendRelease(destination, trusted, egg, signing, (custom) => ({
    ...custom,
    ...(channel === undefined ? {} : { channel: channel === STABLE_CHANNEL ? undefined : channel }),
    ...(rollout === undefined || isSame(custom.rollout, rollout)
      ? {}
      : { rollout: rollout ?? undefined }),
    ...(minimumVersion === undefined ? {} : { minimumVersion }),
  }));
}

/** Whether two rollouts have one share and take as long. */
function isSame(before: Rollout | undefined, after: Rollout | null): boolean {
  if (before === undefined || after === null) return false;
  const lengthOf = ({ startsAt, fullAt }: Rollout) =>
    fullAt === undefined ? null : Date.parse(fullAt) - Date.parse(startsAt);
  return before.percent === after.percent && lengthOf(before) === lengthOf(after);
}
