/**
 * Which keys sign a document, and until when it is good.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { SigningKey } from "./keys.ts";
import { signatureOf } from "./keys.ts";
import type { Document, Role, RoleDays, Root, Signed, TopRole } from "./metadata.ts";
import { signedTime } from "./metadata.ts";

/** Milliseconds of a day. */
export const DAY_MS = 24 * 60 * 60 * 1000;
/** How many days documents are good for where the root does not say; projects go by `targets`. */
export const DEFAULT_DAYS: RoleDays = { root: 365, targets: 365, snapshot: 30, timestamp: 30 };

/** Which of these keys sign, so that each of several sets of signers has enough of its own. */
export function chooseKeys(
  keys: readonly SigningKey[],
  role: string,
  ...sets: readonly Role[]
): SigningKey[] {
  const chosen = new Map<string, SigningKey>();
  for (const { keyids, threshold } of sets) {
    const own = new Map(
      keys.filter((key) => keyids.includes(key.public.id)).map((key) => [key.public.id, key]),
    );
    if (own.size < threshold) {
      throw new TransmuteError(
        "key-missing",
        `Cannot sign for ${role}: found ${own.size} of its ${keyids.length} keys, wanted ${threshold}`,
        { hint: `Give them with --key; their ids begin ${keyids.map(shortId).join(", ")}` },
      );
    }
    for (const [id, key] of [...own].slice(0, threshold)) chosen.set(id, key);
  }
  return [...chosen.values()];
}

/** Enough of a key's id for people to tell it from others. */
export function shortId(id: string): string {
  return `${id.slice(0, 12)}…`;
}

/** Signs, by each of the keys. */
export async function signDocument<T extends Signed>(
  signed: T,
  keys: readonly SigningKey[],
): Promise<Document<T>> {
  const signatures = [];
  // One after the other: two prompts at once are one too many.
  for (const key of keys) signatures.push(await signatureOf(key, signed));
  return { signatures, signed };
}

/** Whether there are enough keys of a role to sign for it. */
export function hasEnoughKeys(
  keys: readonly SigningKey[],
  { keyids, threshold }: Role,
): boolean {
  return keys.filter((key) => keyids.includes(key.public.id)).length >= threshold;
}

/** How many days documents of a role are good for. */
export function daysOf({ "x-transmute-days": days }: Root, role: TopRole): number {
  return days?.[role] ?? DEFAULT_DAYS[role];
}

/** When a document of a role that is signed now expires. */
export function expiryOf(root: Root, role: TopRole, now: number): string {
  return signedTime(now + daysOf(root, role) * DAY_MS);
}
