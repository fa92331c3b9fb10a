/**
 * `transmute hold`: keeps projects at their versions.
 *
 * @module
 */

import { readState } from "../store/state.ts";
import { openApplication } from "./application.ts";
import { upkeepOf } from "./asking.ts";
import type { CommandRequest, Outcome } from "./command.ts";
import { listed } from "./wording.ts";

/** Holds every project that is named. */
export async function run({ args, options }: CommandRequest): Promise<Outcome> {
  const application = openApplication(options);
  const { name, state } = application;
  const upkeep = upkeepOf(application);
  for (const project of args) await upkeep.hold(project);
  const eggs = args.map((project) => `${project} ${state.active?.eggs[project]?.version}`);
  return {
    value: { app: name, held: readState(application.paths).state.held ?? [] },
    lines: [
      `${listed(eggs)} ${args.length === 1 ? "is" : "are"} held until: transmute unhold ${
        args.join(" ")
      } --app ${name}`,
    ],
  };
}
