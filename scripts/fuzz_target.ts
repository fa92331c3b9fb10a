/** What a target of the fuzzer is, and the words that targets are said with. */

import { isTransmuteError } from "../lib/errors.ts";

/** One parser. */
export interface FuzzTarget {
  name: string;
  /** Good inputs, to be changed. */
  seeds: Uint8Array[];
  /** Parses; throws for a finding and for nothing else. */
  run(input: Uint8Array): unknown;
}

export const encode = (text: string) => new TextEncoder().encode(text);
export const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
export const LIMITS = { maxEntries: 1000, maxUnpackedBytes: 4 * 1024 ** 2 };

/** Lets a parser refuse in its own words. */
export function refusing(
  work: () => unknown,
  isOwn: (error: unknown) => boolean = isTransmuteError,
) {
  const judge = (error: unknown) => {
    if (!isOwn(error)) throw error;
  };
  try {
    const result = work();
    return result instanceof Promise ? result.catch(judge) : result;
  } catch (error) {
    return judge(error);
  }
}

export function promise(kept: boolean, what: string): void {
  if (!kept) throw new Error(`a promise is broken: ${what}`);
}

/** What both gates promise of the paths that they let through. */
export function assertContained(
  members: { kind?: string; path: string; bytes: Uint8Array }[],
): void {
  const seen = new Set<string>();
  for (const { path } of members) {
    const segments = path.split("/");
    promise(!path.startsWith("/") && !path.includes("\\") && !path.includes("\0"), path);
    promise(segments.every((one) => one !== "" && one !== "." && one !== ".."), path);
    promise(!seen.has(path.toLowerCase()), `${path} twice`);
    seen.add(path.toLowerCase());
  }
}
