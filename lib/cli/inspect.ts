/**
 * `transmute inspect`: shows who signs a repository, until when, and what it offers.
 *
 * @module
 */

import type { ReleaseView, RoleView } from "../publisher/inspect.ts";
import { inspectRepository } from "../publisher/inspect.ts";
import { rolloutText } from "../publisher/rollout.ts";
import { shortId } from "../publisher/signing.ts";
import type { CommandRequest, Outcome } from "./command.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import { destinationOf, heldRoot } from "./publishing.ts";
import type { Style } from "./style.ts";
import { duration, fileSize, listed, moment, table } from "./wording.ts";

/** Proves the repository and shows it. */
export async function run(
  { args, options, style, now, progress }: CommandRequest,
): Promise<Outcome> {
  const destination = await destinationOf(options);
  const root = await heldRoot(options);
  progress(`reading ${destination.id}`);
  const { id, roles, projects, releases } = await inspectRepository(destination, root);
  const shown = releases.filter(({ project }) => args.length === 0 || args.includes(project));
  const expired = [...roles, ...projects].filter(({ expires }) => Date.parse(expires) <= now);
  return {
    value: { repository: id, roles, projects, releases: shown },
    lines: [
      `${style.strong(id)} is whole, and what it says is signed`,
      "",
      ...table([
        ["role", "version", "signed by", "good for"],
        ...[...roles, ...projects].map((role) => roleRow(role, now, style)),
      ]),
      "",
      ...(shown.length === 0 ? ["It offers nothing yet"] : table([
        ["egg", "version", "published", "size", "offered to"],
        ...shown.map((release) => releaseRow(release, style)),
      ])),
    ],
    quietLines: shown.map(({ project, version }) => `${project}@${version}`),
    exitCode: expired.length === 0 ? EXIT_CODES.done : EXIT_CODES.unsound,
  };
}

function roleRow(
  { role, version, expires, keyids, threshold }: RoleView,
  now: number,
  style: Style,
): string[] {
  const leftMs = Date.parse(expires) - now;
  return [
    role,
    String(version),
    keyids.length === 1 ? shortId(keyids[0]) : `${threshold} of ${listed(keyids.map(shortId))}`,
    leftMs > 0 ? duration(leftMs) : style.bad(`expired ${duration(-leftMs)} ago`),
  ];
}

function releaseRow(
  { project, version, publishedAt, sizeBytes, channel, rollout, minimumVersion, yanked }:
    ReleaseView,
  style: Style,
): string[] {
  const offered = yanked === undefined
    ? [
      ...(channel === "stable"
        ? rollout === undefined ? ["everyone"] : []
        : [`channel ${channel}`]),
      ...(rollout === undefined ? [] : [rolloutText(rollout)]),
      ...(minimumVersion === undefined ? [] : [`not to be run below ${minimumVersion}`]),
    ].join(", ")
    : style.warning(`nobody: ${yanked.reason}`);
  return [
    project,
    version,
    publishedAt === undefined ? "" : moment(publishedAt),
    fileSize(sizeBytes),
    offered,
  ];
}
