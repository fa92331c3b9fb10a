/**
 * What kind of module a file is, by Node's rules: its extension, the nearest `type`, and for a
 * `.js` file without one, its syntax.
 *
 * @module
 */

import { baseName, parentPath } from "../runtime/paths.ts";
import { readSyntax } from "./module_references.ts";
import type { PackageTree } from "./package_tree.ts";

/** A kind of module; `other` is a file that is not loaded as one (a style sheet, a type file). */
export type ModuleFormat = "module" | "commonjs" | "json" | "addon" | "wasm" | "other";

const BY_EXTENSION: Record<string, ModuleFormat> = {
  ".mjs": "module",
  ".cjs": "commonjs",
  ".json": "json",
  ".node": "addon",
  ".wasm": "wasm",
};

/**
 * An `import` or `export` where a statement can begin, in a form that only a module can have.
 *
 * The word comes first and what is before it is looked back at: engines skip from word to word,
 * and a long run of blanks is not walked again from each of its places.
 */
const MAYBE_STATEMENT = new RegExp(
  String.raw`(?:import|export)(?<=(?:^|[;}]|\*/)[ \t]*(?:import|export))(?:` +
    String
      .raw`(?<=import)\s*(?:["'{*]|(?:(?:source|defer)\s+)?[\w$\x80-\uffff]+(?:\s*,\s*[{*]|\s+from\b))|` +
    String.raw`(?<=export)\s*(?:[{*]|(?:default|const|let|var|function|class|async)\b))`,
  "m",
);
const COMMONJS_NAME = /\b(?:module\.exports|exports\.|exports\[|require\()/;

/** The ending of a file's name with its dot, or `""`. */
export function extensionOf(path: string): string {
  const name = baseName(path);
  const dot = name.lastIndexOf(".");
  return dot <= 0 ? "" : name.slice(dot);
}

/** Whether a text is a module by its syntax. It is lexed only when that is likely. */
function isModuleSyntax(text: string): boolean {
  const maybeModule = MAYBE_STATEMENT.test(text) ||
    text.includes("import.meta") && !COMMONJS_NAME.test(text);
  return maybeModule && readSyntax(text)?.isModule === true;
}

/** Tells the kind of each module of a tree, remembering what had to be read. */
export function moduleFormats(tree: PackageTree): (path: string) => ModuleFormat {
  const known = new Map<string, ModuleFormat>();
  return (path) => {
    const extension = extensionOf(path);
    if (extension !== ".js" && extension !== "") return BY_EXTENSION[extension] ?? "other";
    let format = known.get(path);
    if (format === undefined) {
      const scope = tree.scopeOf(parentPath(path));
      const type = scope === null ? undefined : tree.fieldsOf(scope)?.type;
      format = type === "module" || type === "commonjs"
        ? type
        : isModuleSyntax(tree.textOf(path))
        ? "module"
        : "commonjs";
      known.set(path, format);
    }
    return format;
  };
}
