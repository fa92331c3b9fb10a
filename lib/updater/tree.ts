/**
 * Which exact egg goes where below a closure: npm's nested `node_modules`, so that several
 * versions of one project coexist and every `require` finds what its package asked for.
 *
 * An egg is placed as shallow as it can be without changing what an egg placed before it sees.
 *
 * @module
 */

import { isTransmuteError, TransmuteError } from "../errors.ts";
import { parseDependency } from "../model/dependency.ts";
import type { Dependency } from "../model/dependency.ts";
import type { Manifest } from "../model/egg.ts";
import { eggName } from "../model/egg.ts";
import type { Tell } from "../model/event.ts";
import { isOfScheme } from "../model/requirement.ts";
import { isValidRange, satisfiesRange } from "../model/version.ts";
import type { Source } from "../sources/source.ts";
import type { Catalog, CatalogSelection, Selected } from "./catalog.ts";

/** More eggs than this in one closure is taken for a mistake or an attack. */
const MAX_EGGS = 20_000;

/** An egg and its place. */
export interface PlacedEgg extends Selected {
  /** Below the closure: `node_modules/express/node_modules/debug`. */
  location: string;
}

type DependencyKind = "required" | "optional" | "peer";

interface WantedDependency extends Dependency {
  /** The name it is imported by, and its folder. */
  name: string;
  kind: DependencyKind;
  /** As the manifest has it, for messages. */
  spec: string;
}

/** What growing a tree needs of its surroundings. */
export interface TreeSettings {
  catalog: Catalog;
  /** The application's sources in their order. */
  sources: Source[];
  tell: Tell;
}

const FOR_OTHER_PLATFORM = / only$|^not for /;
const OF_OTHER_RANGE = /^(?:does not satisfy|is not) /;
/** Versions that are named in a message; more would not be read. */
const SHOWN_VERSIONS = 8;

/** The error for a project of which no release can be taken. */
export function noMatchingVersion(
  wanted: { project: string; text: string },
  { passedOver, answers, failure }: Omit<CatalogSelection, "selected" | "notNewer">,
): TransmuteError {
  const action = `Cannot find a version of ${wanted.project} for "${wanted.text}"`;
  if (passedOver.length === 0) {
    return new TransmuteError(
      failure?.code ?? "no-matching-version",
      `${action}: ${answers.join("; ") || "no source may provide it"}`,
      {
        requirement: wanted.text,
        hint: failure?.hint ??
          (answers.length > 0
            ? "Check the name, and that its source is declared"
            : "Declare a source, such as NPM_SOURCE"),
        ...(failure === null ? {} : { cause: failure }),
      },
    );
  }
  const seen = passedOver.slice(0, SHOWN_VERSIONS)
    .map(({ version, reason }) => `${version} ${reason}`);
  if (passedOver.length > seen.length) seen.push(`and ${passedOver.length - seen.length} more`);
  const reasons = passedOver.map(({ reason }) => reason);
  const onlyPlatform = reasons.some((reason) => FOR_OTHER_PLATFORM.test(reason)) &&
    reasons.every((reason) => FOR_OTHER_PLATFORM.test(reason) || OF_OTHER_RANGE.test(reason));
  return new TransmuteError(
    onlyPlatform ? "platform-unsupported" : "no-matching-version",
    `${action}: found ${seen.join("; ")}`,
    { requirement: wanted.text, hint: `The sources answered: ${answers.join("; ")}` },
  );
}

function wantedDependencies(manifest: Manifest): WantedDependency[] {
  const bundled = manifest.bundleDependencies;
  const isBundled = (name: string) =>
    bundled === true || (Array.isArray(bundled) && bundled.includes(name));
  const specs = new Map<string, { spec: string; kind: DependencyKind }>();
  for (const [name, spec] of Object.entries(manifest.peerDependencies ?? {})) {
    // An optional peer is used when it is there and not brought when it is not.
    if (manifest.peerDependenciesMeta?.[name]?.optional !== true) {
      specs.set(name, { spec, kind: "peer" });
    }
  }
  for (const [name, spec] of Object.entries(manifest.dependencies ?? {})) {
    if (!isBundled(name)) specs.set(name, { spec, kind: "required" });
  }
  for (const [name, spec] of Object.entries(manifest.optionalDependencies ?? {})) {
    if (!isBundled(name)) specs.set(name, { spec, kind: "optional" });
  }
  return [...specs].sort(([one], [other]) => one < other ? -1 : 1).flatMap(
    ([name, { spec, kind }]) => {
      try {
        return [{ name, spec, kind, ...parseDependency(name, spec) }];
      } catch (error) {
        if (kind === "optional") return [];
        throw isTransmuteError(error)
          ? new TransmuteError(
            error.code,
            `${error.message}, in ${manifest.name}@${manifest.version}`,
            {
              egg: `${manifest.name}@${manifest.version}`,
              ...(error.hint === undefined ? {} : { hint: error.hint }),
              cause: error,
            },
          )
          : error;
      }
    },
  );
}

/** The place that holds the `node_modules` in which `location` is; `""` is the closure. */
function holder(location: string): string {
  return location.slice(0, location.lastIndexOf("node_modules/")).replace(/\/$/, "");
}

function below(location: string, name: string): string {
  return location === "" ? `node_modules/${name}` : `${location}/node_modules/${name}`;
}

/** The places in whose `node_modules` an import from `location` looks, innermost first. */
function* lookupPath(location: string): Generator<string> {
  for (let place = location; place !== ""; place = holder(place)) yield place;
  yield "";
}

/** One closure's tree while it grows. */
class Tree {
  readonly eggs = new Map<string, PlacedEgg>();
  /** Who looked for what, where it was found. */
  readonly #lookups: { from: string; name: string; found: string }[] = [];

  find(from: string, name: string): PlacedEgg | undefined {
    for (const place of lookupPath(from)) {
      const egg = this.eggs.get(below(place, name));
      if (egg !== undefined) return egg;
    }
    return undefined;
  }

  remember(from: string, name: string, found: string): void {
    this.#lookups.push({ from, name, found });
  }

  /** Whether an egg in `place` would hide from others what they already found further out. */
  hides(place: string, name: string): boolean {
    const here = below(place, name);
    const inside = (path: string) => place === "" || path === place || path.startsWith(`${place}/`);
    return this.#lookups.some((lookup) =>
      lookup.name === name && inside(lookup.from) && !inside(lookup.found) && lookup.found !== here
    );
  }

  /** Places an egg for `from`, no shallower than `floor`. */
  place(from: string, name: string, egg: Selected, floor: string): PlacedEgg {
    let best = from;
    for (const place of lookupPath(from)) {
      if (this.eggs.has(below(place, name)) || this.hides(place, name)) break;
      best = place;
      if (place === floor) break;
    }
    const placed = { ...egg, location: below(best, name) };
    this.eggs.set(placed.location, placed);
    if (this.eggs.size > MAX_EGGS) {
      throw new TransmuteError(
        "requirements-conflict",
        `Cannot resolve dependencies: found more than ${MAX_EGGS} eggs in one closure`,
      );
    }
    return placed;
  }
}

function isMet(egg: PlacedEgg, wanted: WantedDependency): boolean {
  // What a tag means today is for the catalog to say; what is placed was chosen by it.
  return egg.release.project === wanted.project &&
    (!isValidRange(wanted.range) || satisfiesRange(egg.release.version, wanted.range));
}

/** Grows the whole tree below `roots`, which share one closure. */
export async function growTree(roots: Selected[], settings: TreeSettings): Promise<PlacedEgg[]> {
  const { catalog, sources } = settings;
  const tree = new Tree();
  let level = roots.map((root) => tree.place("", root.release.project, root, ""));
  while (level.length > 0) {
    const wanted = level.map((egg) => ({ egg, dependencies: wantedDependencies(egg.manifest) }));
    for (const { egg, dependencies } of wanted) {
      for (const dependency of dependencies) {
        catalog.prefetch(dependency.project, sourcesFor(dependency, egg.source, sources));
      }
    }
    const next: PlacedEgg[] = [];
    for (const { egg, dependencies } of wanted) {
      next.push(...await placeDependencies(tree, egg, dependencies, settings));
    }
    level = next;
  }
  return [...tree.eggs.values()].sort((one, other) => one.location < other.location ? -1 : 1);
}

/**
 * An egg's dependencies are looked for where it came from first, then where the author said. They
 * have npm's names, where JSR's projects are of the scope `@jsr`: another scope of JSR may be
 * somebody else's than npm's of that name.
 */
function sourcesFor({ project }: Dependency, origin: Source, sources: Source[]): Source[] {
  return [origin, ...sources.filter((source) => source !== origin)]
    .filter(({ id }) => project.startsWith("@jsr/") || !isOfScheme(id, "jsr"));
}

async function placeDependencies(
  tree: Tree,
  egg: PlacedEgg,
  dependencies: WantedDependency[],
  settings: TreeSettings,
): Promise<PlacedEgg[]> {
  const fresh: { dependency: WantedDependency; selected: Selected }[] = [];
  for (const dependency of dependencies) {
    const { name, kind } = dependency;
    // A peer is found from outside: the egg must share the one its dependents see.
    const from = kind === "peer" ? holder(egg.location) : egg.location;
    const existing = tree.find(from, name);
    if (existing !== undefined && isMet(existing, dependency)) {
      tree.remember(from, name, existing.location);
      continue;
    }
    if (existing !== undefined && kind === "peer") {
      settings.tell("debug", "skipped", {
        egg: eggName(egg.release),
        message: `its peer ${name}@${dependency.spec} is ${existing.release.version} here`,
      });
      continue;
    }
    const selected = await selectDependency(egg, dependency, settings);
    if (selected !== null) fresh.push({ dependency, selected });
  }
  // Eggs with peers go last: where they may be depends on where their peers are.
  fresh.sort((one, other) => hasPeers(one.selected) - hasPeers(other.selected));
  return fresh.flatMap(({ dependency: { name, kind }, selected }) => {
    const from = kind === "peer" ? holder(egg.location) : egg.location;
    const existing = tree.find(from, name);
    if (existing?.release === selected.release) {
      tree.remember(from, name, existing.location);
      return [];
    }
    const placed = tree.place(from, name, selected, floorOf(tree, from, selected.manifest));
    tree.remember(from, name, placed.location);
    return [placed];
  });
}

function hasPeers(egg: Selected): number {
  return Object.keys(egg.manifest.peerDependencies ?? {}).length > 0 ? 1 : 0;
}

/** The shallowest place from which an egg still sees the peers that its dependent sees. */
function floorOf(tree: Tree, from: string, manifest: Manifest): string {
  let floor = "";
  for (const peer of Object.keys(manifest.peerDependencies ?? {})) {
    const found = tree.find(from, peer);
    if (found === undefined) continue;
    const place = holder(found.location);
    if (place.length > floor.length) floor = place;
  }
  return floor;
}

async function selectDependency(
  egg: PlacedEgg,
  dependency: WantedDependency,
  { catalog, sources, tell }: TreeSettings,
): Promise<Selected | null> {
  const { project, range, kind, name, spec } = dependency;
  let cause: unknown;
  try {
    const selection = await catalog.select(
      project,
      [range],
      sourcesFor(dependency, egg.source, sources),
      { isDependency: true },
    );
    if (selection.selected !== null) return selection.selected;
    const text = `${name}@${spec}" of "${eggName(egg.release)}`;
    cause = noMatchingVersion({ project, text }, selection);
  } catch (error) {
    cause = error;
  }
  if (kind !== "optional" || !isTransmuteError(cause)) throw cause;
  if (cause.phase === "source") throw cause;
  tell("debug", "skipped", {
    egg: `${name}@${spec}`,
    message: `optional, of ${eggName(egg.release)}: ${cause.message}`,
  });
  return null;
}
