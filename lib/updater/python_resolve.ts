/**
 * Stage: the Python eggs of an application. All of them share one closure, so they are resolved
 * together, and stay or change together.
 *
 * @module
 */

import { isTransmuteError, TransmuteError } from "../errors.ts";
import type { Release } from "../model/egg.ts";
import type { Interpreter, PresentPythonEgg, PythonManifest } from "../model/python.ts";
import { abiOf } from "../model/python.ts";
import { evaluateMarker } from "../model/python_marker.ts";
import {
  comparePythonVersions,
  isPythonSpecifier,
  isPythonVersion,
  satisfiesSpecifier,
} from "../model/python_version.ts";
import type { Requirement } from "../model/requirement.ts";
import { recordedName, requirementKey } from "../model/requirement.ts";
import type { ActiveEgg } from "../model/state.ts";
import { runtime } from "../runtime/current.ts";
import type { Source } from "../sources/source.ts";
import { findInterpreter } from "../store/interpreters.ts";
import { presentPythonEggs } from "../store/present_eggs.ts";
import type { PythonOffer } from "./catalog.ts";
import type { PythonCandidate } from "./python_candidates.ts";
import { admitsPython, PythonVersions } from "./python_candidates.ts";
import type { ResolverWorld } from "./python_resolver.ts";
import { resolvePython } from "./python_resolver.ts";
import type { KeptReason, PythonSettings, ResolveQuestion } from "./roots.ts";
import { sourcesFor } from "./roots.ts";
import type { PassedOver } from "./select.ts";
import type { PlacedEgg } from "./tree.ts";
import { noMatchingVersion } from "./tree.ts";

/** What became of the application's Python requirements. */
export interface PythonResolution {
  /** Eggs that stay, by their recorded names. */
  kept: Map<string, { egg: ActiveEgg; reason: KeptReason }>;
  /** What is new, all in one closure; `null` when nothing is. */
  closure: { roots: string[]; eggs: PlacedEgg[]; interpreter: Interpreter } | null;
  /** By recorded name. */
  passedOver: Map<string, PassedOver[]>;
  problems: TransmuteError[];
}

/** A project that the application requires. */
interface PythonRoot {
  project: string;
  requirements: Requirement[];
  specifiers: string[];
  sources: Source[];
  active: ActiveEgg | null;
  isHeld: boolean;
}

/** Where every Python egg lies in its closure. */
const SITE = "site";

function pythonRootsOf(question: ResolveQuestion, requirements: Requirement[]): PythonRoot[] {
  const byProject = Map.groupBy(requirements, ({ project }) => project);
  return Array.from(byProject, ([project, ofIt]) => {
    const name = recordedName("python", project);
    const recorded = question.active?.eggs[name] ?? null;
    const specifiers = [...new Set(ofIt.map(({ range }) => range))];
    const meets = recorded !== null &&
      specifiers.every((specifier) =>
        satisfiesSpecifier(recorded.version, specifier, { prereleases: true })
      );
    const active = meets ? recorded : null;
    return {
      project,
      requirements: ofIt,
      specifiers,
      active,
      sources: sourcesFor(ofIt, question, recorded),
      isHeld: active !== null && (question.held?.has(name) ?? false),
    };
  });
}

/**
 * Resolves the Python requirements of an application.
 *
 * @throws {TransmuteError} when they cannot be met and nothing active serves:
 * `interpreter-missing`, `no-matching-version`, `requirements-conflict`, or a source's own code
 */
export async function resolvePythonEggs(
  question: ResolveQuestion,
  requirements: Requirement[],
  settings: PythonSettings,
): Promise<PythonResolution> {
  const roots = pythonRootsOf(question, requirements);
  const result: PythonResolution = {
    kept: new Map(),
    closure: null,
    passedOver: new Map(),
    problems: [],
  };
  const keepAll = (reason: KeptReason) => {
    for (const { project, active, isHeld } of roots) {
      const kept = isHeld ? "held" : reason;
      result.kept.set(recordedName("python", project), { egg: active!, reason: kept });
    }
    return result;
  };
  const isServed = roots.every(({ active }) => active !== null) && hasAll(question, requirements);
  if (isServed && roots.every(({ isHeld }) => isHeld)) return keepAll("held");
  const isDue = roots.some(({ sources }) => sources.some(({ id }) => question.due.has(id)));
  if (isServed && !isDue) return keepAll("not-due");
  try {
    const world = new World(question, roots, settings);
    await world.open();
    const wanted = roots.filter((root) => world.applies(root));
    if (isServed && !world.hasOtherInterpreter() && await world.hasNothingNew(wanted)) {
      const isHeldBack = wanted.some((root) =>
        world.passedOver(root, root.active!.version)
          .some(({ reason }) => reason.startsWith("does not satisfy"))
      );
      for (const root of wanted) {
        const name = recordedName("python", root.project);
        result.passedOver.set(name, world.passedOver(root, root.active!.version));
      }
      return keepAll(isHeldBack ? "held-by-requirement" : "already-newest");
    }
    const resolved = await resolvePython(
      wanted.flatMap((root) =>
        root.requirements.map(({ text, project, range, extras = [] }) => (
          { text, project, extras, specifier: range, marker: null }
        ))
      ),
      world,
    );
    for (const root of wanted) {
      const chosen = resolved.get(root.project)?.choice.version ?? null;
      result.passedOver.set(recordedName("python", root.project), world.passedOver(root, chosen));
    }
    // What is newer need not go with the others.
    const isSame = isServed && !world.hasOtherInterpreter() &&
      wanted.every(({ project, active }) =>
        comparePythonVersions(resolved.get(project)?.choice.version ?? "", active!.version) === 0
      );
    if (isSame) return keepAll("already-newest");
    if (resolved.size > 0) {
      result.closure = {
        roots: wanted.map(({ project }) => project).filter((project) => resolved.has(project)),
        eggs: Array.from(resolved, ([project, { choice }]) => world.placed(project, choice)),
        interpreter: world.interpreter,
      };
    }
    return result;
  } catch (error) {
    if (!isTransmuteError(error) || !isServed) throw error;
    result.problems.push(error);
    return keepAll("source-failed");
  }
}

/** Whether what is active was made for these very requirements, extras among them. */
function hasAll({ active }: ResolveQuestion, requirements: Requirement[]): boolean {
  const met = new Set(active?.requirements);
  return requirements.every((requirement) =>
    met.has(requirementKey(requirement)) || requirement.extras === undefined
  );
}

/** What the resolver asks, answered by the catalog. */
class World implements ResolverWorld<PythonCandidate> {
  readonly #question: ResolveQuestion;
  readonly #roots: Map<string, PythonRoot>;
  readonly #settings: PythonSettings;
  readonly #present: Map<string, PresentPythonEgg>;
  /** By project: what its sources have, and which versions may be taken. */
  readonly #known = new Map<string, { offer: PythonOffer; versions: PythonVersions }>();
  #interpreter: Interpreter | undefined;

  constructor(question: ResolveQuestion, roots: PythonRoot[], settings: PythonSettings) {
    this.#question = question;
    this.#roots = new Map(roots.map((root) => [root.project, root]));
    this.#settings = settings;
    const { closures } = settings.paths;
    this.#present = new Map(
      presentPythonEggs(runtime.env("PYTHONPATH") ?? "", closures)
        .map((egg) => [egg.project, egg]),
    );
  }

  get interpreter(): Interpreter {
    return this.#interpreter!;
  }

  get environment() {
    return this.interpreter.markers;
  }

  /** Chooses the interpreter: one that the newest releases of what is required fit. */
  async open(): Promise<void> {
    const { paths, python } = this.#settings;
    const choice = python === undefined ? {} : { python };
    const requiresPython: string[] = [];
    for (const root of this.#roots.values()) {
      const offer = await this.#question.catalog.pythonOffer(root.project, root.sources, false);
      const newest = offer.releases
        .filter(({ version, python }) =>
          isPythonVersion(version) && python!.yanked === undefined &&
          root.specifiers.every((specifier) => satisfiesSpecifier(version, specifier))
        )
        .reduce<Release | null>(
          (best, release) =>
            best === null || comparePythonVersions(release.version, best.version) > 0
              ? release
              : best,
          null,
        );
      const wanted = newest?.python?.requiresPython ?? newest?.python?.manifest?.requiresPython;
      if (wanted !== undefined && isPythonSpecifier(wanted)) requiresPython.push(wanted);
    }
    try {
      this.#interpreter = await findInterpreter(paths, { ...choice, requiresPython });
    } catch (error) {
      if (!isTransmuteError(error, "interpreter-missing") || requiresPython.length === 0) {
        throw error;
      }
      // An older release may fit what there is.
      this.#interpreter = await findInterpreter(paths, choice);
    }
  }

  /** Whether what is active was chosen for an interpreter that other files fit. */
  hasOtherInterpreter(): boolean {
    const before = this.#question.active?.python;
    const minor = (text: string) => text.split(".", 2).join(".");
    return before !== undefined &&
      (minor(before.version) !== minor(this.interpreter.version) ||
        (before.abi ?? "") !== abiOf(this.interpreter));
  }

  /** Whether any requirement of a project applies to this interpreter. */
  applies({ project, requirements }: PythonRoot): boolean {
    const applying = requirements.filter(({ marker }) =>
      marker === undefined || evaluateMarker(marker, this.environment, new Set())
    );
    if (applying.length > 0 && !this.#present.has(project)) return true;
    const message = applying.length === 0
      ? `its marker excludes Python ${this.interpreter.version} here`
      : `${this.#present.get(project)!.location} holds it`;
    this.#question.tell("info", "skipped", { egg: project, message });
    return false;
  }

  /** Whether the best of every project is what is active: others' news changes nothing then. */
  async hasNothingNew(roots: PythonRoot[]): Promise<boolean> {
    const best = await Promise.all(
      roots.map(({ project, specifiers }) => this.candidates(project, specifiers, null)),
    );
    return roots.every(({ active }, index) => {
      const [first] = best[index];
      return first === undefined || comparePythonVersions(first.version, active!.version) === 0;
    });
  }

  present(project: string): PresentPythonEgg | null {
    return this.#present.get(project) ?? null;
  }

  /** An application's own project comes from where it says; others from where their egg came from. */
  #sources(project: string, from: string | null): Source[] {
    const root = this.#roots.get(project);
    if (root !== undefined) return root.sources;
    const declared = this.#question.sources.filter(({ implied }) => !implied)
      .map(({ source }) => source);
    const parent = from === null ? undefined : this.#sourceOf(from);
    return [...new Set([...parent === undefined ? [] : [parent], ...declared])];
  }

  #sourceOf(project: string): Source | undefined {
    const { offer } = this.#known.get(project) ?? {};
    return offer === undefined ? undefined : [...offer.origin.values()][0];
  }

  async #lookUp(project: string, from: string | null) {
    let known = this.#known.get(project);
    if (known === undefined) {
      const isDependency = !this.#roots.has(project);
      const offer = await this.#question.catalog.pythonOffer(
        project,
        this.#sources(project, from),
        isDependency,
      );
      this.#known.set(project, known = { offer, versions: this.#versionsOf(offer) });
    }
    return known;
  }

  async candidates(
    project: string,
    specifiers: readonly string[],
    from: string | null,
  ): Promise<PythonCandidate[]> {
    const { offer, versions } = await this.#lookUp(project, from);
    if (offer.releases.length === 0 && offer.failure !== null) {
      throw this.#unmatched(project, specifiers, offer, []);
    }
    const admitted = versions.admitted(specifiers);
    const root = this.#roots.get(project);
    if (root === undefined) return admitted;
    const { active, isHeld } = root;
    if (active !== null) {
      const order = ({ version }: { version: string }) =>
        comparePythonVersions(version, active.version);
      if (isHeld) return admitted.filter((candidate) => order(candidate) === 0);
      const notLower = admitted.filter((candidate) => order(candidate) >= 0);
      if (notLower.length > 0) return notLower;
      // Never lower on a source's word, unless the publisher took the active one back.
      const isTakenBack = offer.releases.some((release) =>
        order(release) === 0 && (release.withdrawn || release.python!.yanked !== undefined)
      );
      if (isTakenBack) return admitted;
      this.#tellDowngrade(project, active, admitted);
      return [];
    }
    const own = new Set(root.specifiers);
    if (admitted.length === 0 && specifiers.every((specifier) => own.has(specifier))) {
      throw this.#unmatched(project, specifiers, offer, versions.passedOver(null, specifiers));
    }
    return admitted;
  }

  #tellDowngrade(project: string, active: ActiveEgg, [best]: PythonCandidate[]): void {
    if (best === undefined) return;
    this.#question.tell("warn", "downgrade-refused", {
      source: active.source,
      egg: `${project}@${best.version}`,
      active: active.version,
    });
  }

  #unmatched(
    project: string,
    specifiers: readonly string[],
    { answers, failure }: PythonOffer,
    passedOver: PassedOver[],
  ): TransmuteError {
    const texts = this.#roots.get(project)?.requirements.map(({ text }) => text) ??
      [`${project}${specifiers.filter(Boolean).join(",")}`];
    const text = texts.join('" and "');
    return noMatchingVersion({ project, text }, { passedOver, answers, failure });
  }

  async manifest(project: string, { release }: PythonCandidate): Promise<PythonManifest | null> {
    const source = this.#known.get(project)!.offer.origin.get(release)!;
    const manifest = await this.#question.catalog.pythonManifest({ source, release });
    // Of a folder's eggs, the metadata alone says so.
    const { requiresPython } = manifest ?? {};
    const fits = requiresPython === undefined || admitsPython(requiresPython, this.interpreter);
    return fits ? manifest : null;
  }

  readonly explain = (project: string): TransmuteError => {
    const { offer } = this.#known.get(project)!;
    const root = this.#roots.get(project)!;
    return this.#unmatched(project, root.specifiers, offer, this.passedOver(root, null));
  };

  #versionsOf({ releases, isExcluded }: PythonOffer): PythonVersions {
    return new PythonVersions(releases, { interpreter: this.interpreter, isExcluded });
  }

  foresee(project: string, from: string): void {
    if (this.#known.has(project) || this.#present.has(project)) return;
    this.#question.catalog.prefetch(project, this.#sources(project, from), "python");
  }

  passedOver({ project, specifiers }: PythonRoot, chosen: string | null): PassedOver[] {
    const known = this.#known.get(project);
    // By what is known and refused by now, and not when the versions were first looked at.
    return known === undefined ? [] : this.#versionsOf(known.offer).passedOver(chosen, specifiers);
  }

  placed(project: string, { release }: PythonCandidate): PlacedEgg {
    const source = this.#known.get(project)!.offer.origin.get(release)!;
    const manifest = { name: project, version: release.version };
    return { source, release, manifest, location: SITE };
  }
}

/** Decides for each requirement that fits both worlds which is meant, by what there is. */
export async function decideWorlds(
  question: ResolveQuestion,
  open: Requirement[],
): Promise<Map<Requirement, "js" | "python">> {
  const { active, catalog, sources } = question;
  const declared = sources.filter(({ implied }) => !implied).map(({ source }) => source);
  const decided = new Map<Requirement, "js" | "python">();
  await Promise.all(open.map(async (requirement) => {
    const { text, project } = requirement;
    const normalized = project.toLowerCase().replace(/[-_.]+/g, "-");
    if (active !== null && Object.hasOwn(active.eggs, project)) decided.set(requirement, "js");
    else if (active !== null && Object.hasOwn(active.eggs, recordedName("python", normalized))) {
      decided.set(requirement, "python");
    } else {
      const [js, python] = await Promise.all([
        catalog.listed(project, declared, "js"),
        catalog.listed(normalized, declared, "python"),
      ]);
      // One archive may have a name of both worlds, such as hello-1.0.0.tar.gz.
      const archives = new Set(js.map(({ artifact }) => artifact.locator));
      const isPython = python.some(({ artifact }) => !archives.has(artifact.locator));
      if (js.length > 0 && isPython) {
        throw new TransmuteError(
          "ecosystem-ambiguous",
          `Cannot tell which "${text}" is meant: found ${project} among the eggs of JavaScript ` +
            "and among those of Python",
          { requirement: text, hint: `Write "js:${text}" or "python:${text}"` },
        );
      }
      decided.set(requirement, isPython ? "python" : "js");
    }
  }));
  return decided;
}
