import assert from "node:assert/strict";
import { test } from "node:test";
import { programKeys, splitCommand } from "../../lib/sources/aws_program.ts";
import { lookupOf } from "../fixtures/aws_surroundings.ts";
import { refusal } from "../fixtures/refusal.ts";

test("splitCommand() has words and quotes as a shell has them", () => {
  const table: [command: string, words: string[] | null, onWindows?: string[] | null][] = [
    ["/bin/p", ["/bin/p"]],
    ["  /bin/p   -a  b ", ["/bin/p", "-a", "b"]],
    [`/bin/p "a b" c"d e"f`, ["/bin/p", "a b", "cd ef"]],
    [`"/with space/p" x`, ["/with space/p", "x"]],
    [`p ""`, ["p", ""]],
    [`p 'a "b" \\'`, ["p", `a "b" \\`], ["p", "'a", "b", "\\'"]],
    [`p a\\ b "a \\"b\\""`, ["p", "a b", `a "b"`], ["p", "a\\", "b", "a \\b\\"]],
    [`"C:\\Program Files\\p.exe" -a`, ["C:\\Program Files\\p.exe", "-a"]],
    [`p $HOME ~ | x`, ["p", "$HOME", "~", "|", "x"]],
    [`p "a`, null],
    [`p 'a`, null, ["p", "'a"]],
    ["", []],
  ];
  for (const [command, words, onWindows = words] of table) {
    assert.deepEqual(splitCommand(command), words, command);
    assert.deepEqual(splitCommand(command, true), onWindows, command);
  }
});

const KEYS = { AccessKeyId: "AKID", SecretAccessKey: "SECRET" };

function answering(text: string | object, code = 0) {
  const stdout = typeof text === "string" ? text : JSON.stringify(text);
  return lookupOf({ run: () => ({ code, stdout }) });
}

test("programKeys() takes the keys that a program prints", async () => {
  const commands: string[][] = [];
  const stdout = JSON.stringify({
    Version: 1,
    ...KEYS,
    SessionToken: "TOKEN",
    Expiration: "2030-01-01T01:00:00Z",
  });
  const lookup = lookupOf({
    run(words) {
      commands.push(words);
      return { stdout };
    },
  });
  assert.deepEqual(await programKeys(lookup, "ci", `/bin/keys --for "a b"`), {
    accessKeyId: "AKID",
    secretAccessKey: "SECRET",
    sessionToken: "TOKEN",
    expiration: new Date("2030-01-01T01:00:00Z"),
  });
  assert.deepEqual(commands, [["/bin/keys", "--for", "a b"]]);
  assert.equal(
    (await programKeys(answering({ Version: 1, ...KEYS }), "ci", "p")).expiration,
    undefined,
  );
});

test("programKeys() refuses what gives no keys, and shows nothing of it", async () => {
  const place = "Cannot take credentials from the credential_process of the profile ci: ";
  const table: [
    lookup: ReturnType<typeof lookupOf>,
    code: Parameters<typeof refusal>[0],
    found: string,
  ][] = [
    [answering({ Version: 1, ...KEYS }, 3), "source-denied", "p ended with code 3"],
    [answering("SECRET"), "source-denied", "no JSON object"],
    [answering("null"), "source-denied", "no JSON object"],
    [answering(KEYS), "source-denied", "p gave no Version 1"],
    [answering({ Version: 2, ...KEYS }), "source-denied", "p gave no Version 1"],
    [answering({ Version: 1, AccessKeyId: "AKID" }), "option-invalid", "no pair"],
    [answering({ Version: 1, ...KEYS, SecretAccessKey: "SECRET\n" }), "option-invalid", "no pair"],
    [
      answering({ Version: 1, ...KEYS, Expiration: "2029-12-31T23:59:59Z" }),
      "source-denied",
      "keys that have ended",
    ],
    [lookupOf(), "option-invalid", "p cannot be started"],
  ];
  for (const [lookup, code, found] of table) {
    await assert.rejects(programKeys(lookup, "ci", "p --secret SECRET"), (error: Error) => {
      assert.doesNotMatch(error.message + String(error.cause), /SECRET/);
      return refusal(code, place, found)(error);
    });
  }
  await assert.rejects(
    programKeys(answering(""), "ci", `p "a`),
    refusal("option-invalid", "a command with an open quote"),
  );
});
