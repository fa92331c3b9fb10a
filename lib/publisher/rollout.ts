/**
 * Rollouts as authors write them: `10%`, or `10%/3d` for what grows to everyone in three days.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { Rollout } from "../model/rollout.ts";
import { signedTime } from "./metadata.ts";

const UNITS_MS: Record<string, number> = {
  m: 60 * 1000,
  h: 60 * 60 * 1000,
  d: 24 * 60 * 60 * 1000,
  w: 7 * 24 * 60 * 60 * 1000,
};
const ROLLOUT = /^(\d{1,3})%(?:\/(\d{1,4})([mhdw]))?$/;

/**
 * Reads a rollout that begins now; `null` for `100%`, which is none.
 *
 * Whole percents only: signed metadata has no fractions.
 *
 * @throws {TransmuteError} `option-invalid`
 */
export function parseRollout(text: string, now: number): Rollout | null {
  const [, percentText, count, unit] = ROLLOUT.exec(text) ?? [];
  const percent = Number(percentText ?? NaN);
  if (!(percent <= 100)) {
    throw new TransmuteError(
      "option-invalid",
      `Cannot use the rollout "${text}": wanted a share such as 10%, or 10%/3d to grow to everyone ` +
        "in so many minutes (m), hours (h), days (d) or weeks (w)",
    );
  }
  if (percent === 100) return null;
  const fullAt = count === undefined
    ? {}
    : { fullAt: signedTime(now + Number(count) * UNITS_MS[unit]) };
  return { percent, startsAt: signedTime(now), ...fullAt };
}

/** A rollout in words: `10 % from 2026-11-23T10:00:00Z, everyone from …`. */
export function rolloutText({ percent, startsAt, fullAt }: Rollout): string {
  const end = fullAt === undefined ? "" : `, everyone from ${fullAt}`;
  return `${percent} % from ${startsAt}${end}`;
}
