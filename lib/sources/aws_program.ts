/**
 * Keys that a program gives: `credential_process` of a profile.
 *
 * The command is split into words, with quotes as a shell has them, and run as it is, without a
 * shell: no variables, no `~`, no pipes, as the tools of AWS do it.
 *
 * @module
 */

import { isTransmuteError } from "../errors.ts";
import type { AwsLookup } from "./aws_lookup.ts";
import { lookupFailure, startDeadline } from "./aws_lookup.ts";
import { jsonObject, keysOf } from "./aws_keys.ts";
import type { AwsCredentials } from "./aws_signature.ts";

/** What it may take: somebody may have to touch a key or confirm on a phone. */
export const PROGRAM_MS = 60_000;

const WORD = /(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\])+/gs;
const PIECE = /"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/gs;
/** On Windows a backslash is part of a path, and a single quote of a name. */
const WINDOWS_WORD = /(?:"[^"]*"|[^\s"])+/g;

/** The words of a command; `null` when a quote is not closed. */
export function splitCommand(text: string, isWindows = false): string[] | null {
  const pattern = isWindows ? WINDOWS_WORD : WORD;
  if (text.replace(pattern, "").trim() !== "") return null;
  const words = text.match(pattern) ?? [];
  if (isWindows) return words.map((word) => word.replaceAll('"', ""));
  return words.map((word) =>
    word.replace(
      PIECE,
      (_, double?: string, single?: string, escaped?: string) =>
        double?.replace(/\\(["\\])/g, "$1") ?? single ?? escaped ?? "",
    )
  );
}

/**
 * Runs the program of a profile.
 *
 * @throws {TransmuteError} `option-invalid`, `source-denied`, `source-timeout`, `permission-missing`
 */
export async function programKeys(
  lookup: AwsLookup,
  profile: string,
  command: string,
): Promise<AwsCredentials> {
  const place = `the credential_process of the profile ${profile}`;
  const words = splitCommand(command, lookup.from.platform().os === "win32");
  if (words === null || words.length === 0) {
    throw lookupFailure(lookup, "option-invalid", place, "found a command with an open quote");
  }
  const [path, ...args] = words;
  const deadline = startDeadline(lookup, PROGRAM_MS);
  const signal = AbortSignal.any([lookup.signal, deadline.signal]);
  let output;
  try {
    output = await lookup.from.run({ path, args, env: {} }, signal);
  } catch (error) {
    if (isTransmuteError(error)) throw error;
    if (!signal.aborted) {
      // Without the cause: it shows the arguments.
      throw lookupFailure(lookup, "option-invalid", place, `${path} cannot be started`);
    }
  } finally {
    deadline.end();
  }
  if (output === undefined || signal.aborted) {
    throw lookupFailure(lookup, "source-timeout", place, `${path} was stopped before it ended`);
  }
  if (output.code !== 0) {
    throw lookupFailure(lookup, "source-denied", place, `${path} ended with code ${output.code}`);
  }
  const found = jsonObject(lookup, place, output.stdout);
  if (found.Version !== 1) {
    throw lookupFailure(lookup, "source-denied", place, `${path} gave no Version 1`);
  }
  const keys = keysOf(lookup, place, {
    accessKeyId: found.AccessKeyId,
    secretAccessKey: found.SecretAccessKey,
    sessionToken: found.SessionToken,
    expiration: found.Expiration,
  });
  if (keys.expiration !== undefined && keys.expiration.getTime() <= lookup.now()) {
    throw lookupFailure(lookup, "source-denied", place, `${path} gave keys that have ended`);
  }
  return keys;
}
