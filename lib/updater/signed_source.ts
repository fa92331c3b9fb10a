/**
 * A source that takes everything from signed metadata: what there is, by which bytes, and who may
 * have it already. The bytes come from the repository itself, or from a registry that it speaks of.
 *
 * @module
 */

import { describeError, TransmuteError } from "../errors.ts";
import type { Artifact, Listing, Release } from "../model/egg.ts";
import { eggName } from "../model/egg.ts";
import { cohortOf, rolloutShare } from "../model/rollout.ts";
import type { SignedTarget } from "../model/signed_target.ts";
import { parseSignedTarget, STABLE_CHANNEL, storedPath } from "../model/signed_target.ts";
import { manifestOfExecutable, parseExecutableName } from "../model/executable.ts";
import { nameInAddress, parsePythonFileName } from "../model/python_file.ts";
import { comparePythonVersions } from "../model/python_version.ts";
import { recordedName } from "../model/requirement.ts";
import { compareVersions } from "../model/version.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Source, SourceContext } from "../sources/source.ts";
import type { OpenedRepository, RepositorySettings } from "./open_repository.ts";
import { openRepository } from "./open_repository.ts";
import { platformMismatch } from "./select.ts";

/** What a signed source needs of its surroundings. */
export interface SignedSettings extends RepositorySettings {
  /** Where the bytes are that the repository does not hold; `null` when it holds them all. */
  registry: Source | null;
  /** The channel that the application is on. */
  channel: string;
  platform: Platform;
  /** The version that is active of a project, if any. */
  activeVersion(project: string): string | undefined;
  /** The random id of this machine. */
  client(): string;
}

/**
 * Makes of a source one that offers only what its repository signs.
 *
 * @param source gives the id; its own listing is asked for nothing but addresses of bytes
 */
export function signedSource(source: Source, settings: SignedSettings): Source {
  const { repository, registry } = settings;
  const ofRepository = new Set<string>();
  let opening: Promise<OpenedRepository> | undefined;

  async function opened(context: SourceContext): Promise<OpenedRepository> {
    if (repository.files === undefined) {
      // One that stands in for it, as when this program is offline, says so itself.
      await repository.list("-", context);
      throw new TransmuteError(
        "option-invalid",
        `Cannot trust ${repository.id} by a root: this kind of source has no files of its own`,
        { source: repository.id },
      );
    }
    return await (opening ??= openRepository(settings, context));
  }

  async function artifactOf(
    { path, sizeBytes, digests, custom }: SignedTarget,
    listing: Listing | null,
  ): Promise<Artifact | null> {
    let locator: string;
    if (custom.origin === undefined) {
      locator = await repository.files!.locate(`targets/${storedPath(path, digests[0])}`);
      ofRepository.add(locator);
    } else {
      // Of a Python project, one version has several files.
      const file = custom.ecosystem === "python" ? path.slice(path.lastIndexOf("/") + 1) : null;
      const found = listing?.releases.find(({ version, artifact }) =>
        file === null ? version === custom.version : nameInAddress(artifact.locator) === file
      );
      if (found === undefined) return null;
      locator = found.artifact.locator;
    }
    return { locator, sizeBytes, digests, validator: digests[0] };
  }

  return {
    id: source.id,
    kind: source.kind,
    ...(source.fingerprint === undefined ? {} : { fingerprint: source.fingerprint }),
    ecosystems: registry?.ecosystems ?? (registry === null ? ["js", "python"] : ["js"]),

    async list(project, context, ecosystem = "js") {
      const { metadata, cached } = await opened(context);
      const targets = readTargets(await metadata.project(ecosystem, project), settings);
      const isElsewhere = targets.some(({ custom }) => custom.origin !== undefined);
      const listing = isElsewhere && registry !== null
        ? (await registry.list(project, context, ecosystem)).listing
        : null;
      const offer = await offerOf(recordedName(ecosystem, project), targets, settings);
      const releases: Release[] = [];
      for (const target of targets) {
        const artifact = await artifactOf(target, listing);
        if (artifact === null) continue;
        const heldBack = offer.heldBack(target);
        const release = releaseOf(target, artifact);
        if (release === null) continue;
        releases.push({
          ...release,
          vouchedBy: [`signed by root ${metadata.version("root")} of ${repository.id}`],
          ...(heldBack === null ? {} : { heldBack }),
        });
      }
      return { listing: { project, releases, tags: {} }, cached };
    },

    fetch: (artifact, context) =>
      (ofRepository.has(artifact.locator) ? repository : registry ?? repository)
        .fetch(artifact, context),
  };
}

/** The targets that are well formed; the others are told of and passed over. */
function readTargets(
  targets: Map<string, unknown>,
  { repository, tell }: SignedSettings,
): SignedTarget[] {
  return Array.from(targets, ([path, target]) => {
    try {
      return parseSignedTarget(path, target);
    } catch (error) {
      tell("warn", "skipped", {
        egg: `${path} of ${repository.id}`,
        message: describeError(error),
      });
      return null;
    }
  }).filter((target) => target !== null);
}

/** `null` for what is signed as a Python egg under a name that is none of one. */
function releaseOf({ path, custom }: SignedTarget, artifact: Artifact): Release | null {
  const file = custom.ecosystem === "python"
    ? parsePythonFileName(path.slice(path.lastIndexOf("/") + 1), custom.project)
    : undefined;
  if (file === null) return null;
  const executable = custom.ecosystem === "js"
    ? parseExecutableName(path.slice(path.lastIndexOf("/") + 1))
    : null;
  const { metadata } = custom;
  const { project, version, manifest, platform, publishedAt, unpacked, yanked } = custom;
  return {
    project,
    version,
    artifact,
    ...(manifest === undefined ? {} : { manifest: { ...manifest, ...platform } }),
    ...(executable === null ? {} : { executable, manifest: manifestOfExecutable(executable) }),
    ...(publishedAt === undefined ? {} : { publishedAt: Date.parse(publishedAt) }),
    ...(unpacked === undefined ? {} : { unpacked }),
    ...(yanked === undefined ? {} : { withdrawn: true }),
    ...(file === undefined ? {} : {
      python: {
        file,
        ...(metadata?.requiresPython === undefined
          ? {}
          : { requiresPython: metadata.requiresPython }),
        ...(metadata === undefined ? {} : { manifest: metadata }),
      },
    }),
  };
}

/** What this client is offered of a project, now. */
async function offerOf(project: string, targets: SignedTarget[], settings: SignedSettings) {
  const { channel, platform, now } = settings;
  const onChannel = ({ custom }: SignedTarget) =>
    custom.channel === STABLE_CHANNEL || custom.channel === channel;
  const compare = targets[0]?.custom.ecosystem === "python"
    ? comparePythonVersions
    : compareVersions;
  const floor = targets
    .filter((target) => onChannel(target) && target.custom.yanked === undefined)
    .map(({ custom }) => custom.minimumVersion)
    .filter((version) => version !== undefined)
    .reduce(
      (one: string | null, other) => one === null || compare(other, one) > 0 ? other : one,
      null,
    );
  const active = settings.activeVersion(project);
  const isUrgent = active !== undefined && floor !== null && compare(active, floor) < 0;
  const places = new Map<string, number>();
  for (const { custom } of targets) {
    if (custom.rollout === undefined) continue;
    places.set(custom.version, await cohortOf(settings.client(), eggName(custom)));
  }
  return {
    /** Why a target is not offered, in words, or `null`. */
    heldBack(target: SignedTarget): string | null {
      const { version, yanked, rollout, channel: its, platform: lists } = target.custom;
      if (yanked !== undefined) return `was withdrawn: ${yanked.reason}`;
      if (!onChannel(target)) return `is on the channel ${its}`;
      if (floor !== null && compare(version, floor) < 0) {
        return `is below the minimum version ${floor}`;
      }
      const mismatch = platformMismatch(lists, platform);
      if (mismatch !== null) return mismatch;
      if (rollout === undefined || isUrgent || version === active) return null;
      const share = rolloutShare(rollout, now());
      return places.get(version)! < share
        ? null
        : `is rolled out to ${Math.floor(share * 100)} % of all so far`;
    },
  };
}
