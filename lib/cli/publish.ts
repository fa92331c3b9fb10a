/**
 * `transmute publish`: publishes eggs in a signed repository.
 *
 * @module
 */

import { describeError, TransmuteError } from "../errors.ts";
import { isChannelName, STABLE_CHANNEL } from "../model/signed_target.ts";
import { isValidVersion } from "../model/version.ts";
import { publish } from "../publisher/publish.ts";
import { parseRegistryEgg, readRegistryReleases } from "../publisher/registry_release.ts";
import { isExecutableEgg, readExecutableRelease } from "../publisher/executable_release.ts";
import { isPythonEgg, readPythonRelease } from "../publisher/python_release.ts";
import type { Release } from "../publisher/release.ts";
import { readRelease } from "../publisher/release.ts";
import { parseRollout, rolloutText } from "../publisher/rollout.ts";
import { runtime } from "../runtime/current.ts";
import { absolutePath, baseName } from "../runtime/paths.ts";
import { numberOption } from "./asking.ts";
import type { CommandOptions, CommandRequest, Outcome } from "./command.ts";
import { openPublishing } from "./publishing.ts";
import { table } from "./wording.ts";

/** Publishes, and tells what of it is new. */
export async function run(request: CommandRequest): Promise<Outcome> {
  const { args, options, style, now, progress } = request;
  const said = offerOf(options, now);
  const keep = options.keep === undefined ? {} : {
    keep: numberOption("--keep", options.keep, {
      least: 1,
      most: 1000,
      wanted: "how many releases",
    }),
  };
  const releases: Release[] = [];
  for (const path of args) {
    progress(`reading ${path}`);
    releases.push(...await releasesAt(path));
  }
  const { destination, root, signing } = await openPublishing(request);
  progress(`publishing to ${destination.id}`);
  const published = await publish(destination, root, releases, { ...said, ...keep }, signing);
  const isNew = published.some(({ outcome }) => outcome === "published");
  return {
    value: { repository: destination.id, eggs: published },
    lines: [
      isNew ? `Published in ${destination.id}` : `Nothing is new in ${destination.id}`,
      ...table(
        published.map(({ project, version, outcome, channel }) => [
          project,
          version,
          ...(outcome === "unchanged"
            ? ["was there already", channel === STABLE_CHANNEL ? "" : `channel ${channel}`]
            : [style.good("published"), offerText(channel, said.rollout ?? null)]),
        ]),
        "  ",
      ),
    ],
    quietLines: published.filter(({ outcome }) => outcome === "published")
      .map(({ project, version }) => `${project}@${version}`),
  };
}

function offerText(channel: string, rollout: Parameters<typeof rolloutText>[0] | null): string {
  return [
    ...(channel === STABLE_CHANNEL ? [] : [`channel ${channel}`]),
    ...(rollout === null ? [] : [rolloutText(rollout)]),
  ].join(", ");
}

/** An archive as it is, a folder packed, or a release of a registry, which is signed where it is. */
async function releasesAt(path: string): Promise<Release[]> {
  return parseRegistryEgg(path) === null
    ? [await releaseAt(path)]
    : await readRegistryReleases(path);
}

async function releaseAt(path: string): Promise<Release> {
  const whole = absolutePath(path, runtime.workingDirectory());
  const kind = runtime.status(whole)?.kind;
  if (kind === "directory") {
    const { packFolder } = await import("../publisher/pack.ts");
    return await readRelease((await packFolder(whole)).archive, path);
  }
  let archive: Uint8Array;
  try {
    archive = runtime.readFile(whole);
  } catch (cause) {
    if (cause instanceof TransmuteError) throw cause;
    throw new TransmuteError(
      "archive-invalid",
      `Cannot publish ${path}: ${
        kind === undefined ? "there is no such file" : describeError(cause)
      }`,
      { cause },
    );
  }
  // Not the runtime's own kind of array, which compares differently.
  const bytes = new Uint8Array(archive);
  const name = baseName(whole);
  if (isPythonEgg(name)) return await readPythonRelease(bytes, name);
  if (isExecutableEgg(name)) return await readExecutableRelease(bytes, name);
  return await readRelease(bytes, path);
}

/** To whom releases are to be offered, as the options say. */
export function offerOf({ channel, rollout, minimum }: CommandOptions, now: number) {
  if (channel !== undefined && !isChannelName(channel)) {
    throw new TransmuteError(
      "option-invalid",
      `Cannot use the channel "${channel}": wanted a word of lower-case letters, digits and "-"`,
    );
  }
  if (minimum !== undefined && !isValidVersion(minimum)) {
    throw new TransmuteError(
      "option-invalid",
      `Cannot use the option --minimum: found "${minimum}", wanted a version such as 1.2.3`,
    );
  }
  return {
    ...(channel === undefined ? {} : { channel }),
    ...(rollout === undefined ? {} : { rollout: parseRollout(rollout, now) }),
    ...(minimum === undefined ? {} : { minimumVersion: minimum }),
  };
}
