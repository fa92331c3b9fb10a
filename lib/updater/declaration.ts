/**
 * Writing down what an application asks for, as far as that can be: a command that is told nothing
 * else asks the same in its place.
 *
 * @module
 */

import { requirementKey } from "../model/requirement.ts";
import type { Declaration } from "../model/state.ts";
import type { UpdateRequest } from "./request.ts";

/** What is recorded of an application's own wishes. */
export function declarationOf(
  { options, requirements, sources }: Pick<UpdateRequest, "options" | "requirements" | "sources">,
): Declaration {
  const { strategy, checkEveryMs, keepGenerations, verify, smoke, beforeActivate, trust } = options;
  // What a source is trusted by, such as a root, comes with the application and not from the store.
  const demands = sources.some((source) => source.trust !== undefined) ||
    Object.keys(trust).length > 0;
  const hooks = demands || [verify, smoke, beforeActivate].some((hook) => hook !== undefined);
  return {
    requirements: requirements.map(requirementKey),
    // Those that a prefix implies are implied again whenever the requirement is read.
    sources: sources.filter(({ implied }) => !implied).map(({ source }) => source.id),
    ...(strategy === "best" ? { strategy } : {}),
    checkEveryMs,
    keepGenerations,
    ...(hooks ? { hooks } : {}),
  };
}
