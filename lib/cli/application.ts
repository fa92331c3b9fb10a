/**
 * Which application is meant, and what the store knows of it.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { isOfScheme, parseRequirement, recordedName } from "../model/requirement.ts";
import type { Declaration, Refusal, State } from "../model/state.ts";
import { emptyState } from "../model/state.ts";
import { comparePythonVersions } from "../model/python_version.ts";
import { compareVersions } from "../model/version.ts";
import { resolveOptions } from "../options.ts";
import { runtime } from "../runtime/current.ts";
import { isAbsolutePath, joinPath } from "../runtime/paths.ts";
import type { StorePaths } from "../store/cache.ts";
import { assertPrivate, storePaths } from "../store/cache.ts";
import { newestGeneration } from "../store/generations.ts";
import { readState } from "../store/state.ts";
import type { CommandOptions } from "./command.ts";
import { listed } from "./wording.ts";

/** An application as the store has it. */
export interface Application {
  name: string;
  paths: StorePaths;
  /** Of a damaged state, only what can be known without it. */
  state: State;
  damaged: boolean;
  /** True when the store has nothing of it yet. */
  isNew: boolean;
}

/** What is appended to the name of a main module when an application is not given a name. */
const IDENTITY_DIGEST = /-[0-9a-f]{8}$/;

/** The store's folder, from the option, the variable, or the default. */
export function storeRoot(): string {
  return resolveOptions({ app: "transmute" }).cacheDir;
}

/**
 * The names of all applications of the store, sorted; none when there is no store.
 *
 * @throws {TransmuteError} `store-not-private`
 */
export function applicationNames(root: string): string[] {
  if (!assertPrivate(root)) return [];
  const folder = joinPath(root, "apps-v1");
  if (runtime.status(folder) === null) return [];
  return runtime.list(folder)
    .filter((name) => runtime.status(joinPath(folder, name))?.kind === "directory")
    .sort();
}

/**
 * Reads an application that the store has.
 *
 * @throws {TransmuteError} `store-format-unknown`
 */
export function readApplication(root: string, name: string): Application {
  const paths = storePaths(root, name);
  const { state, damaged } = readState(paths);
  if (damaged && runtime.status(paths.generations) !== null) {
    // What the next start will fall back to.
    state.active = newestGeneration(paths);
  }
  return { name, paths, state, damaged, isNew: false };
}

/**
 * The application that `--app` names, or the only one of the store. Of a name that was made from
 * a main module, the digest behind it may be left out.
 *
 * @throws {TransmuteError} `option-invalid` when there is none of the name, or several without one
 */
export function openApplication({ app }: CommandOptions): Application {
  const root = storeRoot();
  const names = applicationNames(root);
  if (names.length === 0) {
    throw new TransmuteError(
      "option-invalid",
      `Cannot tell which application is meant: found none in the store ${root}`,
      { hint: "Start an application that uses Transmute, or see: transmute update --help" },
    );
  }
  if (app === undefined && names.length > 1) {
    throw new TransmuteError(
      "option-invalid",
      `Cannot tell which application is meant: found ${listed(names)} in the store ${root}`,
      { hint: "Name one of them with --app" },
    );
  }
  return readApplication(root, app === undefined ? names[0] : applicationName(root, app));
}

/**
 * The whole name of the application that `app` means.
 *
 * @throws {TransmuteError} `option-invalid` when there is none, or several
 */
export function applicationName(root: string, app: string): string {
  const names = applicationNames(root);
  const name = matching(app, names);
  if (name !== null) return name;
  throw new TransmuteError(
    "option-invalid",
    `Cannot find the application "${app}" in the store ${root}: found ${listed(names) || "none"}`,
  );
}

/** The application of `openApplication`, or a new one when the name is given and nobody has it. */
export function openOrNewApplication(options: CommandOptions): Application {
  const { app } = options;
  if (app === undefined) return openApplication(options);
  // Refuses what can be no name, before anything is made of it.
  const { cacheDir } = resolveOptions({ app });
  const name = matching(app, applicationNames(cacheDir));
  if (name !== null) return readApplication(cacheDir, name);
  const paths = storePaths(cacheDir, app);
  return { name: app, paths, state: emptyState(), damaged: false, isNew: true };
}

function matching(app: string, names: string[]): string | null {
  if (names.includes(app)) return app;
  const made = names.filter((name) => name.replace(IDENTITY_DIGEST, "") === app);
  return made.length === 1 ? made[0] : null;
}

/**
 * What the application declared at its last check. Where an earlier version wrote the state, what
 * follows from it.
 */
export function declarationOf({ state }: Application): Declaration {
  if (state.declared !== undefined) return state.declared;
  const requirements = state.active?.requirements ?? [];
  const prefixes = requirements.flatMap((key) => parseRequirement(key).scheme ?? []);
  const known = [
    ...Object.keys(state.checks),
    ...Object.values(state.active?.eggs ?? {}).map(({ source }) => source),
  ];
  const sources = known.filter((id) => !prefixes.some((prefix) => isOfScheme(id, prefix)));
  return { requirements, sources: [...new Set(sources)] };
}

/** Refusals of what is newer than what is active: those that explain why it is. */
export function newerRefusals({ active, refused }: State): Refusal[] {
  return refused.filter(({ project, version }) => {
    const js = active?.eggs[project]?.version;
    const python = active?.eggs[recordedName("python", project)]?.version;
    return (js === undefined || compareVersions(version, js) > 0) &&
      (python === undefined || comparePythonVersions(version, python) > 0);
  });
}

/** Whether a recorded source can be opened from its id: a folder, or an address with a scheme. */
export function isAddress(id: string): boolean {
  return isAbsolutePath(id) || /^[a-z][a-z0-9+.-]+:/.test(id);
}
