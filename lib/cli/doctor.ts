/**
 * `transmute doctor`: says in sentences why what runs is what runs, what is wrong and what to do.
 *
 * @module
 */

import { describeError, isTransmuteError } from "../errors.ts";
import { applicationName, applicationNames, readApplication, storeRoot } from "./application.ts";
import { diagnoseApplication } from "./application_diagnosis.ts";
import type { CommandRequest, Outcome } from "./command.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import type { Finding } from "./finding.ts";
import { finding } from "./finding.ts";
import { hintOf } from "./output.ts";
import { diagnoseSettings, diagnoseStore } from "./store_diagnosis.ts";
import type { Style } from "./style.ts";
import { counted } from "./wording.ts";

/** Examines the store, and the application that is named or all of them. */
export async function run(request: CommandRequest): Promise<Outcome> {
  const { options, style, progress } = request;
  const root = storeRoot();
  const { findings, readable } = await diagnoseStore(root);
  findings.push(...diagnoseSettings(options));
  const applications: { app: string; findings: Finding[] }[] = [];
  if (readable) {
    const names = options.app === undefined
      ? applicationNames(root)
      : [applicationName(root, options.app)];
    for (const app of names) {
      progress(`examining ${app}`);
      applications.push({ app, findings: await diagnose(root, app, request) });
    }
  }
  const all = [...findings, ...applications.flatMap(({ findings }) => findings)];
  const problems = all.filter(({ level }) => level === "problem");
  const summary = problems.length === 0
    ? style.good("Nothing needs mending.")
    : style.bad(`${counted(problems.length, "problem")} found.`);
  return {
    value: { store: root, findings, applications },
    lines: [
      ...section("store", findings, style),
      ...applications.flatMap(({ app, findings }) => ["", ...section(app, findings, style)]),
      "",
      summary,
    ],
    quietLines: problems.map(({ text }) => text),
    exitCode: problems.length === 0 ? EXIT_CODES.done : EXIT_CODES.unsound,
  };
}

/** One application that cannot even be read must not keep the others from being examined. */
async function diagnose(root: string, app: string, request: CommandRequest): Promise<Finding[]> {
  try {
    return await diagnoseApplication(readApplication(root, app), request);
  } catch (error) {
    if (!isTransmuteError(error)) throw error;
    return [finding("problem", "state", describeError(error), hintOf(error))];
  }
}

const INDENT = " ".repeat("problem".length + 4);

function section(title: string, findings: Finding[], style: Style): string[] {
  const mark = { good: style.good, note: style.strong, problem: style.bad };
  return [
    style.strong(title),
    ...findings.flatMap(({ level, text, hint }) => [
      `  ${mark[level](level.padEnd("problem".length))}  ${text}.`,
      ...(hint === undefined ? [] : [`${INDENT}${style.faint(`${hint}.`)}`]),
    ]),
  ];
}
