/**
 * Writing to a repository, so that readers see all of a change or nothing, and so that a publisher
 * who is ended by force at any moment has done no harm.
 *
 * New documents are written first; nothing refers to them. The claim of the next timestamp, which
 * only one publisher can get, is the decision. Putting it into place may be done by anyone, as often
 * as they like: the next publisher does, if this one cannot any more.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { canonicalBytes } from "./canonical.ts";
import type { Destination } from "./destination.ts";
import type { SigningKey } from "./keys.ts";
import type { PublisherMemory } from "./memory.ts";
import type {
  Document,
  MetaFile,
  Root,
  Signed,
  Signers,
  Target,
  Targets,
  Timestamp,
  TopRole,
} from "./metadata.ts";
import { documentBytes, documentPath, signersOf, SPEC_VERSION } from "./metadata.ts";
import type { Repository } from "./repository.ts";
import {
  invalidRepository,
  isProven,
  MAX_DOCUMENT_BYTES,
  metaOf,
  parseDocument,
  readProject,
  readRepository,
} from "./repository.ts";
import { chooseKeys, DAY_MS, expiryOf, signDocument } from "./signing.ts";

/** How often a change is made anew because another publisher was faster. */
const MAX_TRIES = 20;
/** Versions that are taken by what crashed publishers left; more are no accident. */
const MAX_TAKEN = 1000;

/** What is to be different afterwards. */
export interface Change {
  /** Archives, by their paths: written before anything is signed about them. */
  objects?: Map<string, Uint8Array>;
  /** What projects offer from then on, by role. */
  projects?: Map<string, Record<string, Target>>;
  /** The delegations from then on. */
  delegations?: NonNullable<Targets["delegations"]>;
  /** Roles to be signed anew, changed or not; `timestamp` always is. */
  resign?: TopRole[];
}

/** With what, for whom and when documents are signed. */
export interface Signing {
  /** The keys that there are. */
  keys: readonly SigningKey[];
  /** Milliseconds since the epoch. */
  now: number;
  /** What this machine has seen of repositories. @default {nothing} */
  memory?: PublisherMemory;
  /** Whom the signatures of a role must satisfy. @default {those whom the root names} */
  signers?: (role: TopRole) => Signers[];
}

/**
 * Reads a repository, decides what is to change, and changes it; again, as often as another
 * publisher was faster.
 *
 * @param trusted the root that the publisher holds
 * @param decide what is to change of what is there; `null` for nothing
 * @param options as `readRepository` has them
 * @returns the repository as it is afterwards, and whether it changed
 * @throws {TransmuteError} `key-missing` before anything is written, `downgrade-refused`,
 * `publish-conflict`, and what reading, `decide`, the keys and the destination throw
 */
export async function changeRepository(
  destination: Destination,
  trusted: Document<Root>,
  signing: Signing,
  decide: (repository: Repository) => Promise<Change | null>,
  options: { alsoBefore?: boolean } = {},
): Promise<{ repository: Repository; changed: boolean }> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const assertNotOlder = await signing.memory?.recall(destination.id);
    const repository = await readRepository(destination, trusted, options);
    assertNotOlder?.(repository);
    const change = await decide(repository);
    if (change === null) return { repository, changed: false };
    if (!await writeChange(repository, change, signing)) continue;
    // Reading puts the claim into place, whoever has it.
    const after = await readRepository(destination, trusted);
    await signing.memory?.remember(destination.id, after.timestamp.signed.version);
    return { repository: after, changed: true };
  }
  throw new TransmuteError(
    "publish-conflict",
    `Cannot publish to ${destination.id}: ${MAX_TRIES} times, another publisher was faster`,
    { source: destination.id, hint: "Run the same command again" },
  );
}

/**
 * Writes all documents of a change and claims the next timestamp. Nothing of it shows to readers
 * until the claim is put into place.
 *
 * @returns false when another publisher has the claim
 */
async function writeChange(
  repository: Repository,
  change: Change,
  signing: Signing,
): Promise<boolean> {
  const { destination, root, timestamp, nextTimestamp } = repository;
  const plan = planSignatures(repository, change, signing);
  const snapshotMeta = await writeDocuments(repository, change, plan, signing.now);
  const claim = await signDocument<Timestamp>({
    ...successor("timestamp", timestamp.signed),
    "x-transmute-root": root.signed.version,
    version: nextTimestamp,
    expires: expiryOf(root.signed, "timestamp", signing.now),
    meta: { "snapshot.json": snapshotMeta },
  }, plan.timestamp.keys);
  const path = documentPath("timestamp", nextTimestamp);
  return await writeOnce(destination, path, documentBytes(claim));
}

/**
 * Writes all documents of a change but the timestamp, so that `changeRepository` finds them there.
 *
 * @throws {TransmuteError} as `changeRepository`
 */
export async function prepareChange(
  repository: Repository,
  change: Change,
  signing: Signing,
): Promise<void> {
  const plan = planSignatures(repository, change, signing);
  await writeDocuments(repository, change, plan, signing.now);
}

/** Writes archives and documents; gives what the timestamp is to say of the snapshot. */
async function writeDocuments(
  repository: Repository,
  { projects = new Map<string, Record<string, Target>>(), objects, delegations }: Change,
  plan: SignaturePlan,
  now: number,
): Promise<MetaFile> {
  const { destination, root, snapshot, targets, timestamp } = repository;
  const write = async <T extends Signed>(signature: PlannedSignature, signed: T) => {
    const expires = expiryOf(root.signed, signature.top, now);
    const written = await writeDocument(destination, { ...signed, expires }, signature, now);
    return await metaOf(written.version, written.bytes);
  };

  for (const [path, bytes] of objects ?? []) {
    // Its path has its digest: what is there and differs is damaged.
    if (!await writeOnce(destination, path, bytes)) {
      await destination.write(path, bytes, "immutable");
    }
  }
  const meta = { ...snapshot.signed.meta };
  for (const [role, offered] of projects) {
    const before = (await readProject(repository, role))?.signed;
    meta[`${role}.json`] = await write<Targets>(plan.projects.get(role)!, {
      ...successor("targets", before),
      targets: sortedByName(offered),
    });
  }
  if (plan.targets !== null) {
    meta["targets.json"] = await write(plan.targets, {
      ...successor("targets", targets.signed),
      ...(delegations === undefined ? {} : { delegations }),
    });
  }
  if (plan.snapshot === null) return timestamp.signed.meta["snapshot.json"];
  return await write(plan.snapshot, {
    ...successor("snapshot", snapshot.signed),
    meta: sortedByName(meta),
  });
}

/** Who is to sign a document. */
interface PlannedSignature {
  role: string;
  /** The role of the root whose days count. */
  top: TopRole;
  keys: SigningKey[];
  /** Whom the signatures satisfy. */
  signers: Signers[];
}

/** Who is to sign which documents of a change; `null` for those that stay. */
interface SignaturePlan {
  projects: Map<string, PlannedSignature>;
  targets: PlannedSignature | null;
  snapshot: PlannedSignature | null;
  timestamp: PlannedSignature;
}

/** Looks for all keys before anything is signed: a missing one must not leave half a change. */
function planSignatures(
  { root, targets }: Repository,
  { projects, delegations, resign = [] }: Change,
  { keys, signers = (role) => [signersOf(root.signed, role)] }: Signing,
): SignaturePlan {
  const sign = (role: string, top: TopRole, sets: Signers[]): PlannedSignature => ({
    role,
    top,
    keys: chooseKeys(keys, role, ...sets),
    signers: sets,
  });
  const signTop = (role: TopRole, needed: boolean) =>
    needed ? sign(role, role, signers(role)) : null;
  const known = delegations ?? targets.signed.delegations ?? { keys: {}, roles: [] };
  const ofProjects = [...projects?.keys() ?? []].map((role) => {
    const { keyids, threshold } = known.roles.find(({ name }) => name === role)!;
    return [role, sign(role, "targets", [{ keyids, threshold, keys: known.keys }])] as const;
  });
  const targetsChange = delegations !== undefined || resign.includes("targets");
  const snapshotChanges = targetsChange || ofProjects.length > 0 || resign.includes("snapshot");
  return {
    projects: new Map(ofProjects),
    targets: signTop("targets", targetsChange),
    snapshot: signTop("snapshot", snapshotChanges),
    timestamp: sign("timestamp", "timestamp", signers("timestamp")),
  };
}

/** What the next version of a document begins as: all that the one before had. */
function successor<T extends Signed>(type: string, before: T | undefined): T {
  return {
    ...before,
    _type: type,
    spec_version: SPEC_VERSION,
    version: (before?.version ?? 0) + 1,
  } as T;
}

function sortedByName<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([one], [other]) => one < other ? -1 : 1));
}

/**
 * Signs and writes a document under the next version that is free. What a publisher left who was
 * ended before it could claim is taken if it says the same, and passed over otherwise.
 */
async function writeDocument(
  destination: Destination,
  wanted: Signed,
  { role, keys, signers }: PlannedSignature,
  now: number,
): Promise<{ version: number; bytes: Uint8Array }> {
  for (let { version } = wanted; version < wanted.version + MAX_TAKEN; version++) {
    const path = documentPath(role, version);
    const signed = { ...wanted, version };
    const left = await destination.read(path, MAX_DOCUMENT_BYTES);
    if (left !== null) {
      if (await isReusable(left, signed, signers, now)) return { version, bytes: left };
      continue;
    }
    const bytes = documentBytes(await signDocument(signed, keys));
    if (await writeOnce(destination, path, bytes)) return { version, bytes };
  }
  throw invalidRepository(
    destination,
    `found ${MAX_TAKEN} documents of ${role} that nothing refers to`,
    "Remove those of versions that its snapshot does not have",
  );
}

/** Whether a document that was left is what would be signed now, and good for nearly as long. */
async function isReusable(
  bytes: Uint8Array,
  wanted: Signed,
  signers: readonly Signers[],
  now: number,
): Promise<boolean> {
  const document = parseDocument(bytes, wanted._type);
  if (document === null) return false;
  const [same, other] = [document.signed, wanted]
    .map((signed) => canonicalBytes({ ...signed, expires: "" }));
  if (!areEqual(same, other)) return false;
  const [lasts, wouldLast] = [document.signed, wanted]
    .map(({ expires }) => Date.parse(expires) - now);
  if (!(lasts > wouldLast - DAY_MS && lasts <= wouldLast)) return false;
  for (const set of signers) if (!await isProven(document, set)) return false;
  return true;
}

/** Writes an object; true as well when the very same bytes are there already. */
export async function writeOnce(
  destination: Destination,
  path: string,
  bytes: Uint8Array,
): Promise<boolean> {
  if (await destination.writeIfAbsent(path, bytes)) return true;
  // It may be our own: a request can arrive although its answer does not.
  const found = await destination.read(path, Math.max(bytes.length, MAX_DOCUMENT_BYTES));
  return found !== null && areEqual(found, bytes);
}

/** Whether two arrays hold the same bytes. */
export function areEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
