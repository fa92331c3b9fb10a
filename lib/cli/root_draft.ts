/**
 * Signing roots for the author's commands: by the keys at hand, or with a draft that others sign too.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { SigningKey } from "../publisher/keys.ts";
import type { Document, Role, Root } from "../publisher/metadata.ts";
import { MAX_DOCUMENT_BYTES, parseDocument } from "../publisher/repository.ts";
import { rootChanges, signRoot } from "../publisher/root_draft.ts";
import { shortId } from "../publisher/signing.ts";
import { runtime } from "../runtime/current.ts";
import { absolutePath } from "../runtime/paths.ts";
import type { CommandOptions, Outcome } from "./command.ts";
import { writeDocument } from "./publishing.ts";
import { counted, listed } from "./wording.ts";

/** A root with all its signatures, or what to tell while some are missing. */
export type SignedRoot = { root: Document<Root> } | { outcome: Outcome };

/** The draft that `--draft` names; `null` when there is no such file yet. */
export function readDraft({ draft }: CommandOptions): Document<Root> | null {
  if (draft === undefined) return null;
  const path = absolutePath(draft, runtime.workingDirectory());
  const status = runtime.status(path);
  if (status === null) return null;
  const root = status.sizeBytes > MAX_DOCUMENT_BYTES
    ? null
    : parseDocument<Root>(runtime.readFile(path), "root");
  if (root !== null) return root;
  throw new TransmuteError(
    "repository-invalid",
    `Cannot sign the draft ${draft}: found no document of type root`,
  );
}

/**
 * Signs a root, and keeps the draft up to date.
 *
 * @param before the root that it follows; `null` for the first
 * @throws {TransmuteError} `key-missing` when there are too few keys and no draft
 */
export async function signedRoot(
  unsigned: Document<Root>,
  before: Root | null,
  keys: readonly SigningKey[],
  options: CommandOptions,
): Promise<SignedRoot> {
  const { root, needed } = await signRoot(unsigned, before, keys);
  if (options.draft !== undefined) {
    writeDocument(absolutePath(options.draft, runtime.workingDirectory()), root);
  }
  if (needed.length === 0) return { root };
  // The root before and this one often want the very same signature.
  const wanted = [
    ...new Set(
      needed.map(({ keyids, threshold }: Role) =>
        `${counted(threshold, "signature")} by ${listed(keyids.map(shortId), "or")}`
      ),
    ),
  ];
  if (options.draft === undefined) {
    throw new TransmuteError(
      "key-missing",
      `Cannot sign the root: wanted ${listed(wanted)}`,
      { hint: "Give the keys with --key, or a file for others to sign with --draft" },
    );
  }
  return {
    outcome: {
      value: { draft: options.draft, needed, changes: rootChanges(before, root.signed) },
      lines: [
        `${options.draft} has ${counted(root.signatures.length, "signature")} and wants ${
          listed(wanted)
        }`,
        ...rootChanges(before, root.signed).map((change) => `  ${change}`),
        "Hand it to another holder, who runs this command with --draft and a key of theirs",
      ],
      quietLines: [options.draft],
    },
  };
}
