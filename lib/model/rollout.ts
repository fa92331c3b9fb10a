/**
 * Who is offered a release already: a share of all clients that grows with time. Pure; the clock
 * is a value.
 *
 * @module
 */

import { isObject } from "./json.ts";

/** The share of clients that a release is offered to. */
export interface Rollout {
  /** Of a hundred clients, how many from `startsAt`; whole, since signed metadata has no fractions. */
  percent: number;
  /** Nobody is offered it before: `2026-11-23T10:00:00Z`. */
  startsAt: string;
  /** Everyone is offered it from then on, and evenly more in between; absent: it stays. */
  fullAt?: string;
}

/**
 * Reads a rollout.
 *
 * @param invalid makes the error for what was found
 * @param isTime whether a value is a well-formed time
 */
export function readRollout(
  found: unknown,
  invalid: (what: string) => Error,
  isTime: (value: unknown) => value is string,
): Rollout {
  const { percent, startsAt, fullAt } = isObject(found) ? found : {};
  if (typeof percent !== "number" || !(percent >= 0 && percent <= 100)) {
    throw invalid(`found a rollout to ${percent} percent, wanted 0 to 100`);
  }
  if (!isTime(startsAt) || (fullAt !== undefined && !isTime(fullAt))) {
    throw invalid("found a rollout without times like 2026-11-23T10:00:00Z");
  }
  return { percent, startsAt, ...(fullAt === undefined ? {} : { fullAt }) };
}

/** The share of clients, 0 to 1, that are offered a release at `now` (milliseconds). */
export function rolloutShare({ percent, startsAt, fullAt }: Rollout, now: number): number {
  const begin = Date.parse(startsAt);
  if (now < begin) return 0;
  if (fullAt === undefined) return percent / 100;
  const end = Date.parse(fullAt);
  if (now >= end) return 1;
  return (percent + (100 - percent) * (now - begin) / (end - begin)) / 100;
}

/**
 * A client's place among all, 0 up to 1, for one release: the same every time, another for each
 * release, and telling nothing of the client.
 *
 * @param client a random id that never leaves this machine
 * @param egg `name@version`
 */
export async function cohortOf(client: string, egg: string): Promise<number> {
  const bytes = new TextEncoder().encode(`${client}\n${egg}`);
  const digest = new DataView(await crypto.subtle.digest("SHA-256", bytes));
  return digest.getUint32(0) / 2 ** 32;
}
