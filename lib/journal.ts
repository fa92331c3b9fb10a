/**
 * Telling what happens: to the application's `onEvent`, to standard error, and, through whoever
 * drains it, to the history on the disk.
 *
 * @module
 */

import { describeError } from "./errors.ts";
import type { EventFields, EventKind, EventLevel, TransmuteEvent } from "./model/event.ts";
import { EVENT_LEVELS, eventText } from "./model/event.ts";
import { redactValue } from "./model/redact.ts";
import type { ResolvedOptions } from "./options.ts";
import { runtime } from "./runtime/current.ts";

/** The events of one instance. */
export class Journal {
  readonly #options: () => Pick<ResolvedOptions, "log" | "now" | "onEvent">;
  readonly #unwritten: TransmuteEvent[] = [];

  /** @param options asked for at the first event, not before */
  constructor(options: () => Pick<ResolvedOptions, "log" | "now" | "onEvent">) {
    this.#options = options;
  }

  /** Tells an event. Never throws: an observer must not stop an update. */
  tell<K extends EventKind>(level: EventLevel, kind: K, fields: EventFields[K]): void {
    const { log, now, onEvent } = this.#options();
    const printed = log === "json" ||
      log !== "off" && EVENT_LEVELS.indexOf(level) >= EVENT_LEVELS.indexOf(log);
    // A start with nothing to do leaves no line in the history; when nobody else listens, it is
    // spared the first use of a date as well, up to a millisecond.
    const written = kind !== "unchanged";
    if (!written && !printed && onEvent === undefined) return;
    const told = { kind, at: new Date(now()).toISOString(), level, ...fields } as TransmuteEvent;
    const event = redactValue(told, runtime.homeFolder());
    if (written) this.#unwritten.push(event);
    if (printed) {
      runtime.writeError(
        log === "json"
          ? `${JSON.stringify(event)}\n`
          : `transmute: ${level}: ${eventText(event)}\n`,
      );
    }
    try {
      onEvent?.(event);
    } catch (error) {
      runtime.writeError(`transmute: error: onEvent failed: ${describeError(error)}\n`);
    }
  }

  /** Takes the events that are not in the history yet. */
  drain(): TransmuteEvent[] {
    return this.#unwritten.splice(0);
  }
}
