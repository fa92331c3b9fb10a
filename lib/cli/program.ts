/**
 * Reading a command line: by commander, from the table of commands. The only file that knows it.
 *
 * @module
 */

// The last release that is CommonJS: newer ones name `node:` modules in imports, which a bundle
// cannot load lazily.
import type { Command as Program } from "npm:commander@14.0.3";
import { Command, CommanderError, Option } from "npm:commander@14.0.3";
import { TransmuteError } from "../errors.ts";
import type { CommandOptions, CommandWords, OptionWords } from "./command.ts";
import type { CommandName } from "./commands.ts";
import { COMMANDS, COMMON_OPTIONS } from "./commands.ts";
import { VERSION } from "./version.ts";

/** What a command line means: a command to run, or a text to print (help, the version). */
export type CommandLine =
  | { name: CommandName; args: string[]; options: CommandOptions }
  | { text: string };

const CLOSING = `
Exit codes: 0 done, 1 failed, 2 usage, 3 a source could not be asked, 4 unsound,
10 an update is to be had (check --exit-code).

Read more in docs/command-line.md.`;

/**
 * Reads a command line.
 *
 * @param args without the program's own name
 * @param columns the width of help
 * @throws {TransmuteError} `option-invalid` when it cannot be meant
 */
export function readCommandLine(args: string[], columns: number): CommandLine {
  let text = "";
  let chosen: CommandLine | undefined;
  const program = new Command("transmute")
    .description("Keeps the components of applications up to date.")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help, or that of a command")
    .helpCommand("help [command]", "print the help of a command")
    .usage("<command> [options]")
    .configureHelp({
      showGlobalOptions: true,
      helpWidth: columns,
      styleTitle: (title) => title === "Global Options:" ? "Options of every command:" : title,
    })
    .configureOutput({
      writeOut: (piece) => text += piece,
      writeErr: (piece) => text += piece,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride()
    .addHelpText("after", CLOSING);
  for (const option of COMMON_OPTIONS) program.addOption(optionOf(option));
  for (const words of COMMANDS as readonly CommandWords<CommandName>[]) {
    const command = commandOf(program, words);
    command.action(() => {
      const { args } = command;
      chosen = { name: words.name, args, options: command.optsWithGlobals<CommandOptions>() };
    });
  }
  try {
    program.parse(args.length === 0 ? ["--help"] : args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and the version end by an error too, with exit code 0.
    if (error.exitCode !== 0) throw usageError(error);
  }
  return chosen ?? { text };
}

function commandOf(program: Program, words: CommandWords): Program {
  const command = program.command(words.name)
    .summary(words.summary)
    .description(`${words.summary}.\n\n${words.description}`)
    .helpOption("-h, --help", "print this help");
  if (words.argument !== undefined) {
    const [first, ...others] = words.argument.syntax.split(" ");
    command.argument(first, words.argument.summary);
    for (const other of others) command.argument(other);
  }
  for (const option of words.options) command.addOption(optionOf(option));
  return command;
}

function optionOf({ flags, summary, value, repeated }: OptionWords): Option {
  const option = new Option(flags, summary);
  if (Array.isArray(value)) option.choices(value);
  if (repeated) {
    option.argParser((text: string, before: string[] | undefined) => [...before ?? [], text]);
  }
  return option;
}

/** `error: unknown command 'stauts'\n(Did you mean status?)`, in our own way of speaking. */
function usageError({ message }: CommanderError): TransmuteError {
  const [fact, advice] = message.replace(/^error: /, "").replace(/'/g, '"').split(/\n|\. /);
  const hint = advice?.replace(/^\((.+)\)$|\.$/, "$1") ?? "Run: transmute --help";
  return new TransmuteError("option-invalid", `Cannot read the command line: ${fact}`, { hint });
}
