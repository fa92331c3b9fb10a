/**
 * The kind of machine, in npm's words.
 *
 * @module
 */

/** What eggs may be made for. */
export interface Platform {
  /** `linux`, `darwin`, `win32`, … */
  os: string;
  /** `x64`, `arm64`, … */
  cpu: string;
  /** `glibc` or `musl` on Linux, else absent. */
  libc?: string;
}
