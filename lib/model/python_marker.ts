/**
 * Environment markers (PEP 508): on which interpreters, and for which extras, a requirement
 * applies.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { MarkerEnvironment } from "./python.ts";
import { normalizeProjectName } from "./python_requirement.ts";
import { isPythonSpecifier, isPythonVersion, satisfiesSpecifier } from "./python_version.ts";

interface Operand {
  kind: "variable" | "text";
  value: string;
}

interface Comparison {
  left: Operand;
  operator: string;
  right: Operand;
}

type Marker = { and: Marker[] } | { or: Marker[] } | Comparison;

const TOKEN =
  /\s*(?:(\(|\))|(===|~=|==|!=|<=|>=|<|>)|"([^"]*)"|'([^']*)'|(not\s+in\b)|([A-Za-z_][\w.]*))/y;

/** Names that markers had before PEP 508. */
const OLD_NAMES: Record<string, string> = {
  "os.name": "os_name",
  "sys.platform": "sys_platform",
  "platform.version": "platform_version",
  "platform.machine": "platform_machine",
  "platform.python_implementation": "platform_python_implementation",
  python_implementation: "platform_python_implementation",
};

/** Brackets in brackets: nobody writes so many, and reading them takes the stack. */
const MAX_DEPTH = 100;

const parsed = new Map<string, Marker>();

function refused(text: string, found: string): TransmuteError {
  return new TransmuteError("requirement-syntax", `Cannot parse the marker "${text}": ${found}`);
}

/** A word of a marker: a sign, or a name or a text as an operand. */
type Token = string | Operand;

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let at = 0; text.slice(at).trim() !== ""; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) throw refused(text, `"${text.slice(at).trim()}" is no part of one`);
    const [, bracket, operator, double, single, notIn, word] = match;
    if (double !== undefined || single !== undefined) {
      tokens.push({ kind: "text", value: double ?? single });
    } else if (notIn !== undefined) tokens.push("not in");
    else if (word === "and" || word === "or" || word === "in") tokens.push(word);
    else if (word !== undefined) tokens.push({ kind: "variable", value: OLD_NAMES[word] ?? word });
    else tokens.push(bracket ?? operator);
  }
  return tokens;
}

/** Reads `or` of `and` of comparisons and brackets. */
function parse(text: string): Marker {
  const tokens = tokensOf(text);
  let at = 0;
  let depth = 0;
  const joined = (kind: "and" | "or", next: () => Marker): Marker => {
    const parts = [next()];
    while (tokens[at] === kind) {
      at++;
      parts.push(next());
    }
    return parts.length === 1 ? parts[0] : kind === "and" ? { and: parts } : { or: parts };
  };
  const operand = (): Operand => {
    const token = tokens[at++];
    if (typeof token !== "object") throw refused(text, "wanted a name or a text in quotes");
    return token;
  };
  const comparison = (): Marker => {
    if (tokens[at] === "(") {
      at++;
      if (++depth > MAX_DEPTH) throw refused(text, `wanted at most ${MAX_DEPTH} brackets at once`);
      const inner = either();
      depth--;
      if (tokens[at++] !== ")") throw refused(text, 'wanted ")"');
      return inner;
    }
    const left = operand();
    const operator = tokens[at++];
    if (typeof operator !== "string" || /^(?:and|or|[()])$/.test(operator)) {
      throw refused(text, "wanted a comparison");
    }
    return { left, operator, right: operand() };
  };
  const all = () => joined("and", comparison);
  const either = () => joined("or", all);
  const marker = either();
  if (at < tokens.length) throw refused(text, "found more after its end");
  return marker;
}

/**
 * Whether a marker holds.
 *
 * @param environment of the interpreter that it is for
 * @param extras the extras that are wanted of the egg that has the marker, normalised: it holds
 * where it holds without any or with one of them
 * @throws {TransmuteError} `requirement-syntax`
 *
 * @example
 * ```ts
 * import { evaluateMarker } from "./python_marker.ts";
 *
 * const environment = { python_version: "3.11", sys_platform: "linux" } as never;
 * const marker = 'python_version >= "3.9" and extra == "tls"';
 * if (evaluateMarker(marker, environment, new Set())) throw new Error("never");
 * if (!evaluateMarker(marker, environment, new Set(["tls"]))) throw new Error("never");
 * ```
 */
export function evaluateMarker(
  text: string,
  environment: MarkerEnvironment,
  extras: ReadonlySet<string>,
): boolean {
  let marker = parsed.get(text);
  if (marker === undefined) parsed.set(text, marker = parse(text));
  const held = (extra: string) => holds(marker, { ...environment, extra }, text);
  return held("") || Array.from(extras).some(held);
}

function holds(marker: Marker, environment: Record<string, string>, text: string): boolean {
  if ("and" in marker) return marker.and.every((part) => holds(part, environment, text));
  if ("or" in marker) return marker.or.some((part) => holds(part, environment, text));
  const { left, operator, right } = marker;
  const isExtra = [left, right].some(({ kind, value }) => kind === "variable" && value === "extra");
  const valueOf = ({ kind, value }: Operand) => {
    if (kind === "text") return isExtra ? normalizeProjectName(value) : value;
    if (!Object.hasOwn(environment, value)) throw refused(text, `there is no variable ${value}`);
    return environment[value];
  };
  return compares(valueOf(left), operator, valueOf(right));
}

/** As versions where both sides are, else as texts. */
function compares(left: string, operator: string, right: string): boolean {
  if (operator === "in") return right.includes(left);
  if (operator === "not in") return !right.includes(left);
  const specifier = `${operator}${right}`;
  if (isPythonVersion(left) && isPythonSpecifier(specifier)) {
    return satisfiesSpecifier(left, specifier, { prereleases: true });
  }
  switch (operator) {
    case "==":
    case "===":
      return left === right;
    case "!=":
      return left !== right;
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    default: // >=, and ~= of texts, which means nothing
      return operator === ">=" && left >= right;
  }
}
