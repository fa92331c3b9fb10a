/**
 * Stage: from stored eggs to the active generation, if the application agrees.
 *
 * @module
 */

import { requirementKey } from "../model/requirement.ts";
import { abiOf } from "../model/python.ts";
import type { ActiveEgg, Generation, State } from "../model/state.ts";
import type { GenerationContent } from "../store/generations.ts";
import { isWhole, recordGeneration, removeGeneration, withTrial } from "../store/generations.ts";
import { withInterpreter } from "../store/interpreter_look.ts";
import { activate } from "./activate.ts";
import { isCollectionDue } from "./collect.ts";
import { afterActivation, beforeActivation, smokeTest, verifyEggs } from "./judge.ts";
import type { UpdateRequest } from "./request.ts";
import type { Resolution } from "./resolve.ts";

/** What is to become active. */
export interface NextEggs {
  resolution: Resolution;
  eggs: Record<string, ActiveEgg>;
  /** What is active and present. */
  before: Generation | null;
}

/**
 * Makes eggs that are stored the active generation. `null` when another application that was
 * clearing up has taken one of their closures for nobody's: it is to be stored again.
 *
 * @throws {RefusedCandidate} when a hook or the smoke command refuses an egg
 * @throws {TransmuteError} `activation-vetoed`, `disk-failure`
 */
export async function switchTo(
  request: UpdateRequest,
  state: State,
  { resolution, eggs, before }: NextEggs,
): Promise<State | null> {
  const { paths, options, requirements, question, tell } = request;
  await verifyEggs(request, resolution, eggs, before);
  const at = options.now();
  const content: GenerationContent = {
    parent: state.active?.generation ?? null,
    createdAt: new Date(at).toISOString(),
    platform: question.platform,
    requirements: requirements.map(requirementKey),
    eggs,
    ...pythonOf(resolution, eggs, before),
    ...(options.probationStarts > 0 ? { probation: true } : {}),
  };
  if (options.smoke !== undefined || options.beforeActivate !== undefined) {
    await withTrial(paths, content, async (trial) => {
      await smokeTest(request, resolution, trial, before);
      await beforeActivation(request, state.active, trial);
    });
  }
  const generation = recordGeneration(paths, content);
  if (!isWhole(paths, generation)) {
    removeGeneration(paths, generation.generation);
    return null;
  }
  const collects = state.active !== null && isCollectionDue(state, at);
  const noted = {
    ...state,
    ...withInterpreter(generation, options.python),
    ...(collects ? { collectedAt: at } : {}),
  };
  const next = activate(paths, noted, generation, tell);
  await afterActivation(request, state.active, generation);
  return next;
}

/** The interpreter of the Python eggs, if there are any: the new ones', or that of those that stay. */
export function pythonOf(
  { closures }: Resolution,
  eggs: Record<string, ActiveEgg>,
  before: Generation | null,
): Pick<Generation, "python"> {
  const chosen = closures.find(({ interpreter }) => interpreter !== undefined)?.interpreter;
  if (chosen !== undefined) {
    const { path, version } = chosen;
    return { python: { path, version, abi: abiOf(chosen) } };
  }
  const hasSome = Object.keys(eggs).some((name) => name.startsWith("python:"));
  return hasSome && before?.python !== undefined ? { python: before.python } : {};
}
