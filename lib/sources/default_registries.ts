/**
 * The public registries, whose addresses are their own projects' to know and not ours.
 *
 * A file of its own so that it is loaded only where no registry is configured. pnpm's table and
 * not a package of one registry's own: it has both addresses, and no `node:` import that a bundle
 * would hoist onto the path of every start.
 *
 * @module
 */

import { DEFAULT_REGISTRIES } from "npm:@pnpm/normalize-registries@1000.1.10";

/** Where npm projects come from. */
export const defaultRegistry: string = DEFAULT_REGISTRIES.default;

/** Where JSR's projects come from as npm tarballs. */
export const defaultJsrRegistry: string = DEFAULT_REGISTRIES["@jsr"];
