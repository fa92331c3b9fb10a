/**
 * The grammar of dependencies: what a `package.json` asks for.
 *
 * Only what a registry can answer is accepted. A dependency on a repository, a URL or a folder
 * would bring code that no source listed and no digest proves.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";

/** One dependency, as a question to a source. */
export interface Dependency {
  /** The project to ask for; differs from the dependency's name when that is an alias. */
  project: string;
  /** A SemVer range or the name of a tag; `*` when none was given. */
  range: string;
}

const SEGMENT = String.raw`[A-Za-z0-9_~-][\w.~-]*`;
const PROJECT_NAME = new RegExp(`^(?:@${SEGMENT}/)?${SEGMENT}$`);
/** What npm reads as the address of a Git repository without a scheme of its own. */
const REPOSITORY_OR_PATH = /^[.~]?[/\\]|[/\\]|^[A-Za-z]:/;
const ARCHIVE_FILE = /\.(?:tgz|tar\.gz|tar)$/i;

/** What a scheme of an unsupported dependency brings, for the message. */
const SCHEMES: [pattern: RegExp, kind: string][] = [
  [/^(?:git(?:\+[a-z]+)?|ssh|github|gitlab|bitbucket|gist):/i, "a Git repository"],
  [/^git@/i, "a Git repository"],
  [/^https?:/i, "the file at a URL"],
  [/^(?:file|link|portal):/i, "a folder or file"],
  [/^(?:workspace|catalog|patch):/i, "something of its publisher's workspace"],
  [/^jsr:/i, "a JSR project"],
];

/**
 * Whether `name` can be the name of a project, and so also of a folder in `node_modules`: at most
 * one scope, no segment that begins with a dot, nothing that a URL or a file system could read
 * otherwise.
 */
export function isProjectName(name: string): boolean {
  return PROJECT_NAME.test(name) && name.length <= 214 && name.toLowerCase() !== "node_modules";
}

function unsupported(name: string, spec: string, found: string): TransmuteError {
  return new TransmuteError(
    "dependency-unsupported",
    `Cannot follow the dependency "${name}": "${withoutCredentials(spec)}" is ${found}, ` +
      "wanted a version range or tag of a registry",
    { hint: "Ask its publisher for a release that depends on registry versions or bundles it" },
  );
}

/** Repository addresses may carry a user's token, which a message must not. */
function withoutCredentials(spec: string): string {
  return spec.replace(/(\/\/)[^/@\s]*@/g, "$1");
}

/** What `spec` is, when it is nothing that a registry can answer. */
function foreignKind(spec: string): string | null {
  for (const [pattern, kind] of SCHEMES) if (pattern.test(spec)) return kind;
  if (ARCHIVE_FILE.test(spec)) return "a folder or file";
  if (/^(?:[.~]?[/\\]|\.\.[/\\]|[A-Za-z]:[/\\])/.test(spec)) return "a folder or file";
  if (/^[a-z][a-z0-9+.-]*:/i.test(spec)) return "of an unknown kind";
  return REPOSITORY_OR_PATH.test(spec) ? "a Git repository" : null;
}

/**
 * Reads one entry of `dependencies`: `name` is its key, `spec` its value.
 *
 * Whether a range is well formed is not decided here: one that is not will match no version.
 *
 * @throws {TransmuteError} `dependency-unsupported` for Git repositories, URLs, folders,
 * workspaces, and names that are none
 *
 * @example
 * ```ts
 * import { parseDependency } from "./dependency.ts";
 *
 * const { project, range } = parseDependency("old-chalk", "npm:chalk@^4");
 * if (project !== "chalk" || range !== "^4") throw new Error("never");
 * ```
 */
export function parseDependency(name: string, spec: string): Dependency {
  if (!isProjectName(name)) {
    throw new TransmuteError(
      "dependency-unsupported",
      `Cannot follow the dependency ${JSON.stringify(name)}: it is not the name of a project`,
    );
  }
  if (typeof spec !== "string") {
    throw unsupported(name, String(JSON.stringify(spec)), `of type ${typeof spec}`);
  }
  const wanted = spec.trim();
  const alias = /^npm:(.*)$/is.exec(wanted)?.[1].trim();
  if (alias === undefined) {
    const kind = foreignKind(wanted);
    if (kind !== null) throw unsupported(name, wanted, kind);
    return { project: name, range: wanted === "" ? "*" : wanted };
  }
  const at = alias.indexOf("@", 1);
  const project = (at < 0 ? alias : alias.slice(0, at)).trim();
  const range = at < 0 ? "" : alias.slice(at + 1).trim();
  if (!isProjectName(project)) throw unsupported(name, wanted, "an alias of no project");
  if (range !== "" && (/^npm:/i.test(range) || foreignKind(range) !== null)) {
    throw unsupported(name, wanted, "an alias of no version range");
  }
  return { project, range: range === "" ? "*" : range };
}
