/**
 * From an address to a destination.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { Destination } from "./destination.ts";

/**
 * Opens a destination by its address: `s3://bucket/prefix`, or a folder's path.
 *
 * @throws {TransmuteError} `option-invalid`, `source-scheme-unknown`
 */
export async function openDestination(address: string): Promise<Destination> {
  if (address.startsWith("s3:")) {
    return (await import("./s3_destination.ts")).s3Destination(address);
  }
  const [, scheme] = /^([A-Za-z][A-Za-z0-9+.-]+):/.exec(address) ?? [];
  if (scheme !== undefined && scheme !== "file") {
    throw new TransmuteError(
      "source-scheme-unknown",
      `Cannot publish to "${
        address.replace(/\/\/[^/@]*@/, "//")
      }": found the scheme "${scheme}:", ` +
        'wanted a folder or "s3:"',
      { hint: "Publish to a folder, and bring it to the web server with its own tools" },
    );
  }
  return (await import("./folder_destination.ts")).folderDestination(address);
}
