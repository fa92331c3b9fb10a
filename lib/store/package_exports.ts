/**
 * The `exports` and `imports` maps of a `package.json`, as Node's documentation specifies them
 * (PACKAGE_IMPORTS_EXPORTS_RESOLVE and PACKAGE_TARGET_RESOLVE).
 *
 * Written here because what a closure loads must be what Node would load, and neither
 * `resolve.exports` nor `resolve-pkg-maps` gives that: both stop at the first condition that
 * matches even when nothing below it does, and the former orders overlapping patterns otherwise.
 *
 * @module
 */

import { decodedText } from "../model/encoded_text.ts";

/** What a map says of a name: a target, `null` where it is not available, or that it is wrong. */
type Found = string | null | undefined;

/** A target that Node refuses: an array goes on to its next one. */
class InvalidTarget extends Error {}
/** A map that Node refuses as a whole. */
class InvalidMap extends Error {}

type Conditions = ReadonlySet<string>;

const FORBIDDEN_SEGMENT = /(?:^|[\\/])(?:\.{1,2}|node_modules)(?:[\\/]|$)/i;
const ARRAY_INDEX = /^(?:0|[1-9]\d*)$/;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether Node refuses a path for a segment in it, however that is encoded. */
function hasForbiddenSegment(path: string): boolean {
  return FORBIDDEN_SEGMENT.test(decodedText(path));
}

/** Where the specification's `isImports` is true, a target may also name another package. */
function resolveTarget(
  target: unknown,
  matched: string | null,
  isImports: boolean,
  conditions: Conditions,
): Found {
  if (typeof target === "string") {
    const fill = (text: string) => matched === null ? text : text.replaceAll("*", () => matched);
    if (!target.startsWith("./")) {
      if (!isImports || /^(?:\.\.\/|\/)/.test(target) || URL.canParse(target)) {
        throw new InvalidTarget();
      }
      return fill(target);
    }
    if (hasForbiddenSegment(target.slice(2))) throw new InvalidTarget();
    if (matched !== null && hasForbiddenSegment(matched)) throw new InvalidTarget();
    return fill(target);
  }
  if (target === null) return null;
  if (Array.isArray(target)) return resolveFirst(target, matched, isImports, conditions);
  if (!isObject(target)) throw new InvalidTarget();
  for (const condition of Object.keys(target)) {
    if (ARRAY_INDEX.test(condition)) throw new InvalidMap();
    if (condition !== "default" && !conditions.has(condition)) continue;
    const found = resolveTarget(target[condition], matched, isImports, conditions);
    // Nothing below a condition that matches is no answer: the next condition is asked.
    if (found !== undefined) return found;
  }
  return undefined;
}

function resolveFirst(
  targets: unknown[],
  matched: string | null,
  isImports: boolean,
  conditions: Conditions,
): Found {
  let last: Found | InvalidTarget = targets.length === 0 ? null : undefined;
  for (const target of targets) {
    try {
      const found = resolveTarget(target, matched, isImports, conditions);
      if (typeof found === "string") return found;
      if (found === null) last = null;
    } catch (error) {
      if (!(error instanceof InvalidTarget)) throw error;
      last = error;
    }
  }
  if (last instanceof InvalidTarget) throw last;
  return last;
}

/** Sorts patterns as PATTERN_KEY_COMPARE does: the longest text before `*`, then the longest. */
function comparePatterns(one: string, other: string): number {
  return other.indexOf("*") - one.indexOf("*") || other.length - one.length;
}

function resolveInMap(
  map: Record<string, unknown>,
  name: string,
  isImports: boolean,
  conditions: Conditions,
): string | null {
  try {
    if (Object.hasOwn(map, name) && !name.includes("*") && !name.endsWith("/")) {
      return resolveTarget(map[name], null, isImports, conditions) ?? null;
    }
    for (const key of Object.keys(map).filter(isPattern).sort(comparePatterns)) {
      const star = key.indexOf("*");
      const ending = key.slice(star + 1);
      if (!name.startsWith(key.slice(0, star)) || name.length < key.length) continue;
      if (!name.endsWith(ending)) continue;
      const matched = name.slice(star, name.length - ending.length);
      return resolveTarget(map[key], matched, isImports, conditions) ?? null;
    }
  } catch (error) {
    if (!(error instanceof InvalidTarget || error instanceof InvalidMap)) throw error;
  }
  return null;
}

/** Whether a `package.json` has an `exports` field that counts. */
export function hasExports(exports: unknown): boolean {
  return typeof exports === "string" || typeof exports === "object" && exports !== null;
}

/** Whether a key of a map stands for many names: it has exactly one `*`. */
export function isPattern(key: string): boolean {
  return key.includes("*") && key.indexOf("*") === key.lastIndexOf("*");
}

/**
 * An `exports` field as a map from subpaths (`"."`, `"./sub"`) to targets, whichever of its short
 * forms was written; `null` for a field that mixes subpaths and conditions.
 */
export function exportsMap(exports: unknown): Record<string, unknown> | null {
  if (!isObject(exports)) return { ".": exports };
  const keys = Object.keys(exports);
  const subpaths = keys.filter((key) => key.startsWith(".")).length;
  if (subpaths === 0) return { ".": exports };
  return subpaths === keys.length ? exports : null;
}

/**
 * What an `exports` field gives for a subpath: `"./lib/index.js"`, or `null` where it gives none.
 * `conditions` holds no `"default"`: it always applies.
 */
export function resolveExports(
  exports: unknown,
  subpath: string,
  conditions: Conditions,
): string | null {
  const map = exportsMap(exports);
  return map === null ? null : resolveInMap(map, subpath, false, conditions);
}

/**
 * What an `imports` field gives for a specifier that starts with `#`: `"./lib/index.js"`, or
 * another package's specifier, or `null` where it gives none.
 */
export function resolveImports(
  imports: unknown,
  specifier: string,
  conditions: Conditions,
): string | null {
  if (!isObject(imports) || specifier === "#" || specifier.startsWith("#/")) return null;
  return resolveInMap(imports, specifier, true, conditions);
}
