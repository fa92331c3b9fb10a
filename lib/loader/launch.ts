/**
 * Replacing this process by a new one of the same program, so that new code is used.
 *
 * @module
 */

import { describeError, isTransmuteError, TransmuteError } from "../errors.ts";
import { RELAUNCHED_VARIABLE } from "../model/state.ts";
import { runtime } from "../runtime/current.ts";

/**
 * Every relaunch on the way to this process, as `app@generation`: several applications can share
 * a process, and children of all kinds inherit the variable.
 */
function relaunches(): string[] {
  return (runtime.env(RELAUNCHED_VARIABLE) ?? "").split(" ").filter((text) => text !== "");
}

/** Whether this process was itself started by a relaunch for `generation` of `app`. */
export function wasRelaunchedFor(app: string, generation: number): boolean {
  return relaunches().includes(`${app}@${generation}`);
}

/**
 * Starts this program again with the same arguments, streams, signals and exit code, and ends
 * with it. At most once per generation, so that no program can relaunch for ever.
 *
 * @param denoFlags the flags of `deno run`; by default `-A` where everything is permitted
 * @throws {TransmuteError} `relaunch-failed`, `permission-missing`
 */
export async function relaunchFor(
  app: string,
  generation: number,
  denoFlags?: string[],
): Promise<never> {
  if (wasRelaunchedFor(app, generation)) {
    throw new TransmuteError(
      "relaunch-failed",
      `Cannot relaunch: this process was already relaunched for generation ${generation}`,
      { hint: "Relaunch only when update() reports relaunch-needed" },
    );
  }
  const command = runtime.ownCommand(denoFlags);
  const others = relaunches().filter((text) => !text.startsWith(`${app}@`));
  const all = [...others, `${app}@${generation}`].join(" ");
  command.env = { ...command.env, [RELAUNCHED_VARIABLE]: all };
  try {
    return await runtime.replaceProcess(command);
  } catch (error) {
    if (isTransmuteError(error)) throw error;
    throw new TransmuteError("relaunch-failed", `Cannot relaunch: ${describeError(error)}`, {
      cause: error,
    });
  }
}
