/** Completion in real shells: what the TAB key does in a terminal, and what the scripts offer. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";
import { runInTerminal } from "../fixtures/terminal.ts";
import type { TranscriptShell } from "../fixtures/transcript.ts";
import { transcriptShell } from "../fixtures/transcript.ts";

/** What is on the line, and all that may come in place of its last word. */
const CASES: [line: string, words: string[]][] = [
  ["transmute st", ["status"]],
  ["transmute he", ["help"]],
  ["transmute help his", ["history"]],
  ["transmute check --off", ["--offline"]],
  ["transmute check --ex", ["--exit-code"]],
  ["transmute status --ex", []],
  ["transmute --app ", ["my-tool", "other"]],
  ["transmute status --app m", ["my-tool"]],
  ["transmute --log e", ["error"]],
  ["transmute --app check sta", ["status"]],
  ["transmute --quiet --app other histo", ["history"]],
  ["transmute completion ", ["bash", "fish", "zsh"]],
  ["transmute update --source di", ["dist"]],
  ["transmute update --timeout 1", []],
];

/** A shell in which two applications are known, and the folder `dist`. */
async function prepared(folder: string): Promise<TranscriptShell> {
  const shell = await transcriptShell(folder, "deno", `${Deno.cwd()}/lib/cli/main.ts`);
  await shell.run("publish hello@1.0.0");
  for (const app of ["my-tool", "other"]) {
    const result = await shell.run(`transmute update hello --source dist --app ${app} --quiet`);
    assert.equal(result, "hello@1.0.0");
  }
  return shell;
}

/** Why a test is skipped, which is printed too; `false` where the shell is installed. */
function missing(shell: string, title: string): string | false {
  try {
    if (new Deno.Command(shell, { args: ["-c", "true"] }).outputSync().success) return false;
  } catch { /* told below */ }
  const reason = `${shell} is not installed`;
  console.log(`# skip ${title}: ${reason}`);
  return reason;
}

/** Prints, for each line, the words that the shell offers, between `<` and `>`. */
const OFFERS: Record<string, string> = {
  bash: `source <(transmute completion bash)
for line in "$@"; do
  read -ra COMP_WORDS <<< "$line"
  [[ $line == *' ' ]] && COMP_WORDS+=('')
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
  _transmute
  echo "<\${COMPREPLY[*]}>"
done`,
  fish: `transmute completion fish | source
for line in $argv
  set words (complete -C $line | string replace -r '\\t.*' '' | string trim -rc /)
  echo "<$words>"
end`,
};

for (const [name, script] of Object.entries(OFFERS)) {
  const title = `completion() offers in ${name} the commands, options and values that fit`;
  test(
    title,
    { skip: missing(name, title) },
    async () => {
      using folder = temporaryFolder();
      const shell = await prepared(folder.path);
      const file = `${folder.path}/offers`;
      Deno.writeTextFileSync(file, script);
      const lines = CASES.map(([line]) => `'${line}'`).join(" ");
      const offered = (await shell.run(`${name} ${file} ${lines}`)).split("\n");
      const words = offered.map((line) => line.slice(1, -1).split(" ").filter(Boolean).sort());
      assert.deepEqual(
        CASES.map(([line], index) => [line, words[index]]),
        CASES.map(([line, expected]) => [line, expected]),
      );
    },
  );
}

/** What is typed before the TAB key, and what the line is after it. */
const TYPED: [typed: string, becomes: string][] = [
  ["transmute stat", "transmute status"],
  ["transmute check --off", "transmute check --offline"],
  ["transmute --app my", "transmute --app my-tool"],
  ["transmute completion f", "transmute completion fish"],
];

const INTERACTIVE: Record<string, { start: string[]; load: string }> = {
  bash: {
    start: ["bash", "--norc", "--noprofile", "-i"],
    load: "source <(transmute completion bash)",
  },
  zsh: {
    start: ["zsh", "-f", "-i"],
    load: "autoload -Uz compinit; compinit -D -u; source <(transmute completion zsh)",
  },
};

const [TAB, BEGINNING_OF_LINE] = ["\t", "\u0001"];
/** The end of what a shell writes to a terminal before it reads a line: pasting is bracketed. */
const PROMPT_IS_THERE = "?2004h";
// deno-lint-ignore no-control-regex
const SEQUENCES = /\u001b\[[?\d;]*[A-Za-z]|\r/g;

for (const [name, { start, load }] of Object.entries(INTERACTIVE)) {
  const title = `completion() finishes words in ${name} when TAB is pressed`;
  test(title, { skip: missing(name, title) }, async () => {
    using folder = temporaryFolder();
    const { env } = await prepared(folder.path);
    const { output } = await runInTerminal(
      start,
      [
        [PROMPT_IS_THERE, `${load}; echo lo''aded\n`],
        ["loaded", ""],
        // Every line is printed in place of being run. None is typed ahead: what is typed while
        // the shell changes the terminal's mode may be lost.
        ...TYPED.map(([typed]): [string, string] => [
          PROMPT_IS_THERE,
          `${typed}${TAB}${BEGINNING_OF_LINE}echo \n`,
        ]),
        [PROMPT_IS_THERE, "exit\n"],
      ],
      { cwd: folder.path, env: { ...env, TERM: "xterm" } },
    );
    const lines = output.replace(SEQUENCES, "").split("\n").map((line) => line.trim());
    for (const [typed, becomes] of TYPED) {
      assert.ok(lines.includes(becomes), `${typed}: ${JSON.stringify(output)}`);
    }
  });
}
