/**
 * Giving a role other keys.
 *
 * A root of the next version says who they are. Everything that the old keys had signed is signed
 * by both before that root is there, and by the new ones alone after it: whichever root a reader
 * has, what it reads is proven. When the old keys are lost, the new documents lie ready before the
 * root does, and the timestamp follows it at once.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { canonicalBytes } from "./canonical.ts";
import type { Change, Signing } from "./commit.ts";
import { areEqual, changeRepository, prepareChange, writeOnce } from "./commit.ts";
import type { Destination } from "./destination.ts";
import type {
  DelegatedRole,
  Document,
  Role,
  Root,
  Signers,
  Target,
  Targets,
  TopRole,
} from "./metadata.ts";
import { documentBytes, documentPath, signersOf, TOP_ROLES } from "./metadata.ts";
import type { PublicKey } from "./public_key.ts";
import type { Repository } from "./repository.ts";
import {
  delegationOf,
  invalidRepository,
  isProven,
  readProject,
  readRepository,
} from "./repository.ts";
import { chooseKeys, expiryOf, hasEnoughKeys } from "./signing.ts";

/** Which keys a role is to have. */
export interface KeyChange {
  add: PublicKey[];
  /** Ids of keys, or beginnings of them. */
  remove: string[];
  /** How many must sign from then on. @default {as many as before, or all that are left} */
  threshold?: number;
}

/** Roles whose keys the root names; `online` is `snapshot` and `timestamp`. */
export type RotatedRole = TopRole | "online";

/** A role's keys after a change, or the role as it is when it has those already. */
export function changedRole(
  name: string,
  before: Role,
  { add, remove, threshold }: KeyChange,
): Role {
  const refuse = (found: string) =>
    new TransmuteError("option-invalid", `Cannot change the keys of ${name}: ${found}`);
  for (const start of remove) {
    if (start.length >= 8 && /^[0-9a-f]+$/.test(start)) continue;
    throw refuse(`found "${start}", wanted the first 8 digits of a key's id, or more`);
  }
  const kept = before.keyids.filter((id) => !remove.some((start) => id.startsWith(start)));
  const keyids = [...new Set([...kept, ...add.map(({ id }) => id)])].sort();
  if (keyids.length === 0) throw refuse("found that none would be left");
  const wanted = threshold ?? Math.min(before.threshold, keyids.length);
  if (!(Number.isInteger(wanted) && wanted >= 1 && wanted <= keyids.length)) {
    throw refuse(`found a threshold of ${wanted}, wanted 1 to ${keyids.length}`);
  }
  return { keyids, threshold: wanted };
}

/**
 * The root of the next version, unsigned; `null` when the newest one says the same. Without anything
 * to change, it is the same root for another year.
 */
export function nextRoot(
  newest: Root,
  role: RotatedRole,
  change: KeyChange,
  now: number,
): Root | null {
  const roles = { ...newest.roles };
  for (const name of role === "online" ? ["snapshot", "timestamp"] as const : [role]) {
    roles[name] = changedRole(name, newest.roles[name], change);
  }
  const textOf = (root: Pick<Root, "roles">) =>
    JSON.stringify(
      TOP_ROLES.map((name) => [root.roles[name].threshold, root.roles[name].keyids.toSorted()]),
    );
  const isRenewal = change.add.length + change.remove.length === 0 &&
    change.threshold === undefined;
  if (!isRenewal && textOf({ roles }) === textOf(newest)) return null;
  const used = new Set(TOP_ROLES.flatMap((name) => roles[name].keyids));
  const keys = {
    ...newest.keys,
    ...Object.fromEntries(change.add.map(({ id, key }) => [id, key])),
  };
  return {
    ...newest,
    version: newest.version + 1,
    expires: expiryOf(newest, "root", now),
    keys: Object.fromEntries([...used].sort().map((id) => [id, keys[id]])),
    roles,
  };
}

/** Whether a next root has all the signatures that it needs: of the root before, and its own. */
export async function isComplete(next: Document<Root>, newest: Root): Promise<boolean> {
  return await isProven(next, signersOf(newest, "root")) &&
    await isProven(next, signersOf(next.signed, "root"));
}

/**
 * Puts a complete next root into a repository, with everything signed again whose keys change.
 *
 * @param trusted the root that the publisher holds
 * @throws {TransmuteError} `key-missing` before anything is written, `publish-conflict`, and what
 * `changeRepository` throws
 */
export async function putRoot(
  destination: Destination,
  trusted: Document<Root>,
  next: Document<Root>,
  signing: Signing,
): Promise<void> {
  const before = await readRepository(destination, trusted);
  const { signed: old } = before.root;
  if (next.signed.version !== old.version + 1 || !await isComplete(next, old)) {
    throw invalidRepository(
      destination,
      `found its root at version ${old.version}, which a root of version ${next.signed.version} ` +
        "does not follow",
    );
  }
  const changed = changedRoles(old, next.signed);
  // The new keys are needed in any case; better to know before anything is written.
  for (const role of [...changed, "timestamp"] as const) {
    chooseKeys(signing.keys, role, next.signed.roles[role]);
  }
  const hasOld = changed.every((role) => hasEnoughKeys(signing.keys, old.roles[role]));
  const signedBy = (roots: readonly Root[]): Signing => ({
    ...signing,
    signers: (role) =>
      (changed.some((name) => name === role) ? roots : [old]).map((root) => signersOf(root, role)),
  });
  const decide = (repository: Repository) => resigned(repository, changed, old, next.signed);
  if (changed.length > 0 && hasOld) {
    await changeRepository(destination, trusted, signedBy([old, next.signed]), decide);
  } else if (changed.length > 0) {
    await prepareChange(before, await decide(before), signedBy([next.signed]));
  }
  const path = documentPath("root", next.signed.version);
  if (!await writeOnce(destination, path, documentBytes(next))) {
    throw new TransmuteError(
      "publish-conflict",
      `Cannot write ${path} to ${destination.id}: another root of that version is there`,
      { source: destination.id },
    );
  }
  await finishRotation(destination, trusted, signing);
}

/**
 * Signs by the new keys alone what the newest root has given to other keys than the one before.
 *
 * @returns false when that was done already
 * @throws {TransmuteError} as `changeRepository`
 */
export async function finishRotation(
  destination: Destination,
  trusted: Document<Root>,
  signing: Signing,
): Promise<boolean> {
  const decide = async (repository: Repository): Promise<Change | null> => {
    const { root, rootBefore, timestamp, snapshot, targets } = repository;
    if (rootBefore === null) return null;
    const documents = { timestamp, snapshot, targets };
    const changed = changedRoles(rootBefore.signed, root.signed);
    const isDone = changed.every((role) => {
      const { keyids } = root.signed.roles[role];
      return documents[role].signatures.every(({ keyid }) => keyids.includes(keyid));
    });
    // Readers who saw nothing new in the timestamp would not look for a new root.
    const isTold = timestamp.signed["x-transmute-root"] === root.signed.version;
    if (isDone && isTold) return null;
    return await resigned(repository, changed, rootBefore.signed, root.signed);
  };
  const options = { alsoBefore: true };
  const { changed } = await changeRepository(destination, trusted, signing, decide, options);
  return changed;
}

/** The roles for which other keys, or another number of them, sign under one root than another. */
function changedRoles(one: Root, other: Root): Exclude<TopRole, "root">[] {
  return (["targets", "snapshot", "timestamp"] as const).filter((role) =>
    !areEqual(canonicalBytes(signersIn(one, role)), canonicalBytes(signersIn(other, role)))
  );
}

function signersIn({ roles, keys }: Root, role: TopRole): unknown {
  const { keyids, threshold } = roles[role];
  return [threshold, keyids.toSorted().map((id) => keys[id])];
}

/** What is to be signed again when roles get other keys: with `targets`, also projects of its key. */
async function resigned(
  repository: Repository,
  changed: readonly TopRole[],
  old: Root,
  next: Root,
): Promise<Change> {
  const resign = [...changed];
  const { delegations } = repository.targets.signed;
  if (!changed.includes("targets") || delegations === undefined) return { resign };
  const before = old.roles.targets.keyids.toSorted().join();
  const { keyids, threshold } = next.roles.targets;
  const roles: DelegatedRole[] = [];
  const projects = new Map<string, Record<string, Target>>();
  for (const delegation of delegations.roles) {
    const follows = delegation.keyids.toSorted().join() === before;
    roles.push(follows ? { ...delegation, keyids, threshold } : delegation);
    const project = follows ? await readProject(repository, delegation.name) : null;
    if (project !== null) projects.set(delegation.name, project.signed.targets);
  }
  return {
    resign,
    projects,
    delegations: withKeys(roles, { ...delegations.keys, ...next.keys }),
  };
}

function withKeys(
  roles: DelegatedRole[],
  keys: Signers["keys"],
): NonNullable<Targets["delegations"]> {
  const used = [...new Set(roles.flatMap(({ keyids }) => keyids))].sort();
  return { keys: Object.fromEntries(used.map((id) => [id, keys[id]])), roles };
}

/**
 * Gives the role of one project other keys than those of `targets`, which signs that it has them.
 *
 * @param role as `roleOfProject` names it
 * @returns false when it has those keys already
 * @throws {TransmuteError} `release-missing` for a project that has no role, and what
 * `changeRepository` throws
 */
export async function rotateProjectKey(
  destination: Destination,
  trusted: Document<Root>,
  role: string,
  change: KeyChange,
  signing: Signing,
): Promise<boolean> {
  const { changed } = await changeRepository(destination, trusted, signing, async (repository) => {
    const before = delegationOf(repository, role);
    const project = await readProject(repository, role);
    const { delegations } = repository.targets.signed;
    if (before === undefined || project === null || delegations === undefined) {
      throw new TransmuteError(
        "release-missing",
        `Cannot change the keys of ${role}: ${destination.id} has no such role`,
        { source: destination.id, hint: "Publish a first release, then give it a key of its own" },
      );
    }
    const after = { ...before, ...changedRole(role, before, change) };
    if (areEqual(canonicalBytes(before), canonicalBytes(after))) return null;
    const keys = {
      ...delegations.keys,
      ...Object.fromEntries(change.add.map(({ id, key }) => [id, key])),
    };
    return {
      projects: new Map([[role, project.signed.targets]]),
      delegations: withKeys(
        delegations.roles.map((delegation) => delegation.name === role ? after : delegation),
        keys,
      ),
    };
  });
  return changed;
}
