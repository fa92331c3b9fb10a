/**
 * The grammar of what Python eggs ask for (PEP 508), as `METADATA` and `requires.txt` have it.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";

/** One requirement of a Python project. */
export interface PythonRequirement {
  /** As it was written. */
  text: string;
  /** The project's normalised name. */
  project: string;
  /** Extras of it that are wanted, normalised. */
  extras: string[];
  /** A version specifier; empty where any version will do. */
  specifier: string;
  /** When it applies; `null` for always. */
  marker: string | null;
  /** Where it wants the archive from, in place of an index. */
  url?: string;
}

const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?/;
const EXTRAS = /^\s*\[([^\]]*)\]/;
const EXTRA = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;
const CLAUSE = /^(?:===|~=|==|!=|<=|>=|<|>)\s*[^\s,;()]+$/;

/**
 * The one name that all ways to write a project's name have: `Foo.Bar_baz` → `foo-bar-baz`.
 *
 * @see PEP 503, "Normalized Names"
 */
export function normalizeProjectName(name: string): string {
  return name.replace(/[-_.]+/g, "-").toLowerCase();
}

function refused(text: string, found: string): TransmuteError {
  return new TransmuteError(
    "requirement-syntax",
    `Cannot parse the requirement "${text}": ${found}`,
    {
      requirement: text,
      hint: 'Write it as "foobar", "foobar>=1.0,<2", "foobar[extra]~=1.4" or with "; marker"',
    },
  );
}

/**
 * Parses a requirement such as `foobar[tls] (>=1.0,<2) ; python_version < "3.12"`.
 *
 * Whether versions and markers are well formed is not decided here.
 *
 * @throws {TransmuteError} `requirement-syntax`
 *
 * @example
 * ```ts
 * import { parsePythonRequirement } from "./python_requirement.ts";
 *
 * const { project, extras, specifier } = parsePythonRequirement("Foo_Bar[TLS] >=1.0,<2");
 * if (`${project} ${extras} ${specifier}` !== "foo-bar tls >=1.0,<2") throw new Error("never");
 * ```
 */
export function parsePythonRequirement(text: string): PythonRequirement {
  const whole = text.trim();
  const name = NAME.exec(whole)?.[0];
  if (name === undefined) throw refused(text, "it does not begin with a project's name");
  let rest = whole.slice(name.length);
  let extras: string[] = [];
  const listed = EXTRAS.exec(rest);
  if (listed !== null) {
    extras = listed[1].split(",").map((extra) => extra.trim()).filter((extra) => extra !== "");
    const wrong = extras.find((extra) => !EXTRA.test(extra));
    if (wrong !== undefined) throw refused(text, `"${wrong}" is not the name of an extra`);
    rest = rest.slice(listed[0].length);
  }
  rest = rest.trim();
  const found = {
    text,
    project: normalizeProjectName(name),
    extras: extras.map(normalizeProjectName),
  };
  if (rest.startsWith("@")) {
    const [, url, marker] = /^@\s*(\S+?)(?:\s+;\s*(.+)|\s*;\s+(.+))?$/s.exec(rest) ?? [];
    if (url === undefined) throw refused(text, 'nothing follows the "@"');
    return { ...found, specifier: "", marker: marker?.trim() ?? null, url };
  }
  const semicolon = rest.indexOf(";");
  const marker = semicolon < 0 ? null : rest.slice(semicolon + 1).trim();
  if (marker === "") throw refused(text, 'nothing follows the ";"');
  let specifier = (semicolon < 0 ? rest : rest.slice(0, semicolon)).trim();
  if (specifier.startsWith("(") && specifier.endsWith(")")) {
    specifier = specifier.slice(1, -1).trim();
  }
  specifier = specifier.replace(/,\s*$/, "");
  const clauses = specifier === "" ? [] : specifier.split(",").map((clause) => clause.trim());
  if (!clauses.every((clause) => CLAUSE.test(clause))) {
    throw refused(text, `"${specifier}" is not a version specifier`);
  }
  return { ...found, specifier: clauses.join(",").replace(/\s+/g, ""), marker };
}
