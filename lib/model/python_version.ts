/**
 * What versions and version specifiers of Python projects mean (PEP 440).
 *
 * The order of versions is the library's word; specifiers are read here, since the library takes
 * `>1.0a1` to exclude `1.0` and `==1.0.*` to exclude `1`. The only file that loads the library.
 *
 * @module
 */

// Reads and orders versions exactly as Python's own `packaging` does.
import { compare, explain as read } from "npm:@renovatebot/pep440@5.0.1";

type Explained = NonNullable<ReturnType<typeof read>>;

/** One comparison of a specifier. */
interface Clause {
  operator: string;
  /** As written, without `.*`. */
  text: string;
  /** `null` for what `===` compares as a text. */
  version: Explained | null;
  /** True of `==1.2.*`. */
  isPrefix: boolean;
}

const CLAUSE = /^(===|~=|==|!=|<=|>=|<|>)\s*([^\s,;()]+)$/;
const clausesOf = new Map<string, Clause[] | null>();

/**
 * What a version says; `null` for what is none. Nor is one whose numbers would be rounded: it could
 * be taken for another.
 */
function explain(version: string): Explained | null {
  if (/\d{16}/.test(version)) {
    const [published, local = ""] = version.split("+", 2);
    // Of a local label, a part with letters in it is no number.
    const labels = local.split(/[-_.]/).filter((part) => /^\d+$/.test(part));
    const numbers = [...published.match(/\d+/g) ?? [], ...labels];
    if (!numbers.every((digits) => Number.isSafeInteger(Number(digits)))) return null;
  }
  return read(version);
}

/** Whether `version` is one. */
export function isPythonVersion(version: string): boolean {
  return explain(version.trim()) !== null;
}

/** Whether `version` is a pre-release or a development release; false for what is no version. */
export function isPythonPrerelease(version: string): boolean {
  return explain(version.trim())?.is_prerelease ?? false;
}

/** Orders two versions: negative when `one` is the lower. What is no version is lower than any. */
export function comparePythonVersions(one: string, other: string): number {
  const [left, right] = [one.trim(), other.trim()];
  const [hasLeft, hasRight] = [isPythonVersion(left), isPythonVersion(right)];
  return hasLeft && hasRight ? compare(left, right) : Number(hasLeft) - Number(hasRight);
}

/**
 * The form in which all ways to write a version are equal, `1.0+ubuntu.1` and `1.0-Beta2` among
 * them; zeros at the end of the release stay. `null` for what is no version.
 */
export function normalizePythonVersion(version: string): string | null {
  const explained = explain(version.trim());
  if (explained === null) return null;
  const [, local] = version.trim().toLowerCase().split("+");
  if (local === undefined) return explained.public;
  // The library takes a label such as "12e3", as hashes have it, for a number.
  const labels = local.split(/[-_.]/).map((part) => part.replace(/^0+(?=\d+$)/, ""));
  return `${explained.public}+${labels.join(".")}`;
}

function readClause(text: string): Clause | null {
  const [, operator, operand] = CLAUSE.exec(text) ?? [];
  if (operator === undefined) return null;
  if (operator === "===") {
    return { operator, text: operand, version: explain(operand), isPrefix: false };
  }
  const isPrefix = operand.endsWith(".*");
  const written = isPrefix ? operand.slice(0, -2) : operand;
  const version = explain(written);
  if (version === null) return null;
  const isEquality = operator === "==" || operator === "!=";
  if (isPrefix && (!isEquality || !/^(?:\d+!)?\d+(?:\.\d+)*$/.test(written))) return null;
  if (version.local && !isEquality) return null;
  if (operator === "~=" && version.release.length < 2) return null;
  return { operator, text: written, version, isPrefix };
}

/** The clauses of a specifier, `null` when it is none; kept, since resolving asks again and again. */
function readSpecifier(specifier: string): Clause[] | null {
  let clauses = clausesOf.get(specifier);
  if (clauses === undefined) {
    const texts = specifier.split(",").map((text) => text.trim()).filter((text) => text !== "");
    const read = texts.map(readClause);
    clauses = read.includes(null) ? null : read as Clause[];
    clausesOf.set(specifier, clauses);
  }
  return clauses;
}

/** Whether `specifier` is one, such as `>=1.0,<2`; an empty one admits everything. */
export function isPythonSpecifier(specifier: string): boolean {
  return readSpecifier(specifier) !== null;
}

/** Whether a specifier names a pre-release, and so asks for them. */
export function namesPrerelease(specifier: string): boolean {
  return (readSpecifier(specifier) ?? [])
    .some(({ operator, version }) => operator !== "!=" && version?.is_prerelease);
}

/** Whether a specifier names this very version with `==` or `===`: only so are yanked files taken. */
export function namesExactly(version: string, specifier: string): boolean {
  return (readSpecifier(specifier) ?? [])
    .some((clause) =>
      (clause.operator === "==" || clause.operator === "===") && !clause.isPrefix &&
      admits(clause, version)
    );
}

/**
 * Whether `specifier` admits `version`. False for what is no version (but `===` compares texts)
 * or no specifier.
 *
 * @param options `prereleases`: whether they are admitted; by default only where the specifier
 * itself names one
 */
export function satisfiesSpecifier(
  version: string,
  specifier: string,
  options: { prereleases?: boolean } = {},
): boolean {
  const clauses = readSpecifier(specifier);
  if (clauses === null) return false;
  const explained = explain(version.trim());
  if (explained === null) {
    return clauses.length > 0 && clauses.every((clause) => admits(clause, version.trim()));
  }
  const { prereleases = namesPrerelease(specifier) } = options;
  if (explained.is_prerelease && !prereleases) return false;
  return clauses.every((clause) => admits(clause, version.trim()));
}

function admits({ operator, text, version: wanted, isPrefix }: Clause, version: string): boolean {
  if (operator === "===") return version.toLowerCase() === text.toLowerCase();
  const found = explain(version);
  if (found === null || wanted === null) return false;
  if (isPrefix) return (operator === "==") === hasPrefix(found, wanted);
  // Local labels count only where the specifier has one.
  const own = wanted.local ? version : found.public;
  const order = compare(own, text);
  switch (operator) {
    case "==":
      return order === 0;
    case "!=":
      return order !== 0;
    case ">=":
      return order >= 0;
    case "<=":
      return order <= 0;
    case "<":
      return order < 0 && !isPrereleaseOf(found, wanted);
    case ">":
      return order > 0 && !isPostreleaseOf(found, wanted);
    default: // ~=
      return order >= 0 &&
        hasPrefix(found, { ...wanted, release: wanted.release.slice(0, -1) });
  }
}

function haveSameRelease(one: Explained, other: Explained): boolean {
  return compare(one.base_version, other.base_version) === 0;
}

/** Whether a version is one before another is finished, which is none such itself. */
function isPrereleaseOf(found: Explained, wanted: Explained): boolean {
  if (wanted.is_prerelease || !found.is_prerelease || !haveSameRelease(found, wanted)) return false;
  return !wanted.is_postrelease || (!found.pre && String(found.post) === String(wanted.post));
}

/** Whether a version is one of those after another, which is none such itself. */
function isPostreleaseOf(found: Explained, wanted: Explained): boolean {
  return found.is_postrelease && !wanted.is_postrelease && !wanted.is_devrelease &&
    haveSameRelease(found, wanted) && String(found.pre) === String(wanted.pre);
}

/** Whether a version begins with the numbers of another; missing numbers are zeros. */
function hasPrefix(found: Explained, wanted: Explained): boolean {
  return found.epoch === wanted.epoch &&
    wanted.release.every((number, index) => (found.release[index] ?? 0) === number);
}
