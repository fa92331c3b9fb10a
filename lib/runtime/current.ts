/**
 * The runtime that this code runs in. Both implementations are loaded: they are small, and
 * choosing between files at run time would cost a bundler its view of them.
 *
 * @module
 */

import { denoRuntime } from "./deno.ts";
import { nodeRuntime } from "./node.ts";
import type { Runtime } from "./runtime.ts";

/** Deno, Node or Bun: whichever runs this program. */
export const runtime: Runtime = "Deno" in globalThis && !("Bun" in globalThis)
  ? denoRuntime()
  : nodeRuntime();
