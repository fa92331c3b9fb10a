/**
 * The grammar of requirements: what an application asks for.
 *
 * Parsed when `require()` is called, with no library loaded, so the grammar here only decides
 * whether a range is well formed; what it means is `npm:semver`'s word (`version.ts`).
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { Ecosystem } from "./egg.ts";
import { parsePythonRequirement } from "./python_requirement.ts";

/** One component that an application asks for. */
export interface Requirement {
  /** As the application wrote it. */
  text: string;
  /** `null` where the text fits both worlds: what the sources have then decides. */
  ecosystem: Ecosystem | null;
  /** The project's name: `hello`, `@scope/name`; of a Python project the normalised one. */
  project: string;
  /**
   * A SemVer range or the name of a tag; `*` when none was given. Of a Python project a version
   * specifier; empty when none was given.
   */
  range: string;
  /** Extras of a Python project that are wanted. */
  extras?: string[];
  /** On which interpreters a requirement of a Python project applies. */
  marker?: string;
  /** The scheme of the only source that may provide it (`npm`), when the text names one. */
  scheme?: string;
  /** True where a program of one file is wanted, which a wheel may hold too. */
  isExecutable?: true;
}

/** Prefixes of a requirement and the scheme of the source that each implies. */
const SCHEMES: Record<string, string> = { npm: "npm", jsr: "jsr", pypi: "pypi" };
/** The prefix that asks for a program of one file. */
const EXECUTABLE = "executable";
/** Prefixes that say which world is meant, of any source. */
const WORLDS: Record<string, Ecosystem> = { js: "js", python: "python", [EXECUTABLE]: "js" };
/** What only a requirement of a Python project says: `~=1.2`, `[tls]`, `>=1!2.0`, `>=1.0rc1`. */
const PYTHON_ONLY = /[~!=]=|[[;(]|\d!\d|[<>,]=?\s*\d+(?:\.\d+)*(?:a|b|rc|\.dev|\.post)\d/;
/** Ranges that mean the same in both worlds. */
const COMMON_RANGE = /^(?:\*|[<>]=?\s*\d+(?:\.\d+)*(?:[,\s]+[<>]=?\s*\d+(?:\.\d+)*)*)$/;

const PROJECT = /^(?:@[A-Za-z0-9_-][\w.-]*\/)?[A-Za-z0-9_][\w.-]*/;
const TAG = /^[A-Za-z][\w.-]*$/;
/** What most requirements say. */
const PLAIN_RANGE = /^(?:[<>]=?|[~^=])?\d+(?:\.\d+(?:\.\d+)?)?$/;

/** Every range; made when it is needed, because it costs a start up to a millisecond. */
function rangeGrammar(): RegExp {
  const part = String.raw`(?:\d+|[xX*])`;
  const version = String
    .raw`[v=]?\s*${part}(?:\.${part}(?:\.${part}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)?)?`;
  const comparator = String.raw`(?:[<>]=?|=|~>?|\^)?\s*${version}`;
  const alternative = String
    .raw`(?:${version}\s+-\s+${version}|${comparator}(?:(?:\s*,\s*|\s+)${comparator})*)`;
  return new RegExp(String.raw`^${alternative}(?:\s*\|\|\s*${alternative})*$`);
}

function syntaxError(text: string, found: string): TransmuteError {
  return new TransmuteError(
    "requirement-syntax",
    `Cannot parse the requirement "${text}": ${found}`,
    {
      requirement: text,
      hint: 'Write it as "hello", "hello@^1.2", "hello>=1.2,<2", "npm:@scope/name@latest" or ' +
        '"pypi:hello~=1.2"',
    },
  );
}

/**
 * Parses a requirement such as `hello`, `hello@^1.2`, `hello>=1.2,<2`, `npm:@scope/name@next` or
 * `pypi:hello[tls]~=1.2`.
 *
 * @throws {TransmuteError} `requirement-syntax`, `version-syntax`, `source-scheme-unknown`
 *
 * @example
 * ```ts
 * import { parseRequirement } from "./requirement.ts";
 *
 * const { project, range } = parseRequirement("hello>=1.2,<2");
 * if (project !== "hello" || range !== ">=1.2 <2") throw new Error("never");
 * ```
 */
export function parseRequirement(text: string): Requirement {
  if (typeof text !== "string") {
    throw syntaxError(String(text), `it is of type ${typeof text}, wanted a string`);
  }
  let rest = text.trim();
  const prefix = /^([a-z][a-z0-9+.-]*):/.exec(rest)?.[1];
  if (prefix !== undefined) {
    if (!Object.hasOwn(SCHEMES, prefix) && !Object.hasOwn(WORLDS, prefix)) {
      const known = [...Object.keys(SCHEMES), ...Object.keys(WORLDS)];
      throw new TransmuteError(
        "source-scheme-unknown",
        `Cannot parse the requirement "${text}": found the prefix "${prefix}:", wanted ${
          known.map((scheme) => `"${scheme}:"`).join(" or ")
        }`,
        { requirement: text, hint: "Leave the prefix out to use the declared sources" },
      );
    }
    rest = rest.slice(prefix.length + 1);
  }
  const isPython = prefix === "pypi" || prefix === "python";
  if (isPython || (prefix === undefined && PYTHON_ONLY.test(rest))) {
    return pythonRequirement(text, rest, prefix === "pypi" ? "pypi" : undefined);
  }
  const project = PROJECT.exec(rest)?.[0];
  if (project === undefined) throw syntaxError(text, "it does not begin with a project's name");
  if (prefix === "jsr" && !project.startsWith("@")) {
    throw syntaxError(text, `JSR has no project "${project}": all of its own have a scope`);
  }
  let range = rest.slice(project.length).trim();
  if (range.startsWith("@")) {
    range = range.slice(1).trim();
    if (range === "") throw syntaxError(text, 'nothing follows the "@"');
  } else if (range !== "" && !/^[<>=~^]/.test(range)) {
    throw syntaxError(text, `"${range}" after the name is neither "@" nor a comparison`);
  }
  if (
    range !== "" && !PLAIN_RANGE.test(range) && !TAG.test(range) && !rangeGrammar().test(range)
  ) {
    throw new TransmuteError(
      "version-syntax",
      `Cannot parse the requirement "${text}": "${range}" is not a version range`,
      { requirement: text, hint: "Ranges are npm's: ^1.2, ~1.2.3, >=1 <2, 1.x || 2.x" },
    );
  }
  range = range === "" ? "*" : range.replace(/\s*,\s*/g, " ");
  const isOpen = prefix === undefined && !project.startsWith("@") && COMMON_RANGE.test(range);
  return {
    text,
    ecosystem: isOpen ? null : "js",
    project,
    range,
    ...(prefix === undefined || !Object.hasOwn(SCHEMES, prefix) ? {} : { scheme: SCHEMES[prefix] }),
    ...(prefix === EXECUTABLE ? { isExecutable: true } : {}),
  };
}

function pythonRequirement(text: string, rest: string, scheme: string | undefined): Requirement {
  const { project, extras, specifier, marker, url } = parsePythonRequirement(rest);
  if (url !== undefined) {
    throw new TransmuteError(
      "requirement-syntax",
      `Cannot parse the requirement "${text}": found "@", wanted a version specifier`,
      { requirement: text, hint: 'Write one version as "==1.2", and a range as "~=1.2"' },
    );
  }
  return {
    text,
    ecosystem: "python",
    project,
    range: specifier,
    ...(extras.length === 0 ? {} : { extras }),
    ...(marker === null ? {} : { marker }),
    ...(scheme === undefined ? {} : { scheme }),
  };
}

/** A requirement that fits both worlds, read as one of a Python project. */
export function asPython(requirement: Requirement): Requirement {
  if (requirement.ecosystem === "python") return requirement;
  const { text, project, range } = requirement;
  const specifier = range === "*" ? "" : range.replace(/\s+(?=[<>])/g, ",");
  const read = pythonRequirement(text, project + specifier, undefined);
  return requirement.scheme === undefined ? read : { ...read, scheme: requirement.scheme };
}

/** Under which name an egg is recorded: worlds have names of their own. */
export function recordedName(ecosystem: Ecosystem, project: string): string {
  return ecosystem === "python" ? `python:${project}` : project;
}

/** The project that a recorded name is of, if it is one of that world; else `null`. */
export function projectOf(recorded: string, ecosystem: Ecosystem): string | null {
  const isPython = recorded.startsWith("python:");
  if (isPython !== (ecosystem === "python")) return null;
  return isPython ? recorded.slice("python:".length) : recorded;
}

/** The same text for requirements that mean the same, to compare against what was recorded. */
export function requirementKey(requirement: Requirement): string {
  const { ecosystem, scheme, project, range, extras = [], marker } = requirement;
  if (ecosystem === "python") {
    const wanted = extras.length === 0 ? "" : `[${extras.toSorted().join(",")}]`;
    const when = marker === undefined ? "" : `; ${marker}`;
    return `${scheme ?? "python"}:${project}${wanted}${range}${when}`;
  }
  const isSaid = ecosystem === "js" && !project.startsWith("@") && COMMON_RANGE.test(range);
  const prefix = requirement.isExecutable ? EXECUTABLE : scheme ?? (isSaid ? "js" : undefined);
  return `${prefix === undefined ? "" : `${prefix}:`}${project}@${range}`;
}

/**
 * Splits what is imported into project and subpath: `@scope/name/sub/file` is the project
 * `@scope/name` and the subpath `./sub/file`; a project alone is the subpath `.`.
 *
 * @throws {TransmuteError} `entry-missing` when it does not begin with a project's name
 */
export function parseSpecifier(specifier: string): { project: string; subpath: string } {
  const match = /^((?:@[^/\\%]+\/)?[^@/\\%.][^/\\%]*)(?:\/(.+))?$/.exec(specifier);
  if (match === null || match[2]?.split("/").includes("..")) {
    throw new TransmuteError(
      "entry-missing",
      `Cannot import "${specifier}": found no project's name, wanted "hello" or "hello/sub"`,
    );
  }
  return { project: match[1], subpath: match[2] === undefined ? "." : `./${match[2]}` };
}

/** Whether a source's id is of the kind that a requirement's prefix names: `npm:`, `npm+https:`. */
export function isOfScheme(sourceId: string, scheme: string): boolean {
  return sourceId.startsWith(`${scheme}:`) || sourceId.startsWith(`${scheme}+`);
}
