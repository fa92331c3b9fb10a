/**
 * What Transmute needs of a JavaScript runtime.
 *
 * `deno.ts` and `node.ts` (which also serves Bun) implement it natively. Nothing outside this
 * folder may name `Deno`, `process`, `Bun` or a `node:` module: in Deno, touching Node's
 * compatibility layer is most of what a start costs.
 *
 * Paths are absolute and use the system's own separators. Times are milliseconds since the epoch.
 *
 * @module
 */

import type { Platform } from "./platform.ts";

export type { Platform };

/** What `status` tells of a path, without following a link. */
export interface FileStatus {
  kind: "file" | "directory" | "link" | "other";
  sizeBytes: number;
  /** Last change of the content, in milliseconds since the epoch. */
  modifiedAt: number;
  /** Permission bits, or `null` where the system has none (Windows). */
  mode: number | null;
  /** Owner's id, or `null` where the system has none. */
  userId: number | null;
}

/** Why a file operation failed, across runtimes. */
export type FileErrorKind = "missing" | "exists" | "not-empty" | "denied" | "no-space" | "other";

/** How a child process ended: by exit code, or by a signal. */
export interface ExitStatus {
  /** Its exit code; 128 and the signal's number after a signal. */
  code: number;
  /** The name of the signal that ended it, such as `SIGTERM`, or `null`. */
  signal: string | null;
}

/** A program to run in this one's place or beside it. */
export interface Command {
  path: string;
  args: string[];
  /** Variables to set on top of this process's own. */
  env: Record<string, string>;
}

/** What a command that is run is given. */
export interface RunOptions {
  /** What it reads from standard input. @default {nothing} */
  input?: Uint8Array;
  /** Whether its standard error is this process's own. @default {false} */
  showErrors?: boolean;
  /** Whether it has the command's variables alone, and none of this process's. @default {false} */
  onlyGivenEnv?: boolean;
}

/** What a command that was run came to. */
export interface CommandOutput extends ExitStatus {
  /** What it wrote to standard output. */
  stdout: string;
}

/** One JavaScript runtime. File operations are synchronous: measured, they are the fastest. */
export interface Runtime {
  readonly name: "deno" | "node" | "bun";
  readonly version: string;

  readFile(path: string): Uint8Array;
  readTextFile(path: string): string;
  /** Writes a whole file. `exclusive` fails when it exists; `flush` waits for the disk. */
  writeFile(
    path: string,
    content: Uint8Array,
    options?: { mode?: number; exclusive?: boolean; flush?: boolean },
  ): void;
  /** Appends one piece of text in one write, creating the file as 0600. */
  appendTextFile(path: string, text: string): void;
  /** Appends to a file that is there; fails when it is not. */
  appendFile(path: string, content: Uint8Array): void;
  /** Makes a folder; its parents too when `recursive`. The mode applies to each folder made. */
  makeDirectory(path: string, options?: { recursive?: boolean; mode?: number }): void;
  /** The names in a folder, unsorted. */
  list(path: string): string[];
  /** The status of a path, links not followed; `null` when there is nothing. */
  status(path: string): FileStatus | null;
  rename(from: string, to: string): void;
  /** Gives a file a second name; fails when there is something of that name. */
  link(path: string, name: string): void;
  remove(path: string, options?: { recursive?: boolean }): void;
  /** Waits until the contents of these files (and folders) are on the disk. */
  flush(paths: string[]): Promise<void>;
  fileErrorKind(error: unknown): FileErrorKind;

  /** One environment variable. */
  env(name: string): string | undefined;
  /** The user's home folder; `null` when there is none, or this program may not know. */
  homeFolder(): string | null;
  /** This user's id, or `null` where the system has none. */
  userId(): number | null;
  platform(): Platform;
  /** The version of Node whose interface this runtime offers, for `engines`. */
  nodeVersion(): string;
  workingDirectory(): string;
  /** The URL of the program's main module, or `null` when it has none (a REPL, `-e`). */
  mainModule(): string | null;
  readonly pid: number;
  isTerminal(): boolean;
  writeError(text: string): void;

  /** Throws `permission-missing` unless this process may connect to `host` (`name:port`). */
  assertMayConnect(host: string): void;

  /** Expands gzip; throws when the result would exceed `maxBytes`. */
  gunzip(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array>;

  /** The command line that starts this same program again with the same arguments. */
  ownCommand(denoFlags?: string[]): Command;
  /** Runs `command` in place of this process: same streams, signals and exit code. */
  replaceProcess(command: Command): Promise<never>;

  /**
   * Runs a command to its end, without input unless some is given, and with standard error let go
   * of: it may hold what nobody should see. Rejects when it cannot be started, and when `signal`
   * fires: the program is told to end then, and is killed when it does not.
   */
  run(command: Command, signal: AbortSignal, options?: RunOptions): Promise<CommandOutput>;

  /** A `node:` module. Never called on the start-up path. */
  builtin<T>(name: string): Promise<T>;
}
