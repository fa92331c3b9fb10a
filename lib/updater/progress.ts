/**
 * One line on a terminal while a program waits for its first eggs: which, how much, how fast. It
 * is erased when the waiting ends.
 *
 * @module
 */

import type { EventFields, EventKind, EventLevel, Tell } from "../model/event.ts";
import { terminalColumns } from "../runtime/beside.ts";
import { runtime } from "../runtime/current.ts";
import type { UpdateRequest } from "./request.ts";

/** Milliseconds between two pictures; the first is drawn after as long. */
const DRAW_EVERY_MS = 150;
const ERASE_LINE = "\r\x1b[K";

/** What is seen of the world, put in place by tests. */
export interface ProgressSurroundings {
  /** The width of the terminal; `null` when there is none. */
  columns: number | null;
  write(text: string): void;
  /** Milliseconds, from any beginning. */
  clock(): number;
}

/** A line that is shown, and what must go through it to be counted. */
export interface Progress {
  request: Pick<UpdateRequest, "options" | "tell">;
  /** Draws the line as things are now. */
  draw(): void;
  /** Erases the line, for good. */
  end(): void;
}

function surroundings(): ProgressSurroundings {
  return {
    columns: terminalColumns(),
    write: (text) => runtime.writeError(text),
    clock: () => performance.now(),
  };
}

/** `1.2 MB`; thousands, as networks count. */
export function sizeText(bytes: number): string {
  for (const unit of ["B", "kB", "MB"]) {
    if (bytes < 1000) return `${unit === "B" ? bytes : bytes.toFixed(1)} ${unit}`;
    bytes /= 1000;
  }
  return `${bytes.toFixed(1)} GB`;
}

/** What has happened so far. */
class Tally {
  receivedBytes = 0;
  #firstAt: number | undefined;
  #asked = "";
  #eggs = new Map<string, number | undefined>();
  #done = 0;
  readonly #clock: () => number;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  receive(bytes: number): void {
    this.#firstAt ??= this.#clock();
    this.receivedBytes += bytes;
  }

  see<K extends EventKind>(kind: K, fields: EventFields[K]): void {
    if (kind === "check-started") this.#asked = (fields as EventFields["check-started"]).source;
    if (kind === "fetch-started") {
      const { egg, sizeBytes } = fields as EventFields["fetch-started"];
      this.#eggs.set(egg, sizeBytes);
    }
    if (kind === "fetched") {
      this.#eggs.delete((fields as EventFields["fetched"]).egg);
      this.#done++;
    }
  }

  /** `hello@1.0.0 (2 more, 3 done), 1.2 MB, 0.4 MB/s`, without control characters. */
  text(): string {
    const [first, ...others] = this.#eggs.keys();
    const counts = [
      ...others.length > 0 ? [`${others.length} more`] : [],
      ...this.#done > 0 ? [`${this.#done} done`] : [],
    ].join(", ");
    const what = first === undefined
      ? this.#done > 0 ? `${this.#done} eggs fetched` : `asking ${this.#asked || "for what is new"}`
      : `fetching ${first}${counts === "" ? "" : ` (${counts})`}`;
    const size = first === undefined ? undefined : this.#eggs.get(first);
    const total = size === undefined || others.length > 0 || this.#done > 0
      ? ""
      : ` of ${sizeText(size)}`;
    const seconds = this.#firstAt === undefined ? 0 : (this.#clock() - this.#firstAt) / 1000;
    const speed = seconds < 0.5 ? "" : `, ${sizeText(this.receivedBytes / seconds)}/s`;
    const bytes = this.receivedBytes === 0
      ? ""
      : `, ${sizeText(this.receivedBytes)}${total}${speed}`;
    // deno-lint-ignore no-control-regex
    return `${what}${bytes}`.replace(/[\x00-\x1f\x7f-\x9f]/g, "?");
  }
}

/**
 * Shows the line; `null` where there is no terminal, or events are printed to it already.
 *
 * @param given for tests
 */
export function startProgress(
  request: Pick<UpdateRequest, "options" | "tell">,
  given: ProgressSurroundings = surroundings(),
): Progress | null {
  const { options, tell } = request;
  const { columns, write, clock } = given;
  if (columns === null || (options.log !== "error" && options.log !== "warn")) return null;
  const tally = new Tally(clock);
  let shown = false;
  const erase = () => {
    if (shown) write(ERASE_LINE);
    shown = false;
  };
  const draw = () => {
    // A line as wide as the terminal would begin the next one.
    write(`${ERASE_LINE}${`transmute: ${tally.text()}`.slice(0, Math.max(0, columns - 1))}`);
    shown = true;
  };
  const timer = setInterval(draw, DRAW_EVERY_MS);
  const seen = <K extends EventKind>(level: EventLevel, kind: K, fields: EventFields[K]) => {
    tally.see(kind, fields);
    // What is printed begins on an empty line.
    if (level === "error" || level === options.log) erase();
    tell(level, kind, fields);
  };
  return {
    request: {
      options: { ...options, fetch: counted(options.fetch, (bytes) => tally.receive(bytes)) },
      tell: seen satisfies Tell,
    },
    draw,
    end() {
      clearInterval(timer);
      erase();
    },
  };
}

/** A `fetch` that tells how many bytes of bodies arrive. */
function counted(fetch: typeof globalThis.fetch, receive: (bytes: number) => void) {
  return async (...given: Parameters<typeof globalThis.fetch>): Promise<Response> => {
    const response = await fetch(...given);
    if (response.body === null || (response.status !== 200 && response.status !== 206)) {
      return response;
    }
    const counting = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        receive(chunk.length);
        controller.enqueue(chunk);
      },
    });
    const { status, statusText, headers } = response;
    return new Response(response.body.pipeThrough(counting), { status, statusText, headers });
  };
}
