/**
 * Holding a project at its version.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { State } from "../model/state.ts";
import { CHANGE_WAIT_MS, changeState } from "./change_state.ts";
import type { UpdateRequest } from "./request.ts";

/**
 * Holds a project at its active version, or lets it go.
 *
 * @throws {TransmuteError} `egg-not-active`, `lock-timeout`, `disk-failure`
 */
export async function holdNow(
  request: UpdateRequest,
  project: string,
  hold: boolean,
): Promise<State> {
  const { tell } = request;
  return await changeState(request, AbortSignal.timeout(CHANGE_WAIT_MS), (state) => {
    const others = (state.held ?? []).filter((held) => held !== project);
    const isHeld = others.length < (state.held ?? []).length;
    if (hold === isHeld) return state;
    if (!hold) {
      tell("info", "unheld", { project });
      return { ...state, held: others };
    }
    const eggs = state.active?.eggs ?? {};
    if (!Object.hasOwn(eggs, project)) {
      throw new TransmuteError(
        "egg-not-active",
        `Cannot hold ${project}: it is not active, found ${
          Object.keys(eggs).join(", ") || "nothing"
        }`,
        { hint: "Only what is active can be held" },
      );
    }
    tell("info", "held", { project, version: eggs[project].version });
    return { ...state, held: [...others, project] };
  });
}
