/**
 * How times and lists are put into words for people.
 *
 * @module
 */

import type { KeptReason } from "../updater/roots.ts";
import type { PassedOver } from "../updater/select.ts";
import type { GenerationStatus } from "../updater/status.ts";
import { widthOf } from "./style.ts";

/** Why an egg stays as it is. */
export const KEPT_WORDS: Record<KeptReason, string> = {
  "not-due": "its source was not asked",
  "held": "it is held at its version",
  "already-newest": "nothing newer is offered",
  "held-by-requirement": "what is newer does not meet its requirement",
  "source-failed": "its source could not be asked",
};

/** How far a generation has come. */
export const GENERATION_WORDS: Record<GenerationStatus, string> = {
  probation: "not proven yet",
  confirmed: "proven",
  rejected: "rejected",
  unproven: "never proven",
};

const UNITS: [name: string, ms: number][] = [
  ["day", 24 * 60 * 60 * 1000],
  ["hour", 60 * 60 * 1000],
  ["minute", 60 * 1000],
  ["second", 1000],
];

/** A length of time in its largest whole unit: `3 hours`. Less than a second is `0 seconds`. */
export function duration(ms: number): string {
  const [name, unitMs] = UNITS.find(([, unitMs]) => ms >= unitMs) ?? UNITS.at(-1)!;
  return counted(Math.floor(Math.max(0, ms) / unitMs), name);
}

/** `3 hours ago`, or `in 3 hours` for what is still to come. */
export function relativeTime(at: number, now: number): string {
  return at <= now ? `${duration(now - at)} ago` : `in ${duration(at - now)}`;
}

/** A moment as people read it, in UTC: `2026-02-03 14:05:09`. */
export function moment(at: string): string {
  return at.slice(0, 19).replace("T", " ");
}

/** `1 egg`, `2 eggs`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(words: string[], conjunction = "and"): string {
  return words.length < 2
    ? words.join("")
    : `${words.slice(0, -1).join(", ")} ${conjunction} ${words.at(-1)}`;
}

/** Rows under one another, columns as wide as their widest cell, two spaces between them. */
export function table(rows: string[][], indent = ""): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
    });
  }
  return rows.map((row) =>
    indent + row.map((cell, column) => cell + " ".repeat(widths[column] - widthOf(cell)))
      .join("  ").trimEnd()
  );
}

/** A size in the largest unit that it fills: `512 bytes`, `4.2 MB`. */
export function fileSize(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

/** "2.0.0 is offered and not taken: it does not satisfy ^1". */
export function notTaken({ version, reason }: PassedOver): string {
  const why = /^(?:does|is|needs) /.test(reason)
    ? `it ${reason}`
    : /^(?:for|deprecated) ?/.test(reason)
    ? `it is ${reason}`
    : reason.startsWith("refused")
    ? `it was ${reason}`
    : reason;
  return `${version} is offered and not taken: ${why}`;
}

/** A requirement as its author would write it: `hello@*` is `hello`. */
export function requirementText(key: string): string {
  return key.replace(/@\*$/, "");
}
