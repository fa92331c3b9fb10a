/**
 * Signing anew what would expire: a repository that nobody publishes to must still say that it is
 * the newest there is.
 *
 * @module
 */

import type { Change, Signing } from "./commit.ts";
import { changeRepository } from "./commit.ts";
import type { Destination } from "./destination.ts";
import type { Document, Root, Signed, TopRole } from "./metadata.ts";
import { documentPath } from "./metadata.ts";
import type { Repository } from "./repository.ts";
import { delegationOf, readProject, readProjects } from "./repository.ts";
import { DAY_MS, daysOf, hasEnoughKeys } from "./signing.ts";

/** Less than this share of its days left, and a document that changes rarely is signed anew. */
const RENEWED_BELOW = 0.5;
/** Less than this share left, and people are told. */
const TOLD_BELOW = 0.25;
/** How many versions of each role stay when superseded ones are removed: readers may be at work. */
const KEPT_VERSIONS = 10;

/** What was signed anew, and what should be by whoever has the keys. */
export interface Refreshed {
  /** The version of the timestamp. */
  version: number;
  /** Roles that were signed anew besides `timestamp`. */
  signed: string[];
  /** Roles that expire soon, or have, and whose keys were not there. */
  expiring: { role: string; expires: string }[];
  /** How many superseded documents were removed. */
  removed: number;
}

/**
 * Signs a new timestamp, and whatever else is in the second half of its days as far as its keys are
 * there. What the repository offers stays the same.
 *
 * @param trusted the root that the publisher holds
 * @param options `prune`: also remove documents that newer ones have superseded
 * @throws {TransmuteError} as `changeRepository`
 */
export async function refresh(
  destination: Destination,
  trusted: Document<Root>,
  signing: Signing,
  { prune = false }: { prune?: boolean } = {},
): Promise<Refreshed> {
  let due: DueRole[] = [];
  let renewed: DueRole[] = [];
  const { repository } = await changeRepository(destination, trusted, signing, async (found) => {
    due = await dueRoles(found, signing.now);
    renewed = due.filter(({ role, top }) => {
      if (role === "root") return false;
      const signers = role === top ? found.root.signed.roles[top] : delegationOf(found, role)!;
      return hasEnoughKeys(signing.keys, signers);
    });
    const change: Required<Pick<Change, "projects" | "resign">> = {
      projects: new Map(),
      resign: [],
    };
    for (const { role, top } of renewed) {
      if (role === top) change.resign.push(top);
      else change.projects.set(role, (await readProject(found, role))!.signed.targets);
    }
    return change;
  });
  const isTold = ({ role, left }: DueRole) =>
    left < TOLD_BELOW && !renewed.some((done) => done.role === role);
  return {
    version: repository.timestamp.signed.version,
    signed: renewed.map(({ role }) => role),
    expiring: due.filter(isTold).map(({ role, expires }) => ({ role, expires })),
    removed: prune ? await removeSuperseded(repository) : 0,
  };
}

/** A role in the second half of its days. */
interface DueRole {
  role: string;
  /** The role of the root whose days count. */
  top: TopRole;
  expires: string;
  /** The share of its days that is left; negative when it has expired. */
  left: number;
}

async function dueRoles(repository: Repository, now: number): Promise<DueRole[]> {
  const { root, snapshot, targets } = repository;
  const documents: [role: string, top: TopRole, signed: Signed][] = [
    ["root", "root", root.signed],
    ["targets", "targets", targets.signed],
    ["snapshot", "snapshot", snapshot.signed],
  ];
  for (const [role, { signed }] of await readProjects(repository)) {
    documents.push([role, "targets", signed]);
  }
  return documents.map(([role, top, { expires }]) => {
    const left = (Date.parse(expires) - now) / (daysOf(root.signed, top) * DAY_MS);
    return { role, top, expires, left };
  }).filter(({ left }) => left < RENEWED_BELOW);
}

/** Removes documents that a current reader has no use for; never a root or a timestamp. */
async function removeSuperseded({ destination, snapshot }: Repository): Promise<number> {
  const current = new Map(
    Object.entries(snapshot.signed.meta)
      .map(([name, { version }]) => [name.replace(/\.json$/, ""), version]),
  );
  current.set("snapshot", snapshot.signed.version);
  let removed = 0;
  for (const name of await destination.list("metadata")) {
    const [, version, role] = /^(\d+)\.(.+)\.json$/.exec(name) ?? [];
    const newest = current.get(role);
    if (newest === undefined || Number(version) > newest - KEPT_VERSIONS) continue;
    await destination.remove(documentPath(role, Number(version)));
    removed++;
  }
  return removed;
}
