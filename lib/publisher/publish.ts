/**
 * Publishing eggs.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { SignedCustom } from "../model/signed_target.ts";
import {
  MAX_TARGETS_OF_PROJECT,
  parseSignedTarget,
  pathsOfProject,
  roleOfProject,
  STABLE_CHANNEL,
} from "../model/signed_target.ts";
import { eggName } from "../model/egg.ts";
import type { Rollout } from "../model/rollout.ts";
import { comparePythonVersions } from "../model/python_version.ts";
import { compareVersions } from "../model/version.ts";
import type { Change, Signing } from "./commit.ts";
import { changeRepository } from "./commit.ts";
import type { Destination } from "./destination.ts";
import type { Document, Root, Target, Targets } from "./metadata.ts";
import { signedTime, signersOf } from "./metadata.ts";
import type { Release } from "./release.ts";
import type { Repository } from "./repository.ts";
import { delegationOf, readProject } from "./repository.ts";

/** What is said of all eggs that are published together. */
export interface PublishOptions {
  /** @default {"stable"} */
  channel?: string;
  /** Who is offered them. @default {everyone, at once} */
  rollout?: Rollout | null;
  /** Lower versions are not to be run any more. @default {none} */
  minimumVersion?: string;
  /** How many releases of each project stay; the lowest go. @default {all} */
  keep?: number;
}

/** What became of one egg. */
export interface Published {
  project: string;
  version: string;
  path: string;
  /** `unchanged`: the very same egg had been published before. */
  outcome: "published" | "unchanged";
  channel: string;
}

/**
 * Publishes eggs, all of them or none: archives first, then what is signed about them, the timestamp
 * last. Eggs that are there already are left as they are, whatever the options say.
 *
 * @param trusted the root that the publisher holds
 * @throws {TransmuteError} `release-exists` when a different egg has the version, `key-missing`,
 * `option-invalid`, and what `changeRepository` throws
 */
export async function publish(
  destination: Destination,
  trusted: Document<Root>,
  releases: readonly Release[],
  options: PublishOptions,
  signing: Signing,
): Promise<Published[]> {
  let published: Published[] = [];
  await changeRepository(destination, trusted, signing, async (repository) => {
    published = [];
    const change: Change & Required<Pick<Change, "projects" | "objects">> = {
      projects: new Map(),
      objects: new Map(),
    };
    for (const release of releases) {
      const role = roleOfProject(release.target.custom.ecosystem, release.project);
      const before = (await readProject(repository, role))?.signed.targets ?? {};
      const offered = change.projects.get(role) ?? before;
      const known = Object.hasOwn(offered, release.path) ? offered[release.path] : undefined;
      if (known !== undefined) assertSame(release, known);
      else {
        const target = withOptions(release.target, options, signing.now);
        parseSignedTarget(release.path, target);
        change.projects.set(role, { ...offered, [release.path]: target });
        if (release.objectPath !== null) {
          change.objects.set(release.objectPath, release.archive);
        }
      }
      published.push({
        project: release.project,
        version: release.version,
        path: release.path,
        outcome: known === undefined ? "published" : "unchanged",
        channel: (known ?? withOptions(release.target, options, signing.now)).custom?.channel ??
          STABLE_CHANNEL,
      });
    }
    if (change.projects.size === 0) return null;
    for (const [role, targets] of change.projects) {
      change.projects.set(role, withinLimits(role, targets, published, options));
    }
    const delegations = withProjects(repository, releases);
    return delegations === null ? change : { ...change, delegations };
  });
  return published;
}

function assertSame(release: Release, { hashes }: Target): void {
  if (hashes.sha512 === release.target.hashes.sha512) return;
  throw new TransmuteError(
    "release-exists",
    `Cannot publish ${eggName(release)}: found a different egg of that version, ` +
      `sha512:${hashes.sha512?.slice(0, 16)}…, wanted sha512:${
        release.target.hashes.sha512.slice(0, 16)
      }…`,
    { egg: eggName(release), hint: "Raise the version: what was published never changes" },
  );
}

function withOptions(
  target: Release["target"],
  { channel = STABLE_CHANNEL, rollout, minimumVersion }: PublishOptions,
  now: number,
): Release["target"] {
  const custom: SignedCustom = {
    ...target.custom,
    ...(channel === STABLE_CHANNEL ? {} : { channel }),
    publishedAt: signedTime(now),
    ...(rollout ? { rollout } : {}),
    ...(minimumVersion === undefined ? {} : { minimumVersion }),
  };
  return { ...target, custom };
}

/** What a project offers, without the lowest of old versions when there are to be only some. */
function withinLimits(
  role: string,
  targets: Record<string, Target>,
  published: readonly Published[],
  { keep = MAX_TARGETS_OF_PROJECT }: PublishOptions,
): Record<string, Target> {
  const asked = new Set(published.map(({ path }) => path));
  const newestFirst = Object.entries(targets).sort(([onePath, one], [otherPath, other]) =>
    Number(asked.has(otherPath)) - Number(asked.has(onePath)) ||
    compareReleases(other, one)
  );
  if (keep < MAX_TARGETS_OF_PROJECT) return Object.fromEntries(newestFirst.slice(0, keep));
  if (newestFirst.length <= MAX_TARGETS_OF_PROJECT) return targets;
  throw new TransmuteError(
    "repository-invalid",
    `Cannot publish to ${role}: it would have ${newestFirst.length} releases, wanted at most ` +
      `${MAX_TARGETS_OF_PROJECT}`,
    { hint: "Let go of old ones, such as: --keep 100" },
  );
}

/** Orders two releases of one project, by the rules of its own world. */
function compareReleases({ custom: one }: Target, { custom: other }: Target): number {
  const compare = one?.ecosystem === "python" ? comparePythonVersions : compareVersions;
  return compare(one?.version ?? "0.0.0", other?.version ?? "0.0.0");
}

/** The delegations with roles for these projects; `null` when all of them have theirs. */
function withProjects(
  repository: Repository,
  releases: readonly Release[],
): NonNullable<Targets["delegations"]> | null {
  const { keyids, threshold, keys } = signersOf(repository.root.signed, "targets");
  const missing = new Map(
    releases
      .map(({ project, target: { custom: { ecosystem } } }) =>
        [roleOfProject(ecosystem, project), pathsOfProject(ecosystem, project)] as const
      )
      .filter(([role]) => delegationOf(repository, role) === undefined),
  );
  if (missing.size === 0) return null;
  const { delegations = { keys: {}, roles: [] } } = repository.targets.signed;
  const roles = Array.from(missing, ([name, paths]) => ({
    name,
    keyids,
    threshold,
    terminating: true,
    paths: [paths],
  }));
  return {
    keys: { ...delegations.keys, ...Object.fromEntries(keyids.map((id) => [id, keys[id]])) },
    roles: [...delegations.roles, ...roles].sort((one, other) => one.name < other.name ? -1 : 1),
  };
}
