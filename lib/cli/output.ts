/**
 * What is printed, where, and for whom: lines for people, one JSON document for programs.
 *
 * @module
 */

import type { TransmuteError } from "../errors.ts";
import { describeError, isTransmuteError } from "../errors.ts";
import type { Console } from "../runtime/console.ts";
import { runtime } from "../runtime/current.ts";
import type { CommandOptions, Outcome } from "./command.ts";
import { styleFor } from "./style.ts";

/** Returns to the first column and clears the line. */
const CLEAR_LINE = "\r\u001b[K";

/** Writes what a command came to. */
export class Output {
  readonly #console: Console;
  readonly #options: Pick<CommandOptions, "json" | "quiet">;
  #passing = false;

  constructor(console: Console, options: Pick<CommandOptions, "json" | "quiet">) {
    this.#console = console;
    this.#options = options;
  }

  /** Shows a line that the next one replaces; only on a terminal. */
  progress(text: string): void {
    if (this.#options.json || this.#options.quiet || !runtime.isTerminal()) return;
    runtime.writeError(`${CLEAR_LINE}${text.slice(0, this.#console.columns() - 1)}`);
    this.#passing = true;
  }

  /** Prints what a command came to. */
  outcome({ value, lines, quietLines = [] }: Outcome): void {
    this.#endProgress();
    const { json, quiet } = this.#options;
    if (json) return this.#console.writeOutput(`${JSON.stringify(value, null, 2)}\n`);
    const shown = quiet ? quietLines : lines;
    if (shown.length > 0) this.#console.writeOutput(`${shown.join("\n")}\n`);
  }

  /** Prints an error, and advice where there is some. */
  failure(error: unknown): void {
    this.#endProgress();
    if (this.#options.json) {
      const text = JSON.stringify({ error: errorValue(error) }, null, 2);
      return this.#console.writeOutput(`${text}\n`);
    }
    const style = styleFor(runtime.isTerminal());
    runtime.writeError(`${style.bad("error:")} ${describeError(error)}\n`);
    const hint = isTransmuteError(error) ? hintOf(error) : undefined;
    if (hint !== undefined) runtime.writeError(`${style.strong("hint:")} ${hint}\n`);
    if (!isTransmuteError(error) && error instanceof Error) {
      // Not foreseen: whoever reports it will be asked where it was.
      runtime.writeError(`${style.faint(error.stack ?? "")}\n`);
    }
  }

  #endProgress(): void {
    if (this.#passing) runtime.writeError(CLEAR_LINE);
    this.#passing = false;
  }
}

/** Advice for whoever writes an application, and what it is for whoever types a command. */
const HINTS: [hint: RegExp, here: string | undefined][] = [
  [/registerSource\(\)/, undefined],
  [/NPM_SOURCE/, "Name a source with --source, such as --source dist or --source npm:"],
  [/status\(\)/, "Run: transmute list. With --to, any generation that is whole can be gone to"],
  [/await update\(\)/i, "Run: transmute update"],
];

/** The advice that an error carries, for whoever types commands. */
export function hintOf({ hint }: TransmuteError): string | undefined {
  if (hint === undefined) return undefined;
  const found = HINTS.find(([pattern]) => pattern.test(hint));
  return found === undefined ? hint : found[1];
}

/** An error as `--json` tells it; anything that is not ours has the code `unforeseen`. */
export function errorValue(error: unknown): Record<string, unknown> {
  if (!isTransmuteError(error)) return { code: "unforeseen", message: describeError(error) };
  const { code, phase, message, requirement, egg, source } = error;
  const about = { code, phase, message, hint: hintOf(error), requirement, egg, source };
  return Object.fromEntries(Object.entries(about).filter(([, value]) => value !== undefined));
}
