/**
 * `transmute init-repository`: makes a signed repository.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { firstRoot, initRepository } from "../publisher/init_repository.ts";
import { PUBLIC_ENDING } from "../publisher/keys.ts";
import type { PublicKey } from "../publisher/public_key.ts";
import { readPublicKey } from "../publisher/public_key.ts";
import { runtime } from "../runtime/current.ts";
import { absolutePath, joinPath } from "../runtime/paths.ts";
import { numberOption } from "./asking.ts";
import type { CommandOptions, CommandRequest, Outcome } from "./command.ts";
import { destinationOf, KEY_FOLDER, rootPath, signingOf, writeRoot } from "./publishing.ts";
import { readDraft, signedRoot } from "./root_draft.ts";

const MOST_DAYS = 3650;

/** Makes the repository and writes its root, or says who must sign it first. */
export async function run(request: CommandRequest): Promise<Outcome> {
  const { args: [folder = KEY_FOLDER], options, style, now } = request;
  const destination = await destinationOf(options);
  const { keys, memory } = await signingOf(request);
  const draft = readDraft(options) ??
    { signatures: [], signed: firstRoot(await keysIn(folder, options), now, daysOf(options)) };
  const signed = await signedRoot(draft, null, keys, options);
  if ("outcome" in signed) return signed.outcome;
  const { root, changed } = await initRepository(destination, signed.root, keys, now);
  if (changed) await memory?.remember(destination.id, 1);
  const written = writeRoot(options, root);
  const path = rootPath(options);
  const { keyids, threshold } = root.signed.roles.root;
  return {
    value: { repository: destination.id, changed, root: path, threshold, rootKeys: keyids },
    lines: [
      changed
        ? `${style.strong(destination.id)} is a signed repository now, and offers nothing yet`
        : `${style.strong(destination.id)} is a signed repository of these keys already`,
      `Its root, which ${threshold} of ${keyids.length} keys must sign, ${
        written ? "was written to" : "is in"
      } ${path}: let the application carry it`,
    ],
    quietLines: changed ? [path] : [],
  };
}

/** The public keys in a folder, by what their files are called. */
async function keysIn(folder: string, { threshold }: CommandOptions) {
  const root = absolutePath(folder, runtime.workingDirectory());
  if (runtime.status(root)?.kind !== "directory") {
    throw new TransmuteError(
      "key-missing",
      `Cannot make a repository: there is no folder ${folder} with public keys`,
      { hint: "transmute keygen makes all that are needed" },
    );
  }
  const names = runtime.list(root).filter((name) => name.endsWith(PUBLIC_ENDING)).sort();
  const read = (role: string): Promise<PublicKey[]> =>
    Promise.all(
      names.filter((name) => name === role + PUBLIC_ENDING || name.startsWith(`${role}-`))
        .map((name) => readPublicKey(runtime.readTextFile(joinPath(root, name)), name)),
    );
  const found = {
    root: await read("root"),
    targets: await read("targets"),
    online: await read("online"),
  };
  return threshold === undefined ? found : {
    ...found,
    rootThreshold: numberOption("--threshold", threshold, {
      least: 1,
      most: Math.max(1, found.root.length),
      wanted: `1 to ${found.root.length}`,
    }),
  };
}

function daysOf({ days }: CommandOptions) {
  if (days === undefined) return {};
  const count = numberOption("--days", days, {
    least: 1,
    most: MOST_DAYS,
    wanted: "how many days",
  });
  return { snapshot: count, timestamp: count };
}
