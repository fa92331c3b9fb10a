/**
 * `transmute check`: what an update would do.
 *
 * @module
 */

import type { PlannedEgg } from "../updater/plan.ts";
import { openOrNewApplication } from "./application.ts";
import { askFor, withinTime } from "./asking.ts";
import type { CommandRequest, Outcome } from "./command.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import type { Style } from "./style.ts";
import { KEPT_WORDS, notTaken, table } from "./wording.ts";

/** Asks the sources and tells what an update would do. */
export async function run(request: CommandRequest): Promise<Outcome> {
  const { options, style } = request;
  const application = openOrNewApplication(options);
  const { transmute, timeoutMs } = askFor(application, request);
  const plan = await withinTime(transmute.check(), timeoutMs);
  const failed = !plan.changes && plan.eggs.some(({ kept }) => kept === "source-failed");
  const lines = [
    ...table(plan.eggs.map((egg) => [
      egg.project,
      versionText(egg, style),
      egg.kept === undefined ? `from ${egg.source}` : KEPT_WORDS[egg.kept],
    ])),
    ...plan.eggs.flatMap(passedOverLines),
    ...plan.problems.map((problem) => `${style.warning("warning:")} ${problem}`),
    "",
    plan.changes
      ? `An update is to be had. Run: transmute update --app ${application.name}`
      : failed
      ? "Whether there is anything to update could not be learnt."
      : "There is nothing to update.",
  ];
  return {
    value: { app: application.name, ...plan },
    lines,
    quietLines: plan.eggs.filter(({ kept }) => kept === undefined)
      .map(({ project, to }) => `${project}@${to}`),
    exitCode: failed
      ? EXIT_CODES.sourceFailed
      : options.exitCode && plan.changes
      ? EXIT_CODES.updateAvailable
      : EXIT_CODES.done,
  };
}

function versionText({ from, to, kept }: PlannedEgg, style: Style): string {
  if (kept !== undefined) return to;
  return from === null || from === to ? style.good(`${to} (new)`) : `${from} → ${style.good(to)}`;
}

/** The newest release that is offered and not taken, and why. */
function passedOverLines({ project, passedOver }: PlannedEgg): string[] {
  const [newest] = passedOver;
  return newest === undefined ? [] : [`${project} ${notTaken(newest)}`];
}
