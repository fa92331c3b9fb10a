/**
 * Facades: ES modules beside files that are none, through which `import` takes them in every
 * runtime as Node would: the default export is `module.exports`, and the named ones are those that
 * `cjs-module-lexer`, which Node uses too, finds.
 *
 * @module
 */

import { init, parse } from "npm:cjs-module-lexer@2.3.0";
import { baseName, parentPath } from "../runtime/paths.ts";
import type { ModuleFormat } from "./module_format.ts";
import { resolveModule } from "./module_resolution.ts";
import type { PackageTree } from "./package_tree.ts";

/** From this size on, the list of names that a bundler left is read instead of the whole file. */
const LARGE_BYTES = 1024 * 1024;
/** How esbuild begins the list: a statement that never runs, for lexers. */
const LIST_OF_NAMES = "0 && (module.exports = {";
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
const NOT_ASCII = /[^\0-\x7f]/;

/** Makes the lexer ready. To be awaited once, before names are read. */
export const prepareFacades: () => Promise<void> = init;

/** The facades of a tree, made as they are asked for. */
export class Facades {
  readonly #tree: PackageTree;
  readonly #formatOf: (path: string) => ModuleFormat;
  readonly #paths = new Map<string, string>();

  constructor(tree: PackageTree, formatOf: (path: string) => ModuleFormat) {
    this.#tree = tree;
    this.#formatOf = formatOf;
  }

  /** Where the facade of `path` is: beside it, under a name that is not taken. */
  pathFor(path: string): string {
    let facade = this.#paths.get(path);
    if (facade === undefined) {
      for (let count = 1; facade === undefined || this.#tree.has(facade); count++) {
        facade = `${path}.facade${count === 1 ? "" : count}.mjs`;
      }
      this.#paths.set(path, facade);
    }
    return facade;
  }

  /** Path and content of every facade that was asked for, in the order of their paths. */
  contents(): Map<string, Uint8Array> {
    const encoder = new TextEncoder();
    const paths = [...this.#paths].sort(([one], [other]) => one < other ? -1 : 1);
    return new Map(paths.map(([path, facade]) => [facade, encoder.encode(this.#textFor(path))]));
  }

  #textFor(path: string): string {
    const found = this.#formatOf(path) === "commonjs" ? this.#namesOf(path, new Set()) : [];
    const names = [...found]
      .filter((name) => name !== "default" && name !== "module.exports" && name.isWellFormed())
      .sort();
    const lines = [
      `import { createRequire } from "node:module";`,
      `const value = createRequire(import.meta.url)(${JSON.stringify(`./${baseName(path)}`)});`,
    ];
    if (names.length > 0) {
      lines.push(
        `const get = (name) => {`,
        `  try {`,
        `    if (Object.hasOwn(value, name)) return value[name];`,
        `  } catch {}`,
        `};`,
      );
    }
    // Node 23 and later also export the whole under this name, for a require() of a re-export.
    const exported = [`value as default`, `value as "module.exports"`];
    for (const [index, name] of names.entries()) {
      lines.push(`const $${index} = get(${JSON.stringify(name)});`);
      exported.push(`$${index} as ${IDENTIFIER.test(name) ? name : JSON.stringify(name)}`);
    }
    return `${lines.join("\n")}\nexport {\n  ${exported.join(",\n  ")},\n};\n`;
  }

  /** The names that a CommonJS file exports, those of what it re-exports among them. */
  #namesOf(path: string, seen: Set<string>): Set<string> {
    seen.add(path);
    const found = this.#lex(path);
    const names = new Set(found.exports);
    for (const specifier of found.reexports) {
      const target = resolveModule(this.#tree, specifier, parentPath(path), "require");
      if (target.kind !== "file" || seen.has(target.path)) continue;
      if (this.#formatOf(target.path) !== "commonjs") continue;
      for (const name of this.#namesOf(target.path, seen)) names.add(name);
    }
    return names;
  }

  #lex(path: string): { exports: string[]; reexports: string[] } {
    const whole = this.#tree.textOf(path);
    const list = whole.length < LARGE_BYTES ? -1 : whole.lastIndexOf(LIST_OF_NAMES);
    let text = list === -1 ? whole : whole.slice(list);
    if (NOT_ASCII.test(text)) text = this.#tree.decode(path, list === -1 ? 0 : list);
    try {
      return parse(text, path);
    } catch {
      return { exports: [], reexports: [] };
    }
  }
}
