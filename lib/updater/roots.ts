/**
 * Stage: which release of each required project is wanted, asked of all sources at once.
 *
 * @module
 */

import { isTransmuteError } from "../errors.ts";
import type { TransmuteError } from "../errors.ts";
import type { Tell } from "../model/event.ts";
import type { Requirement } from "../model/requirement.ts";
import { isOfScheme } from "../model/requirement.ts";
import type { ActiveEgg, Generation } from "../model/state.ts";
import type { TrustPolicy } from "../model/trust.ts";
import { compareVersions, isValidRange, satisfiesRange } from "../model/version.ts";
import type { Source } from "../sources/source.ts";
import type { StorePaths } from "../store/cache.ts";
import type { Catalog, Selected } from "./catalog.ts";
import type { PassedOver } from "./select.ts";
import { noMatchingVersion } from "./tree.ts";

/** A source and whether the application declared it or a requirement's prefix implied it. */
export interface DeclaredSource {
  source: Source;
  implied: boolean;
  /** As the application wrote it; absent where it gave the source itself. */
  address?: string;
  /** Milliseconds between questions to it, where that differs from the application's. */
  checkEveryMs?: number;
  /** How far the application trusts it, where it says so of this source alone. */
  trust?: TrustPolicy;
}

/** The question that a resolution answers. */
export interface ResolveQuestion {
  requirements: Requirement[];
  sources: DeclaredSource[];
  strategy: "first" | "best";
  /** Ids of the sources that may be asked about what is already active. */
  due: Set<string>;
  /** What is active and may stay, if anything. */
  active: Generation | null;
  /** Projects that stay while what is active of them meets the requirements. */
  held?: Set<string>;
  catalog: Catalog;
  tell: Tell;
  /** Fires when nobody is waited for any longer who keeps others' news from being used. */
  patience?: AbortSignal;
  /** What Python eggs are resolved with; without it there are none. */
  python?: PythonSettings;
}

/** What resolving Python eggs needs of its surroundings. */
export interface PythonSettings {
  paths: StorePaths;
  /** The application's choice of an interpreter. */
  python?: string;
}

/** Why what is active stays. */
export type KeptReason =
  | "not-due"
  | "already-newest"
  | "held-by-requirement"
  | "held"
  | "source-failed";

/** Everything that is decided about one project that the application requires. */
export interface Root {
  project: string;
  requirements: Requirement[];
  sources: Source[];
  active: ActiveEgg | null;
  selected: Selected | null;
  /** Newer releases that were not selected, and why. */
  passedOver: PassedOver[];
  /** Why the active egg stays. */
  kept: KeptReason | null;
  /** Only an older version than the active one is offered. */
  refusesDowngrade: boolean;
  /** Its sources were not waited for. */
  abandoned: boolean;
}

/** Where a project may come from: its own active source, its prefix's, or those declared. */
export function sourcesFor(
  requirements: Requirement[],
  { sources, strategy }: ResolveQuestion,
  active: ActiveEgg | null,
): Source[] {
  const scheme = requirements.find((requirement) => requirement.scheme !== undefined)?.scheme;
  const eligible = sources
    .filter(({ source, implied }) =>
      scheme === undefined ? !implied : isOfScheme(source.id, scheme)
    )
    .map(({ source }) => source);
  if (strategy === "best") return eligible;
  const bound = eligible.filter((source) => source.id === active?.source);
  return bound.length > 0 ? bound : eligible;
}

function meets(version: string, requirements: Requirement[]): boolean {
  return requirements.every(({ range }) =>
    // What a tag means is not known without asking; what it meant stays good.
    !isValidRange(range) || satisfiesRange(version, range, { prereleases: true })
  );
}

/** All roots of the requirements, by project. */
export function rootsOf(question: ResolveQuestion): Root[] {
  const byProject = new Map<string, Requirement[]>();
  for (const requirement of question.requirements) {
    const others = byProject.get(requirement.project) ?? [];
    byProject.set(requirement.project, [...others, requirement]);
  }
  return Array.from(byProject, ([project, requirements]) => {
    const recorded = question.active?.eggs[project] ?? null;
    const active = recorded !== null && meets(recorded.version, requirements) ? recorded : null;
    return {
      project,
      requirements,
      active,
      sources: sourcesFor(requirements, question, recorded),
      selected: null,
      passedOver: [],
      kept: null,
      refusesDowngrade: false,
      abandoned: false,
    };
  });
}

/** Selects for one root; what is active stays when nothing better can be had. */
async function selectRoot(root: Root, question: ResolveQuestion): Promise<TransmuteError | null> {
  const { catalog, tell } = question;
  const { project, active } = root;
  const failed = (error: TransmuteError) => {
    if (active === null) throw error;
    root.kept = "source-failed";
    return error;
  };
  let selection;
  try {
    selection = await catalog.select(project, rangesOf(root), root.sources, {
      than: active?.version,
      isExecutable: isExecutable(root),
    });
  } catch (error) {
    if (root.abandoned) return null;
    if (!isTransmuteError(error)) throw error;
    return failed(error);
  }
  if (root.abandoned) return null;
  const { selected, notNewer, passedOver, failure } = selection;
  root.selected = selected;
  root.passedOver = passedOver;
  if (selected !== null) return null;
  if (active === null || (notNewer === null && failure !== null)) {
    const text = root.requirements.map((requirement) => requirement.text).join('" and "');
    return failed(noMatchingVersion({ project, text }, selection));
  }
  // Of equal versions the active one stays; so it does when all that is newer was refused.
  root.kept = passedOver.some(({ reason }) => reason.startsWith("does not satisfy"))
    ? "held-by-requirement"
    : "already-newest";
  if (notNewer !== null && compareVersions(notNewer.release.version, active.version) < 0) {
    root.refusesDowngrade = true;
    tell("warn", "downgrade-refused", {
      source: notNewer.source.id,
      egg: `${project}@${notNewer.release.version}`,
      active: active.version,
    });
  }
  return null;
}

/**
 * Selects for all of them at once. When patience ends, what brings news does not wait for what has
 * no answer yet and can stay as it is.
 */
export async function selectAll(
  roots: Root[],
  question: ResolveQuestion,
): Promise<TransmuteError[]> {
  const { patience, catalog } = question;
  const problems = new Map<Root, TransmuteError>();
  const pending = new Map(roots.map((root) => {
    const selecting = selectRoot(root, question).then((problem) => {
      pending.delete(root);
      if (problem !== null) problems.set(root, problem);
    });
    return [root, selecting];
  }));
  const all = Promise.all(pending.values());
  const mayLeave = () =>
    roots.some(({ selected }) => selected !== null) &&
    [...pending.keys()].every(({ active }) => active !== null);
  await (patience === undefined ? all : Promise.race([all, fired(patience)]));
  while (pending.size > 0 && !mayLeave()) await Promise.race(pending.values());
  if (pending.size > 0) {
    all.catch(() => {});
    catalog.giveUpWaiting();
    for (const root of pending.keys()) {
      root.abandoned = true;
      root.kept = "source-failed";
      const failure = root.sources.map(({ id }) => catalog.failures.get(id)).find((it) => it);
      if (failure !== undefined) problems.set(root, failure);
    }
  }
  return roots.flatMap((root) => problems.get(root) ?? []);
}

/** Resolves when the signal fires. */
export function fired(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
}

/** Whether a root is a program, which a wheel may hold too. */
export function isExecutable({ requirements }: Root): boolean {
  return requirements.some((requirement) => requirement.isExecutable);
}

/** Every range that a root's release must meet. */
export function rangesOf({ requirements }: Root): string[] {
  return [...new Set(requirements.map(({ range }) => range))];
}
