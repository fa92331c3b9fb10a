/**
 * Stage: the full list of what an update will do, as a value. Pure.
 *
 * @module
 */

import type { Generation } from "../model/state.ts";
import { compareVersions } from "../model/version.ts";
import type { Resolution } from "./resolve.ts";
import { rootEgg } from "./resolve.ts";
import type { KeptReason } from "./roots.ts";
import type { PassedOver } from "./select.ts";

/** One project that the application requires, before and after. */
export interface PlannedEgg {
  /** The project's name; `python:` before that of a Python project. */
  project: string;
  /** The active version, or `null` when it is new. */
  from: string | null;
  /** The version that will be active. */
  to: string;
  /** Where it comes from: a source's address without credentials. */
  source: string;
  /** Why it stays as it is; absent when it changes. */
  kept?: KeptReason;
  /** Versions newer than `to` that are offered and not taken, the newest first, and why. */
  passedOver: PassedOver[];
}

/** What an update will do. */
export interface Plan {
  /** True when the update will make a new generation. */
  changes: boolean;
  /** Every required project, in the order of the requirements. */
  eggs: PlannedEgg[];
  /** Every egg that new closures hold, as `name@version`, sorted. */
  contents: string[];
  /** Requirements that cannot be met newly, though something active serves: why, in words. */
  problems: string[];
}

/** Puts a resolution into words and values for the application. */
export function planOf(resolution: Resolution, active: Generation | null): Plan {
  const eggs: PlannedEgg[] = [];
  const passedOver = (name: string, to: string) => {
    const all = resolution.passedOver.get(name) ?? [];
    // Of Python eggs, they were compared by the rules of their own world already.
    return name.startsWith("python:")
      ? all
      : all.filter(({ version }) => compareVersions(version, to) > 0);
  };
  for (const closure of resolution.closures) {
    for (const project of closure.roots) {
      const { egg, name } = rootEgg(closure, project);
      eggs.push({
        project: name,
        from: active?.eggs[name]?.version ?? null,
        to: egg.release.version,
        source: egg.source.id,
        passedOver: passedOver(name, egg.release.version),
      });
    }
  }
  for (const [project, { egg, reason }] of resolution.kept) {
    eggs.push({
      project,
      from: egg.version,
      to: egg.version,
      source: egg.source,
      kept: reason,
      passedOver: passedOver(project, egg.version),
    });
  }
  const contents = new Set(
    resolution.closures.flatMap(({ eggs: placed }) =>
      placed.map(({ release }) => `${release.project}@${release.version}`)
    ),
  );
  return {
    changes: resolution.closures.length > 0 ||
      Object.keys(active?.eggs ?? {}).some((project) => !resolution.kept.has(project)),
    eggs,
    contents: [...contents].sort(),
    problems: resolution.problems.map((problem) => problem.message),
  };
}

/** The one reason to give when nothing changes: the weightiest of the eggs' reasons. */
export function reasonOf(plan: Plan): KeptReason {
  const reasons = new Set(plan.eggs.map((egg) => egg.kept));
  for (
    const reason of ["source-failed", "held-by-requirement", "held", "already-newest"] as const
  ) {
    if (reasons.has(reason)) return reason;
  }
  return "not-due";
}
