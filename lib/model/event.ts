/**
 * What happened, as values: to `onEvent`, to `history.jsonl`, and to standard error.
 *
 * @module
 */

import type { ErrorCode } from "../errors.ts";

/** How much an event matters; `TRANSMUTE_LOG` names the least that is printed. */
export type EventLevel = "debug" | "info" | "warn" | "error";

/** The kinds of event and what each carries besides `at` and `level`. */
export interface EventFields {
  /** A source is about to be asked. */
  "check-started": { source: string; project: string };
  /** A source answered. `cached` tells that it said "not modified". */
  "source-answered": { source: string; project: string; releases: number; cached: boolean };
  /** A signed repository's metadata is proven and fresh: the versions of its root and timestamp. */
  "repository-verified": { source: string; root: number; timestamp: number; expiresAt: string };
  /** A source is asked without credentials, and why. */
  "anonymous": { source: string; message: string };
  /** A source could not be used; the program goes on without it. */
  "source-unreachable": { source: string; code: ErrorCode; message: string };
  /** An archive is being fetched. */
  "fetch-started": { source: string; egg: string; sizeBytes?: number };
  /** An archive arrived and was proven. */
  "fetched": { source: string; egg: string; sizeBytes: number; digest: string };
  /** An egg was refused, and will be until its source offers other bytes. */
  "refused": { source: string; egg: string; code: ErrorCode; message: string };
  /** An older version was offered than the one in use; the newer one is kept. */
  "downgrade-refused": { source: string; egg: string; active: string };
  /** Something was passed over that the program can do without. */
  "skipped": { egg: string; message: string };
  /** A closure was written to the store. */
  "stored": { egg: string; closure: string; files: number };
  /** A generation became the active one. */
  "activated": { generation: number; eggs: string[] };
  /** Nothing was to be done, and why. */
  "unchanged": { reason: string };
  /** The budget was spent; the program goes on with what it has, and the rest as told. */
  "deferred": { budgetMs: number; background: "process" | "in-process" | "off" };
  /** A process of its own finishes the update: of Transmute's, or this program once more. */
  "background-started": { pid: number; runs: "transmute" | "program" };
  /** That process is done. */
  "background-ended": { pid: number };
  /** The update failed; the program goes on with what it has. */
  "kept": { code: ErrorCode; message: string };
  /** The update failed, and there is nothing to go on with. */
  "failed": { code: ErrorCode; message: string };
  /** Events could not be written to the history; nothing else is lost. */
  "unrecorded": { message: string };
  /** Another process is updating; this one waits for it. */
  "waiting": { lock: string };
  /** The courtesy lock cannot be had on this file system; the update goes on without. */
  "unlocked": { lock: string; message: string };
  /** New code waits for a relaunch, because older modules of it are loaded. */
  "relaunch-needed": { eggs: string[] };
  /** A generation proved itself: a start ended well, lived long enough, or the program said so. */
  "confirmed": { generation: number; reason: string };
  /** A start on a generation that has not proven itself yet failed. */
  "start-failed": { generation: number; message: string };
  /** An older generation is active again; the newer one is rejected. */
  "rolled-back": { from: number; to: number; reason: string; eggs: string[] };
  /** A start goes on with an older generation than the active one, for itself alone. */
  "fell-back": { from: number; to: number; message: string };
  /** A generation failed, and there is none to go back to. */
  "nothing-to-roll-back-to": { generation: number; reason: string };
  /** A project stays at its version from now on. */
  "held": { project: string; version: string };
  /** A project takes updates again. */
  "unheld": { project: string };
  /** A hook of the application failed, and the update went on. */
  "hook-failed": { hook: string; message: string };
  /** Something of the store is not as it was written. */
  "damaged": { path: string; message: string };
  /** Something of the store that was damaged is whole again. */
  "repaired": { path: string; from: "disk" | "sources" };
  /** What nobody needs was removed from the store. */
  "collected": { generations: number; closures: number; archives: number; freedBytes: number };
  /** The store could not be cleared up; nothing else is lost. */
  "not-collected": { message: string };
  /** The state was damaged; the newest generation that is whole is active again. */
  "recovered": { generation: number | null };
  /** This process is about to be replaced. */
  "relaunched": { generation: number };
}

/** The kind of an event. */
export type EventKind = keyof EventFields;

/** One event: what happened, when, how much it matters, and its own fields. */
export type TransmuteEvent = {
  [K in EventKind]: { kind: K; at: string; level: EventLevel } & EventFields[K];
}[EventKind];

/** The order of levels, the least important first. */
export const EVENT_LEVELS: readonly EventLevel[] = ["debug", "info", "warn", "error"];

/** Tells an event; what every stage is given. */
export type Tell = <K extends EventKind>(
  level: EventLevel,
  kind: K,
  fields: EventFields[K],
) => void;

/** Long digests are cut in lines for people; the history has them whole. */
const LONG_DIGEST = /\b([0-9a-f]{12})[0-9a-f]{28,}\b/g;

/** A text with its long digests cut. */
export function withShortDigests(text: string): string {
  return text.replace(LONG_DIGEST, "$1…");
}

function fieldText(value: unknown): string {
  const text = typeof value === "string" && !/[\s"=]/.test(value) ? value : JSON.stringify(value);
  return withShortDigests(text);
}

/** An event in one line of text: `fetched egg=hello@1.0.0 source=/dist sizeBytes=292`. */
export function eventText(event: TransmuteEvent): string {
  const { kind, at: _at, level: _level, ...fields } = event;
  const words = Object.entries(fields).map(([name, value]) => `${name}=${fieldText(value)}`);
  return [kind, ...words].join(" ");
}
