/**
 * Withdrawing a release: nobody takes it anew, and who runs it goes to the best that is left.
 *
 * @module
 */

import type { Egg } from "./amend.ts";
import { amendRelease } from "./amend.ts";
import type { Signing } from "./commit.ts";
import type { Destination } from "./destination.ts";
import type { Document, Root } from "./metadata.ts";
import { signedTime } from "./metadata.ts";

/**
 * Withdraws a release, or takes its withdrawal back.
 *
 * @param reason in words for those who run it; `null` takes the withdrawal back
 * @returns false when it is as it should be already
 * @throws {TransmuteError} as `amendRelease`
 */
export async function yank(
  destination: Destination,
  trusted: Document<Root>,
  egg: Egg,
  reason: string | null,
  signing: Signing,
): Promise<boolean> {
  return await amendRelease(destination, trusted, egg, signing, (custom) => {
    if (reason !== null && custom.yanked?.reason === reason) return custom;
    const yanked = reason === null ? undefined : { reason, at: signedTime(signing.now) };
    return { ...custom, yanked };
  });
}
