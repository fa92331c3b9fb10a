/**
 * `transmute list`: the applications of the store, and the generations that are kept of each.
 *
 * @module
 */

import { isTransmuteError } from "../errors.ts";
import type { GenerationView } from "../updater/status.ts";
import { applicationName, applicationNames, readApplication, storeRoot } from "./application.ts";
import { upkeepOf } from "./asking.ts";
import type { CommandRequest, Outcome } from "./command.ts";
import { errorValue } from "./output.ts";
import type { Style } from "./style.ts";
import { GENERATION_WORDS, relativeTime, table } from "./wording.ts";

/** An application as it is listed. */
interface ListedApplication {
  app: string;
  /** The newest first. */
  generations: GenerationView[];
  /** Why it cannot be read. */
  error?: Record<string, unknown>;
}

/** Lists applications and their generations, the newest first. */
export async function run({ options, style, now }: CommandRequest): Promise<Outcome> {
  const root = storeRoot();
  const names = options.app === undefined
    ? applicationNames(root)
    : [applicationName(root, options.app)];
  const applications = await Promise.all(names.map((name) => listing(root, name)));
  const lines = applications.flatMap(({ app, generations, error }, index) => [
    ...(index === 0 ? [] : [""]),
    style.strong(app),
    ...(error !== undefined
      ? [`  ${style.bad("error:")} ${error.message}`]
      : generations.length === 0
      ? ["  no generation yet"]
      : table(generations.map((generation) => row(generation, style, now)), "  ")),
  ]);
  return {
    value: { store: root, applications },
    lines: lines.length > 0 ? lines : [`There is no application in the store ${root}`],
    quietLines: names,
  };
}

function row(
  { active, generation, eggs, createdAt, status, rejected }: GenerationView,
  style: Style,
  now: number,
): string[] {
  return [
    active ? style.good("*") : " ",
    String(generation),
    Object.entries(eggs).map((egg) => egg.join(" ")).join(", "),
    relativeTime(Date.parse(createdAt), now),
    rejected === undefined
      ? GENERATION_WORDS[status]
      : `${GENERATION_WORDS[status]}: ${rejected.reason}`,
  ];
}

/** One that cannot be read, as one of a newer version, must not hide the others. */
async function listing(root: string, name: string): Promise<ListedApplication> {
  try {
    const { generations } = await upkeepOf(readApplication(root, name)).status();
    return { app: name, generations };
  } catch (error) {
    if (!isTransmuteError(error)) throw error;
    return { app: name, generations: [], error: errorValue(error) };
  }
}
