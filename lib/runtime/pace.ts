/**
 * Long work in pieces, so that timers, signals and the program itself get their turns between
 * them.
 *
 * @module
 */

/** The longest piece of work, in milliseconds, after which others get a turn. */
const PIECE_MS = 10;

/** The pace of one long work. */
export class Pace {
  readonly #signal: AbortSignal | undefined;
  #restedAt = performance.now();

  /** @param signal ends the work at its next step */
  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  /**
   * To be awaited between two pieces: gives others a turn when it is time.
   *
   * @throws what the signal was fired with
   */
  async step(): Promise<void> {
    this.#signal?.throwIfAborted();
    if (performance.now() - this.#restedAt < PIECE_MS) return;
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    this.#restedAt = performance.now();
    this.#signal?.throwIfAborted();
  }
}
