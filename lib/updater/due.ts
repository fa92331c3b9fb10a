/**
 * An update that is due, within its budget: what is done when it is spent, and what the program is
 * told.
 *
 * @module
 */

import { isTransmuteError, TransmuteError } from "../errors.ts";
import type { ScheduleAnswer } from "../model/schedule.ts";
import { isCheckDue } from "../model/schedule.ts";
import type { State } from "../model/state.ts";
import type { UpdateReport } from "../report.ts";
import { watchConnections } from "../runtime/connections.ts";
import type { Remainder } from "./handover.ts";
import type { UpdateRequest, UpdateResult } from "./request.ts";

/**
 * The part of the budget for which everything is waited for. After it, what has arrived is used,
 * and storing it needs the rest.
 */
const PATIENCE = 2 / 3;

/** An update that is due. */
export interface DueUpdate {
  request: UpdateRequest;
  answer: ScheduleAnswer & { due: true };
  budgetMs: number;
  /** Resolves when the budget is spent; never when there is nothing to run on. */
  spent: Promise<null>;
  /** What another process needs to go on, should that come to it. */
  remainder: Remainder;
}

/** What an update that was due came to, as far as the program is concerned. */
export interface DueEnd {
  /** The state from now on; absent where the program keeps what it had. */
  state?: State;
  told: Pick<UpdateReport, "outcome" | "reason" | "background">;
  problems: TransmuteError[];
  /** Clears up; for when the program goes on. */
  afterwards?(): Promise<void>;
}

/**
 * Runs an update that is due, for as long as the budget lasts.
 *
 * @throws {TransmuteError} when it failed and there is nothing to run on
 */
export async function updateDue(update: DueUpdate): Promise<DueEnd> {
  const { answer: { usable }, request: { question, options, tell } } = update;
  if (!usable || question.force) return await runDue(update);
  const { pauseOf } = await import("./pause.ts");
  const pausing = { ...question, pause: pauseOf(options) };
  const answer = isCheckDue(pausing);
  if (!answer.due) {
    tell("debug", "unchanged", { reason: answer.reason });
    return { told: { outcome: "unchanged", reason: answer.reason }, problems: [] };
  }
  return await runDue({ ...update, answer, request: { ...update.request, question: pausing } });
}

async function runDue(update: DueUpdate): Promise<DueEnd> {
  const { request, answer: { usable }, budgetMs, spent } = update;
  const stop = new AbortController();
  const patience = new AbortController();
  let begun = false;
  const losePatience = usable
    ? setTimeout(() => {
      patience.abort();
      // What is needed when the budget is spent is loaded before.
      prepareHandOver(update).catch(() => {});
    }, budgetMs * PATIENCE)
    : undefined;
  const progress = usable ? null : await showProgress(request);
  const connections = await watchConnections();
  const running = connections.run(async () => {
    const { updateNow } = await import("./update.ts");
    return await updateNow({
      ...request,
      ...progress?.request,
      signal: stop.signal,
      ...(usable ? { patience: patience.signal } : {}),
      onBegin: () => begun = true,
    });
  });
  try {
    const result = await Promise.race([running, spent]);
    if (result !== null) {
      connections.letGo();
      return await endOf(result, update);
    }
    // What is still under way ends by the signal; its failure is this one's.
    running.catch(() => {});
    // A process that only waited for another one leaves nothing behind.
    const background = begun ? await handOver(update, { holdsLock: true }) : "off";
    if (background !== "promise") {
      stop.abort(new TransmuteError("source-timeout", `Cannot go on: ${budgetMs} ms are spent`));
      connections.letGo();
    }
    const end = deferred(update, background === "promise" ? "in-process" : background);
    // The program may end before what is under way does.
    if (begun) (await import("./change_state.ts")).writeHistory(request);
    return end;
  } catch (error) {
    connections.letGo();
    if (!usable || !isTransmuteError(error)) throw error;
    const reason = error.code === "activation-vetoed" ? "vetoed" : "source-failed";
    return { told: { outcome: "unchanged", reason }, problems: [error] };
  } finally {
    clearTimeout(losePatience);
    progress?.end();
  }
}

async function showProgress(request: DueUpdate["request"]) {
  const { startProgress } = await import("./progress.ts");
  return startProgress(request);
}

async function prepareHandOver({ request, remainder }: DueUpdate): Promise<void> {
  const { prepareHandOver } = await import("./handover.ts");
  await prepareHandOver(request, remainder);
}

async function handOver(update: DueUpdate, given: { holdsLock: boolean }) {
  const { handOver } = await import("./handover.ts");
  return await handOver(update.request, update.remainder, given);
}

function deferred(
  { request: { tell }, budgetMs }: DueUpdate,
  background: "process" | "in-process" | "off",
): DueEnd {
  tell("info", "deferred", { budgetMs, background });
  return { told: { outcome: "deferred", background }, problems: [] };
}

async function endOf(
  { state, plan, problems, unfinished, afterwards }: UpdateResult,
  update: DueUpdate,
): Promise<DueEnd> {
  const { tell, question } = update.request;
  const way = unfinished ? await handOver(update, { holdsLock: false }) : null;
  const background = way === null ? {} : { background: way === "promise" ? "off" as const : way };
  if (state.active?.generation !== question.state.active?.generation) {
    const told = { outcome: "updated" as const, ...background };
    return { state, told, problems, ...(afterwards === undefined ? {} : { afterwards }) };
  }
  const { reasonOf } = await import("./plan.ts");
  const reason = plan === null ? "already-newest" : reasonOf(plan);
  tell("debug", "unchanged", { reason });
  return { state, told: { outcome: "unchanged", reason, ...background }, problems };
}
