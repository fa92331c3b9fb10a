/**
 * `transmute gc`: removes what no application of the store needs.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { applicationName, applicationNames, readApplication, storeRoot } from "./application.ts";
import { upkeepOf } from "./asking.ts";
import type { CommandRequest, Outcome } from "./command.ts";
import { counted, fileSize, listed } from "./wording.ts";

const UNITS: Record<string, number> = { "": 1, k: 1000, m: 1000 ** 2, g: 1000 ** 3, t: 1000 ** 4 };

/** Clears up after every application, or the one that is named. */
export async function run({ options, progress }: CommandRequest): Promise<Outcome> {
  const root = storeRoot();
  const maxBytes = options.maxSize === undefined ? undefined : readSize(options.maxSize);
  const dryRun = options.dryRun ?? false;
  const names = options.app === undefined
    ? applicationNames(root)
    : [applicationName(root, options.app)];
  const applications: { app: string; generations: number[] }[] = [];
  const [closures, archives] = [new Set<string>(), new Set<string>()];
  let [listings, freedBytes, keptBytes] = [0, 0, 0];
  for (const app of names) {
    progress(`clearing up after ${app}`);
    const report = await upkeepOf(readApplication(root, app)).collectGarbage({
      dryRun,
      ...(maxBytes === undefined ? {} : { maxBytes }),
    });
    applications.push({ app, generations: report.generations });
    for (const closure of report.closures) closures.add(closure);
    for (const archive of report.archives) archives.add(archive);
    listings += report.listings;
    freedBytes += report.freedBytes;
    keptBytes = report.keptBytes + (dryRun ? report.freedBytes : 0);
  }
  if (dryRun) keptBytes = Math.max(0, keptBytes - freedBytes);
  const removed = applications.flatMap(({ app, generations }) =>
    generations.length === 0 ? [] : [`  generations of ${app}: ${listed(generations.map(String))}`]
  );
  // What no application needs, a dry run finds once for each.
  const verb = !dryRun ? "Freed" : names.length > 1 ? "Would free, at most," : "Would free";
  const nothing = removed.length === 0 && closures.size + archives.size + listings === 0;
  return {
    value: {
      store: root,
      dryRun,
      applications,
      closures: [...closures],
      archives: [...archives],
      listings,
      freedBytes,
      keptBytes,
    },
    lines: nothing ? [`Nothing is to be removed; the store has ${fileSize(keptBytes)}`] : [
      `${verb} ${fileSize(freedBytes)}; ${fileSize(keptBytes)} are in use`,
      ...removed,
      ...counts([
        [closures.size, "unpacked egg"],
        [archives.size, "archive"],
        [listings, "answer"],
      ]),
    ],
  };
}

function counts(found: [count: number, noun: string][]): string[] {
  const words = found.filter(([count]) => count > 0).map(([count, noun]) => counted(count, noun));
  return words.length === 0 ? [] : [`  ${listed(words)}`];
}

/** Bytes of `500MB`, `2 GB`, `1000000`. */
function readSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text);
  if (match !== null) return Math.floor(Number(match[1]) * UNITS[match[2].toLowerCase()]);
  throw new TransmuteError(
    "option-invalid",
    `Cannot use the option --max-size: found "${text}", wanted a size such as 500MB or 2GB`,
  );
}
