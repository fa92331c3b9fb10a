/**
 * Looking at a repository: who signs, until when, and what is offered.
 *
 * @module
 */

import type { SignedCustom } from "../model/signed_target.ts";
import { STABLE_CHANNEL } from "../model/signed_target.ts";
import { comparePythonVersions } from "../model/python_version.ts";
import { compareVersions } from "../model/version.ts";
import type { Destination } from "./destination.ts";
import type { Document, Role, Root, Signed } from "./metadata.ts";
import { TOP_ROLES } from "./metadata.ts";
import { readProjects, readRepository } from "./repository.ts";

/** One role: its newest document, and who signs for it. */
export interface RoleView extends Role {
  role: string;
  version: number;
  expires: string;
  /** How many of its keys have signed the document. */
  signatures: number;
}

/** One release, as it is offered. */
export interface ReleaseView {
  project: string;
  version: string;
  path: string;
  sizeBytes: number;
  /** `sha512:…` */
  digest: string;
  channel: string;
  publishedAt?: string;
  rollout?: SignedCustom["rollout"];
  minimumVersion?: string;
  yanked?: SignedCustom["yanked"];
}

/** A whole repository. */
export interface RepositoryView {
  id: string;
  /** `root`, `targets`, `snapshot` and `timestamp`. */
  roles: RoleView[];
  /** The roles of projects. */
  projects: RoleView[];
  /** By project, the newest first. */
  releases: ReleaseView[];
}

/**
 * Reads and proves a whole repository, from the root that its reader holds.
 *
 * @throws {TransmuteError} `repository-missing`, `repository-invalid`, and what the destination throws
 */
export async function inspectRepository(
  destination: Destination,
  trusted: Document<Root>,
): Promise<RepositoryView> {
  const repository = await readRepository(destination, trusted);
  const { root, targets } = repository;
  const projects = await readProjects(repository);
  const delegations = targets.signed.delegations?.roles ?? [];
  return {
    id: destination.id,
    roles: TOP_ROLES.map((role) => viewOf(role, repository[role], root.signed.roles[role])),
    projects: delegations.flatMap((delegation) => {
      const project = projects.get(delegation.name);
      return project === undefined ? [] : [viewOf(delegation.name, project, delegation)];
    }),
    releases: [...projects.values()].flatMap(({ signed }) =>
      Object.entries(signed.targets).map(([path, { length, hashes, custom }]) =>
        releaseOf(path, length, hashes, custom)
      ).sort((one, other) =>
        (one.path.startsWith("python/") ? comparePythonVersions : compareVersions)(
          other.version,
          one.version,
        )
      )
    ),
  };
}

function viewOf(
  role: string,
  { signed, signatures }: Document<Signed>,
  { keyids, threshold }: Role,
): RoleView {
  const { version, expires } = signed;
  const own = signatures.filter(({ keyid }) => keyids.includes(keyid)).length;
  return { role, version, expires, keyids, threshold, signatures: own };
}

function releaseOf(
  path: string,
  sizeBytes: number,
  hashes: Record<string, string>,
  custom: SignedCustom | undefined,
): ReleaseView {
  const { project = path, version = "0.0.0", channel = STABLE_CHANNEL } = custom ?? {};
  const { publishedAt, rollout, minimumVersion, yanked } = custom ?? {};
  const more = { publishedAt, rollout, minimumVersion, yanked };
  return {
    project,
    version,
    path,
    sizeBytes,
    digest: `sha512:${hashes.sha512}`,
    channel,
    ...Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined)),
  };
}
