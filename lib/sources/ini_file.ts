/**
 * Files of settings in sections, as npm and pip have them.
 *
 * @module
 */

// npm's own reader of .npmrc: its rules of quotes, escapes and comments.
import ini from "npm:ini@6.0.0";

/** What is used of the library, which brings no types. */
interface IniReader {
  parse(text: string): Record<string, unknown>;
}

/** Keys to texts, and names of sections to such. */
export function parseIni(text: string): Record<string, unknown> {
  return (ini as IniReader).parse(text);
}
