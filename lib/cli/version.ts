/**
 * The version that `transmute --version` tells.
 *
 * @module
 */

/** The version of this copy; a test holds it to that of `deno.json`. */
export const VERSION = "0.1.0";
