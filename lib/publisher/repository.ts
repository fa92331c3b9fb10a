/**
 * Reading a repository in order to write to it: every document is proven from the root that the
 * publisher holds, as a client would prove it. What has expired is read all the same, since only a
 * publisher can renew it.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { isObject } from "../model/json.ts";
import { digestHex } from "../trust/digest.ts";
import { canonicalBytes } from "./canonical.ts";
import type { Destination } from "./destination.ts";
import type {
  DelegatedRole,
  Document,
  MetaFile,
  Root,
  Signed,
  Signers,
  Snapshot,
  Targets,
  Timestamp,
  TopRole,
} from "./metadata.ts";
import { documentPath, signersOf, TIMESTAMP_PATH, TOP_ROLES } from "./metadata.ts";
import { isSignedBy, keyId } from "./public_key.ts";

/** Larger documents are refused by every client; see `docs/repository-format.md`. */
export const MAX_DOCUMENT_BYTES = 8 * 1024 ** 2;

/** A repository as it is at one moment. */
export interface Repository {
  destination: Destination;
  root: Document<Root>;
  /** The root before, where documents that it vouches for are read too. */
  rootBefore: Document<Root> | null;
  timestamp: Document<Timestamp>;
  snapshot: Document<Snapshot>;
  targets: Document<Targets>;
  /** The version that the next timestamp is to have. */
  nextTimestamp: number;
  /** What was read of projects, by role. */
  projects: Map<string, Document<Targets> | null>;
}

/** The error for a repository that is not what its root vouches for. */
export function invalidRepository(
  destination: Destination,
  found: string,
  hint?: string,
): TransmuteError {
  return new TransmuteError(
    "repository-invalid",
    `Cannot use the repository ${destination.id}: ${found}`,
    { source: destination.id, ...(hint === undefined ? {} : { hint }) },
  );
}

/** Whether enough keys of a role have signed a document. */
export async function isProven(
  { signatures, signed }: Document,
  { keyids, keys, threshold }: Signers,
): Promise<boolean> {
  const bytes = canonicalBytes(signed);
  const signers = new Set<string>();
  for (const { keyid, sig } of signatures) {
    if (signers.has(keyid) || !keyids.includes(keyid) || !Object.hasOwn(keys, keyid)) continue;
    // A key under another's name would let one holder count as two.
    if (await keyId(keys[keyid]) !== keyid) continue;
    if (await isSignedBy(keys[keyid], sig, bytes)) signers.add(keyid);
  }
  return threshold >= 1 && signers.size >= threshold;
}

/** Whether one of several sets of signers has signed a document. */
async function isProvenByAny(document: Document, sets: readonly Signers[]): Promise<boolean> {
  for (const signers of sets) if (await isProven(document, signers)) return true;
  return false;
}

/**
 * Reads the text of a document, unproven.
 *
 * @param type that it must be of: `root`, `targets`, …
 * @returns `null` when it is no such document
 */
export function parseDocument<T extends Signed>(
  bytes: Uint8Array,
  type: string,
): Document<T> | null {
  let found: unknown;
  try {
    found = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
  if (!isObject(found) || !isObject(found.signed) || !Array.isArray(found.signatures)) return null;
  const { _type, version, expires } = found.signed;
  const isWhole = _type === type && Number.isSafeInteger(version) && (version as number) >= 1 &&
    typeof expires === "string" &&
    found.signatures.every((signature) =>
      isObject(signature) && typeof signature.keyid === "string" &&
      typeof signature.sig === "string"
    );
  return isWhole ? found as unknown as Document<T> : null;
}

/**
 * Reads a root that is held already, as a file of the publisher's.
 *
 * @param name of the file, for messages
 * @throws {TransmuteError} `repository-invalid` for what is no root, or not signed by itself
 */
export async function readRoot(bytes: Uint8Array, name: string): Promise<Document<Root>> {
  const root = parseDocument<Root>(bytes, "root");
  if (
    root !== null && hasRoles(root.signed) && await isProven(root, signersOf(root.signed, "root"))
  ) {
    return root;
  }
  throw new TransmuteError(
    "repository-invalid",
    `Cannot use the root ${name}: found no document of type root that its own keys have signed`,
    { hint: "transmute init-repository writes one" },
  );
}

function hasRoles({ keys, roles }: Root): boolean {
  return isObject(keys) && isObject(roles) &&
    TOP_ROLES.every((name) => isObject(roles[name]) && Array.isArray(roles[name].keyids));
}

/**
 * Reads a repository. A timestamp that another publisher had decided on, but was kept from putting
 * into place, is put there.
 *
 * @param trusted the root that the publisher holds, of whatever version
 * @param options `alsoBefore`: also what the keys of the root before have signed, for whoever signs it
 * anew: a change of keys may have been interrupted
 * @throws {TransmuteError} `repository-missing`, `repository-invalid`, and what the destination throws
 */
export async function readRepository(
  destination: Destination,
  trusted: Document<Root>,
  { alsoBefore = false }: { alsoBefore?: boolean } = {},
): Promise<Repository> {
  const root = await newestRoot(destination, trusted);
  const rootBefore = alsoBefore ? await readRootBefore(destination, root) : null;
  const roots = rootBefore === null ? [root.signed] : [root.signed, rootBefore.signed];
  const signersFor = (role: TopRole) => roots.map((root) => signersOf(root, role));
  const { timestamp, nextTimestamp } = await newestTimestamp(destination, signersFor("timestamp"));
  const snapshot = await readDocument<Snapshot>(
    destination,
    "snapshot",
    "snapshot",
    timestamp.signed.meta["snapshot.json"],
    signersFor("snapshot"),
  );
  const targets = await readDocument<Targets>(
    destination,
    "targets",
    "targets",
    snapshot.signed.meta["targets.json"],
    signersFor("targets"),
  );
  const projects = new Map<string, Document<Targets> | null>();
  return { destination, root, rootBefore, timestamp, snapshot, targets, nextTimestamp, projects };
}

/** The root before one that is proven, if it is the one whose keys signed that. */
async function readRootBefore(
  destination: Destination,
  root: Document<Root>,
): Promise<Document<Root> | null> {
  const version = root.signed.version - 1;
  const bytes = version < 1
    ? null
    : await destination.read(documentPath("root", version), MAX_DOCUMENT_BYTES);
  const before = bytes === null ? null : await readRoot(bytes, "before").catch(() => null);
  if (before?.signed.version !== version) return null;
  return await isProven(root, signersOf(before.signed, "root")) ? before : null;
}

/** Follows the roots from one that is trusted to the newest: each is signed by the one before. */
async function newestRoot(
  destination: Destination,
  trusted: Document<Root>,
): Promise<Document<Root>> {
  for (let root = trusted;;) {
    const version = root.signed.version + 1;
    const bytes = await destination.read(documentPath("root", version), MAX_DOCUMENT_BYTES);
    if (bytes === null) return root;
    const next = parseDocument<Root>(bytes, "root");
    const isNext = next !== null && next.signed.version === version && hasRoles(next.signed) &&
      await isProven(next, signersOf(root.signed, "root")) &&
      await isProven(next, signersOf(next.signed, "root"));
    if (!isNext) {
      throw invalidRepository(
        destination,
        `found a ${documentPath("root", version)} that the root before did not sign`,
        "Remove it: whoever may write there, it was not a holder of the root's keys",
      );
    }
    root = next;
  }
}

async function newestTimestamp(
  destination: Destination,
  signers: readonly Signers[],
): Promise<{ timestamp: Document<Timestamp>; nextTimestamp: number }> {
  const bytes = await destination.read(TIMESTAMP_PATH, MAX_DOCUMENT_BYTES);
  if (bytes === null) {
    throw new TransmuteError(
      "repository-missing",
      `Cannot use the repository ${destination.id}: found no ${TIMESTAMP_PATH} in it`,
      { source: destination.id, hint: "transmute init-repository makes one" },
    );
  }
  const found = parseDocument<Timestamp>(bytes, "timestamp");
  let timestamp = found !== null && await isProvenByAny(found, signers) ? found : null;
  // Publishers claim a version before they put it into place: that is what decides among them. After
  // a key was lost, a claim by the new one may be all that is proven.
  for (let version = (found?.signed.version ?? 0) + 1;; version++) {
    const claim = await destination.read(documentPath("timestamp", version), MAX_DOCUMENT_BYTES);
    if (claim === null) {
      if (timestamp !== null) return { timestamp, nextTimestamp: version };
      throw invalidRepository(destination, `found a ${TIMESTAMP_PATH} that its key did not sign`);
    }
    const claimed = parseDocument<Timestamp>(claim, "timestamp");
    if (claimed?.signed.version !== version || !await isProvenByAny(claimed, signers)) continue;
    await destination.write(TIMESTAMP_PATH, claim, "changing");
    timestamp = claimed;
  }
}

/** What a snapshot or timestamp says of a document. */
export async function metaOf(version: number, bytes: Uint8Array): Promise<MetaFile> {
  return { version, length: bytes.length, hashes: { sha256: await digestHex("sha256", bytes) } };
}

/** Reads a document that another one names, and proves it to be the one. */
async function readDocument<T extends Signed>(
  destination: Destination,
  role: string,
  type: string,
  meta: MetaFile | undefined,
  signers: readonly Signers[],
): Promise<Document<T>> {
  if (meta === undefined) throw invalidRepository(destination, `found no ${role} in its snapshot`);
  const path = documentPath(role, meta.version);
  const bytes = await destination.read(path, MAX_DOCUMENT_BYTES);
  if (bytes === null) throw invalidRepository(destination, `found no ${path}`);
  const wanted = meta.hashes?.sha256;
  if (wanted !== undefined && await digestHex("sha256", bytes) !== wanted) {
    throw invalidRepository(destination, `found another ${path} than was published`);
  }
  const document = parseDocument<T>(bytes, type);
  if (document?.signed.version === meta.version && await isProvenByAny(document, signers)) {
    return document;
  }
  throw invalidRepository(destination, `found a ${path} that its keys did not sign`);
}

/** The delegation of a project's role; `undefined` for a project that has none yet. */
export function delegationOf({ targets }: Repository, role: string): DelegatedRole | undefined {
  return targets.signed.delegations?.roles.find(({ name }) => name === role);
}

/** Who signs for a project's role. */
export function delegatedSigners(repository: Repository, delegation: DelegatedRole): Signers {
  const { keyids, threshold } = delegation;
  return { keyids, threshold, keys: repository.targets.signed.delegations?.keys ?? {} };
}

/**
 * What a project offers; `null` for a project that has no role yet.
 *
 * @throws {TransmuteError} `repository-invalid`, and what the destination throws
 */
export async function readProject(
  repository: Repository,
  role: string,
): Promise<Document<Targets> | null> {
  let project = repository.projects.get(role);
  if (project === undefined) {
    const delegation = delegationOf(repository, role);
    const meta = repository.snapshot.signed.meta[`${role}.json`];
    project = delegation === undefined || meta === undefined
      ? null
      : await readDocument<Targets>(repository.destination, role, "targets", meta, [
        delegatedSigners(repository, delegation),
      ]);
    repository.projects.set(role, project);
  }
  return project;
}

/** How many projects are read at once. */
const READ_AT_ONCE = 16;

/**
 * What all projects offer, by role.
 *
 * @throws {TransmuteError} as `readProject`
 */
export async function readProjects(
  repository: Repository,
): Promise<Map<string, Document<Targets>>> {
  const roles = repository.targets.signed.delegations?.roles ?? [];
  const found = new Map<string, Document<Targets>>();
  for (let at = 0; at < roles.length; at += READ_AT_ONCE) {
    const some = roles.slice(at, at + READ_AT_ONCE).map(({ name }) => name);
    const projects = await Promise.all(some.map((role) => readProject(repository, role)));
    projects.forEach((project, index) => {
      if (project !== null) found.set(some[index], project);
    });
  }
  return found;
}
