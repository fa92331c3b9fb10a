/**
 * Linking: turns an unpacked npm tree into one that loads by absolute `file:` URL wherever it is
 * loaded, with no hook and no configuration.
 *
 * Deno outside of an npm project knows no bare specifiers and takes every file for an ES module.
 * So each literal specifier that only Node's rules can resolve is resolved here, once, and written
 * back as a relative path; a file that is no ES module is reached through a facade beside it. What
 * `require` does is left to the runtime, which finds `node_modules` in its place.
 *
 * Everything happens in memory: nothing is read, written or run.
 *
 * @module
 */

import { Pace } from "../runtime/pace.ts";
import { parentPath } from "../runtime/paths.ts";
import type { Entries } from "./package_entries.ts";
import { entriesOf } from "./package_entries.ts";
import { Facades, prepareFacades } from "./facade.ts";
import type { ModuleFormat } from "./module_format.ts";
import { extensionOf, moduleFormats } from "./module_format.ts";
import type { Reference } from "./module_references.ts";
import { mayReferTo, prepareReferences, readSyntax } from "./module_references.ts";
import { resolveModule } from "./module_resolution.ts";
import type { Edit, TreePackage } from "./package_tree.ts";
import { packageFolderOf, PackageTree, relativePath } from "./package_tree.ts";

export type { Entries, TreePackage };

/** What linking changes in a tree, and what can be imported from it. */
export interface LinkedTree {
  /** New content of the files that change, by path relative to the closure. */
  rewritten: Map<string, Uint8Array>;
  /** Content of the files that are new, by path relative to the closure. */
  added: Map<string, Uint8Array>;
  /** For each root's location, its entries by subpath: `"."`, `"./sub"`. */
  entries: Map<string, Entries>;
  /** What was left as it was though something seems to want it, in words. */
  notes: string[];
}

const HASH_BANG = [0x23, 0x21];
const NOT_ASCII = /[^\0-\x7f]/;
const NETWORK = /^https?:/i;
/** What could be meant for a package, among strings that only look like an import. */
const PACKAGE_SPECIFIER = /^(?:@[\w.~-]+\/[\w.~-]+|#?[\w~-][\w.~-]*)(?:\/\S*)?$/;

/** Whether a file is a program text at all, by its name or, without an extension, its start. */
function isProgram(path: string, content: Uint8Array): boolean {
  const extension = extensionOf(path);
  if (extension !== "") return extension === ".js" || extension === ".mjs" || extension === ".cjs";
  return HASH_BANG.every((byte, index) => content[index] === byte);
}

/**
 * A path as the text of a relative specifier, within any quotes. Of what a URL may escape, only
 * what it must is escaped: Bun takes relative specifiers for paths, and decodes nothing.
 */
function specifierTo(folder: string, path: string): string {
  return relativePath(folder, path)
    .replace(/[%#?\\\p{Cc}]/gu, encodeURIComponent)
    .replace(/["'`$]/g, (sign) => `\\x${sign.charCodeAt(0).toString(16)}`);
}

/** The linking of one tree: shared state of its files. */
class Linker {
  readonly formatOf: (path: string) => ModuleFormat;
  readonly facades: Facades;
  /** A package and a specifier that means nothing in the tree → its files that have it. */
  readonly #left = new Map<string, string[]>();
  readonly #unread: string[] = [];
  readonly #tree: PackageTree;

  constructor(tree: PackageTree) {
    this.#tree = tree;
    this.formatOf = moduleFormats(tree);
    this.facades = new Facades(tree, this.formatOf);
  }

  /** What a file becomes; `null` when it stays as it is. */
  rewrite(path: string): Uint8Array | null {
    const format = this.formatOf(path);
    if (format !== "module" && format !== "commonjs") return null;
    const text = this.#tree.textOf(path);
    const folder = parentPath(path);
    if (!mayReferTo(text, format, (specifier) => this.#matters(specifier, folder))) return null;
    const syntax = readSyntax(text);
    if (syntax === null) {
      this.#unread.push(path);
      return null;
    }
    const edits: Edit[] = [];
    for (const { start, end, ...reference } of syntax.references) {
      if (NOT_ASCII.test(reference.specifier)) {
        reference.specifier = this.#tree.decode(path, start, end);
      }
      const replacement = this.#link(reference, path, folder);
      if (replacement !== null && replacement !== reference.specifier) {
        edits.push({ start, end, text: replacement });
      }
    }
    return edits.length === 0 ? null : this.#tree.edited(path, edits);
  }

  /** Whether linking would replace `specifier` in a file of `folder`, or tell of it. */
  #matters(specifier: string, folder: string): boolean {
    if (NOT_ASCII.test(specifier)) return true;
    const target = resolveModule(this.#tree, specifier, folder, "import");
    if (target.kind === "builtin") return true;
    if (target.kind === "missing") return PACKAGE_SPECIFIER.test(specifier);
    if (target.kind === "outside") return NETWORK.test(specifier);
    return !specifier.startsWith(".") || this.#needsFacade(target.path, "import");
  }

  #needsFacade(path: string, use: Reference["use"]): boolean {
    if (use !== "import") return false;
    const format = this.formatOf(path);
    return format === "commonjs" || format === "json" || format === "addon";
  }

  /** What takes a specifier's place, or `null` where it stays. */
  #link(
    reference: Pick<Reference, "specifier" | "use">,
    path: string,
    folder: string,
  ): string | null {
    const { specifier, use } = reference;
    const target = resolveModule(this.#tree, specifier, folder, "import");
    if (target.kind === "outside") {
      if (NETWORK.test(specifier) && use !== "resolve") this.#leave(path, specifier);
      return null;
    }
    if (target.kind === "builtin") return `node:${target.name}`;
    if (target.kind === "missing") {
      // A relative path without its extension is for bundlers, and Node would not take it either.
      if (specifier.startsWith(".")) return null;
      this.#leave(path, specifier);
      return null;
    }
    const needsFacade = this.#needsFacade(target.path, use);
    if (!needsFacade && specifier.startsWith(".")) return null;
    const goal = needsFacade ? this.facades.pathFor(target.path) : target.path;
    return specifierTo(folder, goal) + target.suffix;
  }

  #leave(path: string, specifier: string): void {
    const key = `${packageFolderOf(path)}\0${specifier}`;
    const files = this.#left.get(key);
    if (files === undefined) this.#left.set(key, [path]);
    else files.push(path);
  }

  notes(): string[] {
    const left = [...this.#left].map(([key, files]) => {
      const [folder, specifier] = key.split("\0");
      const others = files.length === 1 ? "" : ` and ${files.length - 1} more of its files`;
      const reason = NETWORK.test(specifier) ? "is code on the network" : "is not in the tree";
      return `${folder}: "${specifier}" ${reason}; ` +
        `left as it is in ${files.sort()[0].slice(folder.length + 1)}${others}`;
    });
    const unread = this.#unread.map((path) => `${path}: is not JavaScript; left as it is`);
    return [...left, ...unread].sort();
  }
}

/**
 * Links the packages of a closure. `roots` are the locations of those whose entries are wanted.
 *
 * The result depends on the packages alone: not on this runtime, its platform or the order of the
 * packages. Lines keep their numbers. A specifier that means nothing in the tree, such as an
 * optional dependency that was not installed, stays, with a note.
 *
 * @param pace gives others their turns, and may end the work
 */
export async function linkTree(
  packages: TreePackage[],
  roots: string[],
  pace: Pace = new Pace(),
): Promise<LinkedTree> {
  await Promise.all([prepareReferences(), prepareFacades()]);
  const tree = new PackageTree(packages);
  const linker = new Linker(tree);
  const rewritten = new Map<string, Uint8Array>();
  for (const [path, content] of tree.files) {
    if (!isProgram(path, content)) continue;
    await pace.step();
    const linked = linker.rewrite(path);
    if (linked !== null) rewritten.set(path, linked);
  }
  const entries = new Map(
    roots.map((root) => [root, entriesOf(tree, root, linker.formatOf, linker.facades)]),
  );
  return { rewritten, added: linker.facades.contents(), entries, notes: linker.notes() };
}
