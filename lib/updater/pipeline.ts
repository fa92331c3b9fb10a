/**
 * The work of an update, in order: ask, plan, fetch, prove, store, switch.
 *
 * @module
 */

import { isTransmuteError } from "../errors.ts";
import type { Requirement } from "../model/requirement.ts";
import { requirementKey } from "../model/requirement.ts";
import { isUsable } from "../model/schedule.ts";
import type { ActiveEgg, Generation, State } from "../model/state.ts";
import { runtime } from "../runtime/current.ts";
import type { StorePaths } from "../store/cache.ts";
import { writeState } from "../store/generations.ts";
import { withInterpreter } from "../store/interpreter_look.ts";
import { openListings } from "../store/listings.ts";
import { openPartials } from "../store/partials.ts";
import { closureFolder } from "../store/state.ts";
import { Catalog } from "./catalog.ts";
import { collectAfterUpdate } from "./collect.ts";
import { declarationOf } from "./declaration.ts";
import { EggFetcher, RefusedCandidate } from "./fetch.ts";
import type { Plan } from "./plan.ts";
import { planOf } from "./plan.ts";
import type { Asked } from "./record.ts";
import { withAnswers } from "./record.ts";
import type { UpdateRequest, UpdateResult } from "./request.ts";
import { resolve } from "./resolve.ts";
import type { Underway } from "./store_closures.ts";
import { storeClosures } from "./store_closures.ts";
import { pythonOf, switchTo } from "./switch.ts";
import { trustedSources } from "./trusted_sources.ts";

/** Asks and plans; changes nothing on the disk. */
export async function checkNow(request: UpdateRequest): Promise<Plan> {
  const { catalog, sources } = await openCatalog(request, request.question.state, null);
  const due = new Set(request.sources.map(({ source }) => source.id));
  const resolution = await resolve({
    ...request,
    sources,
    strategy: request.options.strategy,
    due,
    active: request.question.state.active,
    held: new Set(request.question.state.held),
    catalog,
    python: pythonSettings(request),
  });
  return planOf(resolution, request.question.state.active);
}

function pythonSettings({ paths, options: { python } }: UpdateRequest) {
  return { paths, ...(python === undefined ? {} : { python }) };
}

/** What is active without the eggs whose files something removed: those are brought again. */
function withPresentEggs(active: Generation | null, paths: StorePaths): Generation | null {
  if (active === null) return null;
  const present = Object.entries(active.eggs)
    .filter(([, { closure }]) => runtime.status(closureFolder(paths, closure)) !== null);
  return { ...active, eggs: Object.fromEntries(present) };
}

async function openCatalog(request: UpdateRequest, state: State, store: StorePaths | null) {
  const { paths, options, signal, tell, question } = request;
  const listings = openListings(paths);
  const context = {
    signal,
    fetch: options.fetch,
    // A check writes nothing, not even what a source answered.
    listings: store === null ? { ...listings, write() {} } : listings,
    ...(store === null ? {} : { partials: openPartials(store) }),
    maxDownloadBytes: options.maxDownloadBytes,
    tell,
  };
  const { maxUnpackedBytes, strategy } = options;
  const fetcher = new EggFetcher({ context, maxUnpackedBytes, tell, store });
  const catalog = new Catalog({
    context,
    strategy,
    fetcher,
    tell,
    platform: question.platform,
    nodeVersion: runtime.nodeVersion(),
    refused: state.refused,
  });
  const sources = await trustedSources(request.sources, {
    paths,
    writable: store !== null,
    policy: options.trust,
    channel: options.channel,
    platform: question.platform,
    state,
    now: options.now,
    tell,
  });
  return { catalog, fetcher, sources };
}

/**
 * Does the work, under the lock.
 *
 * @param state as it is now
 * @param due ids of the sources to ask
 * @throws {TransmuteError} when it failed; what was active is untouched
 */
export async function updateLocked(
  request: UpdateRequest,
  state: State,
  due: Set<string>,
): Promise<UpdateResult> {
  const { paths, requirements, question, tell, signal } = request;
  const { catalog, fetcher, sources } = await openCatalog(request, state, paths);
  const usable = isUsable({ ...question, state });
  const active = withPresentEggs(state.active, paths);
  const patience = request.patience === undefined ? {} : { patience: request.patience };
  const underway: Underway = new Map();
  const recorded = (asked: Pick<Asked, "finished" | "unfinished">) => ({
    ...withAnswers(state, { due, catalog, timeSpent: signal.aborted, ...asked }, request),
    declared: declarationOf(request),
  });
  let next = state;
  try {
    while (true) {
      try {
        const resolution = await resolve({
          requirements,
          sources,
          strategy: request.options.strategy,
          due,
          active,
          held: new Set(state.held),
          catalog,
          tell,
          python: pythonSettings(request),
          ...patience,
        });
        const eggs = await storeClosures(resolution, {
          paths,
          fetcher,
          tell,
          signal,
          usable: usable ? active : null,
          underway,
          ...patience,
        });
        const { unfinished, problems } = resolution;
        for (const problem of problems) catalog.blame(problem);
        const plan = planOf(resolution, active);
        next = recorded({ finished: true, unfinished });
        if (plan.changes && !isSame(state.active, eggs, pythonOf(resolution, eggs, active))) {
          // Even when the budget is spent by now: the switch is for the next start.
          const switched = await switchTo(request, next, { resolution, eggs, before: active });
          if (switched === null) {
            // What was stored is to be stored again.
            underway.clear();
            continue;
          }
          next = switched;
        } else {
          const kept = withRequirements(next, requirements);
          next = { ...next, active: kept, ...withInterpreter(kept, request.options.python) };
          writeState(paths, next);
        }
        const refused = catalog.refused.slice(state.refused.length);
        const collects = next.collectedAt !== state.collectedAt;
        return {
          state: next,
          plan,
          refused,
          problems,
          unfinished: unfinished.size > 0,
          ...(collects ? { afterwards: () => collectAfterUpdate(request) } : {}),
        };
      } catch (error) {
        // The next best takes the place of what failed its proof.
        if (!(error instanceof RefusedCandidate)) throw error;
        for (const refused of [error, ...error.others]) catalog.refuse(refused);
      }
    }
  } catch (error) {
    // What was learnt is kept: a failing source rests, a refused egg is not fetched again. Whoever
    // vetoed is asked again at the next start.
    if (isTransmuteError(error, "activation-vetoed")) throw error;
    if (isTransmuteError(error)) catalog.blame(error);
    writeState(paths, recorded({ finished: false }));
    throw error;
  }
}

/** Whether these are the active eggs: brought again, and no other set, nor for another Python. */
function isSame(
  active: Generation | null,
  eggs: Record<string, ActiveEgg>,
  { python }: Pick<Generation, "python">,
): boolean {
  const closures = (set: Record<string, ActiveEgg>) =>
    JSON.stringify(Object.entries(set).map(([project, { closure }]) => [project, closure]).sort());
  return active !== null && closures(active.eggs) === closures(eggs) &&
    JSON.stringify(active.python) === JSON.stringify(python);
}

/** The active generation also meets requirements that were written otherwise before. */
function withRequirements(state: State, requirements: Requirement[]): State["active"] {
  return state.active === null
    ? null
    : { ...state.active, requirements: requirements.map(requirementKey) };
}
