/**
 * What the sources offer, asked once each: which source a project belongs to, and which of its
 * releases may be taken.
 *
 * @module
 */

import { describeError, isTransmuteError, TransmuteError } from "../errors.ts";
import type { Ecosystem, Listing, Manifest, Release } from "../model/egg.ts";
import { eggName } from "../model/egg.ts";
import type { Tell } from "../model/event.ts";
import type { PythonManifest } from "../model/python.ts";
import type { Refusal } from "../model/state.ts";
import { compareVersions } from "../model/version.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Answer, Source, SourceContext } from "../sources/source.ts";
import type { Candidate, EggFetcher } from "./fetch.ts";
import { RefusedCandidate } from "./fetch.ts";
import { findRefusal, mayBeRight, refusalOf } from "./refusals.ts";
import { isProving } from "./registry_trust.ts";
import type { PassedOver } from "./select.ts";
import { selectRelease } from "./select.ts";
import { isMissingFolder, SOURCE_IS_DOWN, tooLate } from "./source_failures.ts";

const OTHER_PROJECT = "is another project of a similar name";

/** A candidate whose manifest is known. */
export interface Selected extends Candidate {
  manifest: Manifest;
}

/** A selection, or why there is none. */
export interface CatalogSelection {
  selected: Selected | null;
  /** The best that is offered, when it is not newer than what the caller has. */
  notNewer: Candidate | null;
  passedOver: PassedOver[];
  /** Every source that was asked and what it answered, in words. */
  answers: string[];
  /** What kept a source from answering, if that happened. */
  failure: TransmuteError | null;
}

/** What the catalog needs of its surroundings. */
export interface CatalogSettings {
  context: SourceContext;
  strategy: "first" | "best";
  platform: Platform;
  nodeVersion: string;
  refused: Refusal[];
  fetcher: EggFetcher;
  tell: Tell;
}

/** What the sources have of a Python project. */
export interface PythonOffer extends Omit<Offer, "listing"> {
  releases: Release[];
  /** Why a release may not be taken, or `null`. */
  isExcluded(release: Release): string | null;
}

interface Offer {
  listing: Listing;
  origin: Map<Release, Source>;
  answers: string[];
  failure: TransmuteError | null;
}

/** What is asked for: a project of a world, or a program of one file, which is of either. */
type Wanted = Ecosystem | "executable";

/** Asks sources, and remembers their answers for as long as one update lasts. */
export class Catalog {
  readonly #settings: CatalogSettings;
  readonly #answers = new Map<string, Promise<Answer>>();
  readonly #offers = new Map<string, Promise<Offer>>();
  readonly #otherProject = new Set<Release>();
  /** Python projects that are asked for because a name could be one. */
  readonly #guesses = new Set<string>();
  /** Sources that could not be used, with what they said. */
  readonly failures = new Map<string, TransmuteError>();
  /** Ids of the sources that answered a question. */
  readonly answered = new Set<string>();
  /** By the source's id: questions without an answer. */
  readonly #unanswered = new Map<string, number>();
  /** What was refused before this update or during it. */
  readonly refused: Refusal[];

  constructor(settings: CatalogSettings) {
    this.#settings = settings;
    this.refused = settings.refused.filter((refusal) => !mayBeRight(refusal));
  }

  /** Refuses a candidate until its source offers other bytes. */
  refuse(refused: RefusedCandidate): void {
    const refusal = refusalOf(refused);
    this.refused.push(refusal);
    const { source, code, message } = refusal;
    this.#settings.tell("warn", "refused", { source, egg: eggName(refusal), code, message });
  }

  /** Notes what a source failed at besides answering, unless there is a failure of it already. */
  blame(error: TransmuteError): void {
    if (error.source === undefined || error.phase !== "source") return;
    if (!this.failures.has(error.source)) this.failures.set(error.source, error);
  }

  /** Takes the sources that have not answered by now for failed, as far as this update goes. */
  giveUpWaiting(): void {
    for (const source of this.#unanswered.keys()) {
      this.#fail(source, tooLate(source));
    }
  }

  /** Starts asking, so that the answer is there when it is needed. */
  prefetch(project: string, sources: Source[], ecosystem: Ecosystem = "js"): void {
    this.#offer(project, sources, ecosystem).catch(() => {});
  }

  /**
   * What the sources list of a project. One that does not answer has nothing.
   *
   * Of Python, a question that comes to nothing is not told: most names are asked for there only
   * because they could be of either world.
   */
  async listed(project: string, sources: Source[], ecosystem: Ecosystem): Promise<Release[]> {
    if (ecosystem === "python") this.#guesses.add(project);
    return (await this.#offer(project, sources, ecosystem)).listing.releases;
  }

  /**
   * What the first of `sources` that has a Python project has of it.
   *
   * @param isDependency whether it comes along with another egg, for which releases must be older
   */
  async pythonOffer(
    project: string,
    sources: Source[],
    isDependency: boolean,
  ): Promise<PythonOffer> {
    const { listing, ...offer } = await this.#offer(project, sources, "python");
    return {
      ...offer,
      releases: listing.releases,
      isExcluded: (release) => this.#exclusion(release, offer.origin.get(release)!, isDependency),
    };
  }

  /**
   * The metadata of a Python release: what its listing has, or a file of its own that is proven by
   * its digest, or else what the archive has. `null` when it had to be refused.
   */
  async pythonManifest(candidate: Candidate): Promise<PythonManifest | null> {
    const { source, release } = candidate;
    const python = release.python!;
    try {
      if (!await this.#isVouchedFor(candidate)) return null;
      python.manifest ??= await this.#settings.fetcher.pythonManifest(candidate, source);
      return python.manifest;
    } catch (error) {
      if (!(error instanceof RefusedCandidate)) throw error;
      this.refuse(error);
      return null;
    }
  }

  /**
   * Selects the release of `project` that meets every one of `ranges`, from the first of
   * `sources` that has the project.
   *
   * @param than when nothing newer than this version is offered, nothing is selected: its manifest
   * would have to be fetched for nothing
   * @param isDependency whether it comes along with another egg, for which releases must be older
   * @param isExecutable whether it is a program, which a wheel may hold too
   */
  async select(
    project: string,
    ranges: string[],
    sources: Source[],
    { than, isDependency = false, isExecutable = false }: {
      than?: string | undefined;
      isDependency?: boolean;
      isExecutable?: boolean;
    } = {},
  ): Promise<CatalogSelection> {
    const wanted = isExecutable ? "executable" : "js";
    const { listing, origin, ...told } = await this.#offer(project, sources, wanted);
    // What its publisher took back is no measure: any other release is better.
    const isWithdrawn = listing.releases.some((release) =>
      release.version === than && release.withdrawn
    );
    if (isWithdrawn) than = undefined;
    for (const source of new Set(origin.values())) {
      if (isProving(source)) {
        await source.learnTimes(listing, isDependency, this.#settings.context);
      }
    }
    while (true) {
      const selection = this.#selectFrom(listing, ranges, origin, isDependency);
      const { release } = selection;
      // Files of another project were never this project's to begin with.
      const passedOver = selection.passedOver.filter(({ reason }) => reason !== OTHER_PROJECT);
      if (release === null) return { selected: null, notNewer: null, passedOver, ...told };
      const candidate: Candidate = { source: origin.get(release)!, release };
      if (than !== undefined && compareVersions(release.version, than) <= 0) {
        return { selected: null, notNewer: candidate, passedOver, ...told };
      }
      // Where only the archive has the manifest, it may tell that another release is wanted.
      const known = release.manifest !== undefined;
      const manifest = await this.#manifest(candidate);
      if (known && manifest !== null && await this.#isVouchedFor(candidate)) {
        return { selected: { ...candidate, manifest }, notNewer: null, passedOver, ...told };
      }
    }
  }

  /** Proves what its source can prove besides bytes; false when it was refused. */
  async #isVouchedFor(candidate: Candidate): Promise<boolean> {
    const { source, release } = candidate;
    if (!isProving(source)) return true;
    try {
      await source.prove(release, this.#settings.context);
      return true;
    } catch (error) {
      if (!isTransmuteError(error) || error.phase !== "trust") throw error;
      this.refuse(new RefusedCandidate(candidate, error));
      return false;
    }
  }

  #selectFrom(
    listing: Listing,
    ranges: string[],
    origin: Map<Release, Source>,
    isDependency: boolean,
  ) {
    const { platform, nodeVersion } = this.#settings;
    const others = ranges.slice(1).map((range) => ({
      range,
      admitted: new Set(
        listing.releases.filter((release) =>
          selectRelease({ ...listing, releases: [release] }, range, {
            platform,
            nodeVersion,
            isExcluded: () => null,
          }).release !== null
        ),
      ),
    }));
    return selectRelease(listing, ranges[0], {
      platform,
      nodeVersion,
      isExcluded: (release) => {
        if (this.#otherProject.has(release)) return OTHER_PROJECT;
        const missed = others.find(({ admitted }) => !admitted.has(release));
        return this.#exclusion(release, origin.get(release)!, isDependency) ??
          (missed === undefined ? null : `does not satisfy ${missed.range}`);
      },
    });
  }

  /** Why a release may not be taken, whatever its version; `null` when it may. */
  #exclusion(release: Release, source: Source, isDependency: boolean): string | null {
    if (release.heldBack !== undefined) return release.heldBack;
    const youth = isProving(source) ? source.youth(release, isDependency) : null;
    if (youth !== null) return youth;
    const refusal = findRefusal(this.refused, release, source);
    return refusal === undefined ? null : `refused: ${refusal.message}`;
  }

  /** Fills in the manifest; `null` when the candidate fell out of the running. */
  async #manifest(candidate: Candidate): Promise<Manifest | null> {
    const { release } = candidate;
    if (release.manifest !== undefined) return release.manifest;
    try {
      const { manifest } = await this.#settings.fetcher.obtain(candidate);
      if (manifest.name !== release.project) {
        this.#otherProject.add(release);
        return null;
      }
      release.manifest = manifest;
      return manifest;
    } catch (error) {
      if (!(error instanceof RefusedCandidate)) throw error;
      this.refuse(error);
      return null;
    }
  }

  #offer(
    project: string,
    sources: Source[],
    ecosystem: Wanted = "js",
  ): Promise<Offer> {
    const asked = sources.filter(({ ecosystems = ["js"] }) =>
      ecosystem === "executable" || ecosystems.includes(ecosystem)
    );
    const key = JSON.stringify([ecosystem, project, ...asked.map((source) => source.id)]);
    let offer = this.#offers.get(key);
    if (offer === undefined) {
      offer = this.#settings.strategy === "best"
        ? this.#bestOffer(project, asked, ecosystem)
        : this.#firstOffer(project, asked, ecosystem);
      this.#offers.set(key, offer);
    }
    return offer;
  }

  /**
   * The offer of the first source that has the project. One that cannot be asked may have it, so
   * no later one may stand in for it; a folder that is not there has nothing.
   */
  async #firstOffer(
    project: string,
    sources: Source[],
    ecosystem: Wanted,
  ): Promise<Offer> {
    const answers: string[] = [];
    let failure: TransmuteError | null = null;
    for (const source of sources) {
      try {
        const { listing } = await this.#ask(project, source, ecosystem);
        if (listing.releases.length > 0) {
          answers.push(`[${source.id}] ${listing.releases.length} releases`);
          const origin = new Map(listing.releases.map((release) => [release, source]));
          return { listing, origin, answers, failure };
        }
        answers.push(`[${source.id}] no such project`);
      } catch (error) {
        answers.push(`[${source.id}] ${describeError(error)}`);
        if (isTransmuteError(error)) failure ??= error;
        if (!isMissingFolder(source, error)) break;
      }
    }
    return { listing: { project, releases: [], tags: {} }, origin: new Map(), answers, failure };
  }

  /** All sources' releases; of equal versions, the one of the source declared first. */
  async #bestOffer(
    project: string,
    sources: Source[],
    ecosystem: Wanted,
  ): Promise<Offer> {
    const offers = await Promise.all(
      sources.map((source) => this.#firstOffer(project, [source], ecosystem)),
    );
    const releases: Release[] = [];
    const origin = new Map<Release, Source>();
    const seen = new Set<string>();
    for (const offer of offers) {
      for (const release of offer.listing.releases) {
        if (seen.has(release.version)) continue;
        releases.push(release);
        origin.set(release, offer.origin.get(release)!);
      }
      // Of a Python project, one version has as many releases as files.
      for (const { version } of offer.listing.releases) seen.add(version);
    }
    return {
      // A tag of one source says nothing about the others' releases.
      listing: { project, releases, tags: {} },
      origin,
      answers: offers.flatMap((offer) => offer.answers),
      failure: offers.find((offer) => offer.failure !== null)?.failure ?? null,
    };
  }

  #ask(project: string, source: Source, ecosystem: Wanted): Promise<Answer> {
    const key = JSON.stringify([source.id, project, ecosystem]);
    let answer = this.#answers.get(key);
    if (answer === undefined) {
      answer = this.#question(project, source, ecosystem);
      this.#answers.set(key, answer);
    }
    return answer;
  }

  async #question(project: string, source: Source, ecosystem: Wanted): Promise<Answer> {
    const { tell, context } = this.#settings;
    // A source that failed once is not waited for again in the same update.
    const earlier = this.failures.get(source.id);
    if (earlier !== undefined && SOURCE_IS_DOWN.has(earlier.code)) throw earlier;
    const isGuess = ecosystem === "python" && this.#guesses.has(project);
    if (!isGuess) tell("debug", "check-started", { source: source.id, project });
    const questions = this.#unanswered;
    questions.set(source.id, (questions.get(source.id) ?? 0) + 1);
    try {
      const answer = ecosystem === "executable"
        ? await (await import("./executable_offer.ts")).listExecutables(source, project, context)
        : await source.list(project, context, ecosystem);
      this.answered.add(source.id);
      const releases = answer.listing.releases.length;
      if (!isGuess || releases > 0) {
        const { cached } = answer;
        tell("info", "source-answered", { source: source.id, project, releases, cached });
      }
      return answer;
    } catch (error) {
      const failure = isTransmuteError(error) ? error : new TransmuteError(
        "source-unreachable",
        `Cannot ask ${source.id}: ${describeError(error)}`,
        { source: source.id, cause: error },
      );
      this.#fail(source.id, failure);
      throw failure;
    } finally {
      const left = questions.get(source.id)! - 1;
      if (left > 0) questions.set(source.id, left);
      else questions.delete(source.id);
    }
  }

  #fail(source: string, failure: TransmuteError): void {
    if (this.failures.has(source)) return;
    this.failures.set(source, failure);
    const { code, message } = failure;
    const level = code === "permission-missing" ? "error" : "info";
    this.#settings.tell(level, "source-unreachable", { source, code, message });
  }
}
