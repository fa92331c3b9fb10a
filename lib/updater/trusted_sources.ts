/**
 * From the sources that an application declares and how far it trusts them to the sources that an
 * update asks.
 *
 * @module
 */

import { describeError, TransmuteError } from "../errors.ts";
import type { Tell } from "../model/event.ts";
import { normalizeProjectName } from "../model/python_requirement.ts";
import { parseRequirement, projectOf } from "../model/requirement.ts";
import type { State } from "../model/state.ts";
import type { TrustPolicy } from "../model/trust.ts";
import { runtime } from "../runtime/current.ts";
import { absolutePath, pathOfFileUrl } from "../runtime/paths.ts";
import type { Platform } from "../runtime/platform.ts";
import { withQuietEnvironment } from "../runtime/quiet_environment.ts";
import { openSource } from "../sources/open.ts";
import type { Source } from "../sources/source.ts";
import type { StorePaths } from "../store/cache.ts";
import { readClosure } from "../store/closure.ts";
import { clientId, openMetadata } from "../store/metadata.ts";
import { provingRegistry } from "./registry_trust.ts";
import type { DeclaredSource } from "./roots.ts";

/** What trust is judged with. */
export interface TrustSettings {
  paths: StorePaths;
  /** Whether the store may be written to; a check changes nothing. */
  writable: boolean;
  /** What holds for sources that are declared without a policy of their own. */
  policy: TrustPolicy;
  channel: string;
  platform: Platform;
  state: State;
  now: () => number;
  tell: Tell;
}

const REGISTRY = /^(?:npm|jsr|pypi)[:+]/;

/** Whether a source is a registry, which others publish to. */
export function isRegistry(id: string): boolean {
  return REGISTRY.test(id);
}

/**
 * Makes the sources that an update asks.
 *
 * @throws {TransmuteError} `option-invalid` for a policy that cannot be meant
 */
export async function trustedSources(
  sources: DeclaredSource[],
  settings: TrustSettings,
): Promise<DeclaredSource[]> {
  const proofs = activeProofs(settings);
  return await Promise.all(sources.map(async (declared) => {
    const policy = policyOf(declared, settings.policy);
    assertPolicy(declared.source.id, policy);
    const { source } = declared;
    if (policy.root !== undefined) {
      return { ...declared, source: await signed(source, policy, settings) };
    }
    if (!isRegistry(source.id)) return declared;
    const vouchedBefore = (project: string) => proofs(source.id, project);
    return { ...declared, source: provingRegistry(source, { ...settings, policy, vouchedBefore }) };
  }));
}

/** A source's own policy, or the application's; a root alone says nothing about a registry. */
function policyOf({ source, trust }: DeclaredSource, general: TrustPolicy): TrustPolicy {
  if (trust !== undefined) return trust;
  const { root: _root, ...rest } = general;
  return isRegistry(source.id) && general.metadata === undefined ? rest : general;
}

function assertPolicy(id: string, { root, metadata, require, publisher }: TrustPolicy): void {
  const refuse = (found: string, hint?: string) =>
    new TransmuteError("option-invalid", `Cannot trust ${id}: ${found}`, {
      source: id,
      ...(hint === undefined ? {} : { hint }),
    });
  if (metadata !== undefined && root === undefined) {
    throw refuse("found trust.metadata without trust.root, wanted both");
  }
  if (isRegistry(id) && root !== undefined && metadata === undefined) {
    throw refuse(
      "found a root for a registry, which signs nothing with it",
      "Give the address of the signed repository about it as trust.metadata",
    );
  }
  if (require !== undefined && require !== "signature" && require !== "provenance") {
    throw refuse(`found require ${JSON.stringify(require)}, wanted "signature" or "provenance"`);
  }
  const wantsProvenance = require === "provenance" || publisher !== undefined;
  if (wantsProvenance && !isRegistry(id)) {
    throw refuse("found provenance demanded of a source that has none, wanted a registry");
  }
  if (require === "signature" && root === undefined && !isRegistry(id)) {
    throw refuse(
      "found signatures demanded of a source without trust.root",
      "Publish it as a signed repository, and give its root.json as trust.root",
    );
  }
}

/** What vouched for the active eggs: by source and project. Read once, and only if asked for. */
function activeProofs(
  { paths, state }: TrustSettings,
): (source: string, project: string) => string[] {
  let proofs: Map<string, string[]> | undefined;
  const key = (source: string, project: string) => JSON.stringify([source, project]);
  return (source, project) => {
    if (proofs === undefined) {
      proofs = new Map();
      const eggs = Object.values(state.active?.eggs ?? {});
      for (const closure of new Set(eggs.map((egg) => egg.closure))) {
        for (const egg of readClosure(paths, closure)?.packages ?? []) {
          const known = proofs.get(key(egg.source, egg.project)) ?? [];
          proofs.set(key(egg.source, egg.project), [...known, ...egg.checked]);
        }
      }
    }
    return proofs.get(key(source, project)) ?? [];
  };
}

async function signed(
  source: Source,
  policy: TrustPolicy,
  { paths, writable, state, channel, platform, now, tell }: TrustSettings,
): Promise<Source> {
  const { signedSource } = await withQuietEnvironment(() => import("./signed_source.ts"));
  const repository = policy.metadata === undefined ? source : openSource(policy.metadata);
  return signedSource(source, {
    repository,
    registry: policy.metadata === undefined ? null : source,
    root: readRoot(repository.id, policy.root!),
    kept: await openMetadata(paths, repository.id, writable),
    channel,
    platform,
    activeVersion: (name) => state.active?.eggs[activeName(name, state)]?.version,
    client: () => clientId(paths, writable),
    now,
    tell,
  });
}

/** The recorded name of an egg: a program that is in a wheel is recorded as an executable. */
function activeName(name: string, { active }: State): string {
  const project = projectOf(name, "python");
  if (project === null || active === null || Object.hasOwn(active.eggs, name)) return name;
  const wanted = active.requirements.map(parseRequirement).find((requirement) =>
    requirement.isExecutable && normalizeProjectName(requirement.project) === project
  );
  return wanted?.project ?? name;
}

/** The bytes of a root that is given as a path, a URL, a text or a value. */
function readRoot(id: string, root: NonNullable<TrustPolicy["root"]>): Uint8Array {
  if (typeof root !== "string") return new TextEncoder().encode(JSON.stringify(root));
  if (root.trimStart().startsWith("{")) return new TextEncoder().encode(root);
  const path = root.startsWith("file:")
    ? pathOfFileUrl(root)
    : absolutePath(root, runtime.workingDirectory());
  try {
    return runtime.readFile(path);
  } catch (error) {
    if (error instanceof TransmuteError) throw error;
    throw new TransmuteError(
      "option-invalid",
      `Cannot trust ${id}: found no root at ${path} (${describeError(error)})`,
      {
        source: id,
        cause: error,
        hint: "Give the path of a root.json that the application carries",
      },
    );
  }
}
