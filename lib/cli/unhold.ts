/**
 * `transmute unhold`: lets projects take updates again.
 *
 * @module
 */

import { readState } from "../store/state.ts";
import { openApplication } from "./application.ts";
import { upkeepOf } from "./asking.ts";
import type { CommandRequest, Outcome } from "./command.ts";
import { listed } from "./wording.ts";

/** Lets go of every project that is named. */
export async function run({ args, options }: CommandRequest): Promise<Outcome> {
  const application = openApplication(options);
  const upkeep = upkeepOf(application);
  for (const project of args) await upkeep.unhold(project);
  return {
    value: { app: application.name, held: readState(application.paths).state.held ?? [] },
    lines: [`${listed(args)} ${args.length === 1 ? "takes" : "take"} updates again`],
  };
}
