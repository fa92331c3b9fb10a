/**
 * Confirming a generation: from then on later ones may fall back to it.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { Generation, State } from "../model/state.ts";
import { diskFailure } from "../store/files.ts";
import { settleLeases } from "../store/leases.ts";
import { markConfirmed } from "../store/marks.ts";
import { changeState } from "./change_state.ts";
import type { UpdateRequest } from "./request.ts";

/**
 * Confirms the active generation.
 *
 * @throws {TransmuteError} `egg-not-active`, `disk-failure`
 */
export async function confirmNow(request: UpdateRequest, reason: string): Promise<State> {
  const { paths, options, question: { state }, tell } = request;
  const { active } = state;
  if (active === null) {
    throw new TransmuteError("egg-not-active", "Cannot confirm: nothing is active", {
      hint: "Await update() first",
    });
  }
  const { generation } = active;
  try {
    if (active.probation !== undefined && markConfirmed(paths, generation, reason)) {
      tell("info", "confirmed", { generation, reason });
      settleLeases(paths, generation, options.now());
    }
  } catch (error) {
    throw diskFailure(`confirm generation ${generation}`, error);
  }
  return await tidyConfirmed(request, state);
}

/**
 * Takes the note of probation out of the state, so that starts need not look at the mark. Left to a
 * later start when another process is updating or the disk does not take it.
 */
export async function tidyConfirmed(request: UpdateRequest, state: State): Promise<State> {
  const confirmed = state.active!.generation;
  try {
    await changeState(
      request,
      AbortSignal.abort(),
      (current) => current.active?.generation === confirmed ? withoutProbation(current) : current,
    );
  } catch { /* the mark counts, whatever the state says */ }
  return withoutProbation(state);
}

function withoutProbation(state: State): State {
  if (state.active?.probation === undefined) return state;
  const { probation: _probation, ...active }: Generation = state.active;
  return { ...state, active };
}
