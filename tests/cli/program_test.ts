import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { CommandWords } from "../../lib/cli/command.ts";
import { COMMANDS, COMMON_OPTIONS } from "../../lib/cli/commands.ts";
import { readCommandLine } from "../../lib/cli/program.ts";
import { VERSION } from "../../lib/cli/version.ts";
import type { TransmuteError } from "../../lib/errors.ts";
import { refusal } from "../fixtures/refusal.ts";

const ALL: readonly CommandWords[] = COMMANDS;

test("readCommandLine() gives a command, its arguments and its options", () => {
  assert.deepEqual(readCommandLine(["update", "hello@^1", "--source", "a", "--source", "b"], 80), {
    name: "update",
    args: ["hello@^1"],
    options: { source: ["a", "b"] },
  });
});

test("readCommandLine() takes the options of every command before and behind its name", () => {
  const options = { app: "my-tool", json: true };
  for (
    const args of [
      ["--app", "my-tool", "--json", "status"],
      ["status", "--app=my-tool", "--json"],
      ["--json", "status", "-a", "my-tool"],
    ]
  ) assert.deepEqual(readCommandLine(args, 80), { name: "status", args: [], options });
});

test("readCommandLine() takes every option that the table of commands has", () => {
  for (const { name, options, argument } of ALL) {
    for (const { flags, value } of [...options, ...COMMON_OPTIONS]) {
      for (const flag of flags.split(", ").map((one) => one.split(" ")[0])) {
        const given = value === undefined ? [] : [Array.isArray(value) ? value[0] : "x"];
        const args = argument?.syntax.startsWith("<")
          ? [Array.isArray(argument.value) ? argument.value[0] : "x"]
          : [];
        const line = readCommandLine([name, ...args, flag, ...given], 80);
        assert.ok("name" in line && line.name === name, `${name} ${flag}`);
        const without = readCommandLine([name, ...args], 80);
        const { options: defaults } = without as typeof line;
        const changed = Object.entries(line.options)
          .filter(([option, value]) => (defaults as Record<string, unknown>)[option] !== value);
        assert.equal(changed.length, 1, `${name} ${flag}`);
      }
    }
  }
});

test("readCommandLine() has help of every command, no wider than the terminal", () => {
  for (
    const args of [[], ["--help"], ...ALL.flatMap(({ name }) => [["help", name], [name, "-h"]])]
  ) {
    const line = readCommandLine(args, 100);
    assert.ok("text" in line, args.join(" "));
    assert.match(line.text, /^Usage: transmute /);
    const widest = Math.max(...line.text.split("\n").map((text) => text.length));
    assert.ok(widest <= 100, `${args.join(" ")}: ${widest} columns`);
  }
});

test("readCommandLine() says what it cannot read, and what may have been meant", () => {
  const cases: [args: string[], message: string, hint: string][] = [
    [["stauts"], 'unknown command "stauts"', "Did you mean status?"],
    [["check", "--exit-cod"], 'unknown option "--exit-cod"', "Did you mean --exit-code?"],
    [["nonsense"], 'unknown command "nonsense"', "Run: transmute --help"],
    [["--app"], 'option "-a, --app <name>" argument missing', "Run: transmute --help"],
    [["status", "x"], 'too many arguments for "status"', "Expected 0 arguments but got 1"],
  ];
  for (const [args, message, hint] of cases) {
    assert.throws(() => readCommandLine(args, 80), (error) => {
      assert.equal((error as TransmuteError).hint, hint);
      return refusal("option-invalid", `Cannot read the command line: ${message}`)(error);
    });
  }
});

test("VERSION is that of deno.json", () => {
  assert.equal(VERSION, JSON.parse(readFileSync("deno.json", "utf8")).version);
});
