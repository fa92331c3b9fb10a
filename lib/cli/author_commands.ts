/**
 * The words of the author's commands: keys, eggs and signed repositories.
 *
 * @module
 */

import type { CommandWords, OptionWords } from "./command.ts";

const TO: OptionWords = {
  flags: "--to <place>",
  summary: "the repository: a folder, or s3://bucket/prefix",
  value: "folder",
};
const KEY: OptionWords = {
  flags: "--key <key>",
  summary: 'what to sign with: a file, a folder of files, env:NAME, or "command:FILE.pub PROGRAM ' +
    'ARGS"; may be repeated (default: keys)',
  value: "folder",
  repeated: true,
};
const ROOT: OptionWords = {
  flags: "--root <file>",
  summary: "the root that applications carry (default: root.json)",
  value: "other",
};
const DRAFT: OptionWords = {
  flags: "--draft <file>",
  summary: "a root that others must sign too: written, or signed by your keys when it is there",
  value: "other",
};
const DAYS: OptionWords = {
  flags: "--days <days>",
  summary: "how long snapshot and timestamp are good for (default: 30)",
  value: "other",
};
const CHANNEL: OptionWords = {
  flags: "--channel <name>",
  summary: "who is offered it: stable is for everyone",
  value: "other",
};
const ROLLOUT: OptionWords = {
  flags: "--rollout <share>",
  summary: "10% of all, or 10%/3d: growing to everyone in three days",
  value: "other",
};
const MINIMUM: OptionWords = {
  flags: "--minimum <version>",
  summary: "lower versions are not to be run any more",
  value: "other",
};
const RELEASE = { syntax: "<egg>", summary: "such as hello@1.0.0", value: "other" } as const;

/** The author's commands, in the order of their use. */
export const AUTHOR_COMMANDS = [
  {
    name: "keygen",
    summary: "Make the keys that a signed repository needs",
    description: "Two for the root, of which one signs, and one each for targets and online; or " +
      "only those that are named. Private keys are encrypted by a passphrase: the variable " +
      "TRANSMUTE_PASSPHRASE, or what you are asked for.",
    argument: { syntax: "[names...]", summary: "such as root-3 or alice", value: "other" },
    options: [
      { flags: "--team", summary: "three for the root, of which two sign" },
      { flags: "--out <folder>", summary: "where they go (default: keys)", value: "folder" },
      { flags: "--no-passphrase", summary: "do not encrypt them, as for a secret store of CI" },
    ],
  },
  {
    name: "pack",
    summary: "Make an egg of a folder",
    description:
      "Of one with a package.json as npm does, of one with a deno.json by deno pack, or " +
      "of built files when --name and --release say what they are. The same folder gives the same " +
      "bytes on every machine.",
    argument: { syntax: "<folder>", summary: "what becomes an egg", value: "folder" },
    options: [
      { flags: "--out <folder>", summary: "where the egg goes (default: .)", value: "folder" },
      { flags: "--name <project>", summary: "of built files", value: "other" },
      { flags: "--release <version>", summary: "of built files", value: "other" },
      { flags: "--entry <file>", summary: "what they are imported as", value: "other" },
      { flags: "--bundle", summary: "as one module, by the deno, bun or esbuild on PATH" },
    ],
  },
  {
    name: "init-repository",
    summary: "Make a signed repository that offers nothing yet",
    description: "Its keys are the public ones in a folder: root-*.pub, targets*.pub and " +
      "online*.pub, as keygen makes them. One of two root keys must sign, else more than half. " +
      "Writes the root that applications are to carry.",
    argument: { syntax: "[keys]", summary: "the folder (default: keys)", value: "folder" },
    options: [
      TO,
      KEY,
      ROOT,
      { flags: "--threshold <keys>", summary: "how many root keys must sign", value: "other" },
      DAYS,
      DRAFT,
    ],
  },
  {
    name: "publish",
    summary: "Publish eggs in a signed repository",
    description:
      "All of them or none; readers see the whole or nothing. An egg of a version that " +
      "is there already must be the very same; then nothing changes. Run it again when it was " +
      "interrupted.",
    argument: {
      syntax: "<eggs...>",
      summary: "archives, folders to pack, or npm:chalk@5.3.0 to sign what is on npm",
      value: "folder",
    },
    options: [
      TO,
      KEY,
      ROOT,
      CHANNEL,
      ROLLOUT,
      MINIMUM,
      {
        flags: "--keep <releases>",
        summary: "how many releases of a project stay on offer",
        value: "other",
      },
    ],
  },
  {
    name: "yank",
    summary: "Withdraw a release from a signed repository",
    description: "Nobody takes it anew, and who runs it goes to the best that is left.",
    argument: RELEASE,
    options: [
      TO,
      KEY,
      ROOT,
      { flags: "--reason <text>", summary: "for those who run it", value: "other" },
      { flags: "--undo", summary: "offer it again" },
    ],
  },
  {
    name: "promote",
    summary: "Offer a release to others than before",
    description: "Moves it to another channel, or changes its rollout or the least version that " +
      "may be run. Without options: to everyone.",
    argument: RELEASE,
    options: [TO, KEY, ROOT, CHANNEL, ROLLOUT, MINIMUM],
  },
  {
    name: "rotate-key",
    summary: "Give a role of a signed repository other keys",
    description:
      "Roles are root, targets, online, snapshot and timestamp, or the name of a project. " +
      "Without --add and --remove, root is signed for another year. Applications follow by " +
      "themselves; the file of the root is written anew, for those that are built from now on.",
    argument: { syntax: "<role>", summary: "such as online", value: "other" },
    options: [
      TO,
      KEY,
      ROOT,
      {
        flags: "--add <file>",
        summary: "a public key; may be repeated",
        value: "other",
        repeated: true,
      },
      {
        flags: "--remove <key>",
        summary: "a public key's file, or the first digits of its id; may be repeated",
        value: "other",
        repeated: true,
      },
      { flags: "--threshold <keys>", summary: "how many of them must sign", value: "other" },
      DRAFT,
    ],
  },
  {
    name: "refresh",
    summary: "Sign anew what would expire",
    description:
      "Weekly, say, by CI: a repository must say that it is the newest there is. Needs the " +
      "key online; roles in the second half of their days are signed too when their keys are given.",
    options: [
      TO,
      KEY,
      ROOT,
      { flags: "--prune", summary: "also remove documents that newer ones have superseded" },
    ],
  },
  {
    name: "inspect",
    summary: "Show who signs a repository, until when, and what it offers",
    description: "Proves all of its documents. Ends with exit code 4 when one has expired.",
    argument: { syntax: "[projects...]", summary: "by default, all", value: "other" },
    options: [TO, ROOT],
  },
] as const satisfies readonly CommandWords[];
