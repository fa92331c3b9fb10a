/**
 * What a start looks after before anything else, when the state is damaged or the active generation
 * has not proven itself: so that it goes on with something that works.
 *
 * @module
 */

import { describeError } from "../errors.ts";
import type { Generation, RolledBack, State } from "../model/state.ts";
import { newestProvenAncestor } from "../store/ancestors.ts";
import { countFailedStarts, removeEndedLeases, settleLeases } from "../store/leases.ts";
import { isProven, readRejection } from "../store/marks.ts";
import { readState } from "../store/state.ts";
import { changeState, recoveredState, writeHistory } from "./change_state.ts";
import { tidyConfirmed } from "./confirm.ts";
import { goBack } from "./rollback.ts";
import type { UpdateRequest } from "./request.ts";

/** How long a start waits to write that it goes back; it goes back without that too. */
const ROLLBACK_WAIT_MS = 200;

/** What a start goes on with. */
export interface Settled {
  state: State;
  rolledBack?: RolledBack;
}

/** Recovers a damaged state; rolls back what failed too often; tidies what is confirmed. */
export async function settle(
  request: UpdateRequest,
  { state, damaged }: { state: State; damaged: boolean },
): Promise<Settled> {
  const current = damaged ? await recover(request) : state;
  const { active } = current;
  if (active?.probation === undefined) return { state: current };
  if (isProven(request.paths, active)) {
    return { state: await tidyConfirmed(request, current) };
  }
  const reason = reasonToGoBack(request, active);
  if (reason !== null) return await leave(request, current, reason);
  forget(() => removeEndedLeases(request.paths, request.options.now()));
  return { state: current };
}

/** A disk that takes no new state is no reason to keep a program from running. */
async function recover(request: UpdateRequest): Promise<State> {
  try {
    return await changeState(request, AbortSignal.timeout(ROLLBACK_WAIT_MS), (state) => state);
  } catch {
    return recoveredState(request);
  }
}

function reasonToGoBack(
  { paths, options }: UpdateRequest,
  { generation }: Generation,
): string | null {
  const rejection = readRejection(paths, generation);
  if (rejection !== null) return rejection.reason;
  if (options.probationStarts === 0) return null;
  const { count, lastReason } = countFailedStarts(paths, generation, options.now(), {
    note: true,
  });
  if (count < options.probationStarts) return null;
  return `${count} ${count === 1 ? "start" : "starts"} failed; the last: ${lastReason}`;
}

async function leave(request: UpdateRequest, state: State, reason: string): Promise<Settled> {
  const { paths, requirements, question, tell } = request;
  const from = state.active!;
  const needs = { requirements, platform: question.platform };
  const target = await newestProvenAncestor(paths, from, needs);
  if (target === null) {
    // Better a generation that fails than none: perhaps what fails is not its fault.
    tell("warn", "nothing-to-roll-back-to", { generation: from.generation, reason });
    writeHistory(request);
    // Told; counting begins anew, so that what failing starts leave does not grow for ever.
    forget(() => settleLeases(paths, from.generation, request.options.now()));
    return { state };
  }
  try {
    const wait = AbortSignal.timeout(ROLLBACK_WAIT_MS);
    const result = await goBack(
      request,
      wait,
      reason,
      ({ active }) => Promise.resolve(active?.generation === from.generation ? target : null),
    );
    // Another process went back, or on, meanwhile.
    return result ?? { state: readState(paths).state };
  } catch (error) {
    // The disk or another process keeps this from being written: this start goes back by itself.
    const message = describeError(error);
    tell("warn", "fell-back", { from: from.generation, to: target.generation, message });
    const { probation: _probation, ...active } = target;
    const rolledBack = { from: from.generation, to: target.generation, reason };
    return { state: { ...state, active }, rolledBack };
  }
}

/** Leases that a disk does not let go are no reason to keep a program from running. */
function forget(remove: () => void): void {
  try {
    remove();
  } catch { /* a later start will */ }
}
