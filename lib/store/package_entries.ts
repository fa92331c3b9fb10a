/**
 * The table of entries of a package: what an application can import from it, and how.
 *
 * @module
 */

import { parentPath } from "../runtime/paths.ts";
import type { Facades } from "./facade.ts";
import type { ModuleFormat } from "./module_format.ts";
import type { ResolutionMode } from "./module_resolution.ts";
import { mainOf, resolveInPackage } from "./module_resolution.ts";
import { exportsMap, hasExports, isPattern } from "./package_exports.ts";
import type { PackageTree } from "./package_tree.ts";

/**
 * What to do for a subpath, paths being relative to the closure: import a path; take `cjs:path` by
 * `createRequire`; import `json:path` with `{ type: "json" }`.
 */
export type Entries = Record<string, string>;

/** A package whose entries are wanted. */
interface Package {
  tree: PackageTree;
  root: string;
  /** Its files in the words of an `exports` map: `./lib/a.js`, sorted. */
  files: string[];
  /** How a file is taken, by a facade where it needs one; `null` when it cannot be loaded. */
  entryAt(path: string, options: { facade: boolean }): string | null;
}

const MODES: ResolutionMode[] = ["import", "require"];

/** The entries of the package at `root`, sorted by subpath. */
export function entriesOf(
  tree: PackageTree,
  root: string,
  formatOf: (path: string) => ModuleFormat,
  facades: Facades,
): Entries {
  const own = `${root}/`;
  const files = [...tree.files.keys()]
    .filter((path) => path.startsWith(own) && !path.includes("/node_modules/", own.length - 1))
    .map((path) => `./${path.slice(own.length)}`)
    .sort();
  const entryAt: Package["entryAt"] = (path, { facade }) => {
    const format = formatOf(path);
    if (format === "module" || format === "wasm") return path;
    if (format === "json") return `json:${path}`;
    if (format === "other") return null;
    return facade ? facades.pathFor(path) : `cjs:${path}`;
  };
  const found = hasExports(tree.fieldsOf(root)?.exports)
    ? exportedEntries({ tree, root, files, entryAt })
    : fileEntries({ tree, root, files, entryAt });
  return Object.fromEntries([...found].sort(([one], [other]) => one < other ? -1 : 1));
}

/** What an `exports` map offers. Patterns can mean hundreds of files: those get no facades. */
function exportedEntries({ tree, root, files, entryAt }: Package): Map<string, string> {
  const map = exportsMap(tree.fieldsOf(root)?.exports) ?? {};
  const entries = new Map<string, string>();
  const add = (subpath: string, facade: boolean) => {
    const target = MODES.map((mode) => resolveInPackage(tree, root, subpath, mode))
      .find((target) => target.kind === "file");
    const entry = target === undefined ? null : entryAt(target.path, { facade });
    if (entry !== null) entries.set(subpath, entry);
  };
  for (const [key, target] of Object.entries(map)) {
    if (!key.includes("*")) add(key, true);
    else if (isPattern(key)) {
      for (const subpath of expand(key, target, files)) {
        if (!Object.hasOwn(map, subpath)) add(subpath, false);
      }
    }
  }
  return entries;
}

/** Every string in a target, whatever its conditions: where its files may be. */
function targetsOf(target: unknown): string[] {
  if (typeof target === "string") return [target];
  if (typeof target !== "object" || target === null) return [];
  return Object.values(target).flatMap(targetsOf);
}

/** The subpaths that a pattern of an `exports` map could stand for, given the package's files. */
function expand(pattern: string, target: unknown, files: string[]): Set<string> {
  const subpaths = new Set<string>();
  for (const place of targetsOf(target)) {
    const parts = place.split("*");
    const stars = parts.length - 1;
    if (stars === 0) continue;
    for (const file of files) {
      // All stars of a target stand for the same text.
      const length = (file.length - (place.length - stars)) / stars;
      const matched = file.slice(parts[0].length, parts[0].length + length);
      if (length > 0 && place.replaceAll("*", () => matched) === file) {
        subpaths.add(pattern.replace("*", () => matched));
      }
    }
  }
  return subpaths;
}

/** Without an `exports` map every file can be had by its path, and as `require` shortens it. */
function fileEntries({ tree, root, files, entryAt }: Package): Map<string, string> {
  const entries = new Map<string, string>();
  const shortened = new Set<string>();
  for (const file of files) {
    if (!/\.(?:[mc]?js|json|node)$/.test(file)) continue;
    const entry = entryAt(`${root}/${file.slice(2)}`, { facade: false });
    if (entry !== null) entries.set(file, entry);
    if (/\.(?:js|json|node)$/.test(file)) shortened.add(file.replace(/\.[^.]+$/, ""));
    if (/\/(?:index\.(?:js|json|node)|package\.json)$/.test(file)) shortened.add(parentPath(file));
  }
  for (const subpath of shortened) {
    if (subpath === "." || subpath === "./package" || entries.has(subpath)) continue;
    const target = resolveInPackage(tree, root, subpath, "require");
    const entry = target.kind === "file" ? entryAt(target.path, { facade: false }) : null;
    // What is an ES module is never found by a shortened name.
    if (entry !== null && /^(?:cjs|json):/.test(entry)) entries.set(subpath, entry);
  }
  const main = mainOf(tree, root, tree.fieldsOf(root));
  const entry = main === null ? null : entryAt(main, { facade: true });
  if (entry !== null) entries.set(".", entry);
  return entries;
}
