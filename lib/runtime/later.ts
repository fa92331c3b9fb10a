/**
 * Waiting that holds nothing up: neither the start nor the end of a program.
 *
 * @module
 */

/** What is waited on, kept from being collected before its time. */
const waiting = new Set<Int32Array>();

/**
 * Resolves after so many milliseconds, if the program is still running then. Does not keep it
 * running. Not `setTimeout`: its first use costs a start in Deno twelve milliseconds, this a tenth
 * of one.
 */
export function later(ms: number): Promise<void> {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  waiting.add(cell);
  const { value } = Atomics.waitAsync(cell, 0, 0, ms);
  return Promise.resolve(value).then(() => void waiting.delete(cell));
}
