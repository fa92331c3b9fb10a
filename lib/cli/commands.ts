/**
 * The table of commands: their words, from which help, completion and documentation follow.
 *
 * @module
 */

import type { CommandWords, OptionWords } from "./command.ts";
import { AUTHOR_COMMANDS } from "./author_commands.ts";

/** The options of every command. */
export const COMMON_OPTIONS: readonly OptionWords[] = [
  {
    flags: "-a, --app <name>",
    summary: "the application; not needed when the store has one only",
    value: "application",
  },
  {
    flags: "-s, --store <folder>",
    summary: "the store; before the variable TRANSMUTE_CACHE_DIR",
    value: "folder",
  },
  { flags: "--json", summary: "print one JSON document and nothing else" },
  { flags: "-q, --quiet", summary: "print nothing but names and errors" },
  {
    flags: "--log <level>",
    summary: "print events of this level and above to standard error",
    value: ["debug", "info", "warn", "error", "json", "off"],
  },
];

const SOURCE: OptionWords = {
  flags: "--source <address>",
  summary: "where eggs come from, the most trusted first; may be repeated",
  value: "folder",
  repeated: true,
};
const OFFLINE: OptionWords = { flags: "--offline", summary: "ask no source over the network" };
const TIMEOUT: OptionWords = {
  flags: "--timeout <seconds>",
  summary: "give up after so long (default: 600)",
  value: "other",
};
const REQUIREMENTS = {
  syntax: "[requirements...]",
  summary: "such as hello@^1.2; by default, what the application required last",
  value: "other",
} as const;

const PROJECTS = {
  syntax: "<projects...>",
  summary: "their names",
  value: "other",
} as const;

/** Every command, in the order of help. */
export const COMMANDS = [
  {
    name: "status",
    summary: "Show what is active, where it came from and how it was proven",
    description: "Reads the store only. Changes nothing and asks no source.",
    options: [],
  },
  {
    name: "check",
    summary: "Ask the sources what an update would do",
    description: "Changes nothing. Requirements and sources are those that the application " +
      "declared at its last check, unless they are given.",
    argument: REQUIREMENTS,
    options: [
      SOURCE,
      OFFLINE,
      TIMEOUT,
      { flags: "--exit-code", summary: "end with exit code 10 when an update is to be had" },
    ],
  },
  {
    name: "update",
    summary: "Bring the application up to date now",
    description: "Fetches and proves what is newer and makes it active for the next start. " +
      "Programs that run keep what they have. With requirements, sources and a new name, it " +
      "makes a new application.",
    argument: REQUIREMENTS,
    options: [SOURCE, OFFLINE, TIMEOUT],
  },
  {
    name: "run",
    summary: "Run a command of a project, fetched when it is not there yet",
    description: "What follows -- is the command's own: transmute run pypi:cowsay -- -t hi. " +
      "Later runs use what is there, and look for news as every application does. The exit code " +
      "is the command's own.",
    argument: {
      syntax: "<project> [args...]",
      summary: "such as pypi:httpie, npm:cowsay@^1, or hello with --source",
      value: "other",
    },
    options: [
      SOURCE,
      OFFLINE,
      {
        flags: "-c, --command <name>",
        summary: "which of its commands; by default, the one of its name",
        value: "other",
      },
      {
        flags: "--python <interpreter>",
        summary: "the interpreter of Python projects; before the variable TRANSMUTE_PYTHON",
        value: "other",
      },
    ],
  },
  {
    name: "list",
    summary: "List applications and the generations that are kept of them",
    description: "All applications of the store, or the one that --app names. The active " +
      "generation is marked. With --quiet, only the names of the applications.",
    options: [],
  },
  {
    name: "history",
    summary: "Show what happened, the newest last",
    description: "Everything on record: what was checked, fetched, refused, activated, and why.",
    options: [
      { flags: "-n, --limit <events>", summary: "only so many, the newest", value: "other" },
      { flags: "--all", summary: "also what matters only to whoever looks for a fault" },
    ],
  },
  {
    name: "rollback",
    summary: "Go back to the generation before, with all its eggs",
    description: "Makes an older generation active for the next start; needs no network. What " +
      "was active is rejected: its eggs are not offered again until something newer is. Programs " +
      "that run keep what they have.",
    options: [
      {
        flags: "--to <generation>",
        summary: "the number of the generation, as list shows it; by default, the newest that " +
          "has proven itself",
        value: "other",
      },
    ],
  },
  {
    name: "hold",
    summary: "Keep projects at their versions, whatever is offered",
    description: "Until they are let go by unhold.",
    argument: PROJECTS,
    options: [],
  },
  {
    name: "unhold",
    summary: "Let projects take updates again",
    description: "The opposite of hold.",
    argument: PROJECTS,
    options: [],
  },
  {
    name: "confirm",
    summary: "Say that the active generation works",
    description:
      "From then on, later ones may fall back to it. Applications say so by themselves " +
      "unless they were made to wait for this.",
    options: [],
  },
  {
    name: "verify",
    summary: "Compare every file of the store with what was recorded of it",
    description: "Of those that the application needs. Ends with exit code 4 when something is " +
      "damaged and not mended.",
    options: [
      {
        flags: "--repair",
        summary: "mend what is damaged: from kept archives, from sources, or by going back",
      },
      OFFLINE,
    ],
  },
  {
    name: "gc",
    summary: "Remove what no application of the store needs",
    description: "Generations beyond those that an application keeps, and eggs, archives and " +
      "answers of sources that belong to none. What runs, or may be gone back to, stays.",
    options: [
      { flags: "--dry-run", summary: "only tell what would be removed" },
      {
        flags: "--max-size <size>",
        summary: "how large the store may be, such as 500MB: above that, what can be had again " +
          "goes too",
        value: "other",
      },
    ],
  },
  {
    name: "doctor",
    summary: "Say why what runs is what runs, what is wrong and what to do",
    description: "Looks at the store, the clock, the disk, the sources and the record, and tells " +
      "in sentences. Changes nothing. Without --app, looks at every application of the store.",
    options: [OFFLINE, TIMEOUT],
  },
  {
    name: "index",
    summary: "Make the index of a folder of eggs that a web server or bucket offers",
    description: "Writes index.json: every archive with its size and digest. Programs then ask " +
      "one question in place of reading a listing. Ends with exit code 4 when an archive had to be " +
      "left out: none that no program could take is listed.",
    argument: { syntax: "<folder>", summary: "where the archives are", value: "folder" },
    options: [],
  },
  ...AUTHOR_COMMANDS,
  {
    name: "completion",
    summary: "Print the completion script for a shell",
    description: "In bash: source <(transmute completion bash). In zsh: source <(transmute " +
      "completion zsh). In fish: transmute completion fish | source.",
    argument: {
      syntax: "<shell>",
      summary: "bash, zsh or fish",
      value: ["bash", "zsh", "fish"],
    },
    options: [],
  },
] as const satisfies readonly CommandWords[];

/** The name of a command. */
export type CommandName = (typeof COMMANDS)[number]["name"];
