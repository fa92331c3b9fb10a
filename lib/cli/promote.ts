/**
 * `transmute promote`: offers a release to others than before.
 *
 * @module
 */

import { eggName } from "../model/egg.ts";
import { STABLE_CHANNEL } from "../model/signed_target.ts";
import { parseEgg } from "../publisher/amend.ts";
import { promote } from "../publisher/promote.ts";
import { rolloutText } from "../publisher/rollout.ts";
import type { CommandRequest, Outcome } from "./command.ts";
import { offerOf } from "./publish.ts";
import { openPublishing } from "./publishing.ts";

/** Promotes the release; to everyone when nothing else is said. */
export async function run(request: CommandRequest): Promise<Outcome> {
  const { args, options, style, now } = request;
  const egg = parseEgg(args[0]);
  const given = offerOf(options, now);
  const promotion = Object.keys(given).length > 0
    ? given
    : { channel: STABLE_CHANNEL, rollout: null };
  const { destination, root, signing } = await openPublishing(request);
  const changed = await promote(destination, root, egg, promotion, signing);
  const said = [
    ...(promotion.channel === undefined ? [] : [`channel ${promotion.channel}`]),
    ...(promotion.rollout === undefined
      ? []
      : [promotion.rollout === null ? "to everyone" : rolloutText(promotion.rollout)]),
    ...(promotion.minimumVersion === undefined
      ? []
      : [`lower versions than ${promotion.minimumVersion} are not to be run`]),
  ];
  return {
    value: { repository: destination.id, ...egg, ...promotion, changed },
    lines: [
      `${style.strong(eggName(egg))} is offered ${changed ? "anew" : "as before"}: ${
        said.join(", ")
      }`,
    ],
    quietLines: changed ? [eggName(egg)] : [],
  };
}
