/**
 * `transmute run`: runs a command of a project, which is fetched when it is not there yet.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { commandNames } from "../loader/spawn.ts";
import { fingerprintOf } from "../model/fingerprint.ts";
import { parseRequirement } from "../model/requirement.ts";
import type { StorePaths } from "../store/cache.ts";
import { storePaths } from "../store/cache.ts";
import { readState } from "../store/state.ts";
import { Transmute } from "../transmute.ts";
import { storeRoot } from "./application.ts";
import type { CommandOptions, CommandRequest, Outcome } from "./command.ts";

/** Runs the command with this one's streams, and ends as it does. */
export async function run({ args: [text, ...args], options }: CommandRequest): Promise<Outcome> {
  const { project, ecosystem } = parseRequirement(text);
  const app = options.app ?? appOfProject(project, ecosystem);
  const paths = storePaths(storeRoot(), app);
  const { declared } = readState(paths).state;
  const transmute = new Transmute({
    app,
    sources: options.source ?? declared?.sources ?? [],
    ...(options.python === undefined ? {} : { python: options.python }),
  });
  transmute.require(text);
  await transmute.update();
  const command = commandOf(paths, project, options);
  const { code, signal } = await transmute.spawn(command, args);
  return { value: { app, command, exitCode: code, signal }, lines: [], exitCode: code };
}

const LONGEST_NAME = 40;

/**
 * What is run is an application like others: it has a name of its own, and its generations. Two
 * projects never share one: `@a/b` is not `a-b`, and npm's `python-six` is not PyPI's `six`.
 */
export function appOfProject(project: string, ecosystem: "js" | "python" | null): string {
  const name = project.replace(/[^\w.-]+/g, "-").replace(/^-/, "").slice(0, LONGEST_NAME);
  const isPython = ecosystem === "python";
  const isOwn = name === project && (isPython || !name.startsWith("python-"));
  return `run-${isPython ? "python-" : ""}${name}` +
    (isOwn ? "" : `-${fingerprintOf(project).slice(0, 8)}`);
}

function commandOf(paths: StorePaths, project: string, { command }: CommandOptions): string {
  const { active } = readState(paths).state;
  const names = commandNames(paths, active);
  const own = project.replace(/^@[^/]*\//, "");
  const chosen = command ?? (names.includes(own) ? own : names.length === 1 ? names[0] : null);
  if (chosen !== null && names.includes(chosen)) return chosen;
  const found = names.length === 0 ? "no commands" : names.join(", ");
  throw new TransmuteError(
    "command-missing",
    `Cannot run ${chosen ?? project}: found ${found} in ${project}`,
    names.length === 0
      ? { hint: "It is to be imported, and not to be run" }
      : { hint: `Choose one, such as: --command ${names[0]}` },
  );
}
