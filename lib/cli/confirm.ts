/**
 * `transmute confirm`: says that the active generation works.
 *
 * @module
 */

import { openApplication } from "./application.ts";
import { upkeepOf } from "./asking.ts";
import type { CommandRequest, Outcome } from "./command.ts";

/** Confirms the active generation. */
export async function run({ options, style }: CommandRequest): Promise<Outcome> {
  const application = openApplication(options);
  const { name, state: { active } } = application;
  await upkeepOf(application).confirm();
  const generation = active?.generation ?? null;
  return {
    value: { app: name, generation },
    lines: [`Generation ${generation} of ${style.strong(name)} is confirmed`],
  };
}
