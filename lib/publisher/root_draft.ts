/**
 * A root that several holders of keys sign, one after the other and on machines of their own: it is
 * handed on as a file until it has enough signatures.
 *
 * @module
 */

import { canonicalBytes } from "./canonical.ts";
import type { SigningKey } from "./keys.ts";
import type { Document, Role, Root, TopRole } from "./metadata.ts";
import { signersOf, TOP_ROLES } from "./metadata.ts";
import { isSignedBy } from "./public_key.ts";
import { isProven } from "./repository.ts";
import { signDocument } from "./signing.ts";

/** A root on its way, and what it still needs. */
export interface RootDraft {
  root: Document<Root>;
  /** Ids of the keys whose signatures would help, by how many are needed of them. */
  needed: Role[];
}

/**
 * Adds the signatures that these keys can give to a root.
 *
 * @param draft what was signed before, perhaps by others
 * @param before the root that it follows; `null` for the first
 */
export async function signRoot(
  draft: Document<Root>,
  before: Root | null,
  keys: readonly SigningKey[],
): Promise<RootDraft> {
  const sets = [
    signersOf(draft.signed, "root"),
    ...(before === null ? [] : [signersOf(before, "root")]),
  ];
  const signatures: Document["signatures"] = [];
  const bytes = canonicalBytes(draft.signed);
  for (const signature of draft.signatures) {
    const { keyid, sig } = signature;
    const set = sets.find(({ keyids, keys }) =>
      keyids.includes(keyid) && Object.hasOwn(keys, keyid)
    );
    if (set !== undefined && await isSignedBy(set.keys[keyid], sig, bytes)) {
      signatures.push(signature);
    }
  }
  const isOpen = async (at: number) => !await isProven({ ...draft, signatures }, sets[at]);
  for (const key of keys) {
    const { id } = key.public;
    if (signatures.some(({ keyid }) => keyid === id)) continue;
    // Not one signature more than is needed: each may cost somebody a walk to the safe.
    const helps = (await Promise.all(sets.map(async ({ keyids }, at) =>
      keyids.includes(id) && await isOpen(at)
    ))).includes(true);
    if (helps) {
      signatures.push(...(await signDocument(draft.signed, [key])).signatures);
    }
  }
  const needed: Role[] = [];
  for (const [at, { keyids, threshold }] of sets.entries()) {
    if (!await isOpen(at)) continue;
    const left = keyids.filter((id) => !signatures.some(({ keyid }) => keyid === id));
    needed.push({ keyids: left, threshold: threshold - (keyids.length - left.length) });
  }
  return { root: { signatures, signed: draft.signed }, needed };
}

/** What differs between two roots, in words for those who are to sign the second one. */
export function rootChanges(before: Root | null, after: Root): string[] {
  const roleOf = (root: Root | null, role: TopRole): Role =>
    root?.roles[role] ?? { keyids: [], threshold: 0 };
  return TOP_ROLES.flatMap((role) => {
    const [old, next] = [roleOf(before, role), roleOf(after, role)];
    const added = next.keyids.filter((id) => !old.keyids.includes(id));
    const removed = old.keyids.filter((id) => !next.keyids.includes(id));
    return [
      ...added.map((id) => `${role} gets the key ${id}`),
      ...removed.map((id) => `${role} loses the key ${id}`),
      ...(old.threshold === next.threshold
        ? []
        : [`${role} is signed by ${next.threshold} of ${next.keyids.length} keys`]),
    ];
  });
}
