/**
 * `transmute update`: brings an application up to date now, in its place.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { comparePythonVersions } from "../model/python_version.ts";
import { recordedName } from "../model/requirement.ts";
import { compareVersions } from "../model/version.ts";
import type { UnchangedReason, UpdateReport } from "../report.ts";
import { declarationOf, openOrNewApplication } from "./application.ts";
import { askFor, hooksForbid, withinTime } from "./asking.ts";
import type { CommandRequest, Outcome } from "./command.ts";
import { EXIT_CODES, exitCodeOf } from "./exit_codes.ts";
import { errorValue } from "./output.ts";
import { KEPT_WORDS, table } from "./wording.ts";

const REASON_WORDS: Record<UnchangedReason, string> = {
  ...KEPT_WORDS,
  // Asked for by name, everything is due: files that were lost came back.
  "not-due": "what it had is whole again",
  "source-failed": "a source could not be asked",
  "vetoed": "a hook of it said no",
  "offline": "it is offline by its own setting",
  "opted-out": "it does not look for updates by itself",
  "in-ci": "in automatic builds it does not look for updates by itself",
};

/** Updates the application and tells what changed. */
export async function run(request: CommandRequest): Promise<Outcome> {
  const application = openOrNewApplication(request.options);
  if (declarationOf(application).hooks) {
    throw hooksForbid(application.name, `update ${application.name} from here`);
  }
  const { transmute, timeoutMs } = askFor(application, request);
  const updating = async () => {
    // A name mistyped must not leave an application behind: asking first writes nothing.
    if (application.isNew) await askFor(application, request).transmute.check();
    return await transmute.update({ force: true, budgetMs: timeoutMs });
  };
  const report = await withinTime(updating(), timeoutMs);
  if (report.outcome === "deferred") {
    throw new TransmuteError(
      "source-timeout",
      `Cannot update ${application.name}: ${timeoutMs / 1000} seconds are spent`,
      { hint: "Allow more with --timeout" },
    );
  }
  const { outcome, reason, generation, eggs, refused, problems } = report;
  return {
    value: {
      app: application.name,
      outcome,
      ...(reason === undefined ? {} : { reason }),
      generation,
      eggs,
      refused: refused.map(({ validator: _validator, ...refusal }) => refusal),
      problems: problems.map(errorValue),
    },
    lines: reportLines(application.name, report, request),
    quietLines: outcome === "updated"
      ? eggs.filter((egg) => egg.from !== undefined || isNew(application.state.active, egg))
        .map(({ project, version }) => `${project}@${version}`)
      : [],
    exitCode: reason === "source-failed" && problems.length > 0
      ? exitCodeOf(problems[0])
      : EXIT_CODES.done,
  };
}

function isNew(
  active: { eggs: Record<string, unknown> } | null,
  { project }: { project: string },
): boolean {
  return active === null || !Object.hasOwn(active.eggs, project);
}

function reportLines(app: string, report: UpdateReport, { style }: CommandRequest): string[] {
  const { outcome, reason, generation, eggs, refused, problems } = report;
  const lines = outcome === "updated"
    ? [
      `${style.strong(app)} is on generation ${generation} now`,
      ...table(
        eggs.map(({ project, version, from }) => [
          project,
          from === undefined ? version : `${from} → ${style.good(version)}`,
        ]),
        "  ",
      ),
    ]
    : [`${style.strong(app)} stays on generation ${generation}: ${REASON_WORDS[reason!]}`];
  const versions = new Map(eggs.map((egg) => [egg.project, egg.version]));
  for (const { project, version, message } of refused) {
    const js = versions.get(project);
    const python = versions.get(recordedName("python", project));
    // Older ones explain nothing.
    const isOlder = (js !== undefined && compareVersions(version, js) <= 0) ||
      (python !== undefined && comparePythonVersions(version, python) <= 0);
    if (isOlder) continue;

    lines.push(`${style.warning("refused:")} ${project} ${version}: ${message}`);
  }
  for (const problem of problems) lines.push(`${style.warning("warning:")} ${problem.message}`);
  return lines;
}
