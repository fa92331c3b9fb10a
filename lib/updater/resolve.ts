/**
 * Stage: which release of every requirement is wanted, which stay as they are, and which change
 * together. Asks the catalog, writes nothing.
 *
 * @module
 */

import { isTransmuteError, TransmuteError } from "../errors.ts";
import type { Interpreter } from "../model/python.ts";
import type { Requirement } from "../model/requirement.ts";
import { asPython, recordedName } from "../model/requirement.ts";
import type { ActiveEgg } from "../model/state.ts";
import { isValidRange, satisfiesRange } from "../model/version.ts";
import type { KeptReason, ResolveQuestion, Root } from "./roots.ts";
import { isExecutable, rangesOf, rootsOf, selectAll } from "./roots.ts";
import type { PassedOver } from "./select.ts";
import type { PlacedEgg } from "./tree.ts";
import { growTree, noMatchingVersion } from "./tree.ts";

/** Eggs that share one closure and its full tree. */
export interface ResolvedClosure {
  /** The projects imported from it. */
  roots: string[];
  eggs: PlacedEgg[];
  /** The interpreter that Python eggs are for; absent of eggs of JavaScript. */
  interpreter?: Interpreter;
}

/** The egg of a root, and the name that it is recorded under. */
export function rootEgg(
  { eggs, interpreter }: ResolvedClosure,
  project: string,
): { egg: PlacedEgg; name: string } {
  const isPython = interpreter !== undefined;
  const egg = eggs.find(({ location, release }) =>
    isPython ? release.project === project : location === `node_modules/${project}`
  )!;
  return { egg, name: recordedName(isPython ? "python" : "js", project) };
}

/** What is to be active next. */
export interface Resolution {
  /** By project: eggs that stay. */
  kept: Map<string, { egg: ActiveEgg; reason: KeptReason }>;
  closures: ResolvedClosure[];
  /** By project: newer releases that are not taken, and why. */
  passedOver: Map<string, PassedOver[]>;
  /** Requirements that are not met newly, though something active serves. */
  problems: TransmuteError[];
  /** Ids of the sources of what was left undone for lack of time. */
  unfinished: Set<string>;
}

/** Roots that must share a closure: they shared one before, or one is the other's peer. */
function groupRoots(roots: Root[]): Root[][] {
  const groups = roots.map((root) => [root]);
  const join = (one: Root, other: Root) => {
    const first = groups.findIndex((group) => group.includes(one));
    const second = groups.findIndex((group) => group.includes(other));
    if (first !== second) groups[first].push(...groups.splice(second, 1)[0]);
  };
  for (const one of roots) {
    for (const other of roots) {
      const peer = one.selected?.manifest.peerDependencies?.[other.project];
      const version = other.selected?.release.version ?? other.active?.version;
      const isPeer = peer !== undefined && version !== undefined && isValidRange(peer) &&
        satisfiesRange(version, peer);
      const shared = one.active !== null && one.active.closure === other.active?.closure;
      if (one !== other && (isPeer || shared)) join(one, other);
    }
  }
  // By the order of the requirements, whatever order they were joined in.
  return groups.map((group) => roots.filter((root) => group.includes(root)));
}

/**
 * Resolves all requirements to exact eggs.
 *
 * @throws {TransmuteError} for the first requirement that is met neither newly nor by what is
 * active: `no-matching-version`, `platform-unsupported`, `dependency-unsupported`, or the
 * source's own code
 */
export async function resolve(question: ResolveQuestion): Promise<Resolution> {
  const [js, python] = await byWorld(question);
  const resolution = await resolveJs({ ...question, requirements: js });
  if (python.length === 0) return resolution;
  const { resolvePythonEggs } = await import("./python_resolve.ts");
  const found = await resolvePythonEggs(question, python, question.python!);
  for (const [name, kept] of found.kept) resolution.kept.set(name, kept);
  for (const [name, passedOver] of found.passedOver) resolution.passedOver.set(name, passedOver);
  if (found.closure !== null) resolution.closures.push(found.closure);
  resolution.problems.push(...found.problems);
  return resolution;
}

/** The requirements of each world. Python's own code is loaded only when there may be some. */
async function byWorld(question: ResolveQuestion): Promise<[Requirement[], Requirement[]]> {
  const { requirements, active } = question;
  const listsPython = question.sources.some(({ source: { ecosystems = ["js"] } }) =>
    ecosystems.includes("python")
  );
  const open = requirements.filter(({ ecosystem, project }) =>
    ecosystem === null && listsPython && !Object.hasOwn(active?.eggs ?? {}, project)
  );
  const decided = open.length === 0
    ? new Map<Requirement, string>()
    : await (await import("./python_resolve.ts")).decideWorlds(question, open);
  const [js, python]: [Requirement[], Requirement[]] = [[], []];
  for (const requirement of requirements) {
    if (requirement.ecosystem === "python") python.push(requirement);
    else if (decided.get(requirement) === "python") python.push(asPython(requirement));
    else js.push(requirement);
  }
  return [js, python];
}

async function resolveJs(question: ResolveQuestion): Promise<Resolution> {
  const { catalog, tell } = question;
  const roots = rootsOf(question);
  const problems: TransmuteError[] = [];
  const isDue = (root: Root) =>
    root.active === null || root.sources.some((source) => question.due.has(source.id));
  for (const root of roots) {
    if (root.sources.length === 0 && root.active === null) {
      const { project, requirements: [{ text }] } = root;
      throw noMatchingVersion({ project, text }, { passedOver: [], answers: [], failure: null });
    }
    if (root.active !== null && question.held?.has(root.project)) root.kept = "held";
    else if (!isDue(root)) root.kept = "not-due";
  }
  const asked = roots.filter((root) => root.kept !== "held" && isDue(root));
  problems.push(...await selectAll(asked, question));

  const unfinished = new Set(
    roots.filter(({ abandoned }) => abandoned).flatMap((root) => root.sources.map(({ id }) => id)),
  );
  const passedOver = new Map(roots.map((root) => [root.project, root.passedOver]));
  const resolution: Resolution = {
    kept: new Map(),
    closures: [],
    passedOver,
    problems,
    unfinished,
  };
  for (const group of groupRoots(roots)) {
    const keepAll = (reason: KeptReason) => {
      for (const { project, active, kept } of group) {
        resolution.kept.set(project, { egg: active!, reason: kept ?? reason });
      }
    };
    // What shares a closure with a held project stays with it.
    const isHeld = group.some(({ kept }) => kept === "held") &&
      group.every(({ active }) => active !== null);
    if (isHeld || group.every(({ kept }) => kept !== null)) {
      keepAll("held");
      continue;
    }
    try {
      for (const root of group) {
        if (root.abandoned) throw noChangeWithout(root);
        // One member changes, so the closure does: the others' releases are needed again.
        root.selected ??= (await catalog.select(root.project, rangesOf(root), root.sources, {
          isExecutable: isExecutable(root),
        })).selected;
        if (root.selected === null || root.refusesDowngrade) throw noChangeWithout(root);
      }
      const settings = {
        catalog,
        sources: question.sources.filter(({ implied }) => !implied).map(({ source }) => source),
        tell,
      };
      const eggs = await growTree(group.map((root) => root.selected!), settings);
      resolution.closures.push({ roots: group.map((root) => root.project), eggs });
    } catch (error) {
      if (!isTransmuteError(error) || group.some((root) => root.active === null)) throw error;
      problems.push(error);
      keepAll("source-failed");
    }
  }
  return resolution;
}

function noChangeWithout(root: Root): TransmuteError {
  return new TransmuteError(
    "requirements-conflict",
    `Cannot update what shares a closure with ${root.project}: no release of it could be selected`,
  );
}
