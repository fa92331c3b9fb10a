/**
 * Checks the shape of the project: which folder may import which (the arrows drawn in
 * `ARCHITECTURE.md`), that no modules import one another in a ring, that nothing on the start-up
 * path loads Node's compatibility layer or a dependency, and the rules about names and texts.
 *
 * Run it with `deno task layers`. Exit code 1 when a rule is broken.
 */

import type { Import, ModuleSyntax } from "./module_imports.ts";
import { readModuleSyntax } from "./module_imports.ts";
import { nameProblems, textProblems } from "./project_text.ts";

/** One broken rule: where, and what. */
export interface Problem {
  path: string;
  line: number;
  text: string;
}

/** What the modules of one part of `lib/` may import. A part may always import itself. */
interface Part {
  /** Parts that may be imported in any way. */
  any: string[];
  /** Parts of which only types may be imported, or which only `import()` may load. */
  lazy?: string[];
}

const BOTTOM = ["errors.ts", "runtime"];
const VALUES = [...BOTTOM, "model"];
const SIBLINGS = ["store", "sources", "trust"];

/** The arrows. A part is a folder of `lib/`, or a file that lies directly in it. */
const PARTS: Record<string, Part> = {
  "errors.ts": { any: [] },
  "runtime": { any: ["errors.ts"] },
  // Values without I/O: of the runtime it may know the types only.
  "model": { any: ["errors.ts"], lazy: ["runtime"] },
  "options.ts": { any: VALUES, lazy: ["sources"] },
  "store": { any: VALUES },
  "sources": { any: VALUES },
  "trust": { any: VALUES },
  "loader": { any: [...VALUES, "store"] },
  "updater": { any: [...VALUES, ...SIBLINGS], lazy: ["options.ts", "report.ts"] },
  "journal.ts": { any: VALUES, lazy: ["options.ts"] },
  "report.ts": { any: [], lazy: VALUES },
  "usage.ts": { any: BOTTOM, lazy: ["model", "loader", "store", "updater"] },
  "upkeep.ts": { any: [], lazy: [...VALUES, "options.ts", "report.ts", "store", "updater"] },
  "transmute.ts": {
    any: [
      ...VALUES,
      ...["options.ts", "journal.ts", "report.ts", "upkeep.ts", "usage.ts"],
      ...["loader", "store", "sources"],
    ],
    lazy: ["updater", "trust"],
  },
  "default.ts": {
    any: [...VALUES, "options.ts", "transmute.ts"],
    lazy: ["report.ts", "self.ts", "loader", "store", "updater"],
  },
  "self.ts": {
    any: [...VALUES, "options.ts", "transmute.ts", "store"],
    lazy: ["report.ts", "loader"],
  },
  "publisher": { any: [...VALUES, ...SIBLINGS, "options.ts"] },
  "cli": {
    any: [
      ...VALUES,
      ...SIBLINGS,
      ...["options.ts", "report.ts", "loader", "updater", "transmute.ts", "publisher"],
    ],
  },
};

const ENTRY = "mod.ts";
const MAX_LINES = 450;
const PINNED_REGEXP = /^npm:(@[^/@]+\/)?[^/@]+@\d+\.\d+\.\d+(-[\w.]+)?(\/|$)/;
const SKIPPED = new Set([".git", ".runtimes", ".coverage", "node_modules", "build", "npm"]);

/** Every broken rule in the project at `root`, sorted by file and line. */
export async function checkLayers(root: string): Promise<Problem[]> {
  const modules = new Map<string, ModuleSyntax>();
  const problems: Problem[] = [];
  for (const path of await projectFiles(root)) {
    const text = await Deno.readTextFile(`${root}/${path}`);
    problems.push(...textProblems(path, text), ...nameProblems(path));
    if (path.endsWith(".ts")) modules.set(path, readModuleSyntax(path, text));
  }
  for (const module of modules.values()) {
    problems.push(...sizeAndFormProblems(module), ...dependencyProblems(module));
    if (module.path.startsWith("lib/")) {
      problems.push(...arrowProblems(module), ...runtimeProblems(module));
    }
  }
  const product = new Map([...modules].filter(([path]) => isProduct(path)));
  problems.push(
    ...cycleProblems(product),
    ...repeatedDependencyProblems(product),
    ...startProblems(product),
  );
  return problems.sort((a, b) => a.path < b.path ? -1 : a.path > b.path ? 1 : a.line - b.line);
}

function sizeAndFormProblems(module: ModuleSyntax): Problem[] {
  const problems = module.inlineTypeLines.map((line) =>
    problem(module, line, "`type` inside the braces stays a real import: write `import type { … }`")
  );
  if (module.lineCount > MAX_LINES) {
    problems.push(problem(module, MAX_LINES + 1, `longer than ${MAX_LINES} lines`));
  }
  return problems;
}

/**
 * What comes from outside must be an exact version from npm. What is published may name nothing
 * but that, built-ins and its own files; a test may also `import("hello")`, an egg.
 */
function dependencyProblems(module: ModuleSyntax): Problem[] {
  const allowed = isProduct(module.path) ? /^(\.\.?\/|node:)/ : /^(?!npm:|jsr:|https?:)/;
  return module.imports
    .filter(({ specifier }) => !allowed.test(specifier) && !PINNED_REGEXP.test(specifier))
    .map(({ specifier, line }) =>
      problem(module, line, `"${specifier}" is not pinned as npm:<name>@<major>.<minor>.<patch>`)
    );
}

function arrowProblems(module: ModuleSyntax): Problem[] {
  const from = partOf(module.path)!;
  const part = PARTS[from];
  if (part === undefined) {
    return [problem(module, 1, `lib/${from} has no place among the layers yet`)];
  }
  const problems: Problem[] = [];
  for (const imported of module.imports) {
    const path = targetOf(module.path, imported);
    if (path === null) continue;
    const to = partOf(path);
    if (to === null) {
      problems.push(problem(module, imported.line, `lib/ may not import ${path}`));
    } else if (to !== from && !part.any.includes(to)) {
      if (!part.lazy?.includes(to)) {
        problems.push(problem(module, imported.line, `${from} may not import ${to} (${path})`));
      } else if (imported.kind === "eager") {
        const text = `${from} may import ${to} only as types or by import() (${path})`;
        problems.push(problem(module, imported.line, text));
      }
    }
  }
  return problems;
}

/** Only `lib/runtime/` knows Deno from Node from Bun. */
function runtimeProblems(module: ModuleSyntax): Problem[] {
  if (partOf(module.path) === "runtime") return [];
  return [
    ...module.globals.map(({ name, line }) =>
      problem(module, line, `only lib/runtime/ may name ${name}`)
    ),
    ...module.imports
      .filter(({ specifier, kind }) => specifier.startsWith("node:") && kind !== "type")
      .map(({ specifier, line }) =>
        problem(module, line, `only lib/runtime/ may import "${specifier}"`)
      ),
  ];
}

/** One problem for each ring of modules, whatever the kind of import. */
function cycleProblems(modules: Map<string, ModuleSyntax>): Problem[] {
  const problems: Problem[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    const start = trail.indexOf(path);
    if (start !== -1) {
      const ring = [...trail.slice(start), path].join(" → ");
      problems.push({ path, line: 1, text: `imports itself: ${ring}` });
      return;
    }
    const module = modules.get(path);
    if (done.has(path) || module === undefined) return;
    trail.push(path);
    for (const target of new Set(module.imports.map((found) => targetOf(path, found)))) {
      if (target !== null) visit(target);
    }
    trail.pop();
    done.add(path);
  };
  for (const path of modules.keys()) visit(path);
  return problems;
}

/** Each dependency has one home, so that it can be replaced in one place. */
function repeatedDependencyProblems(modules: Map<string, ModuleSyntax>): Problem[] {
  const problems: Problem[] = [];
  const homes = new Map<string, string>();
  for (const module of modules.values()) {
    for (const { specifier, line } of module.imports) {
      const name = /^npm:((?:@[^/@]+\/)?[^/@]+)/.exec(specifier)?.[1];
      if (name === undefined) continue;
      const home = homes.get(name) ?? module.path;
      homes.set(name, home);
      if (home !== module.path) {
        problems.push(problem(module, line, `npm:${name} is already imported in ${home}`));
      }
    }
  }
  return problems;
}

/** What loads with the entry: no `node:` module and no dependency, which cost milliseconds each. */
function startProblems(modules: Map<string, ModuleSyntax>): Problem[] {
  const problems: Problem[] = [];
  const loaded = new Set([ENTRY]);
  for (const path of loaded) {
    const module = modules.get(path);
    for (const found of module?.imports.filter(({ kind }) => kind === "eager") ?? []) {
      const target = targetOf(path, found);
      if (target !== null) loaded.add(target);
      else {
        const text = `"${found.specifier}" would load at every start: ${ENTRY} loads this file`;
        problems.push(problem(module!, found.line, text));
      }
    }
  }
  return problems;
}

/** The project's path of a relative import, or `null`. */
function targetOf(path: string, { specifier }: Import): string | null {
  if (!/^\.\.?\//.test(specifier)) return null;
  return decodeURIComponent(new URL(specifier, `file:///${path}`).pathname.slice(1));
}

/** The part of `lib/` that a path lies in, or `null`. */
function partOf(path: string): string | null {
  return path.startsWith("lib/") ? path.split("/")[1] : null;
}

/** Whether a file is part of what is published. */
function isProduct(path: string): boolean {
  return /^(lib|bootstrap)\//.test(path) || !path.includes("/");
}

function problem(module: ModuleSyntax, line: number, text: string): Problem {
  return { path: module.path, line, text };
}

/** Every file that belongs to the project, relative to `root`, sorted. */
async function projectFiles(root: string, folder = ""): Promise<string[]> {
  const paths: string[] = [];
  for await (const entry of Deno.readDir(`${root}/${folder}`)) {
    // In a second work tree of one repository, `.git` is a file.
    if (SKIPPED.has(entry.name)) continue;
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory) paths.push(...await projectFiles(root, `${path}/`));
    if (entry.isFile) paths.push(path);
  }
  return paths.sort();
}

if (import.meta.main) {
  const problems = await checkLayers(Deno.cwd());
  for (const { path, line, text } of problems) console.error(`${path}:${line}: ${text}`);
  console.log(problems.length === 0 ? "Layers hold" : `${problems.length} broken rules`);
  Deno.exit(problems.length === 0 ? 0 : 1);
}
