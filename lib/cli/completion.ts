/**
 * `transmute completion`: scripts that complete commands, options and values in a shell, made from
 * the table of commands.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { CommandRequest, CommandWords, OptionWords, Outcome, ValueKind } from "./command.ts";
import { COMMANDS, COMMON_OPTIONS } from "./commands.ts";

const ALL: readonly CommandWords[] = COMMANDS;
const SHELLS: Record<string, () => string[]> = { bash, zsh, fish };
const HELP: OptionWords = { flags: "-h, --help", summary: "print help" };
const HELP_SUMMARY = "print the help of a command";
const COMMAND_NAMES = ALL.map(({ name }) => name);
/** What prints the names of applications, a line each. */
const NAMES = "transmute list --quiet 2>/dev/null";

/** Prints the script for one shell. */
export function run({ args: [shell] }: CommandRequest): Outcome {
  if (!Object.hasOwn(SHELLS, shell)) {
    throw new TransmuteError(
      "option-invalid",
      `Cannot complete in ${shell}: wanted bash, zsh or fish`,
    );
  }
  const script = SHELLS[shell]();
  return { value: { shell, script: script.join("\n") }, lines: script, quietLines: script };
}

/** `-q, --quiet` → `["-q", "--quiet"]`. */
function names({ flags }: OptionWords): string[] {
  return flags.split(/,\s*/).map((flag) => flag.split(" ")[0]);
}

/** The options that take a value, of all commands, each once. */
function optionsWithValue(): OptionWords[] {
  const all = [...COMMON_OPTIONS, ...ALL.flatMap(({ options }) => options)];
  return all.filter(({ flags, value }, index) =>
    value !== undefined && all.findIndex((other) => other.flags === flags) === index
  );
}

function isChoice(value: ValueKind): value is readonly string[] {
  return Array.isArray(value);
}

/** A text in single quotes, as all three shells read them; no text of ours has one. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "")}'`;
}

function bash(): string[] {
  const words = (value: ValueKind): string | null => {
    if (isChoice(value)) return `COMPREPLY=($(compgen -W ${quoted(value.join(" "))} -- "$word"))`;
    if (value === "application") return `COMPREPLY=($(compgen -W "$(${NAMES})" -- "$word"))`;
    if (value === "folder") {
      return `compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$word"))`;
    }
    return null;
  };
  const wordsOf = (options: readonly OptionWords[]) =>
    quoted([...options, ...COMMON_OPTIONS, HELP].flatMap(names).join(" "));
  const valued = optionsWithValue();
  return [
    "# Completion of transmute in bash. To use it: source <(transmute completion bash)",
    "_transmute() {",
    '  local word=${COMP_WORDS[COMP_CWORD]} command="" index',
    "  COMPREPLY=()",
    "  for ((index = 1; index < COMP_CWORD; index++)); do",
    "    case ${COMP_WORDS[index]} in",
    `      ${valued.flatMap(names).join("|")}) ((index++)) ;;`,
    "      -*) ;;",
    "      *) command=${COMP_WORDS[index]}; break ;;",
    "    esac",
    "  done",
    "  case ${COMP_WORDS[COMP_CWORD - 1]} in",
    ...valued.map((option) =>
      `    ${names(option).join("|")}) ${words(option.value!) ?? ":"}; return ;;`
    ),
    "  esac",
    "  local options",
    "  case $command in",
    `    "") options=${wordsOf([])} ;;`,
    `    help) options=${quoted("")} ;;`,
    ...ALL.map(({ name, options }) => `    ${name}) options=${wordsOf(options)} ;;`),
    "    *) return ;;",
    "  esac",
    "  if [[ $word == -* ]]; then",
    '    COMPREPLY=($(compgen -W "$options" -- "$word"))',
    "    return",
    "  fi",
    "  case $command in",
    `    "") ${words([...COMMAND_NAMES, "help"])} ;;`,
    `    help) ${words(COMMAND_NAMES)} ;;`,
    ...ALL.flatMap(({ name, argument }) => {
      const values = argument === undefined ? null : words(argument.value);
      return values === null ? [] : [`    ${name}) ${values} ;;`];
    }),
    "  esac",
    "}",
    "complete -F _transmute transmute",
  ];
}

function zsh(): string[] {
  const action = (value: ValueKind): string => {
    if (isChoice(value)) return `(${value.join(" ")})`;
    if (value === "application") return "_transmute_applications";
    return value === "folder" ? "_files -/" : " ";
  };
  const summary = (text: string) => text.replace(/[[\]:]/g, "\\$&");
  const spec = (option: OptionWords): string[] =>
    names(option).map((name) =>
      quoted(
        `${option.repeated ? "*" : ""}${name}[${summary(option.summary)}]` +
          (option.value === undefined ? "" : `: :${action(option.value)}`),
      )
    );
  const specs = (options: readonly OptionWords[]) => options.flatMap(spec).join(" ");
  return [
    "#compdef transmute",
    "# Completion of transmute in zsh. To use it: source <(transmute completion zsh)",
    "_transmute_applications() {",
    `  local -a names=(\${(f)"$(${NAMES})"})`,
    "  compadd -a names",
    "}",
    "_transmute() {",
    "  local context state line",
    "  typeset -A opt_args",
    `  local -a common=(${specs([...COMMON_OPTIONS, HELP])})`,
    "  _arguments -C $common '(-): :->command' '(-)*:: :->rest' && return",
    "  case $state in",
    "    command)",
    "      local -a commands=(",
    ...ALL.map(({ name, summary }) => `        ${quoted(`${name}:${summary}`)}`),
    `        ${quoted(`help:${HELP_SUMMARY}`)}`,
    "      )",
    "      _describe command commands",
    "      ;;",
    "    rest)",
    "      case $line[1] in",
    ...ALL.map(({ name, options, argument }) => {
      // An argument of no known values would show a message in place of what fits.
      const value = argument === undefined || argument.value === "other"
        ? ""
        : quoted(`*: :${action(argument.value)}`);
      return `        ${name}) ${
        ["_arguments $common", specs(options), value].filter(Boolean).join(" ")
      } ;;`;
    }),
    `        help) _values command ${COMMAND_NAMES.join(" ")} ;;`,
    "      esac",
    "      ;;",
    "  esac",
    "}",
    "# Sourced, or found in a folder of fpath as _transmute.",
    'if [[ $funcstack[1] == _transmute ]]; then _transmute "$@"; else compdef _transmute transmute; fi',
  ];
}

function fish(): string[] {
  const values = (value: ValueKind | undefined): string => {
    if (value === undefined) return "";
    if (isChoice(value)) return ` -xa ${quoted(value.join(" "))}`;
    if (value === "application") return ` -xa ${quoted(`(${NAMES})`)}`;
    return value === "folder" ? " -xa '(__fish_complete_directories)'" : " -x";
  };
  const option = (words: OptionWords, condition: string) => {
    const flags = names(words).map((name) =>
      name.startsWith("--") ? ` -l ${name.slice(2)}` : ` -s ${name.slice(1)}`
    ).join("");
    return `complete -c transmute${condition}${flags}${values(words.value)} -d ${
      quoted(words.summary)
    }`;
  };
  const unchosen = " -n 'not __transmute_command'";
  const chosen = (name: string) => ` -n '__transmute_command ${name}'`;
  return [
    "# Completion of transmute in fish. To use it: transmute completion fish | source",
    "# Whether a command is on the line, or the one that is named.",
    "function __transmute_command",
    "    set -l skipped 0",
    "    for word in (commandline -opc)[2..-1]",
    "        if test $skipped = 1",
    "            set skipped 0",
    "            continue",
    "        end",
    "        switch $word",
    `            case ${optionsWithValue().flatMap(names).join(" ")}`,
    "                set skipped 1",
    "            case '-*'",
    "            case '*'",
    '                test -z "$argv[1]"; or test "$argv[1]" = $word',
    "                return",
    "        end",
    "    end",
    "    return 1",
    "end",
    "complete -c transmute -f",
    ...[...COMMON_OPTIONS, HELP].map((words) => option(words, "")),
    ...ALL.map(({ name, summary }) =>
      `complete -c transmute${unchosen} -a ${name} -d ${quoted(summary)}`
    ),
    `complete -c transmute${unchosen} -a help -d ${quoted(HELP_SUMMARY)}`,
    `complete -c transmute${chosen("help")} -a ${quoted(COMMAND_NAMES.join(" "))}`,
    ...ALL.flatMap(({ name, options, argument }) => [
      ...options.map((words) => option(words, chosen(name))),
      ...(argument === undefined || argument.value === "other"
        ? []
        : [`complete -c transmute${chosen(name)}${values(argument.value)}`]),
    ]),
  ];
}
