/**
 * `transmute status`: what is active, where it came from, how it was proven, when it was checked.
 *
 * @module
 */

import type { SourceView, Status } from "../updater/status.ts";
import { declarationOf, newerRefusals, openApplication } from "./application.ts";
import { upkeepOf } from "./asking.ts";
import type { CommandRequest, Outcome } from "./command.ts";
import type { Style } from "./style.ts";
import { counted, GENERATION_WORDS, relativeTime, requirementText, table } from "./wording.ts";

/** Shows the application's status. */
export async function run({ options, style, now }: CommandRequest): Promise<Outcome> {
  const application = openApplication(options);
  const { requirements } = declarationOf(application);
  const status = await upkeepOf(application).status();
  const refused = newerRefusals(application.state);
  return {
    value: {
      ...status,
      sources: status.sources.map(({ checkedAt, nextAt, ...source }) => ({
        ...source,
        checkedAt: instant(checkedAt),
        nextAt: instant(nextAt),
      })),
      leases: status.leases.map((lease) => ({ ...lease, since: instant(lease.since) })),
      requirements: requirements.map(requirementText),
    },
    lines: [
      ...headline(status, style, now),
      ...section(
        ["egg", "version", "from", "proof"],
        status.eggs.map(({ project, version, held, source, proof }) => [
          project,
          held ? `${version} (held)` : version,
          source,
          proof,
        ]),
        style,
      ),
      ...section(
        ["source", "asked", "again"],
        status.sources.map((source) => [
          source.source,
          source.checkedAt === null ? "never" : relativeTime(source.checkedAt, now),
          whenAsked(source, now),
        ]),
        style,
      ),
      ...(refused.length === 0 ? [] : [""]),
      ...refused.map(({ project, version, message }) =>
        `${style.warning("refused:")} ${project} ${version}: ${message}`
      ),
    ],
    quietLines: status.eggs.map(({ project, version }) => `${project}@${version}`),
  };
}

function headline({ app, active, damaged, ...status }: Status, style: Style, now: number) {
  if (damaged) return [`The state of ${style.strong(app)} is damaged; the next start mends it`];
  if (active === null) {
    return [`${style.strong(app)} has nothing to run on yet: no update of it succeeded`];
  }
  const running = new Set(
    status.leases.filter(({ state }) => state === "running").map(({ pid }) => pid),
  );
  const failed = active.status === "probation" && status.failedStarts > 0
    ? `; ${counted(status.failedStarts, "start")} of it failed`
    : "";
  return [
    `${style.strong(app)} is on generation ${active.generation}, made ${
      relativeTime(Date.parse(active.createdAt), now)
    }, ${GENERATION_WORDS[active.status]}${failed}`,
    ...(running.size === 0
      ? []
      : [`${counted(running.size, "program")} of it can be seen running`]),
  ];
}

/** Times are ISO 8601 wherever `--json` tells one. */
function instant(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

function section(titles: string[], rows: string[][], style: Style): string[] {
  return rows.length === 0 ? [] : ["", ...table([titles.map(style.faint), ...rows])];
}

/** A folder that looks as it did is not asked again. */
function whenAsked({ kind, nextAt }: SourceView, now: number): string {
  if (nextAt !== null && kind === "local") return "when it changes";
  return nextAt === null || nextAt <= now ? "at the next start" : relativeTime(nextAt, now);
}
