/**
 * What an application's sources answer, and why that is taken or not, in sentences.
 *
 * @module
 */

import { describeError, isTransmuteError } from "../errors.ts";
import type { TransmuteEvent } from "../model/event.ts";
import { redactText } from "../model/redact.ts";
import { resolveOptions } from "../options.ts";
import { runtime } from "../runtime/current.ts";
import type { PlannedEgg } from "../updater/plan.ts";
import type { Application } from "./application.ts";
import { declarationOf, newerRefusals } from "./application.ts";
import { askFor, withinTime } from "./asking.ts";
import type { CommandRequest } from "./command.ts";
import type { Finding } from "./finding.ts";
import { finding } from "./finding.ts";
import { hintOf } from "./output.ts";
import { duration, notTaken } from "./wording.ts";

/** Clocks that differ by less agree; a server's answer may be on its way for a while. */
export const CLOCK_TOLERANCE_MS = 5 * 60 * 1000;

/** What to do about a clock that is wrong. */
export const WRONG_CLOCK_HINT = "Set the clock; TLS and signatures fail with a wrong one";

/** Asks every source; says of each egg why it stays, and of each source what it answered. */
export async function diagnoseSources(
  application: Application,
  request: CommandRequest,
): Promise<Finding[]> {
  const offline = resolveOptions({ app: application.name }).offline;
  const skews: number[] = [];
  const watchingFetch: typeof fetch = async (...question) => {
    const response = await fetch(...question);
    const date = Date.parse(response.headers.get("date") ?? "");
    // What a cache keeps carries the date of long ago.
    if (!Number.isNaN(date) && !response.headers.has("age")) skews.push(date - Date.now());
    return response;
  };
  let asking;
  try {
    asking = askFor(application, { ...request, args: [] }, { fetch: watchingFetch });
  } catch (error) {
    const hint = isTransmuteError(error) ? hintOf(error) : undefined;
    return [finding("problem", "source", describeError(error), hint)];
  }
  const findings: Finding[] = [];
  try {
    const plan = await withinTime(asking.transmute.check(), asking.timeoutMs);
    findings.push(...plan.eggs.map((egg) => diagnoseEgg(egg, application)));
    // Without a network, that sources cannot be asked is no finding.
    if (!offline) findings.push(...plan.problems.map((text) => finding("problem", "egg", text)));
  } catch (error) {
    if (!isTransmuteError(error)) throw error;
    findings.push(finding("problem", "egg", error.message, hintOf(error)));
  }
  findings.push(...diagnoseAnswers(asking.events, declarationOf(application).sources));
  const skewMs = skews.sort((one, other) => Math.abs(one) - Math.abs(other))[0] ?? 0;
  if (Math.abs(skewMs) > CLOCK_TOLERANCE_MS) {
    const direction = skewMs > 0 ? "behind" : "ahead of";
    const text = `This machine's clock is ${duration(Math.abs(skewMs))} ${direction} its sources'`;
    findings.push(
      finding("problem", "clock", text, WRONG_CLOCK_HINT),
    );
  }
  return findings;
}

/** "hello 1.1.0 runs; 2.0.0 is offered and not taken: it does not satisfy ^1". */
function diagnoseEgg(egg: PlannedEgg, { name, state }: Application): Finding {
  const { project, from, to, source, kept, passedOver: [newest] } = egg;
  const others = newest === undefined ? "" : `; ${notTaken(newest)}`;
  if (kept === undefined) {
    const now = from === null || state.active?.eggs[project] === undefined
      ? `${project} is not active yet`
      : `${project} ${from} runs`;
    const hint = `The next check takes it, as does: transmute update --app ${name}`;
    return finding("note", "egg", `${now}; ${source} offers ${to}${others}`, hint);
  }
  if (kept === "held") {
    const text = `${project} ${to} runs, because it is held at that version${others}`;
    return finding("note", "egg", text, `To let it go: transmute unhold ${project} --app ${name}`);
  }
  if (kept === "source-failed") {
    return finding("note", "egg", `${project} ${to} runs, as before: no source of it was asked`);
  }
  const why = newest === undefined ? `, because ${source} offers nothing newer` : others;
  const refused = newest?.reason.startsWith("refused:") ?? false;
  return finding(
    "good",
    "egg",
    `${project} ${to} runs${why}`,
    refused ? refusalHint(newest.reason) : undefined,
  );
}

function diagnoseAnswers(events: TransmuteEvent[], ids: string[]): Finding[] {
  const addresses = new Map(ids.map((id) => [redacted(id), id]));
  const answered = new Map<string, string[]>();
  const findings: Finding[] = [];
  for (const event of events) {
    if (event.kind === "source-answered") {
      const source = addresses.get(event.source) ?? event.source;
      answered.set(source, [...answered.get(source) ?? [], event.project]);
    } else if (event.kind === "source-unreachable") {
      const level = event.code === "offline" ? "note" : "problem";
      findings.push(finding(level, "source", event.message));
    }
  }
  return [
    ...Array.from(
      answered,
      ([source, projects]) =>
        finding("good", "source", `${source} answers when it is asked for ${projects.join(", ")}`),
    ),
    ...findings,
  ];
}

/** Refusals that no sentence about an egg has told of. */
export function diagnoseRefusals({ state }: Application, told: Finding[]): Finding[] {
  return newerRefusals(state)
    .filter(({ message }) => !told.some(({ text }) => text.includes(message)))
    .map(({ project, version, message }) =>
      finding(
        "note",
        "egg",
        `${project} ${version} is not taken: ${message}`,
        refusalHint(message),
      )
    );
}

function refusalHint(reason: string): string {
  const rejected = /generation (\d+) was rejected/.exec(reason)?.[1];
  return rejected === undefined
    ? "It is looked at again when its source offers other bytes"
    : `Something newer will be taken; to use it all the same: transmute rollback --to ${rejected}`;
}

/** As events tell it: without where this user's home is. */
export function redacted(text: string): string {
  return redactText(text, runtime.homeFolder());
}
