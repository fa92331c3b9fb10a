/**
 * Which version of every Python project goes with all others: one version each, the newest that
 * the requirements of all admit.
 *
 * A search with backjumping: where nothing of a project is admitted, the search goes back to the
 * last decision that had a part in it, and tries that one's next version. It asks for the metadata
 * of what it decides on, and of nothing else.
 *
 * @module
 */

import { isTransmuteError, TransmuteError } from "../errors.ts";
import type { MarkerEnvironment, PythonManifest } from "../model/python.ts";
import { evaluateMarker } from "../model/python_marker.ts";
import type { PythonRequirement } from "../model/python_requirement.ts";
import { parsePythonRequirement } from "../model/python_requirement.ts";
import { satisfiesSpecifier } from "../model/python_version.ts";

/** More decisions than this are taken for a question without an answer. */
const MAX_DECISIONS = 20_000;

/** One version of a project that may be decided on. */
export interface Choice {
  version: string;
}

/** What the resolver asks of the world. */
export interface ResolverWorld<C extends Choice> {
  environment: MarkerEnvironment;
  /** What is there already and cannot be changed; its own requirements are taken to be met. */
  present(project: string): { version: string } | null;
  /**
   * What all specifiers admit of a project, in the order to try.
   *
   * @param from the project whose egg wants it, or `null` for the application
   */
  candidates(project: string, specifiers: readonly string[], from: string | null): Promise<C[]>;
  /** The metadata of a choice; `null` when it turned out that it cannot be taken. */
  manifest(project: string, choice: C): Promise<PythonManifest | null>;
  /** Why no version of a project that only the application wants can be taken. */
  explain?(project: string): TransmuteError;
  /** Told what is likely to be asked for soon. */
  foresee(project: string, from: string): void;
}

/** A requirement, and whose it is. */
interface Wish {
  requirement: PythonRequirement;
  /** The project whose egg has it; `null` for the application. */
  from: string | null;
  /** `boto3@1.40.0`, or `the application`. */
  owner: string;
}

interface Decision<C> {
  project: string;
  choices: C[];
  /** The place of the current choice. */
  at: number;
  manifest: PythonManifest;
  /** Projects that had a part in the failure of earlier choices. */
  blamed: Set<string>;
}

/** What was decided: by project, in the order of decisions. */
export type Resolved<C extends Choice> = Map<string, { choice: C; manifest: PythonManifest }>;

/** Why there is no answer: a project, and the wishes that no version of it meets. */
interface Conflict {
  project: string;
  wishes: Wish[];
}

const requirements = new WeakMap<PythonManifest, PythonRequirement[]>();

/** The requirements of an egg, parsed once. */
function requirementsOf(manifest: PythonManifest): PythonRequirement[] {
  let parsed = requirements.get(manifest);
  if (parsed === undefined) {
    requirements.set(manifest, parsed = manifest.requires.map(parsePythonRequirement));
  }
  return parsed;
}

/** Whether all that an egg requires can be read: of old ones, some cannot. */
function isReadable(manifest: PythonManifest, environment: MarkerEnvironment): boolean {
  try {
    for (const { marker } of requirementsOf(manifest)) {
      if (marker !== null) evaluateMarker(marker, environment, new Set());
    }
    return true;
  } catch (error) {
    if (isTransmuteError(error, "requirement-syntax")) return false;
    throw error;
  }
}

/**
 * Resolves the application's requirements and all that follows from them.
 *
 * @throws {TransmuteError} `requirements-conflict`, saying which requirement of which egg excludes
 * which; `no-matching-version`; `dependency-unsupported` for requirements on URLs
 */
export async function resolvePython<C extends Choice>(
  roots: PythonRequirement[],
  world: ResolverWorld<C>,
): Promise<Resolved<C>> {
  const decisions: Decision<C>[] = [];
  /** How often a project was where the search failed: those are decided on first. */
  const troubles = new Map<string, number>();
  let worst: Conflict | null = null;

  const note = (conflict: Conflict) => {
    troubles.set(conflict.project, (troubles.get(conflict.project) ?? 0) + 1);
    const weight = ({ wishes }: Conflict) => wishes.filter(({ from }) => from !== null).length;
    // What the application itself wants is nearest to whoever reads it.
    if (worst === null || weight(conflict) <= weight(worst)) worst = conflict;
  };

  /** Goes back to the last decision that had a part; false when there is none. */
  async function backjump(blamed: Set<string>): Promise<boolean> {
    while (decisions.length > 0) {
      const last = decisions.at(-1)!;
      if (!blamed.has(last.project)) {
        decisions.pop();
        continue;
      }
      for (const project of blamed) if (project !== last.project) last.blamed.add(project);
      if (await advance(last)) return true;
      decisions.pop();
      blamed = last.blamed;
    }
    return false;
  }

  /** Takes the next choice whose metadata can be had; false when there is none left. */
  async function advance(decision: Decision<C>): Promise<boolean> {
    while (++decision.at < decision.choices.length) {
      const manifest = await world.manifest(decision.project, decision.choices[decision.at]);
      if (manifest === null || !isReadable(manifest, world.environment)) continue;
      decision.manifest = manifest;
      return true;
    }
    return false;
  }

  for (let count = 0; count < MAX_DECISIONS; count++) {
    const wishes = collectWishes(roots, decisions, world);
    const clash = findClash(wishes, decisions, world);
    if (clash !== null) {
      note(clash);
      const blamed = new Set(clash.wishes.map(({ from }) => from).filter((from) => from !== null));
      if (decisions.some(({ project }) => project === clash.project)) blamed.add(clash.project);
      if (!await backjump(blamed)) throw conflictError(worst ?? clash, world);
      continue;
    }
    const next = nextProject(wishes, decisions, troubles, world);
    if (next === null) {
      return new Map(
        decisions.map((
          { project, choices, at, manifest },
        ) => [project, { choice: choices[at], manifest }]),
      );
    }
    const ofIt = wishes.get(next)!;
    const specifiers = [...new Set(ofIt.map(({ requirement }) => requirement.specifier))];
    const choices = await world.candidates(next, specifiers, ofIt[0].from);
    const decision: Decision<C> = {
      project: next,
      choices,
      at: -1,
      manifest: { name: next, version: "", requires: [], extras: [] },
      // Whoever wants it has narrowed the choice.
      blamed: new Set(ofIt.map(({ from }) => from).filter((from) => from !== null)),
    };
    if (await advance(decision)) {
      decisions.push(decision);
      const extras = new Set(ofIt.flatMap(({ requirement }) => requirement.extras));
      for (const { project, marker } of requirementsOf(decision.manifest)) {
        const applies = marker === null || evaluateMarker(marker, world.environment, extras);
        if (applies) world.foresee(project, next);
      }
    } else {
      const conflict = { project: next, wishes: ofIt };
      note(conflict);
      if (!await backjump(decision.blamed)) throw conflictError(worst ?? conflict, world);
    }
  }
  throw new TransmuteError(
    "requirements-conflict",
    `Cannot resolve the Python requirements: found no answer after ${MAX_DECISIONS} decisions`,
    { hint: "Require narrower ranges of the projects that many others need" },
  );
}

/** Everything that is wanted of each project, extras and markers considered. */
function collectWishes<C extends Choice>(
  roots: PythonRequirement[],
  decisions: Decision<C>[],
  { environment }: ResolverWorld<C>,
): Map<string, Wish[]> {
  const wishes = new Map<string, Wish[]>();
  const extras = new Map<string, Set<string>>();
  const decided = new Map(decisions.map((decision) => [decision.project, decision]));
  const seen = new Set<string>();
  const queue: string[] = [];
  const want = (wish: Wish) => {
    const { project, extras: wanted, url } = wish.requirement;
    if (url !== undefined) throw urlError(wish);
    const all = wishes.get(project) ?? [];
    wishes.set(project, [...all, wish]);
    const known = extras.get(project) ?? new Set();
    const before = known.size;
    for (const extra of wanted) known.add(extra);
    extras.set(project, known);
    if (!seen.has(project) || known.size > before) queue.push(project);
    seen.add(project);
  };
  for (const requirement of roots) want({ requirement, from: null, owner: "the application" });
  /** Requirements that were followed already: an egg is looked at again when it gets extras. */
  const followed = new Set<PythonRequirement>();
  for (let project = queue.shift(); project !== undefined; project = queue.shift()) {
    const decision = decided.get(project);
    if (decision === undefined) continue;
    const owner = `${project}@${decision.choices[decision.at].version}`;
    for (const requirement of requirementsOf(decision.manifest)) {
      if (followed.has(requirement)) continue;
      const applies = requirement.marker === null ||
        evaluateMarker(requirement.marker, environment, extras.get(project)!);
      if (!applies) continue;
      followed.add(requirement);
      want({ requirement, from: project, owner });
    }
  }
  return wishes;
}

/** A decision, or what is there already, that a wish does not admit. */
function findClash<C extends Choice>(
  wishes: Map<string, Wish[]>,
  decisions: Decision<C>[],
  world: ResolverWorld<C>,
): Conflict | null {
  const versions = new Map(
    decisions.map(({ project, choices, at }) => [project, choices[at].version]),
  );
  for (const [project, ofIt] of wishes) {
    const version = versions.get(project) ?? world.present(project)?.version;
    if (version === undefined) continue;
    const missed = ofIt.filter(({ requirement: { specifier } }) =>
      !satisfiesSpecifier(version, specifier, { prereleases: true })
    );
    if (missed.length > 0) return { project, wishes: ofIt };
  }
  return null;
}

/** What to decide on next: what gave trouble, then what is named exactly, then in order. */
function nextProject<C extends Choice>(
  wishes: Map<string, Wish[]>,
  decisions: Decision<C>[],
  troubles: Map<string, number>,
  world: ResolverWorld<C>,
): string | null {
  const decided = new Set(decisions.map(({ project }) => project));
  const open = [...wishes.keys()]
    .filter((project) => !decided.has(project) && world.present(project) === null);
  if (open.length === 0) return null;
  const isExact = (project: string) =>
    wishes.get(project)!.some(({ requirement }) => /^===?[^*]*$/.test(requirement.specifier));
  const weight = (project: string) => (troubles.get(project) ?? 0) * 2 + Number(isExact(project));
  return open.reduce((best, project) => weight(project) > weight(best) ? project : best);
}

function urlError({ requirement, owner }: Wish): TransmuteError {
  return new TransmuteError(
    "dependency-unsupported",
    `Cannot follow the requirement "${requirement.project} @ …" of ${owner}: it is the file at a ` +
      "URL, wanted a version of an index",
    { hint: "Ask its publisher for a release that needs versions of an index" },
  );
}

/** The conflict in a sentence: who wants what. */
function conflictError<C extends Choice>(
  { project, wishes }: Conflict,
  { explain }: ResolverWorld<C>,
): TransmuteError {
  const said = new Set(
    wishes.map(({ requirement, owner }) =>
      `${owner} wants ${requirement.specifier === "" ? "any version" : requirement.specifier}`
    ),
  );
  const isAlone = said.size === 1 && wishes[0].from === null;
  if (isAlone && explain !== undefined) return explain(project);
  return new TransmuteError(
    isAlone ? "no-matching-version" : "requirements-conflict",
    `Cannot find a version of ${project}: ${[...said].join(", and ")}`,
    {
      requirement: wishes[0].requirement.text,
      hint: isAlone
        ? "Check the name, the range, and that its source is declared"
        : "Require other ranges, so that one version of each project is left",
    },
  );
}
