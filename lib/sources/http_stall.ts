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

/**
 * What `work` comes to, or the reason of `signal` as soon as that fires.
 *
 * A `fetch` with a signal should see to this by itself. But when the signal fires just as the head
 * of an answer arrives, Deno 2.9 waits for the body without end; and an application may bring any
 * other `fetch`.
 */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    const end = () => signal.removeEventListener("abort", abort);
    work.then(resolve, reject).finally(end);
  });
}

/** Waits, or less when `signal` fires. */
export function pause(ms: number, signal: AbortSignal, startTimer: StartTimer): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = startTimer(ms, done);
    signal.addEventListener("abort", done, { once: true });
  });
}

/**
 * Ends a request when fewer than `STALL_BYTES` of its answer arrive within `STALL_MS`, or when
 * whoever asked wants it to end.
 */
export class StallWatch {
  /** Fires when the answer stalls, and when the request is to end. */
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #startTimer: StartTimer;
  #cancel: () => void = () => {};
  #arrivedBytes = 0;

  constructor(wanted: AbortSignal, startTimer: StartTimer) {
    this.signal = AbortSignal.any([wanted, this.#controller.signal]);
    this.#startTimer = startTimer;
    this.#watch();
  }

  /** Whether the answer stalled. */
  get hasStalled(): boolean {
    return this.#controller.signal.aborted;
  }

  /** What arrived in the last period, in words. */
  get found(): string {
    const amount = this.#arrivedBytes === 0 ? "nothing" : `${this.#arrivedBytes} bytes`;
    return `sent ${amount} for ${STALL_MS / 1000} seconds`;
  }

  /** Cheap, for every chunk comes here: the timer itself is only renewed when it ends. */
  progress(bytes: number): void {
    this.#arrivedBytes += bytes;
  }

  /** Reads on in a body, unless the request ends before. */
  async read(
    reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
  ): Promise<ReadableStreamReadResult<Uint8Array<ArrayBuffer>>> {
    const part = await unlessAborted(reader.read(), this.signal);
    this.progress(part.value?.length ?? 0);
    return part;
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
