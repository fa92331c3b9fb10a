/**
 * What is done with generations and the store apart from updating: going back, confirming,
 * holding, telling, mending, clearing up. Everything behind it is loaded when it is called.
 *
 * @module
 */

import type { RolledBack, State } from "./model/state.ts";
import type { RollbackOptions } from "./options.ts";
import type { UpdateReport } from "./report.ts";
import type { GarbageOptions, GarbageReport } from "./store/gc.ts";
import type { StoreReport } from "./store/verify.ts";
import type { Status } from "./updater/status.ts";
import type { UpdateRequest } from "./updater/request.ts";

/** What the upkeep needs of the application that it belongs to. */
export interface UpkeepContext {
  /** The surroundings of an update, with a signal that does not fire. */
  request(): UpdateRequest;
  /** Goes on with this state; tells what came of it. */
  adopt(state: State, rolledBack?: RolledBack): UpdateReport;
}

/** The methods of a `Transmute` that look after its generations and its store. */
export abstract class Upkeep {
  readonly #context: UpkeepContext;

  /** @internal */
  constructor(context: UpkeepContext) {
    this.#context = context;
  }

  /**
   * Makes an older generation the active one, with all its eggs. The one that was active is
   * rejected: its eggs are not offered again while their sources have nothing newer. Needs no
   * network. Does not touch modules that are already imported.
   *
   * @throws {TransmuteError} `nothing-to-roll-back-to`, `lock-timeout`, `disk-failure`
   */
  async rollback(options: RollbackOptions = {}): Promise<UpdateReport> {
    const { rollbackNow } = await import("./updater/rollback.ts");
    const { state, rolledBack } = await rollbackNow(this.#context.request(), options);
    return this.#context.adopt(state, rolledBack);
  }

  /**
   * Says that the active generation works. From then on later ones may fall back to it.
   *
   * @throws {TransmuteError} `disk-failure`
   */
  async confirm(): Promise<void> {
    const { confirmNow } = await import("./updater/confirm.ts");
    this.#context.adopt(await confirmNow(this.#context.request(), "confirm() was called"));
  }

  /**
   * Keeps a project at its active version, whatever is offered, until `unhold()`.
   *
   * @throws {TransmuteError} `egg-not-active`, `lock-timeout`, `disk-failure`
   */
  async hold(project: string): Promise<void> {
    const { holdNow } = await import("./updater/hold.ts");
    this.#context.adopt(await holdNow(this.#context.request(), project, true));
  }

  /**
   * Lets a project take updates again.
   *
   * @throws {TransmuteError} `lock-timeout`, `disk-failure`
   */
  async unhold(project: string): Promise<void> {
    const { holdNow } = await import("./updater/hold.ts");
    this.#context.adopt(await holdNow(this.#context.request(), project, false));
  }

  /** What is active and why, from the disk alone: asks no source, changes nothing. */
  async status(): Promise<Status> {
    const { statusOf } = await import("./updater/status.ts");
    return await statusOf(this.#context.request());
  }

  /**
   * Compares every file that this application's kept generations need with what was recorded of
   * it. Changes nothing.
   */
  async verifyStore(): Promise<StoreReport> {
    const { verifyStore } = await import("./store/verify.ts");
    return await verifyStore(this.#context.request().paths);
  }

  /**
   * Verifies the store and mends what is damaged: from kept archives, else from the sources, else
   * by going on with another generation that is whole. What could not be mended is told.
   *
   * @throws {TransmuteError} `lock-timeout`, `disk-failure`
   */
  async repairStore(): Promise<StoreReport> {
    const { repairNow } = await import("./updater/repair.ts");
    const { report, state, rolledBack } = await repairNow(this.#context.request());
    this.#context.adopt(state, rolledBack);
    return report;
  }

  /**
   * Removes what no application of the store needs: generations beyond `keepGenerations`, and
   * eggs, archives and answers of sources that belong to no kept generation and no running program.
   */
  async collectGarbage(options: GarbageOptions = {}): Promise<GarbageReport> {
    const { collectNow } = await import("./updater/collect.ts");
    return await collectNow(this.#context.request(), options);
  }
}
