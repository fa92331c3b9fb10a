/**
 * Which files of a folder belong to its package: npm's own rules, by npm's own library.
 *
 * @module
 */

import type { Json } from "../model/json.ts";
import { isObject } from "../model/json.ts";
import { runtime } from "../runtime/current.ts";
import { joinPath, parentPath } from "../runtime/paths.ts";
import { cannotPack } from "./pack_failure.ts";
// `files`, `.npmignore`, `.gitignore`, what is always in and what never is, as `npm pack` has them.
import packlist from "npm:npm-packlist@10.0.3";

/** A folder with a `package.json`, as far as the library asks. */
interface PackageNode {
  path: string;
  package: Json;
  isProjectRoot: boolean;
  isLink: boolean;
  /** The dependencies that are installed for it, by name. */
  edgesOut: { get(name: string): { to: PackageNode | null } };
  readonly target: PackageNode;
}

/** The library's own walk of a folder, as far as it is changed here. */
interface Walker {
  path: string;
  tree: PackageNode;
  walkerOpt(entry: string, options: unknown): Record<string, unknown>;
  onstat(found: FoundPath, done: () => void): void;
  emit(event: "error", error: Error): void;
  on(event: "done", listener: (paths: string[]) => void): Walker;
  on(event: "error", listener: (error: Error) => void): Walker;
  start(): void;
}

interface FoundPath {
  entry: string;
  st: { isSymbolicLink(): boolean };
}

const { Walker } = packlist as {
  Walker: new (tree: PackageNode, options: Record<string, unknown>) => Walker;
};

/** Refuses links, which npm leaves out without a word: where they lead is not in the folder. */
class LinkRefusingWalker extends Walker {
  override onstat(found: FoundPath, done: () => void): void {
    if (!found.st.isSymbolicLink()) return super.onstat(found, done);
    const path = joinPath(this.path, found.entry);
    this.emit("error", cannotPack(`found that ${path} is neither a file nor a folder`));
  }

  walker(entry: string, options: unknown, done: () => void): void {
    new LinkRefusingWalker(this.tree, this.walkerOpt(entry, options)).on("done", done).start();
  }
}

/**
 * The paths of a package's files relative to its folder, '/'-separated, in no particular order.
 *
 * Where `package.json` has no `files`, names that begin with a dot and archives of eggs are left
 * out too: npm would publish a forgotten `.env`, and the archive of the version before.
 *
 * @param folder an absolute path
 * @param packageJson its `package.json`
 * @throws {TransmuteError} `archive-invalid` for a link that is not left out
 */
export async function packageFiles(folder: string, packageJson: Json): Promise<string[]> {
  const nodes = new Map<string, PackageNode>();
  const root = nodeOf(folder, normalized(packageJson), folder, nodes);
  const found = await new Promise<string[]>((resolve, reject) =>
    new LinkRefusingWalker(root, { isPackage: true }).on("done", resolve).on("error", reject)
      .start()
  );
  const paths = found.map((path) => path.replace(/^\.\//, ""));
  if (packageJson.files !== undefined) return paths;
  return paths.filter((path) =>
    isBundled(path) || !path.endsWith(".tgz") && !/(?:^|\/)\./.test(path)
  );
}

function isBundled(path: string): boolean {
  return path.startsWith("node_modules/");
}

function nodeOf(
  path: string,
  packageJson: Json,
  root: string,
  nodes: Map<string, PackageNode>,
): PackageNode {
  const node: PackageNode = {
    path,
    package: packageJson,
    isProjectRoot: path === root,
    isLink: false,
    edgesOut: { get: (name) => ({ to: installed(name, path, root, nodes) }) },
    get target() {
      return node;
    },
  };
  nodes.set(path, node);
  return node;
}

/** The package that `require` would find from `from`, no further up than the root. */
function installed(
  name: string,
  from: string,
  root: string,
  nodes: Map<string, PackageNode>,
): PackageNode | null {
  const path = joinPath(from, "node_modules", name);
  const known = nodes.get(path);
  if (known !== undefined) return known;
  const manifest = joinPath(path, "package.json");
  if (runtime.status(manifest)?.kind === "file") {
    const packageJson: unknown = JSON.parse(runtime.readTextFile(manifest));
    return nodeOf(path, normalized(isObject(packageJson) ? packageJson : {}), root, nodes);
  }
  return from === root ? null : installed(name, parentPath(from), root, nodes);
}

/** What the library takes from npm's own reading of a manifest. */
function normalized(packageJson: Json): Json {
  const { bin, dependencies } = packageJson;
  const bundled = packageJson.bundleDependencies ?? packageJson.bundledDependencies;
  return {
    ...packageJson,
    bin: typeof bin === "string" ? { program: bin } : bin,
    files: Array.isArray(packageJson.files) ? packageJson.files.map(String) : undefined,
    bundleDependencies: bundled === true
      ? Object.keys(isObject(dependencies) ? dependencies : {})
      : Array.isArray(bundled)
      ? bundled.map(String)
      : [],
  };
}
