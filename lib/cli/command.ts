/**
 * What a command is: its words, what it is given, and what it comes to.
 *
 * @module
 */

import type { Style } from "./style.ts";

/** What the value of an option or an argument is, for shell completion. */
export type ValueKind = "application" | "folder" | "other" | readonly string[];

/** One option of a command. */
export interface OptionWords {
  /** As it is written: `-q, --quiet`, `--app <name>`. */
  flags: string;
  /** What it does; no full stop. */
  summary: string;
  /** What its value is; absent where it has none. */
  value?: ValueKind;
  /** Whether it may be given several times. */
  repeated?: true;
}

/** The arguments of a command. */
export interface ArgumentWords {
  /** As commander and manuals write it: `<folder>`, `[requirements...]`; several with spaces. */
  syntax: string;
  /** What it is; no full stop. */
  summary: string;
  value: ValueKind;
}

/** The words of one command: all that help and completion need. */
export interface CommandWords<Name extends string = string> {
  name: Name;
  /** One line for the list of commands; no full stop. */
  summary: string;
  /** Sentences for its own help. */
  description: string;
  argument?: ArgumentWords;
  /** Its own options, beside those of all commands. */
  options: readonly OptionWords[];
}

/** The options of all commands; which of them a command can have, its words say. */
export interface CommandOptions {
  app?: string;
  store?: string;
  json?: boolean;
  quiet?: boolean;
  log?: string;
  source?: string[];
  offline?: boolean;
  timeout?: string;
  exitCode?: boolean;
  limit?: string;
  all?: boolean;
  to?: string;
  repair?: boolean;
  dryRun?: boolean;
  maxSize?: string;
  key?: string[];
  root?: string;
  team?: boolean;
  out?: string;
  /** False with `--no-passphrase`. */
  passphrase?: boolean;
  name?: string;
  release?: string;
  entry?: string;
  bundle?: boolean;
  channel?: string;
  rollout?: string;
  minimum?: string;
  keep?: string;
  reason?: string;
  undo?: boolean;
  add?: string[];
  remove?: string[];
  threshold?: string;
  draft?: string;
  days?: string;
  prune?: boolean;
  command?: string;
  python?: string;
}

/** What a command is given. */
export interface CommandRequest {
  args: string[];
  options: CommandOptions;
  /** For words in its lines. */
  style: Style;
  /** Milliseconds since the epoch. */
  now: number;
  /** Shows a passing line to whoever watches a terminal; nobody else sees it. */
  progress(text: string): void;
}

/** What a command came to. */
export interface Outcome {
  /** What `--json` prints. */
  value: Record<string, unknown>;
  /** What a person reads. */
  lines: string[];
  /** What is left of the lines with `--quiet`. @default {[]} */
  quietLines?: string[];
  /** @default {0} */
  exitCode?: number;
}

/** Runs a command. */
export type RunCommand = (request: CommandRequest) => Outcome | Promise<Outcome>;
