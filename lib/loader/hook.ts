/**
 * Making plain `import("hello")` find what is active. `import.ts` needs none of this; it is for
 * programs that cannot change their imports.
 *
 * Only programs' own imports are answered: eggs are linked, and find theirs without a hook.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { parseSpecifier } from "../model/requirement.ts";
import type { Generation } from "../model/state.ts";
import { runtime } from "../runtime/current.ts";
import { fileUrl, pathOfFileUrl } from "../runtime/paths.ts";
import type { StorePaths } from "../store/cache.ts";
import { readEntries } from "../store/state.ts";
import type { ResolvedEntry } from "./import.ts";
import { noteLoaded, resolveEntry } from "./import.ts";

type NodeModule = typeof import("node:module") & { registerHooks?: unknown };

interface HookContext {
  parentURL?: string;
  conditions?: string[];
  importAttributes?: Record<string, string>;
}

interface Loaded {
  url?: string;
  source?: string | null;
  format?: string;
  shortCircuit?: boolean;
  importAttributes?: Record<string, string>;
}

type Next = (subject: string, context: HookContext) => Loaded;

interface ModuleHooks {
  resolve(specifier: string, context: HookContext, next: Next): Loaded;
  load?(url: string, context: HookContext, next: Next): Loaded;
}

interface BunBuild {
  module(name: string, load: () => { contents: string; loader: "js" }): void;
}

const isBare = (specifier: string) => !/^(?:[./\\#]|[a-z][a-z0-9+.-]*:)/i.test(specifier);
/** `require()` passes through the same hooks, and is not ours to answer. */
const isRequire = (context: HookContext) => context.conditions?.includes("require") ?? false;

/** The source of a module that hands on what a CommonJS or JSON file gives. */
function wrapper({ url, kind }: Pick<ResolvedEntry, "url" | "kind">): string {
  const file = JSON.stringify(url);
  return kind === "json"
    ? `export { default } from ${file} with { type: "json" };`
    : `import { createRequire } from "node:module";\nexport default createRequire(${file})(${
      JSON.stringify(pathOfFileUrl(url))
    });`;
}

/**
 * Installs the hook. In Deno and Node, what is active is asked for at each import. In Bun, only
 * the names that are known now are answered, and a module that was imported once stays: there,
 * hook after an update.
 *
 * @param required projects that are the application's, active or not yet
 * @throws {TransmuteError} `hook-unsupported`
 */
export async function hookImports(
  paths: StorePaths,
  active: () => Generation | null,
  required: string[],
): Promise<void> {
  if (runtime.name === "bun") return hookBun(paths, active, required);
  const module = await runtime.builtin<NodeModule>("module");
  if (typeof module.registerHooks !== "function") {
    throw new TransmuteError(
      "hook-unsupported",
      `Cannot hook imports: found ${runtime.name} ${runtime.version}, wanted Deno 2.9, Node 22.15 or Bun 1.4`,
      { hint: 'Use transmute.import("hello")' },
    );
  }
  const store = `${fileUrl(paths.closures)}/`;
  const hooks = resolveHook(paths, active, store);
  if (runtime.name === "deno") hooks.load = loadHook(paths, store);
  (module.registerHooks as (hooks: ModuleHooks) => void)(hooks);
}

function resolveHook(
  paths: StorePaths,
  active: () => Generation | null,
  store: string,
): ModuleHooks {
  return {
    resolve(specifier, context, next) {
      const own = isBare(specifier) && !isRequire(context) && !context.parentURL?.startsWith(store);
      if (!own) return next(specifier, context);
      const generation = active();
      try {
        const { project } = parseSpecifier(specifier);
        if (!Object.hasOwn(generation?.eggs ?? {}, project)) return next(specifier, context);
      } catch {
        return next(specifier, context); // not a project's name: for the runtime to judge
      }
      const entry = resolveEntry(paths, generation, specifier);
      noteLoaded(entry);
      const { importAttributes } = context;
      return { url: entry.url, shortCircuit: true, ...(importAttributes && { importAttributes }) };
    },
  };
}

/**
 * Deno prepares the static imports of a module before it asks hooks, so what a hook resolved it
 * must also load; and it lets `require()` of JSON and native files through load hooks as text.
 */
function loadHook(paths: StorePaths, store: string): NonNullable<ModuleHooks["load"]> {
  return (url, context, next) => {
    if (isRequire(context)) {
      // Asking for a built-in makes Deno fall through to its own way of loading the file.
      next("node:fs", context);
      return { source: null };
    }
    if (!url.startsWith(store)) return next(url, context);
    if (url.endsWith(".wasm") || url.endsWith(".json")) return next(url, context);
    return {
      format: "module",
      shortCircuit: true,
      source: isCommonJs(paths, url)
        ? wrapper({ url, kind: "commonjs" })
        : runtime.readTextFile(pathOfFileUrl(url)),
    };
  };
}

/** Whether the linker recorded this file as one to be taken with `createRequire`. */
function isCommonJs(paths: StorePaths, url: string): boolean {
  const [closure, ...rest] = decodeURIComponent(url.slice(fileUrl(paths.closures).length + 1))
    .split("/");
  const project = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(rest.join("/"))?.[1];
  if (project === undefined) return false;
  try {
    return Object.values(readEntries(paths, closure, project)).includes(`cjs:${rest.join("/")}`);
  } catch {
    return false;
  }
}

/**
 * Bun never asks a plugin to resolve a bare name, but serves modules that are registered by name:
 * one for every entry of what is active now. A required project is registered even when it is not
 * active yet: left to itself, Bun would download whatever npm has under its name, and run it.
 */
function hookBun(
  paths: StorePaths,
  active: () => Generation | null,
  required: string[],
): void {
  const { plugin } = (globalThis as unknown as {
    Bun: { plugin(plugin: { name: string; setup(build: BunBuild): void }): void };
  }).Bun;
  const eggs = active()?.eggs ?? {};
  const specifiers = new Set(required);
  for (const [project, egg] of Object.entries(eggs)) {
    const entries = egg.moreEntries ? readEntries(paths, egg.closure, project) : egg.entries;
    for (const subpath of Object.keys(entries)) specifiers.add(project + subpath.slice(1));
  }
  plugin({
    name: "transmute",
    setup(build) {
      for (const specifier of specifiers) {
        build.module(specifier, () => {
          const entry = resolveEntry(paths, active(), specifier);
          noteLoaded(entry);
          const file = JSON.stringify(pathOfFileUrl(entry.url));
          const contents = entry.kind === "module"
            ? `export * from ${file}; import * as all from ${file}; export default all.default;`
            : wrapper(entry);
          return { contents, loader: "js" };
        });
      }
    },
  });
}
