/**
 * A program's use of a generation that has not proven itself: told on the disk before its code
 * runs, so that whatever becomes of the program, a later start knows.
 *
 * Nothing here changes how the program ends: signals, exit codes and errors are its own.
 *
 * @module
 */

import { describeError, isTransmuteError } from "../errors.ts";
import type { Tell, TransmuteEvent } from "../model/event.ts";
import type { Generation } from "../model/state.ts";
import { later } from "../runtime/later.ts";
import { watchEnding } from "../runtime/processes.ts";
import type { StorePaths } from "../store/cache.ts";
import { appendHistory } from "../store/history.ts";
import { forgiveVanished, OwnLease, settleLeases } from "../store/leases.ts";
import { markConfirmed } from "../store/marks.ts";

/**
 * A start that has come so far without being gone is not counted when it vanishes later: by then a
 * user may have lost patience with a program that is all in its import.
 */
const STARTING_MS = 1000;
/** Node's exit code when the main module still waits and nothing is left that could end that. */
const NEVER_SETTLED = 13;

/** What a probation needs of the application. */
export interface ProbationContext {
  paths: StorePaths;
  generation: Generation;
  options: { confirm: "auto" | "manual"; confirmAfterMs: number; now(): number };
  tell: Tell;
  drain(): TransmuteEvent[];
}

/** This process's part in the probation of one generation. */
export class Probation {
  readonly generation: Generation;
  readonly #context: ProbationContext;
  readonly #lease: OwnLease;
  #phase: "none" | "starting" | "running" | "failed" | "over" = "none";
  /** The phase before an error that the program may yet handle. */
  #before: "starting" | "running" | null = null;
  #imports = 0;
  #hasLived = false;

  constructor(context: ProbationContext) {
    this.#context = context;
    this.generation = context.generation;
    this.#lease = new OwnLease(context.paths);
  }

  /** Takes the lease, unless that was done: code of the generation is about to run. */
  enter(): void {
    if (this.#phase !== "none") return;
    this.#note("starting");
    watchEnding({
      failed: (error) => this.#uncaught(error),
      survived: () => this.#survived(),
      ended: (code) => this.#ended(code),
    });
    later(STARTING_MS).then(() => this.#started());
    const { confirm, confirmAfterMs } = this.#context.options;
    if (confirm !== "auto") return;
    later(confirmAfterMs).then(() => {
      this.#hasLived = true;
      this.#confirmIfLived();
    });
  }

  /** Code is taken that nobody sees being loaded: a worker's, or a later plain import. */
  use(): void {
    this.enter();
    this.#started();
  }

  /**
   * Loads code of the generation.
   *
   * @throws what `load` throws
   */
  async load<T>(egg: string, load: () => Promise<T>): Promise<T> {
    this.enter();
    this.#imports++;
    try {
      const loaded = await load();
      if (--this.#imports === 0) this.#started();
      return loaded;
    } catch (error) {
      this.#imports--;
      // What Transmute itself says is about rights and files, and not about the code.
      if (!isTransmuteError(error)) {
        this.fail(`${egg} threw while it was imported: ${describeError(error)}`);
      }
      throw error;
    }
  }

  /** Counts this start against the generation. */
  fail(message: string): void {
    if (this.#phase === "failed" || this.#phase === "over") return;
    this.#note("failed", message);
    this.#tell("warn", "start-failed", { generation: this.generation.generation, message });
  }

  /** Takes back what counted against the generation: it was not at fault. */
  forgive(): void {
    if (this.#phase === "failed") this.#note("running");
  }

  /** This process stops using the generation, which says nothing about it. */
  end(): void {
    if (this.#phase === "none" || this.#phase === "failed" || this.#phase === "over") return;
    this.#phase = "over";
    quietly(() => this.#lease.remove());
  }

  #started(): void {
    if (this.#phase !== "starting") return;
    this.#note("running");
    const { paths, options } = this.#context;
    quietly(() => forgiveVanished(paths, this.generation.generation, options.now()));
    this.#confirmIfLived();
  }

  #confirmIfLived(): void {
    if (!this.#hasLived || this.#phase !== "running") return;
    this.#confirm(`a program lived for ${this.#context.options.confirmAfterMs} ms`);
  }

  #uncaught(error: unknown): void {
    const before = this.#phase;
    this.fail(`an error was not caught: ${describeError(error)}`);
    if (before === "starting" || before === "running") this.#before = before;
  }

  #survived(): void {
    if (this.#before === null) return;
    this.#before = null;
    this.forgive();
  }

  #ended(code: number): void {
    if (this.#phase === "starting" && code === NEVER_SETTLED) {
      this.fail("the program had nothing left to do while eggs were still being imported");
    }
    if (this.#phase !== "starting" && this.#phase !== "running") return;
    if (code === 0 && this.#context.options.confirm === "auto") {
      this.#confirm("a program ended with exit code 0");
    }
    this.end();
  }

  #confirm(reason: string): void {
    const { paths, options } = this.#context;
    const { generation } = this.generation;
    quietly(() => {
      if (!markConfirmed(paths, generation, reason)) return;
      this.#tell("info", "confirmed", { generation, reason });
      settleLeases(paths, generation, options.now());
    });
  }

  #note(phase: "starting" | "running" | "failed", reason?: string): void {
    this.#phase = phase;
    const { generation } = this.generation;
    const at = this.#context.options.now();
    quietly(() =>
      this.#lease.add({ generation, phase, at, ...(reason === undefined ? {} : { reason }) })
    );
  }

  /** Events go to the history at once: there may be no later. */
  #tell: Tell = (level, kind, fields) => {
    this.#context.tell(level, kind, fields);
    quietly(() => appendHistory(this.#context.paths, this.#context.drain()));
  };
}

/** A disk that takes no lease is no reason to keep a program from running. */
function quietly(act: () => void): void {
  try {
    act();
  } catch { /* the generation stays on probation for a while longer */ }
}
