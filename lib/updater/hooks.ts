/**
 * Calling the application's hooks, each within its deadline.
 *
 * @module
 */

import type { Generation } from "../model/state.ts";
import type { GenerationChange } from "../options.ts";

/**
 * Calls a hook and waits for it, for so long.
 *
 * @throws what the hook throws, or that it took too long
 */
export async function runHook(
  name: string,
  timeoutMs: number,
  call: () => unknown,
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const spent = new Promise<never>((_resolve, reject) => {
    const late = new Error(`${name} took more than ${timeoutMs} ms`);
    timer = setTimeout(() => reject(late), timeoutMs);
  });
  try {
    // A hook that throws at once must not escape the promise.
    await Promise.race([Promise.resolve().then(call), spent]);
  } finally {
    clearTimeout(timer);
  }
}

/** A switch in the words that hooks are told it in. */
export function changeBetween(from: Generation | null, to: Generation): GenerationChange {
  return {
    from: from?.generation ?? null,
    to: to.generation,
    eggs: Object.fromEntries(
      Object.entries(to.eggs).map(([project, { version }]) => {
        const before = from?.eggs[project]?.version;
        return [project, {
          version,
          ...(before === undefined || before === version ? {} : { from: before }),
        }];
      }),
    ),
  };
}
