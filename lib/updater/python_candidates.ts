/**
 * Which files of a Python project may be taken on an interpreter, by version, and why others may
 * not: pip's own rules. Pure.
 *
 * @module
 */

import type { Release } from "../model/egg.ts";
import type { Interpreter, PythonFile } from "../model/python.ts";
import { buildNumber } from "../model/python_file.ts";
import {
  comparePythonVersions,
  isPythonPrerelease,
  isPythonSpecifier,
  isPythonVersion,
  namesExactly,
  namesPrerelease,
  satisfiesSpecifier,
} from "../model/python_version.ts";
import type { PassedOver } from "./select.ts";

/** One version of a project, by the file of it that fits the interpreter best. */
export interface PythonCandidate {
  version: string;
  release: Release;
}

/** What decides besides versions. */
export interface CandidateSettings {
  interpreter: Interpreter;
  /** Why a release may not be taken, or `null`. */
  isExcluded(release: Release): string | null;
}

const KINDS = ["wheel", "egg", "sdist"];
const WRONG_MACHINE = "is for other interpreters or systems";

/** Whether an egg that requires this fits an interpreter. What is no specifier requires nothing. */
export function admitsPython(requiresPython: string, { version }: Interpreter): boolean {
  return !isPythonSpecifier(requiresPython) ||
    satisfiesSpecifier(version, requiresPython, { prereleases: true });
}

/** The place of a file among those that fit, the lower the better; `null` when it does not fit. */
function rank(file: PythonFile, { tags, markers, eggPlatform }: Interpreter): number | null {
  switch (file.kind) {
    case "wheel": {
      const places = file.tags!.map((tag) => tags.indexOf(tag)).filter((place) => place >= 0);
      return places.length === 0 ? null : Math.min(...places);
    }
    case "egg": {
      const fits = (file.pythonVersion ?? markers.python_version) === markers.python_version &&
        (file.platform === undefined ||
          file.platform.replace(/_/g, "-") === eggPlatform.replace(/_/g, "-"));
      return fits ? 0 : null;
    }
    case "sdist":
      return 0;
  }
}

/** Whether one file is better than another of the same version. */
function isBetter(one: PythonFile, other: PythonFile, interpreter: Interpreter): boolean {
  const kinds = KINDS.indexOf(one.kind) - KINDS.indexOf(other.kind);
  if (kinds !== 0) return kinds < 0;
  const ranks = rank(one, interpreter)! - rank(other, interpreter)!;
  return ranks !== 0 ? ranks < 0 : buildNumber(one) > buildNumber(other);
}

/** Why a file cannot be used on the interpreter at all, or `null`. */
function misfit({ python, version }: Release, settings: CandidateSettings): string | null {
  const { file, requiresPython, manifest } = python!;
  if (!isPythonVersion(version)) return "is no version of PEP 440";
  const { interpreter } = settings;
  const unmet = [requiresPython, manifest?.requiresPython]
    .find((specifier) => specifier !== undefined && !admitsPython(specifier, interpreter));
  if (unmet !== undefined) return `needs Python ${unmet}`;
  return rank(file, interpreter) === null ? WRONG_MACHINE : null;
}

/** The versions of a project, each with its best file or why it has none. */
export class PythonVersions {
  /** Highest first. */
  readonly #usable: PythonCandidate[] = [];
  /** By version: why none of its files can be used. */
  readonly #unusable = new Map<string, string>();
  /** By version that has other files: why one of them was refused. */
  readonly #refused = new Map<string, string>();

  constructor(releases: Release[], settings: CandidateSettings) {
    const best = new Map<string, Release>();
    const reasons = new Map<string, string>();
    for (const release of releases) {
      const { version, python } = release;
      const reason = misfit(release, settings) ?? settings.isExcluded(release);
      if (reason !== null) {
        // What was decided about a file says more than that another one is for other machines.
        if (!reasons.has(version) || reasons.get(version) === WRONG_MACHINE) {
          reasons.set(version, reason);
        }
        continue;
      }
      const other = best.get(version);
      if (other === undefined || isBetter(python!.file, other.python!.file, settings.interpreter)) {
        best.set(version, release);
      }
    }
    for (const [version, release] of best) this.#usable.push({ version, release });
    this.#usable.sort((one, other) => comparePythonVersions(other.version, one.version));
    for (const [version, reason] of reasons) {
      if (!best.has(version)) this.#unusable.set(version, reason);
      else if (reason.startsWith("refused: ")) this.#refused.set(version, reason);
    }
  }

  /**
   * What all specifiers admit, the highest first. Pre-releases where a specifier names one, or
   * where there is nothing else; yanked files only where one names the version exactly.
   */
  admitted(specifiers: readonly string[]): PythonCandidate[] {
    const fitting = this.#usable.filter(({ version, release }) =>
      specifiers.every((specifier) =>
        satisfiesSpecifier(version, specifier, { prereleases: true })
      ) &&
      (release.python!.yanked === undefined ||
        specifiers.some((specifier) => namesExactly(version, specifier)))
    );
    const finals = fitting.filter(({ version }) => !isPythonPrerelease(version));
    return finals.length === 0 || specifiers.some(namesPrerelease) ? fitting : finals;
  }

  /** Why versions that are higher than the chosen one were not taken; all of them without one. */
  passedOver(chosen: string | null, specifiers: readonly string[]): PassedOver[] {
    const told = new Map(this.#unusable);
    for (const { version, release: { python } } of this.#usable) {
      const missed = specifiers
        .find((specifier) => !satisfiesSpecifier(version, specifier, { prereleases: true }));
      told.set(
        version,
        missed !== undefined
          ? `does not satisfy ${missed}`
          : python!.yanked !== undefined
          ? `was yanked${python!.yanked === "" ? "" : `: ${python!.yanked}`}`
          : isPythonPrerelease(version)
          ? "is a pre-release"
          : this.#refused.get(version) ?? "does not go with the other eggs",
      );
    }
    return Array.from(told, ([version, reason]) => ({ version, reason }))
      .filter(({ version }) =>
        version !== chosen && (chosen === null || comparePythonVersions(version, chosen) > 0)
      )
      .sort((one, other) => comparePythonVersions(other.version, one.version));
  }
}
