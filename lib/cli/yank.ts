/**
 * `transmute yank`: withdraws a release.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { eggName } from "../model/egg.ts";
import { parseEgg } from "../publisher/amend.ts";
import { yank } from "../publisher/yank.ts";
import type { CommandRequest, Outcome } from "./command.ts";
import { openPublishing } from "./publishing.ts";

/** Withdraws the release, or offers it again. */
export async function run(request: CommandRequest): Promise<Outcome> {
  const { args, options, style } = request;
  const egg = parseEgg(args[0]);
  const reason = options.undo ? null : options.reason;
  if (reason === undefined) {
    throw new TransmuteError(
      "option-invalid",
      `Cannot withdraw ${eggName(egg)}: wanted the option --reason`,
      { hint: 'Those who run it are told, such as: --reason "it loses data"' },
    );
  }
  const { destination, root, signing } = await openPublishing(request);
  const changed = await yank(destination, root, egg, reason, signing);
  const name = style.strong(eggName(egg));
  return {
    value: { repository: destination.id, ...egg, yanked: reason, changed },
    lines: [
      reason === null
        ? `${name} is offered ${changed ? "again" : "as before"}`
        : `${name} is withdrawn${changed ? "" : ", as before"}: ${reason}`,
    ],
    quietLines: changed ? [eggName(egg)] : [],
  };
}
