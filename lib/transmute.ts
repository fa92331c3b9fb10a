/**
 * The story in order: what is required, what is active, whether a check is due; and only then the
 * updater, which is loaded on demand.
 *
 * @module
 */

import { describeError, isTransmuteError, TransmuteError } from "./errors.ts";
import type { ResolvedEntry } from "./loader/import.ts";
import { loadedElsewhere, loadEntry, resolveEntry } from "./loader/import.ts";
import type { SpawnOptions } from "./loader/spawn.ts";
import { Journal } from "./journal.ts";
import type { TransmuteEvent } from "./model/event.ts";
import type { Requirement } from "./model/requirement.ts";
import { isOfScheme, parseRequirement, requirementKey } from "./model/requirement.ts";
import type { ScheduleAnswer, ScheduleQuestion } from "./model/schedule.ts";
import { isCheckDue } from "./model/schedule.ts";
import type { RolledBack, State } from "./model/state.ts";
import type {
  ResolvedOptions,
  SourceLike,
  SourceSettings,
  TransmuteOptions,
  UpdateOptions,
} from "./options.ts";
import { intervalMs, resolveOptions, timerMs } from "./options.ts";
import type { UpdateReport } from "./report.ts";
import { reportOn } from "./report.ts";
import { runtime } from "./runtime/current.ts";
import type { ExitStatus } from "./runtime/runtime.ts";
import { offlineSource } from "./sources/offline.ts";
import { openSource } from "./sources/open.ts";
import type { Source } from "./sources/source.ts";
import type { StorePaths } from "./store/cache.ts";
import { storePaths } from "./store/cache.ts";
import { interpreterLook } from "./store/interpreter_look.ts";
import { onTrial, readState } from "./store/state.ts";
import type { Plan } from "./updater/plan.ts";
import type { UpdateRequest } from "./updater/request.ts";
import type { DeclaredSource } from "./updater/roots.ts";
import { Upkeep } from "./upkeep.ts";
import { Usage } from "./usage.ts";

/**
 * Where this is. Not in the class: Node 24 tells a module by its first error as a script, and there
 * it would be another.
 */
const HERE = import.meta.url;

/** A source as the application put it, opened. */
function declare(like: SourceLike): DeclaredSource {
  const { source, checkEveryMs, trust }: SourceSettings =
    typeof like === "object" && "source" in like ? like : { source: like };
  return {
    source: typeof source === "string" ? openSource(source) : source,
    implied: false,
    ...(typeof source === "string" ? { address: source } : {}),
    ...(checkEveryMs === undefined
      ? {}
      : { checkEveryMs: intervalMs("checkEveryMs", checkEveryMs) }),
    ...(trust === undefined ? {} : { trust }),
  };
}

/**
 * One application's components: required, updated, and imported.
 *
 * @example
 * ```ts
 * import { Transmute } from "./transmute.ts";
 *
 * const eggs = new Transmute({ app: "example", cacheDir: "/nowhere/at/all" });
 * eggs.require("hello@^1", { sources: ["dist"] });
 * ```
 */
export class Transmute extends Upkeep {
  readonly #given: TransmuteOptions;
  readonly #requirements = new Map<string, Requirement>();
  readonly #sources: DeclaredSource[] = [];
  #options: ResolvedOptions | undefined;
  #paths: StorePaths | undefined;
  #state: State | undefined;
  #damaged = false;
  #updating: Promise<UpdateReport> | undefined;
  readonly #usage: Usage;
  readonly #journal = new Journal(() => this.#resolved());
  /** By id: why a local source could not be looked at. */
  readonly #unreadable = new Map<string, unknown>();

  /** Makes an instance; nothing is read before the first call that needs it. */
  constructor(options: TransmuteOptions = {}) {
    super({
      request: () => this.#request(this.#question()),
      adopt: (state, rolledBack) => this.#adopt(state, rolledBack),
    });
    this.#usage = new Usage({
      request: () => this.#request(this.#question()),
      reading: () => ({ state: this.#current(), damaged: this.#damaged }),
      adopt: (state) => this.#adopt(state),
      fallback: () => this.#resolved().fallback,
    });
    this.#given = options;
    this.addSource(...options.sources ?? []);
  }

  /**
   * Declares what the application needs. Parses now, reads nothing.
   *
   * @param requirements such as `"hello"`, `"hello@^1.2"`, `"npm:chalk@5"`
   * @param options `sources`: where they come from, after those declared before
   * @throws {TransmuteError} `requirement-syntax`, `version-syntax`, `source-scheme-unknown`
   */
  require(requirements: string | string[], options: { sources?: SourceLike | SourceLike[] } = {}) {
    const parsed = (Array.isArray(requirements) ? requirements : [requirements])
      .map(parseRequirement);
    const sources = options.sources ?? [];
    this.addSource(...Array.isArray(sources) ? sources : [sources]);
    for (const requirement of parsed) {
      this.#requirements.set(requirementKey(requirement), requirement);
      if (requirement.scheme !== undefined) this.#imply(requirement.scheme);
    }
  }

  /**
   * Declares further sources, less trusted than those before.
   *
   * @throws {TransmuteError} `source-scheme-unknown`, `option-invalid`
   */
  addSource(...sources: SourceLike[]): void {
    for (const like of sources) {
      const declared = declare(like);
      const at = this.#sources.findIndex(({ source }) => source.id === declared.source.id);
      if (at === -1) this.#sources.push(declared);
      else if (this.#sources[at].implied) this.#sources[at] = declared;
    }
  }

  /** A prefix names a kind of source; the default one of it serves when none is declared. */
  #imply(scheme: string): void {
    if (this.#sources.some(({ source }) => isOfScheme(source.id, scheme))) return;
    this.#sources.push({ source: openSource(`${scheme}:`), implied: true });
  }

  /**
   * Asks the sources what an update would do. Changes nothing.
   *
   * @throws {TransmuteError} when a requirement cannot be met at all
   */
  async check(): Promise<Plan> {
    const question = this.#question({ force: true });
    const { checkNow } = await import("./updater/pipeline.ts");
    return await checkNow(this.#request(question));
  }

  /**
   * Brings the components up to date when a check is due.
   *
   * Returns when the program may go on: at once when nothing is due, and within `budgetMs` when
   * there is something to run on. Does not throw then, whatever happens to the network or disk:
   * the report tells. Does not touch modules that are already imported.
   *
   * @throws {TransmuteError} when there is nothing usable and nothing can be had, naming each
   * source and its answer; `option-invalid`, `permission-missing`, `store-not-private`,
   * `store-format-unknown`
   */
  update(options: UpdateOptions = {}): Promise<UpdateReport> {
    return this.#updating ??= this.#update(options).finally(() => this.#updating = undefined);
  }

  async #update(options: UpdateOptions): Promise<UpdateReport> {
    const { backgroundWork } = this.#resolved();
    if (backgroundWork !== undefined) {
      const { finishUpdate } = await import("./updater/background.ts");
      await finishUpdate(backgroundWork, this.#request(this.#question()));
      return this.#report(this.#current().active, { outcome: "unchanged", reason: "not-due" });
    }
    const rolledBack = await this.#usage.settled();
    const before = this.#current().active;
    const question = this.#question({ force: options.force ?? false });
    const answer = this.#resolved().trial === null
      ? isCheckDue(question)
      : { due: false as const, reason: "not-due" as const };
    let report: UpdateReport;
    if (!answer.due) {
      const problems = this.#unreachable(question);
      const { reason } = answer;
      this.#journal.tell("debug", "unchanged", { reason });
      report = this.#report(before, { outcome: "unchanged", reason }, problems);
    } else {
      report = await this.#updateDue(question, answer, options);
    }
    if (report.relaunch === "relaunch-needed") {
      const eggs = loadedElsewhere(this.#current().active!);
      this.#journal.tell("info", "relaunch-needed", { eggs });
      const { app } = this.#resolved();
      const { wasRelaunchedFor } = await import("./loader/launch.ts");
      if (options.relaunch === "if-needed" && !wasRelaunchedFor(app, report.generation)) {
        await this.relaunch();
      }
    }
    await this.#usage.prepare();
    if (rolledBack === undefined) return report;
    const outcome = report.outcome === "unchanged" ? "rolled-back" : report.outcome;
    return { ...report, outcome, rolledBack };
  }

  async #updateDue(
    question: ScheduleQuestion,
    answer: ScheduleAnswer & { due: true },
    options: UpdateOptions,
  ): Promise<UpdateReport> {
    const before = this.#current().active;
    const budgetMs = timerMs(options.budgetMs ?? this.#resolved().budgetMs);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const spent = new Promise<null>((resolve) => {
      if (answer.usable) timer = setTimeout(() => resolve(null), budgetMs);
    });
    try {
      const loaded = await Promise.race([import("./updater/due.ts"), spent]);
      if (loaded === null) {
        this.#journal.tell("info", "deferred", { budgetMs, background: "off" });
        return this.#report(before, { outcome: "deferred", background: "off" });
      }
      const request = this.#request(question);
      const remainder = { given: this.#given, here: HERE };
      const end = await loaded.updateDue({ request, answer, budgetMs, spent, remainder });
      this.#state = end.state ?? this.#state;
      end.afterwards?.();
      return this.#report(before, end.told, end.problems);
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Imports from the active generation: a project, or a project and a subpath that it exports.
   *
   * An egg whose files something removed from the store is brought again first.
   *
   * @throws {TransmuteError} `egg-not-active`, `entry-missing`, `permission-missing`,
   * `closure-missing`; what the module itself throws passes through
   */
  async import<T = Record<string, unknown>>(specifier: string): Promise<T> {
    const load = () => loadEntry<T>(this.#entry(specifier));
    return await this.#mending(() => this.#usage.load(specifier, load));
  }

  /** Does what needs eggs, and again when they had to be brought back to the store. */
  async #mending<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (!isTransmuteError(error, "closure-missing")) throw error;
      await this.repairStore();
      return await act();
    }
  }

  /**
   * The `file:` URL of what `import()` would load.
   *
   * @throws {TransmuteError} `egg-not-active`, `entry-missing`
   */
  resolve(specifier: string): string {
    const { url } = this.#entry(specifier);
    this.#usage.begin();
    return url;
  }

  /**
   * Makes plain `import("hello")` find what is active, in modules that are loaded from now on.
   * In Deno and Node through their module hooks. In Bun through a plugin, which knows only what is
   * active when this is called: call it after `update()`; there, subpaths that a project does not
   * export are Bun's own to look for, which may ask npm's registry.
   *
   * @throws {TransmuteError} `hook-unsupported` where the runtime has neither
   */
  async hookImports(): Promise<void> {
    await this.#usage.begin();
    const { hookImports } = await import("./loader/hook.ts");
    const active = this.#current().active;
    const required = Array.from(this.#requirements.values(), ({ project }) => project);
    await hookImports(this.#store(), () => this.#current().active ?? active, required);
  }

  /**
   * Replaces this process by a new one of the same program: same arguments, streams, signals and
   * exit code. At most once per generation.
   *
   * @throws {TransmuteError} `relaunch-failed`, `permission-missing`
   */
  async relaunch(): Promise<never> {
    const { relaunchFor } = await import("./loader/launch.ts");
    const generation = this.#current().active?.generation ?? 0;
    this.#journal.tell("info", "relaunched", { generation });
    this.#usage.end();
    const { app, denoFlags } = this.#resolved();
    return await relaunchFor(app, generation, denoFlags);
  }

  /**
   * Runs a program on what is active, to its end: a command of an active egg, `python3` with the
   * active Python eggs, or any other. It has this program's streams, and its signals are passed on.
   *
   * Exit codes are the program's own; a Python command that could not even be imported counts
   * against a generation on probation.
   *
   * @param command `"cowsay"`, `"python3"`
   * @returns its exit code (128 and the signal's number after a signal) and the signal
   * @throws {TransmuteError} `command-missing`, `interpreter-missing`, `permission-missing`,
   * `closure-missing`
   */
  async spawn(
    command: string,
    args: string[] = [],
    options: SpawnOptions = {},
  ): Promise<ExitStatus> {
    return await this.#mending(() => this.#usage.spawn(command, args, options));
  }

  /**
   * The variables with which other programs find what is active, modules and commands alike:
   * `PYTHONPATH`, `PATH` and `NODE_PATH`, each in front of what was there.
   */
  async environment(): Promise<Record<string, string>> {
    await this.#usage.begin();
    const { environmentOf } = await import("./loader/environment.ts");
    return environmentOf(this.#store(), this.#current().active, this.#resolved().denoFlags);
  }

  /** What happened to this application, oldest first. */
  async *history(): AsyncGenerator<TransmuteEvent> {
    const { readHistory } = await import("./store/history.ts");
    yield* readHistory(this.#store());
  }

  #entry(specifier: string): ResolvedEntry {
    return resolveEntry(this.#store(), this.#current().active, specifier);
  }

  #resolved(): ResolvedOptions {
    return this.#options ??= resolveOptions(this.#given);
  }

  #store(): StorePaths {
    const { cacheDir, app } = this.#resolved();
    return this.#paths ??= storePaths(cacheDir, app);
  }

  /** The state, read once: a program keeps what it started with until its own update. */
  #current(): State {
    if (this.#state === undefined) {
      const reading = readState(this.#store());
      const { trial } = this.#resolved();
      const { state, damaged } = trial === null ? reading : onTrial(this.#store(), reading, trial);
      this.#state = state;
      this.#damaged = damaged;
    }
    return this.#state;
  }

  #question({ force = false } = {}): ScheduleQuestion {
    const { offline, now, checkEveryMs, python } = this.#resolved();
    return {
      now: now(),
      state: this.#current(),
      platform: runtime.platform(),
      requirements: [...this.#requirements.keys()],
      sources: this.#sources.map(({ source, checkEveryMs }) => ({
        id: source.id,
        kind: source.kind,
        ...(checkEveryMs === undefined ? {} : { checkEveryMs }),
        ...(source.fingerprint === undefined ? {} : { fingerprint: this.#fingerprint(source) }),
      })),
      interpreter: interpreterLook(this.#current().active, python),
      checkEveryMs,
      force,
      offline,
    };
  }

  #request(question: ScheduleQuestion): UpdateRequest {
    const offline = this.#resolved().offline;
    return {
      paths: this.#store(),
      options: this.#resolved(),
      requirements: [...this.#requirements.values()],
      sources: this.#sources.map((declared) =>
        offline && declared.source.kind === "network"
          ? { ...declared, source: offlineSource(declared.source) }
          : declared
      ),
      question,
      signal: new AbortController().signal,
      tell: (level, kind, fields) => this.#journal.tell(level, kind, fields),
      drain: () => this.#journal.drain(),
    };
  }

  /** What a local source looks like; `null` when it cannot be looked at, for whatever reason. */
  #fingerprint(source: Source): string | null {
    this.#unreadable.delete(source.id);
    try {
      return source.fingerprint!();
    } catch (error) {
      this.#unreadable.set(source.id, error);
      return null;
    }
  }

  /** Tells of the local sources that cannot be looked at, though none of them is due. */
  #unreachable(question: ScheduleQuestion): TransmuteError[] {
    return question.sources.filter(({ fingerprint }) => fingerprint === null).map(({ id }) => {
      const cause = this.#unreadable.get(id);
      const problem = isTransmuteError(cause) ? cause : new TransmuteError(
        "source-unreachable",
        `Cannot list ${id}: ${cause ? describeError(cause) : "there is no such folder"}`,
        { source: id, cause },
      );
      const { code, message } = problem;
      const level = code === "permission-missing" ? "error" : "info";
      this.#journal.tell(level, "source-unreachable", { source: id, code, message });
      return problem;
    });
  }

  /** Goes on with a state that something else than an update made. */
  #adopt(state: State, rolledBack?: RolledBack): UpdateReport {
    const before = this.#current().active;
    this.#state = state;
    this.#damaged = false;
    const outcome = rolledBack === undefined ? "unchanged" : "rolled-back";
    return { ...this.#report(before, { outcome }), ...(rolledBack ? { rolledBack } : {}) };
  }

  #report(
    before: State["active"],
    told: Pick<UpdateReport, "outcome" | "reason" | "background">,
    problems: TransmuteError[] = [],
  ): UpdateReport {
    const { active, refused } = this.#current();
    const loaded = active === null ? [] : loadedElsewhere(active);
    return {
      ...told,
      ...reportOn(before, active, loaded),
      refused,
      problems,
    };
  }
}
