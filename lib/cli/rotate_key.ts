/**
 * `transmute rotate-key`: gives a role other keys.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { isProjectName } from "../model/dependency.ts";
import { roleOfProject } from "../model/signed_target.ts";
import { PUBLIC_ENDING } from "../publisher/keys.ts";
import { TOP_ROLES } from "../publisher/metadata.ts";
import { readPublicKey } from "../publisher/public_key.ts";
import { readRepository } from "../publisher/repository.ts";
import { rootChanges } from "../publisher/root_draft.ts";
import type { KeyChange, RotatedRole } from "../publisher/rotate_key.ts";
import { finishRotation, nextRoot, putRoot, rotateProjectKey } from "../publisher/rotate_key.ts";
import { runtime } from "../runtime/current.ts";
import { absolutePath } from "../runtime/paths.ts";
import { numberOption } from "./asking.ts";
import type { CommandOptions, CommandRequest, Outcome } from "./command.ts";
import { openPublishing, rootPath, writeRoot } from "./publishing.ts";
import { readDraft, signedRoot } from "./root_draft.ts";

const ROLES: readonly string[] = [...TOP_ROLES, "online"];
const MOST_KEYS = 100;

/** Gives the role other keys, or says who must sign the root first. */
export async function run(request: CommandRequest): Promise<Outcome> {
  const { args: [role], options } = request;
  const change = await changeOf(options);
  if (ROLES.includes(role)) return await rotateTop(role as RotatedRole, change, request);
  const [, prefix, project] = /^(python:)?(.*)$/s.exec(role)!;
  if (!isProjectName(project)) {
    throw new TransmuteError(
      "option-invalid",
      `Cannot change the keys of ${role}: wanted ${ROLES.join(", ")} or the name of a project`,
    );
  }
  const { destination, root, signing } = await openPublishing(request);
  const name = roleOfProject(prefix === undefined ? "js" : "python", project);
  const changed = await rotateProjectKey(destination, root, name, change, signing);
  return {
    value: { repository: destination.id, role: name, changed },
    lines: [`${role} ${changed ? "has other keys now" : "has these keys already"}`],
    quietLines: changed ? [name] : [],
  };
}

async function rotateTop(
  role: RotatedRole,
  change: KeyChange,
  request: CommandRequest,
): Promise<Outcome> {
  const { options, now, style } = request;
  const { destination, root: held, signing } = await openPublishing(request);
  const { root: newest } = await readRepository(destination, held, { alsoBefore: true });
  const draft = readDraft(options);
  // A draft that has become the root is done with.
  const isDone = draft !== null && draft.signed.version <= newest.signed.version;
  const signed = isDone ? null : draft?.signed ?? nextRoot(newest.signed, role, change, now);
  if (signed === null) {
    const changed = await finishRotation(destination, held, signing);
    const written = writeRoot(options, newest);
    return {
      value: { repository: destination.id, version: newest.signed.version, changed },
      lines: [
        changed || written
          ? `The change of keys is finished; root ${newest.signed.version} is in ${
            rootPath(options)
          }`
          : `${role} has these keys already`,
      ],
      quietLines: [],
    };
  }
  const { signatures } = draft ?? { signatures: [] };
  const next = await signedRoot({ signatures, signed }, newest.signed, signing.keys, options);
  if ("outcome" in next) return next.outcome;
  await putRoot(destination, held, next.root, signing);
  writeRoot(options, next.root);
  const { version, expires } = next.root.signed;
  const changes = rootChanges(newest.signed, next.root.signed);
  return {
    value: { repository: destination.id, version, expires, changes, changed: true },
    lines: [
      `${style.strong(destination.id)} has root ${version} now, good until ${expires}`,
      ...changes.map((change) => `  ${change}`),
      `It was written to ${rootPath(options)}, for applications that are built from now on`,
    ],
    quietLines: [rootPath(options)],
  };
}

async function changeOf({ add = [], remove = [], threshold }: CommandOptions): Promise<KeyChange> {
  return {
    add: await Promise.all(add.map(async (path) => (await publicKeyAt(path)))),
    remove: await Promise.all(
      remove.map(async (key) => key.endsWith(PUBLIC_ENDING) ? (await publicKeyAt(key)).id : key),
    ),
    ...(threshold === undefined ? {} : {
      threshold: numberOption("--threshold", threshold, {
        least: 1,
        most: MOST_KEYS,
        wanted: "how many keys",
      }),
    }),
  };
}

async function publicKeyAt(path: string) {
  const whole = absolutePath(path, runtime.workingDirectory());
  if (runtime.status(whole)?.kind === "file") {
    return await readPublicKey(runtime.readTextFile(whole), path);
  }
  throw new TransmuteError(
    "key-missing",
    `Cannot read the public key ${path}: there is no such file`,
  );
}
