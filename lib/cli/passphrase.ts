/**
 * Passphrases: from a variable, or from whoever sits at the terminal, without showing them.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { KeySurroundings } from "../publisher/keys.ts";
import { runtime } from "../runtime/current.ts";

/** The variable that has the passphrase of all keys. */
export const PASSPHRASE_VARIABLE = "TRANSMUTE_PASSPHRASE";
/** People think before they type. */
const TYPING_MS = 10 * 60 * 1000;

/** Asks at the terminal, whatever the streams of this process are; echo is off meanwhile. */
const ASKING = `exec 3<>/dev/tty || exit 1
trap 'stty echo <&3' EXIT INT TERM
stty -echo <&3
printf '%s' "$1" >&3
IFS= read -r secret <&3
printf '\\n' >&3
printf '%s' "$secret"`;

async function ask(question: string): Promise<string> {
  const output = await runtime.run(
    { path: "sh", args: ["-c", ASKING, "sh", question], env: {} },
    AbortSignal.timeout(TYPING_MS),
  ).catch(() => null);
  if (output?.code === 0 && output.stdout !== "") return output.stdout;
  throw new TransmuteError(
    "key-missing",
    `Cannot go on: found no passphrase, and no terminal to ask for it`,
    { hint: `Set the variable ${PASSPHRASE_VARIABLE}` },
  );
}

/**
 * The passphrases of keys that are to sign. What fits one key is tried for the next.
 *
 * @throws {TransmuteError} with each question: `key-missing`
 */
export function askedPassphrases(): KeySurroundings {
  let last: string | undefined;
  return {
    async passphrase(name, again) {
      const set = runtime.env(PASSPHRASE_VARIABLE);
      if (set) return set;
      if (last === undefined || again) last = await ask(`Passphrase of ${name}: `);
      return last;
    },
  };
}

/**
 * A passphrase for new keys, typed twice.
 *
 * @throws {TransmuteError} `key-missing`, `option-invalid` when the two differ
 */
export async function newPassphrase(): Promise<string> {
  const set = runtime.env(PASSPHRASE_VARIABLE);
  if (set) return set;
  const first = await ask("Passphrase for the new keys: ");
  if (await ask("The same again: ") === first) return first;
  throw new TransmuteError("option-invalid", "Cannot make keys: the two passphrases differ");
}
