/**
 * Time, as far as a request needs it: pauses, and the end of an answer that goes silent.
 *
 * @module
 */

/** Milliseconds after which an answer that brought next to nothing is given up. */
export const STALL_MS = 30_000;
/** What must arrive within `STALL_MS`: less is how a server holds a program up for ever. */
export const STALL_BYTES = 4096;

/** Calls `fire` after `ms` milliseconds, unless the function that it returns is called before. */
export type StartTimer = (ms: number, fire: () => void) => () => void;

/** The timer of the platform. */
export const startPlatformTimer: StartTimer = (ms, fire) => {
  const timer = setTimeout(fire, ms);
  return () => clearTimeout(timer);
};

/** Waits, or less when `signal` fires. */
export function pause(ms: number, signal: AbortSignal, startTimer: StartTimer): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = startTimer(ms, done);
    signal.addEventListener("abort", done, { once: true });
  });
}

/** Ends a request when fewer than `STALL_BYTES` of its answer arrive within `STALL_MS`. */
export class StallWatch {
  readonly #controller = new AbortController();
  readonly #startTimer: StartTimer;
  #cancel: () => void = () => {};
  #arrivedBytes = 0;

  constructor(startTimer: StartTimer) {
    this.#startTimer = startTimer;
    this.#watch();
  }

  /** Fires when the answer stalls. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What arrived in the last period, in words. */
  get found(): string {
    const amount = this.#arrivedBytes === 0 ? "nothing" : `${this.#arrivedBytes} bytes`;
    return `sent ${amount} for ${STALL_MS / 1000} seconds`;
  }

  /** Cheap, because it is called for every chunk: the timer itself is only renewed when it ends. */
  progress(bytes: number): void {
    this.#arrivedBytes += bytes;
  }

  /** Stops watching. */
  end(): void {
    this.#cancel();
  }

  #watch(): void {
    this.#cancel = this.#startTimer(STALL_MS, () => {
      if (this.#arrivedBytes < STALL_BYTES) {
        this.#controller.abort(new DOMException("Stalled", "TimeoutError"));
      } else {
        this.#arrivedBytes = 0;
        this.#watch();
      }
    });
  }
}
