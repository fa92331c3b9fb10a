/**
 * What a command has of its surroundings and a module has not: arguments, standard output, an exit
 * code. Loaded by the command line only.
 *
 * @module
 */

import { runtime } from "./current.ts";

type NodeProcess = typeof import("node:process");

/** How long a reader of a pipe is waited for before it is written to again. */
const FULL_PIPE_WAIT_MS = 5;
/** What a shell tells of a program that was ended by a closed pipe: 128 and the signal's number. */
const BROKEN_PIPE_EXIT_CODE = 141;
/** Where nobody says how wide the terminal is, or it has no width, as one made by a program. */
const DEFAULT_COLUMNS = 80;

/** The arguments, streams and end of this process. */
export interface Console {
  /** The arguments after the program's own name. */
  readonly args: string[];
  /** Writes all of it to standard output; ends the process when nobody reads it any more. */
  writeOutput(text: string): void;
  /** Whether a person reads standard output. */
  isOutputTerminal(): boolean;
  /** How many characters a line of it has. */
  columns(): number;
  /** Sets a variable for this process and those that it starts. */
  setVariable(name: string, value: string): void;
  /** Ends the process. */
  exit(code: number): never;
}

/** The console of this process. */
export function openConsole(): Console {
  return runtime.name === "deno" ? denoConsole() : nodeConsole();
}

function denoConsole(): Console {
  return {
    args: Deno.args,
    writeOutput(text) {
      writeWhole(
        text,
        Deno.exit,
        (rest) => Deno.stdout.writeSync(rest),
        (error) =>
          error instanceof Deno.errors.BrokenPipe
            ? "nobody reads"
            : error instanceof Deno.errors.WouldBlock
            ? "full"
            : "other",
      );
    },
    isOutputTerminal: () => Deno.stdout.isTerminal(),
    columns: () => Deno.stdout.isTerminal() && Deno.consoleSize().columns || DEFAULT_COLUMNS,
    setVariable: (name, value) => Deno.env.set(name, value),
    exit: (code) => Deno.exit(code),
  };
}

function nodeConsole(): Console {
  const { process } = globalThis as unknown as { process: NodeProcess };
  const fs = process.getBuiltinModule("node:fs");
  const isOutputTerminal = () => process.getBuiltinModule("node:tty").isatty(1);
  return {
    args: process.argv.slice(2),
    writeOutput(text) {
      writeWhole(text, process.exit, (rest) => fs.writeSync(1, rest), (error) => {
        const { code } = error as { code?: string };
        return code === "EPIPE" ? "nobody reads" : code === "EAGAIN" ? "full" : "other";
      });
    },
    isOutputTerminal,
    // Touched on a terminal only: for a pipe, this would make its writing asynchronous.
    columns: () => isOutputTerminal() && process.stdout.columns || DEFAULT_COLUMNS,
    setVariable: (name, value) => void (process.env[name] = value),
    exit: (code) => process.exit(code),
  };
}

/** Writes until all is written: a pipe takes what it has room for. */
function writeWhole(
  text: string,
  exit: (code: number) => never,
  write: (rest: Uint8Array) => number,
  failure: (error: unknown) => "nobody reads" | "full" | "other",
): void {
  const bytes = new TextEncoder().encode(text);
  let written = 0;
  while (written < bytes.length) {
    try {
      written += write(bytes.subarray(written));
    } catch (error) {
      const kind = failure(error);
      if (kind === "nobody reads") exit(BROKEN_PIPE_EXIT_CODE);
      if (kind === "other") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_PIPE_WAIT_MS);
    }
  }
}
