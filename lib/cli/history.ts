/**
 * `transmute history`: what happened to an application, the newest last.
 *
 * @module
 */

import type { TransmuteEvent } from "../model/event.ts";
import { eventText } from "../model/event.ts";
import { readHistory } from "../store/history.ts";
import { openApplication } from "./application.ts";
import { numberOption } from "./asking.ts";
import type { CommandRequest, Outcome } from "./command.ts";
import type { Style } from "./style.ts";
import { moment } from "./wording.ts";

/** Shows the events on record. */
export function run({ options, style }: CommandRequest): Outcome {
  const { name, paths } = openApplication(options);
  const all = readHistory(paths).filter(({ level }) => options.all || level !== "debug");
  const limit = options.limit === undefined ? all.length : numberOption("--limit", options.limit, {
    least: 0,
    most: Number.MAX_SAFE_INTEGER,
    wanted: "how many events",
  });
  const events = all.slice(Math.max(0, all.length - Math.floor(limit)));
  return {
    value: { app: name, events },
    lines: events.length > 0
      ? events.map((event) => eventLine(event, style))
      : [`Nothing is on record of ${name}`],
  };
}

function eventLine(event: TransmuteEvent, style: Style): string {
  const { level } = event;
  const text = eventText(event);
  const marked = level === "error"
    ? style.bad(text)
    : level === "warn"
    ? style.warning(text)
    : text;
  return `${style.faint(moment(event.at))}  ${marked}`;
}
