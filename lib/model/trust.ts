/**
 * How far a source is trusted: what an application demands of it. Values only.
 *
 * @module
 */

/** Who is to have built an egg, as its provenance must say to the letter. */
export interface Publisher {
  /** Its source repository: `https://github.com/acme/app`. */
  repository: string;
  /** The workflow in it that builds releases: `.github/workflows/release.yml`; any without it. */
  workflow?: string;
}

/** How old a release must be to be taken, by its registry's word. */
export interface MinimumAge {
  /** What the application requires by name. Milliseconds. @default {0} */
  required?: number;
  /** What comes along as a dependency. Milliseconds. @default {86_400_000} one day */
  transitive?: number;
}

/** What an application demands of a source; everything is optional. */
export interface TrustPolicy {
  /**
   * The root of a signed repository, as it is published: the path or `file:` URL of a `root.json`
   * that comes with the application, its text, or the value that it is parsed to. With a root,
   * nothing that the repository does not sign is ever taken from the source.
   */
  root?: string | Record<string, unknown>;
  /**
   * The address of a signed repository about what a registry holds: names, digests and freshness
   * come from there, bytes from the registry. Needs `root`.
   */
  metadata?: string;
  /**
   * The least proof: `"signature"` of a repository or a registry over each egg; `"provenance"`, a
   * public record of who built it.
   */
  require?: "signature" | "provenance";
  /** Who must have built every egg of the source; demands provenance. */
  publisher?: Publisher;
  /**
   * The trust root of another instance of Sigstore than the public one, as `trusted_root.json` has
   * it: the value, or its text.
   */
  sigstoreRoot?: string | Record<string, unknown>;
  /** How old releases must be. Where a registry tells no times, the age is not judged. */
  minimumAgeMs?: MinimumAge;
}
