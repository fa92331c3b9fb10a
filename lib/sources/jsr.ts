/**
 * JSR as a source, through its registry of npm tarballs: its own archives are TypeScript, which
 * Node does not load below `node_modules`.
 *
 * There, `@scope/name` is called `@jsr/scope__name`, and yanked releases are absent. What such an
 * egg depends on has npm's names: `@jsr/scope__name` for a project of JSR, any other for one of
 * npm's. Who asks for a dependency must not ask here for the others: an `@scope/name` of JSR may be
 * somebody else's than that of npm.
 *
 * @module
 */

import type { Listing } from "../model/egg.ts";
import type { NpmSurroundings } from "./npm.ts";
import { fixedRegistry, registrySource } from "./npm.ts";
import { readNpmConfig } from "./npm_config.ts";
import { runtime } from "../runtime/current.ts";
import type { Source } from "./source.ts";

/** JSR's own grammar of scopes and names. */
const JSR_NAME = /^@([a-z0-9][a-z0-9-]*)\/([a-z0-9][a-z0-9-]*)$/;

/** What a project is called in the registry of npm tarballs; `null` for what is none of JSR's. */
export function npmNameOf(project: string): string | null {
  if (project.startsWith("@jsr/")) return project;
  const match = JSR_NAME.exec(project);
  return match === null ? null : `@jsr/${match[1]}__${match[2]}`;
}

/**
 * Opens JSR.
 *
 * `jsr:` means the registry that `.npmrc` gives for the scope `@jsr`, or the public one;
 * `jsr+https://host/path/` that registry.
 *
 * @throws {TransmuteError} `option-invalid` for an address that is none
 *
 * @example
 * ```ts
 * import { jsrSource } from "./jsr.ts";
 *
 * const source = jsrSource("jsr+https://registry.example");
 * if (source.id !== "jsr+https://registry.example/") throw new Error("never");
 * ```
 */
export function jsrSource(address = "jsr:", surroundings: NpmSurroundings = {}): Source {
  const fixed = fixedRegistry("jsr", address);
  const id = fixed === null ? "jsr:" : `jsr+${fixed.url.href}`;
  const registry = registrySource(id, fixed, { readConfig: readJsrConfig, ...surroundings });
  return {
    ...registry,

    async list(project, context) {
      const name = npmNameOf(project);
      const empty: Listing = { project, releases: [], tags: {} };
      if (name === null) return { listing: empty, cached: false };
      const { listing: { releases, tags, modifiedAt }, cached } = await registry.list(
        name,
        context,
      );
      const own = releases.map((release) => ({ ...release, project }));
      const changed = modifiedAt === undefined ? {} : { modifiedAt };
      return { listing: { project, releases: own, tags, ...changed }, cached };
    },

    async publishTimes(project, context) {
      const name = npmNameOf(project);
      return name === null ? new Map() : await registry.publishTimes!(name, context);
    },
  };
}

async function readJsrConfig() {
  const { defaultJsrRegistry } = await import("./default_registries.ts");
  return await readNpmConfig(runtime, { "@jsr": defaultJsrRegistry });
}
