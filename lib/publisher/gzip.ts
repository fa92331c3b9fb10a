/**
 * Compression that gives the same bytes on every machine.
 *
 * Runtimes compress by different libraries, and by different versions of them, so their own gzip
 * would give an egg another digest on another machine.
 *
 * @module
 */

// Pure JavaScript; of its entries, the one that names no `node:` module.
import { gzipSync } from "npm:fflate@0.8.3/browser";

/** Of nine: the levels above cost twice the time for two bytes in a thousand. */
const LEVEL = 6;

/** Compresses to one gzip member without name and time. */
export function gzip(bytes: Uint8Array): Uint8Array {
  return gzipSync(bytes, { level: LEVEL, mtime: 0 });
}
