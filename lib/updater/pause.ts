/**
 * Whether starts look for updates by themselves: the user's word, then the application's, then
 * whether this is an automatic build.
 *
 * @module
 */

import type { Pause } from "../model/schedule.ts";
import type { ResolvedOptions } from "../options.ts";
import { optionalVariable } from "../runtime/beside.ts";

/** The user's word to this and other tools; the first may also be `0`. */
export const OPT_OUT_VARIABLES = ["TRANSMUTE_NO_UPDATE", "NO_UPDATE_NOTIFIER"] as const;

/** What the usual services set in automatic builds, most of them the first. */
export const CI_VARIABLES = [
  "CI",
  "CONTINUOUS_INTEGRATION",
  "TF_BUILD",
  "TEAMCITY_VERSION",
  "JENKINS_URL",
  "CODEBUILD_BUILD_ID",
] as const;

/** Whether a variable says yes: anything but nothing, `0` and `false`. */
function saysYes(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "0" && value.toLowerCase() !== "false";
}

/**
 * Why this start asks no more than it must; `null` when it does not hold back. A variable that may
 * not be read counts as not set.
 *
 * @param read for tests: reads a variable
 */
export function pauseOf(
  { automatic }: Pick<ResolvedOptions, "automatic">,
  read: (name: string) => string | undefined = optionalVariable,
): Pause | null {
  const own = read(OPT_OUT_VARIABLES[0]);
  if (own !== undefined && own !== "") return saysYes(own) ? "opted-out" : null;
  if (saysYes(read(OPT_OUT_VARIABLES[1]))) return "opted-out";
  if (automatic !== undefined) return automatic ? null : "opted-out";
  return CI_VARIABLES.some((name) => saysYes(read(name))) ? "in-ci" : null;
}
