/**
 * How this program uses what is active: looked after before it is used, told on the disk while it
 * has to prove itself, and leased by programs that live long. A start on a proven generation costs
 * nothing of that.
 *
 * @module
 */

import { describeError, isTransmuteError } from "./errors.ts";
import type { Probation } from "./loader/probation.ts";
import type { SpawnOptions } from "./loader/spawn.ts";
import type { RolledBack, State } from "./model/state.ts";
import { later } from "./runtime/later.ts";
import type { ExitStatus } from "./runtime/runtime.ts";
import type { StateReading } from "./store/state.ts";
import type { UpdateRequest } from "./updater/request.ts";

/** A program that lives so long takes a lease, which keeps its generation in the store. */
const LEASE_AFTER_MS = 10_000;

/** What the use needs of the application that it belongs to. */
export interface UsageContext {
  request(): UpdateRequest;
  reading(): StateReading;
  /** Goes on with this state. */
  adopt(state: State): void;
  fallback(): "next-start" | "same-start";
}

/** One program's use of its generations. */
export class Usage {
  readonly #context: UsageContext;
  #settling: Promise<RolledBack | undefined> | undefined;
  #probation: Probation | null = null;
  #willLease = false;

  constructor(context: UsageContext) {
    this.#context = context;
  }

  /**
   * Looks after a damaged state, and after failed starts of a generation on probation. Once; what
   * it gives says whether that went back to an older generation.
   */
  settled(): Promise<RolledBack | undefined> | undefined {
    const { state, damaged } = this.#context.reading();
    if (!damaged && state.active?.probation === undefined) return this.#settling;
    return this.#settling ??= this.#settle();
  }

  async #settle(): Promise<RolledBack | undefined> {
    const { settle } = await import("./updater/settle.ts");
    const settled = await settle(this.#context.request(), this.#context.reading());
    this.#context.adopt(settled.state);
    return settled.rolledBack;
  }

  /** This process's part in the probation of what is active; `null` when that is proven. */
  async prepare(): Promise<Probation | null> {
    await this.settled();
    const { active } = this.#context.reading().state;
    if (active?.probation === undefined) return null;
    if (this.#probation?.generation.generation !== active.generation) {
      const { Probation } = await import("./loader/probation.ts");
      this.#probation = new Probation({ ...this.#context.request(), generation: active });
    }
    return this.#probation;
  }

  /** Code of what is active is taken, in a way that cannot be watched. */
  async begin(): Promise<void> {
    // At once where update() has prepared it: the code may run before anything else does.
    this.#probation?.use();
    (await this.prepare())?.use();
    this.#leaseLater();
  }

  /**
   * Loads code of what is active.
   *
   * @throws what `load` throws
   */
  async load<T>(specifier: string, load: () => Promise<T>): Promise<T> {
    const probation = await this.prepare();
    this.#leaseLater();
    if (probation === null) return await load();
    try {
      return await probation.load(specifier, load);
    } catch (error) {
      if (isTransmuteError(error) || this.#context.fallback() !== "same-start") throw error;
      return await this.#loadFromBefore(specifier, probation, error);
    }
  }

  /**
   * Runs a program on what is active. One that shows on probation that an egg is at fault counts
   * against that.
   *
   * @throws {TransmuteError} as `spawnCommand`
   */
  async spawn(command: string, args: string[], options: SpawnOptions): Promise<ExitStatus> {
    const { spawnCommand, StartFailure } = await import("./loader/spawn.ts");
    const probation = await this.prepare();
    this.#leaseLater();
    const { paths, options: { python, denoFlags } } = this.#context.request();
    const { active } = this.#context.reading().state;
    const context = { paths, active, python, denoFlags };
    const run = async () => {
      try {
        return await spawnCommand(context, command, args, options);
      } catch (error) {
        if (!(error instanceof StartFailure)) throw error;
        probation?.fail(error.message);
        return error.status;
      }
    };
    return await (probation === null ? run() : probation.load(command, run));
  }

  async #loadFromBefore<T>(specifier: string, probation: Probation, error: unknown): Promise<T> {
    const { importFromBefore } = await import("./loader/same_start.ts");
    const { paths, requirements, question: { platform }, tell } = this.#context.request();
    const question = { paths, probation, specifier, requirements, platform };
    const fallback = await importFromBefore<T>(question);
    if (fallback === null) throw error;
    const { active, module } = fallback;
    this.#context.adopt({ ...this.#context.reading().state, active });
    const from = probation.generation.generation;
    tell("warn", "fell-back", { from, to: active.generation, message: describeError(error) });
    return module;
  }

  /** Gives up this process's part in a probation: another process takes its place. */
  end(): void {
    this.#probation?.end();
  }

  #leaseLater(): void {
    if (this.#willLease) return;
    this.#willLease = true;
    later(LEASE_AFTER_MS).then(async () => {
      const { active } = this.#context.reading().state;
      const { paths, options: { now } } = this.#context.request();
      const { leaseGeneration } = await import("./loader/long_use.ts");
      if (active !== null) leaseGeneration(paths, active.generation, now);
    });
  }
}
