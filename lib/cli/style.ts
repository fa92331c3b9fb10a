/**
 * Words in colour, on terminals that have it.
 *
 * @module
 */

import { runtime } from "../runtime/current.ts";

/** The styles of words; each gives its text back as it is where there is no colour. */
export interface Style {
  strong(text: string): string;
  faint(text: string): string;
  good(text: string): string;
  warning(text: string): string;
  bad(text: string): string;
}

const ESCAPE = "\u001b[";

/**
 * The styles for a stream: in colour on a terminal, unless `NO_COLOR` says otherwise or the
 * terminal is a dumb one.
 */
export function styleFor(isTerminal: boolean): Style {
  const coloured = isTerminal && !runtime.env("NO_COLOR") && runtime.env("TERM") !== "dumb";
  const paint = (code: number) => (text: string) =>
    coloured && text !== "" ? `${ESCAPE}${code}m${text}${ESCAPE}0m` : text;
  return { strong: paint(1), faint: paint(2), good: paint(32), warning: paint(33), bad: paint(31) };
}

// deno-lint-ignore no-control-regex
const SEQUENCE = /\u001b\[\d+m/g;

/** How many columns `text` takes. */
export function widthOf(text: string): number {
  return text.replace(SEQUENCE, "").length;
}
