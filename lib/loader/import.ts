/**
 * Importing from the active generation: no network, no library, nothing read but the egg.
 *
 * @module
 */

import { describeError, isTransmuteError, TransmuteError } from "../errors.ts";
import { parseSpecifier } from "../model/requirement.ts";
import type { ActiveEgg, Generation } from "../model/state.ts";
import { runtime } from "../runtime/current.ts";
import { fileUrl, joinPath } from "../runtime/paths.ts";
import type { StorePaths } from "../store/cache.ts";
import { closureFolder, readEntries } from "../store/state.ts";

/** How a file is to be loaded. */
export type EntryKind = "module" | "commonjs" | "json";

/** A file of an egg, and how to load it. */
export interface ResolvedEntry {
  project: string;
  closure: string;
  path: string;
  url: string;
  kind: EntryKind;
  /** The size of its file when it was stored, where that is known. */
  sizeBytes?: number;
}

const LOADED = Symbol.for("transmute.loaded");

/**
 * Which closure each project was loaded from in this process, whichever copy of Transmute loaded
 * it: a module cannot be unloaded, so a newer one needs a new process.
 */
function loadedClosures(): Map<string, Set<string>> {
  const holder = globalThis as { [LOADED]?: Map<string, Set<string>> };
  return holder[LOADED] ??= new Map();
}

/** Notes that a project was loaded from a closure. */
export function noteLoaded({ project, closure }: { project: string; closure: string }): void {
  const closures = loadedClosures().get(project) ?? new Set();
  loadedClosures().set(project, closures.add(closure));
}

/** Whether a project was loaded from this closure. */
export function isLoaded(project: string, closure: string): boolean {
  return loadedClosures().get(project)?.has(closure) ?? false;
}

/** The projects of which another copy than the active one is loaded in this process. */
export function loadedElsewhere(active: Generation): string[] {
  return Object.entries(active.eggs)
    .filter(([project, { closure }]) =>
      [...loadedClosures().get(project) ?? []].some((loaded) => loaded !== closure)
    )
    .map(([project]) => project);
}

const KINDS: Record<string, EntryKind> = { "cjs:": "commonjs", "json:": "json" };

/** Where an entry as the linker wrote it is, and how it is loaded. */
function readEntry(paths: StorePaths, project: string, egg: ActiveEgg, entry: string) {
  const prefix = /^(?:cjs|json):/.exec(entry)?.[0] ?? "";
  const path = joinPath(closureFolder(paths, egg.closure), entry.slice(prefix.length));
  return {
    project,
    closure: egg.closure,
    path,
    url: fileUrl(path),
    kind: KINDS[prefix] ?? "module",
  };
}

/** An egg of Python has nothing that a JavaScript runtime could load. */
function pythonError(specifier: string, project: string, egg: ActiveEgg): TransmuteError {
  const name = project.slice("python:".length);
  const command = Object.keys(egg.entries).find((entry) => entry.startsWith("command:"))
    ?.slice("command:".length);
  return new TransmuteError(
    "entry-missing",
    `Cannot import "${specifier}": ${name} ${egg.version} is an egg of Python, which only Python imports`,
    {
      egg: `${project}@${egg.version}`,
      hint: command === undefined
        ? `spawn("python3", [file]) runs a program that imports it`
        : `spawn("${command}") runs its command`,
    },
  );
}

/**
 * Finds what a specifier means in the active generation.
 *
 * @param specifier a project, or a project and a subpath that it exports: `hello`, `hello/sub`
 * @throws {TransmuteError} `egg-not-active`, `entry-missing`
 */
export function resolveEntry(
  paths: StorePaths,
  active: Generation | null,
  specifier: string,
): ResolvedEntry {
  const { project, subpath } = parseSpecifier(specifier);
  const eggs = active?.eggs ?? {};
  const python = project.startsWith("python:") ? project : `python:${project}`;
  if (!Object.hasOwn(eggs, project) || project === python) {
    if (Object.hasOwn(eggs, python)) throw pythonError(specifier, python, eggs[python]);
    const names = Object.keys(eggs).join(", ") || "nothing";
    throw new TransmuteError(
      "egg-not-active",
      `Cannot import "${specifier}": ${project} is not active, found ${names}`,
      {
        hint: active === null
          ? "Await update() before the first import"
          : `Call require("${project}") and await update()`,
      },
    );
  }
  const egg = eggs[project];
  const find = (entries: Record<string, string>) =>
    Object.hasOwn(entries, subpath) ? entries[subpath] : undefined;
  let known = egg.entries;
  let entry = find(known);
  if (entry === undefined && egg.moreEntries) {
    known = readEntries(paths, egg.closure, project);
    entry = find(known);
  }
  if (entry === undefined) {
    const offered = Object.keys(known);
    const shown = offered.slice(0, 12).map((it) => `"${it.replace(/^\./, project)}"`).join(", ");
    const more = offered.length > 12 ? ` and ${offered.length - 12} more` : "";
    throw new TransmuteError(
      "entry-missing",
      `Cannot import "${specifier}": ${project}@${egg.version} does not export it, found ${
        shown === "" ? "no entries at all" : shown + more
      }`,
      { egg: `${project}@${egg.version}` },
    );
  }
  const sizeBytes = egg.entryBytes?.[Object.keys(egg.entries).indexOf(subpath)];
  return {
    ...readEntry(paths, project, egg, entry),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
  };
}

/** A module made of what a CommonJS file exports, shaped as `import()` would. */
async function importCommonJs({ url, path }: ResolvedEntry): Promise<unknown> {
  const { createRequire } = await runtime.builtin<typeof import("node:module")>("module");
  const exported = createRequire(url)(path);
  const names =
    exported !== null && (typeof exported === "object" || typeof exported === "function")
      ? exported
      : {};
  return { __proto__: null, ...names, default: exported };
}

/**
 * Loads an entry; `closure-missing` tells that something removed it from the store, or cut it off.
 */
export async function loadEntry<T>(entry: ResolvedEntry): Promise<T> {
  // Looked at before: a runtime may remember that a module was missing.
  const foundBytes = runtime.status(entry.path)?.sizeBytes;
  if (foundBytes === undefined || foundBytes !== (entry.sizeBytes ?? foundBytes)) {
    const found = foundBytes === undefined
      ? "is gone"
      : `has ${foundBytes} bytes, wanted ${entry.sizeBytes}`;
    throw new TransmuteError(
      "closure-missing",
      `Cannot load ${entry.project}: ${entry.path} ${found}`,
      { hint: "repairStore() brings it again" },
    );
  }
  noteLoaded(entry);
  try {
    switch (entry.kind) {
      case "module":
        return await importModule(entry);
      case "json":
        return await import(entry.url, { with: { type: "json" } });
      case "commonjs":
        return await importCommonJs(entry) as T;
    }
  } catch (error) {
    throw permissionError(error, entry) ?? error;
  }
}

async function importModule<T>({ path, url }: ResolvedEntry): Promise<T> {
  try {
    return await import(url);
  } catch (error) {
    // Only the single executables of some versions of Node end here.
    if (runtime.name !== "node") throw error;
    const { importBeside, knowsBuiltinsAlone } = await import("./import_beside.ts");
    if (!knowsBuiltinsAlone(error)) throw error;
    return await importBeside<T>(path, url);
  }
}

/** An egg that needs a right which the program lacks is told in our words; all else is its own. */
function permissionError(error: unknown, { project }: ResolvedEntry): TransmuteError | null {
  if (isTransmuteError(error) || (error as Error | null)?.name !== "NotCapable") return null;
  const flag = /--allow-[a-z]+/.exec(describeError(error))?.[0];
  return new TransmuteError(
    "permission-missing",
    `Cannot load ${project}: ${describeError(error)}`,
    { cause: error, ...(flag ? { hint: `Add ${flag} to the flags of deno run` } : {}) },
  );
}
