/**
 * Versions of Transmute: three numbers. A pre-release is in no range but its own.
 *
 * @module
 */

import { failure } from "./machine.ts";
import type { Question } from "./question.ts";

/** Above 0 when `one` is newer. */
export function compare(one: string, other: string): number {
  const [a, b] = [one, other].map((text) => text.split(".").map((part) => parseInt(part)));
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/**
 * Whether a version is in a range: `^`, `~`, `>=` or nothing before one, two or three numbers.
 * `undefined` for ranges of other forms.
 */
export function fits(version: string, range: string): boolean | undefined {
  const form = /^(\^|~|>=|)(\d+)(?:\.(\d+)(?:\.(\d+(?:-[\w.-]+)?))?)?$/;
  const [whole, operator, ...texts] = form.exec(range) ?? [];
  if (whole === undefined) return undefined;
  const given = texts.filter((text) => text !== undefined);
  if (whole.includes("-") || (operator === "" && given.length === 3)) {
    return version === given.join(".");
  }
  const nonZero = given.findIndex((part) => part !== "0") + 1 || given.length;
  const fixed = { "^": nonZero, ">=": 0 }[operator] ?? Math.min(given.length, 2);
  return /^\d+\.\d+\.\d+$/.test(version) &&
    compare(version, [...given, "0", "0"].slice(0, 3).join(".")) >= 0 &&
    version.split(".").slice(0, fixed).join() === given.slice(0, fixed).join();
}

/** The newest version that fits, or `undefined` when the kept copy is as new. */
export function newest(versions: string[], question: Question): string | undefined {
  const { name, range, kept, rejected } = question;
  const fitting = versions.filter((version) => fits(version, range) && !rejected.includes(version));
  const [first] = fitting.sort((one, other) => compare(other, one));
  if (first !== undefined) return kept && compare(first, kept.version) <= 0 ? undefined : first;
  const found = versions.slice(-5).join(", ") || "no version";
  throw failure("no-matching-version", `found ${found} of ${name}, wanted ${range}`);
}
