/**
 * `transmute rollback`: makes an older generation the active one.
 *
 * @module
 */

import { openApplication } from "./application.ts";
import { numberOption, upkeepOf } from "./asking.ts";
import type { CommandRequest, Outcome } from "./command.ts";
import { table } from "./wording.ts";

/** Goes back, and tells from where to where. */
export async function run({ options, style }: CommandRequest): Promise<Outcome> {
  const application = openApplication(options);
  const to = options.to === undefined ? undefined : numberOption("--to", options.to, {
    least: 1,
    most: Number.MAX_SAFE_INTEGER,
    wanted: "the number of a generation",
  });
  const report = await upkeepOf(application).rollback(to === undefined ? {} : { to });
  const { outcome, generation, eggs, rolledBack } = report;
  return {
    value: { app: application.name, outcome, generation, eggs, rolledBack },
    lines: [
      `${style.strong(application.name)} is on generation ${generation} again`,
      ...table(
        eggs.map(({ project, version, from }) => [
          project,
          from === undefined ? version : `${from} → ${style.good(version)}`,
        ]),
        "  ",
      ),
      // Whoever goes forward again has nothing against what was active.
      ...(rolledBack === undefined || rolledBack.to > rolledBack.from ? [] : [
        `Generation ${rolledBack.from} is rejected: its eggs are not taken again while nothing ` +
        "newer is offered",
      ]),
    ],
    quietLines: eggs.map(({ project, version }) => `${project}@${version}`),
  };
}
