/**
 * What a specifier means in a closure: Node's resolution of `import` and of `require`, in memory.
 *
 * A closure serves every runtime, so the conditions are Node's everywhere; the names of built-in
 * modules are written down here for the same reason, instead of asked of this runtime.
 *
 * @module
 */

import { baseName, parentPath } from "../runtime/paths.ts";
import { hasExports, resolveExports, resolveImports } from "./package_exports.ts";
import type { PackageFields, PackageTree } from "./package_tree.ts";
import { normalizePath } from "./package_tree.ts";

/** What a specifier means. */
export type Resolved =
  /** A file of the closure; `suffix` is the `?query#hash` that was written behind it. */
  | { kind: "file"; path: string; suffix: string }
  /** A module of the runtime, without `node:`. */
  | { kind: "builtin"; name: string }
  /** A URL or an absolute path: no business of a closure. */
  | { kind: "outside" }
  /** Nothing, as far as the closure goes. */
  | { kind: "missing" };

/** Whether `import` or `require` asks: maps and file extensions differ. */
export type ResolutionMode = "import" | "require";

const CONDITIONS: Record<ResolutionMode, ReadonlySet<string>> = {
  import: new Set(["node", "import", "module-sync", "node-addons"]),
  require: new Set(["node", "require", "module-sync", "node-addons"]),
};

/** Built-in modules that may be named without `node:`. */
const BUILTINS = new Set(
  ("_http_agent _http_client _http_common _http_incoming _http_outgoing _http_server " +
    "_stream_duplex _stream_passthrough _stream_readable _stream_transform _stream_wrap " +
    "_stream_writable _tls_common _tls_wrap assert assert/strict async_hooks buffer " +
    "child_process cluster console constants crypto dgram diagnostics_channel dns dns/promises " +
    "domain events fs fs/promises http http2 https inspector inspector/promises module net os " +
    "path path/posix path/win32 perf_hooks process punycode querystring readline " +
    "readline/promises repl stream stream/consumers stream/promises stream/web string_decoder " +
    "sys timers timers/promises tls trace_events tty url util util/types v8 vm wasi " +
    "worker_threads zlib").split(" "),
);

const REQUIRE_EXTENSIONS = [".js", ".json", ".node"];
const INDEX_FILES = ["/index.js", "/index.json", "/index.node"];
const MISSING: Resolved = { kind: "missing" };

/** Splits `@scope/name/sub` into `["@scope/name", "./sub"]`; `null` for what names no package. */
function splitSpecifier(specifier: string): [name: string, subpath: string] | null {
  const match = /^((?:@[^/\\%]+\/)?[^./\\%@][^/\\%]*)(\/.*)?$/s.exec(specifier);
  if (match === null) return null;
  // A slash behind the name, as in `punycode/`, only says that no built-in module is meant.
  return [match[1], match[2] === undefined || match[2] === "/" ? "." : `.${match[2]}`];
}

/** The file at a relative URL such as `./a%20b.js?x`, seen from `folder`. */
function fileAtUrl(tree: PackageTree, folder: string, url: string): Resolved {
  const end = url.search(/[?#]/);
  const suffix = end === -1 ? "" : url.slice(end);
  const written = end === -1 ? url : url.slice(0, end);
  if (/%2f|%5c/i.test(written)) return MISSING;
  let decoded: string;
  try {
    decoded = decodeURIComponent(written);
  } catch {
    return MISSING;
  }
  const path = normalizePath(`${folder}/${decoded}`);
  return path !== null && tree.has(path) ? { kind: "file", path, suffix } : MISSING;
}

/** The file at `written` seen from `folder`, as `require` completes names and enters folders. */
function fileForRequire(tree: PackageTree, folder: string, written: string): Resolved {
  const path = normalizePath(`${folder}/${written}`);
  if (path === null) return MISSING;
  const meansFolder = /(?:^|\/)\.{0,2}$/.test(written);
  const found = meansFolder
    ? undefined
    : ["", ...REQUIRE_EXTENSIONS].find((ending) => tree.has(path + ending));
  if (found !== undefined) return { kind: "file", path: path + found, suffix: "" };
  const main = mainOf(tree, path, tree.fieldsOf(path));
  return main === null ? MISSING : { kind: "file", path: main, suffix: "" };
}

/** The file that stands for a folder without an `exports` map, or `null`. */
export function mainOf(
  tree: PackageTree,
  folder: string,
  fields: PackageFields | null,
): string | null {
  const main = typeof fields?.main === "string" && fields.main !== ""
    ? normalizePath(`${folder}/${fields.main}`)
    : null;
  const candidates = [
    ...(main === null ? [] : ["", ...REQUIRE_EXTENSIONS, ...INDEX_FILES].map((end) => main + end)),
    ...INDEX_FILES.map((end) => folder + end),
  ];
  return candidates.find((path) => tree.has(path)) ?? null;
}

/** The file that a package's folder gives for a subpath (`"."`, `"./sub"`). */
export function resolveInPackage(
  tree: PackageTree,
  folder: string,
  subpath: string,
  mode: ResolutionMode,
): Resolved {
  const fields = tree.fieldsOf(folder);
  if (hasExports(fields?.exports)) {
    const target = resolveExports(fields!.exports, subpath, CONDITIONS[mode]);
    return target === null ? MISSING : fileAtUrl(tree, folder, target);
  }
  if (mode === "require") return fileForRequire(tree, folder, subpath);
  if (subpath !== ".") return fileAtUrl(tree, folder, subpath);
  const main = mainOf(tree, folder, fields);
  return main === null ? MISSING : { kind: "file", path: main, suffix: "" };
}

function resolvePackage(
  tree: PackageTree,
  specifier: string,
  folder: string,
  mode: ResolutionMode,
): Resolved {
  if (BUILTINS.has(specifier)) return { kind: "builtin", name: specifier };
  const parts = splitSpecifier(specifier);
  if (parts === null) return MISSING;
  const [name, subpath] = parts;

  const scope = tree.scopeOf(folder);
  const own = scope === null ? null : tree.fieldsOf(scope);
  if (own !== null && own.name === name && hasExports(own.exports)) {
    return resolveInPackage(tree, scope!, subpath, mode);
  }
  for (let at = folder; at !== ""; at = parentPath(at)) {
    const candidate = `${baseName(at) === "node_modules" ? at : `${at}/node_modules`}/${name}`;
    if (tree.hasPackage(candidate)) return resolveInPackage(tree, candidate, subpath, mode);
  }
  return MISSING;
}

/** What `specifier` means in a file of `folder`. */
export function resolveModule(
  tree: PackageTree,
  specifier: string,
  folder: string,
  mode: ResolutionMode,
): Resolved {
  if (/^\.\.?(?:\/|$)/.test(specifier)) {
    return mode === "import"
      ? fileAtUrl(tree, folder, specifier)
      : fileForRequire(tree, folder, specifier);
  }
  if (specifier.startsWith("/") || /^[a-z][a-z0-9+.-]*:/i.test(specifier)) {
    return { kind: "outside" };
  }
  if (!specifier.startsWith("#")) return resolvePackage(tree, specifier, folder, mode);

  const scope = tree.scopeOf(folder);
  if (scope === null) return MISSING;
  const target = resolveImports(tree.fieldsOf(scope)?.imports, specifier, CONDITIONS[mode]);
  if (target === null || target.startsWith("#")) return MISSING;
  return target.startsWith("./")
    ? fileAtUrl(tree, scope, target)
    : resolvePackage(tree, target, scope, mode);
}
