/**
 * Where a repository is written: a folder of this machine, or one in a bucket.
 *
 * Readers may be at work at any moment, other publishers too, and a writer may be ended by force.
 * So every write is whole or not there at all, and nothing but `write` replaces what is there.
 *
 * @module
 */

/** How readers and their caches may treat an object. */
export type Lifetime = "immutable" | "changing";

/** A place that takes the objects of a repository. Paths are relative and '/'-separated. */
export interface Destination {
  /** The address, canonical and without credentials. */
  readonly id: string;
  /** The bytes of an object; `null` when there is none. */
  read(path: string, maxBytes: number): Promise<Uint8Array | null>;
  /** Writes an object unless there is one of that path; false when there is. */
  writeIfAbsent(path: string, bytes: Uint8Array): Promise<boolean>;
  /** Writes an object, replacing the one that is there. */
  write(path: string, bytes: Uint8Array, lifetime: Lifetime): Promise<void>;
  /** The names of the objects in a folder, in no particular order; not those below it. */
  list(folder: string): Promise<string[]>;
  /** Removes an object, if it is there. */
  remove(path: string): Promise<void>;
}

/** What kind of content an object has, for those who serve it. */
export function contentType(path: string): string {
  return path.endsWith(".json") ? "application/json" : "application/octet-stream";
}
