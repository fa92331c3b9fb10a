/**
 * `transmute keygen`: makes keys.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { generateKeyFile } from "../publisher/key_file.ts";
import { PRIVATE_ENDING, PUBLIC_ENDING } from "../publisher/keys.ts";
import { publicKeyOf, publicKeyText } from "../publisher/public_key.ts";
import { shortId } from "../publisher/signing.ts";
import { runtime } from "../runtime/current.ts";
import { absolutePath, joinPath } from "../runtime/paths.ts";
import { diskFailure } from "../store/files.ts";
import type { CommandRequest, Outcome } from "./command.ts";
import { newPassphrase } from "./passphrase.ts";
import { KEY_FOLDER } from "./publishing.ts";
import { counted, table } from "./wording.ts";

const ALONE = ["root-1", "root-2", "targets", "online"];
const TEAM = ["root-1", "root-2", "root-3", "targets", "online"];
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const PRIVATE_MODE = 0o600;
const PUBLIC_MODE = 0o644;

/** Makes the keys that are named, or those of a repository. */
export async function run({ args, options, style, progress }: CommandRequest): Promise<Outcome> {
  const names = args.length > 0 ? args : options.team ? TEAM : ALONE;
  const shown = options.out ?? KEY_FOLDER;
  const folder = absolutePath(shown, runtime.workingDirectory());
  for (const name of names) assertFree(folder, name);
  const passphrase = options.passphrase === false ? null : await newPassphrase();
  const keys = [];
  try {
    runtime.makeDirectory(folder, { recursive: true, mode: 0o700 });
    for (const name of names) {
      progress(`making ${name}`);
      const { text, key } = await generateKeyFile(passphrase);
      const open = await publicKeyOf(key.publicBytes);
      write(joinPath(folder, name + PRIVATE_ENDING), text, PRIVATE_MODE);
      write(joinPath(folder, name + PUBLIC_ENDING), publicKeyText(open), PUBLIC_MODE);
      keys.push({ name, id: open.id, file: joinPath(folder, name + PRIVATE_ENDING) });
    }
  } catch (error) {
    throw diskFailure(`write keys to ${folder}`, error);
  }
  return {
    value: { folder, keys },
    lines: [
      `${counted(keys.length, "key")} made in ${folder}`,
      ...table(keys.map(({ name, id }) => [style.strong(name), shortId(id)]), "  "),
      ...(args.length > 0 ? [] : advice(options.team === true)),
      ...(passphrase === null ? ["They are not encrypted: whoever reads them can sign"] : []),
    ],
    quietLines: keys.map(({ file }) => file),
  };
}

function advice(isTeam: boolean): string[] {
  return isTeam
    ? [
      "Give each holder one root key, and keep none of the others: two of them together replace all keys",
      "CI needs targets and online",
    ]
    : [
      "Bring root-2 to another place, and root-1 out of the way: either can replace all other keys",
      "CI needs targets and online",
    ];
}

function assertFree(folder: string, name: string): void {
  const refuse = (found: string) =>
    new TransmuteError("option-invalid", `Cannot make the key ${name}: ${found}`);
  if (!NAME.test(name)) throw refuse("wanted a word of letters, digits, '_' and '-'");
  for (const ending of [PRIVATE_ENDING, PUBLIC_ENDING]) {
    const path = joinPath(folder, name + ending);
    if (runtime.status(path) !== null) throw refuse(`there is a file ${path} already`);
  }
}

function write(path: string, text: string, mode: number): void {
  const bytes = new TextEncoder().encode(text);
  runtime.writeFile(path, bytes, { exclusive: true, flush: true, mode });
}
