/**
 * Changing what is signed about a release that is published: its bytes stay.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { eggName } from "../model/egg.ts";
import type { Ecosystem } from "../model/egg.ts";
import type { SignedCustom } from "../model/signed_target.ts";
import { parseSignedTarget, roleOfProject } from "../model/signed_target.ts";
import { canonicalBytes } from "./canonical.ts";
import type { Signing } from "./commit.ts";
import { areEqual, changeRepository } from "./commit.ts";
import type { Destination } from "./destination.ts";
import type { Document, Root, Target } from "./metadata.ts";
import { readProject } from "./repository.ts";

/** One release of a project. */
export interface Egg {
  project: string;
  version: string;
  /** @default {"js"} */
  ecosystem?: Ecosystem;
}

/**
 * Reads `hello@1.0.0`, or `python:hello@1.0` for the release of a Python project.
 *
 * @throws {TransmuteError} `option-invalid`
 */
export function parseEgg(text: string): Egg {
  const [, prefix, project, version] = /^(python:)?(@?[^@]+)@([^@]+)$/.exec(text) ?? [];
  if (version !== undefined) {
    return { project, version, ...(prefix === undefined ? {} : { ecosystem: "python" as const }) };
  }
  throw new TransmuteError(
    "option-invalid",
    `Cannot tell which egg is meant: found "${text}", wanted a project and a version, such as hello@1.0.0`,
  );
}

/**
 * Signs something else about a release, whatever platforms it has artifacts for.
 *
 * @param trusted the root that the publisher holds
 * @param amend what is to be signed, of what is
 * @returns false when that was signed already
 * @throws {TransmuteError} `release-missing`, `option-invalid` for what no client would read, and
 * what `changeRepository` throws
 */
export async function amendRelease(
  destination: Destination,
  trusted: Document<Root>,
  egg: Egg,
  signing: Signing,
  amend: (custom: SignedCustom) => SignedCustom,
): Promise<boolean> {
  const role = roleOfProject(egg.ecosystem ?? "js", egg.project);
  const { changed } = await changeRepository(destination, trusted, signing, async (repository) => {
    const targets = (await readProject(repository, role))?.signed.targets ?? {};
    const found = Object.entries(targets)
      .filter(([, { custom }]) => custom?.version === egg.version);
    if (found.length === 0) throw missing(destination, egg, targets);
    const amended = { ...targets };
    for (const [path, target] of found) {
      amended[path] = { ...target, custom: withoutUndefined(amend(target.custom!)) };
      parseSignedTarget(path, amended[path]);
    }
    return areEqual(canonicalBytes(targets), canonicalBytes(amended))
      ? null
      : { projects: new Map([[role, amended]]) };
  });
  return changed;
}

function missing(
  destination: Destination,
  egg: Egg,
  targets: Record<string, Target>,
): TransmuteError {
  const versions = Object.values(targets).map(({ custom }) => custom?.version);
  return new TransmuteError(
    "release-missing",
    `Cannot find ${eggName(egg)} in ${destination.id}: found ${
      versions.length === 0 ? "no such project" : versions.join(", ")
    }`,
    { egg: eggName(egg), source: destination.id },
  );
}

function withoutUndefined(custom: SignedCustom): SignedCustom {
  return JSON.parse(JSON.stringify(custom));
}
