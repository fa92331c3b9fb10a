/**
 * Making a repository: its first root, and documents of all roles that offer nothing yet.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { canonicalBytes } from "./canonical.ts";
import { areEqual, writeOnce } from "./commit.ts";
import type { Destination } from "./destination.ts";
import type { SigningKey } from "./keys.ts";
import type { Document, Role, RoleDays, Root, Signed, Snapshot, Timestamp } from "./metadata.ts";
import {
  documentBytes,
  documentPath,
  signedTime,
  signersOf,
  SPEC_VERSION,
  TIMESTAMP_PATH,
  TOP_ROLES,
} from "./metadata.ts";
import type { PublicKey } from "./public_key.ts";
import { keysById } from "./public_key.ts";
import {
  invalidRepository,
  isProven,
  MAX_DOCUMENT_BYTES,
  metaOf,
  parseDocument,
  readRoot,
} from "./repository.ts";
import { chooseKeys, DAY_MS, DEFAULT_DAYS, expiryOf, signDocument } from "./signing.ts";

/** Whose keys a new repository knows. */
export interface RepositoryKeys {
  root: PublicKey[];
  /** How many of them must sign a root. @default {one of two, else more than half} */
  rootThreshold?: number;
  targets: PublicKey[];
  /** For `snapshot` and `timestamp`. */
  online: PublicKey[];
}

/** How many of so many keys sign for a root by default: 1 of 2 alone, 2 of 3 for a team. */
export function defaultThreshold(keys: number): number {
  return keys <= 2 ? 1 : Math.floor(keys / 2) + 1;
}

/**
 * The root of a new repository, unsigned.
 *
 * @param days how long documents are good for, where it differs from the default
 * @throws {TransmuteError} `key-missing`, `option-invalid`
 */
export function firstRoot(
  keys: RepositoryKeys,
  now: number,
  days: Partial<RoleDays> = {},
): Root {
  for (const role of ["root", "targets", "online"] as const) {
    if (keys[role].length > 0) continue;
    throw new TransmuteError(
      "key-missing",
      `Cannot make a repository: found no public key for ${role}`,
      { hint: "transmute keygen makes all that are needed" },
    );
  }
  const { rootThreshold = defaultThreshold(keys.root.length) } = keys;
  if (rootThreshold < 1 || rootThreshold > keys.root.length) {
    throw new TransmuteError(
      "option-invalid",
      `Cannot make a repository: found a threshold of ${rootThreshold}, wanted 1 to ${keys.root.length}`,
    );
  }
  const roleOf = (publicKeys: PublicKey[], threshold = 1): Role => ({
    keyids: publicKeys.map(({ id }) => id).sort(),
    threshold,
  });
  const different = Object.entries(days).filter(([role, count]) =>
    count !== DEFAULT_DAYS[role as keyof RoleDays]
  );
  return {
    _type: "root",
    spec_version: SPEC_VERSION,
    version: 1,
    expires: signedTime(now + (days.root ?? DEFAULT_DAYS.root) * DAY_MS),
    consistent_snapshot: true,
    keys: keysById([...keys.root, ...keys.targets, ...keys.online]),
    roles: {
      root: roleOf(keys.root, rootThreshold),
      targets: roleOf(keys.targets),
      snapshot: roleOf(keys.online),
      timestamp: roleOf(keys.online),
    },
    ...(different.length === 0 ? {} : { "x-transmute-days": Object.fromEntries(different) }),
  };
}

/**
 * Makes a repository. One that an interrupted call had begun is finished; one that is whole already
 * and has the same keys is left as it is.
 *
 * @param root its first root, signed
 * @returns the root that the repository has: the caller's, or the one of before
 * @throws {TransmuteError} `repository-exists`, `key-missing`, and what the keys and the destination
 * throw
 */
export async function initRepository(
  destination: Destination,
  root: Document<Root>,
  keys: readonly SigningKey[],
  now: number,
): Promise<{ root: Document<Root>; changed: boolean }> {
  const { signed } = root;
  const signing = (["targets", "snapshot", "timestamp"] as const)
    .map((role) => [role, chooseKeys(keys, role, signed.roles[role])] as const);
  const keysFor = new Map(signing);

  const path = documentPath("root", 1);
  if (!await writeOnce(destination, path, documentBytes(root))) {
    const left = await destination.read(path, MAX_DOCUMENT_BYTES);
    const before = left === null ? null : await readRoot(left, path).catch(() => null);
    if (before === null || !haveSameKeys(before.signed, signed)) {
      throw new TransmuteError(
        "repository-exists",
        `Cannot make a repository in ${destination.id}: there is one of other keys`,
        { source: destination.id, hint: "Publish to it with its own root and keys" },
      );
    }
    root = before;
  }
  if (await destination.read(TIMESTAMP_PATH, MAX_DOCUMENT_BYTES) !== null) {
    return { root, changed: false };
  }
  /** Signs and writes the first document of a role, or takes what an interrupted call left. */
  const writeFirst = async (role: "targets" | "snapshot" | "timestamp", more: object) => {
    const path = documentPath(role, 1);
    const expires = expiryOf(root.signed, role, now);
    const begin: Signed = { _type: role, spec_version: SPEC_VERSION, version: 1, expires };
    const bytes = documentBytes(await signDocument({ ...begin, ...more }, keysFor.get(role)!));
    if (await writeOnce(destination, path, bytes)) return bytes;
    const left = await destination.read(path, MAX_DOCUMENT_BYTES);
    const document = left === null ? null : parseDocument(left, role);
    const isOurs = document !== null && await isProven(document, signersOf(root.signed, role)) &&
      areEqual(
        canonicalBytes({ ...begin, ...more }),
        canonicalBytes({ ...document.signed, expires }),
      );
    if (isOurs) return left!;
    throw invalidRepository(destination, `found another ${path} than belongs there`, "Remove it");
  };
  const targets = await writeFirst("targets", { targets: {} });
  const ofSnapshot: Pick<Snapshot, "meta"> = { meta: { "targets.json": await metaOf(1, targets) } };
  const snapshot = await writeFirst("snapshot", ofSnapshot);
  const ofTimestamp: Omit<Timestamp, keyof Signed> = {
    "x-transmute-root": 1,
    meta: { "snapshot.json": await metaOf(1, snapshot) },
  };
  const timestamp = await writeFirst("timestamp", ofTimestamp);
  await destination.write(TIMESTAMP_PATH, timestamp, "changing");
  return { root, changed: true };
}

/** Whether two roots give the same keys to the same roles. */
export function haveSameKeys(one: Root, other: Root): boolean {
  const textOf = ({ roles }: Root) =>
    JSON.stringify(TOP_ROLES.map((role) => [roles[role].threshold, roles[role].keyids.toSorted()]));
  return textOf(one) === textOf(other);
}
