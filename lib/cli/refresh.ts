/**
 * `transmute refresh`: signs anew what would expire.
 *
 * @module
 */

import { refresh } from "../publisher/refresh.ts";
import type { CommandRequest, Outcome } from "./command.ts";
import { openPublishing } from "./publishing.ts";
import { counted, listed } from "./wording.ts";

/** Refreshes the repository, and tells what others must sign. */
export async function run(request: CommandRequest): Promise<Outcome> {
  const { options, style } = request;
  const { destination, root, signing } = await openPublishing(request);
  const { prune = false } = options;
  const found = await refresh(destination, root, signing, { prune });
  const { version, signed, expiring, removed } = found;
  return {
    value: { repository: destination.id, ...found },
    lines: [
      `${destination.id} has a timestamp of version ${version} now`,
      ...(signed.length === 0 ? [] : [`Signed too: ${listed(signed)}`]),
      ...(prune ? [`${counted(removed, "superseded document")} removed`] : []),
      ...expiring.map(({ role, expires }) =>
        `${style.warning("warning:")} ${role} expires ${expires}, and its keys were not given`
      ),
    ],
    quietLines: expiring.map(({ role }) => role),
  };
}
