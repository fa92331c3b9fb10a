/**
 * What the contract of sources needs of whoever runs it: a place to publish to, and a runner.
 *
 * @module
 */

import type { Ecosystem, Manifest } from "../../lib/model/egg.ts";
import type { Source } from "../../lib/sources/source.ts";

/** An egg that the contract publishes. */
export interface ContractEgg {
  /** Which kind it is of: that of the subject. */
  ecosystem: Ecosystem;
  /** Its name and version; of a Python project, the normalised name. */
  manifest: Manifest;
  /**
   * As `npm pack` names it: `scope-hello-1.0.0.tgz`. Of a Python project, as wheels are named:
   * `hello_world-1.0.0-py3-none-any.whl`.
   */
  filename: string;
  /** An npm tarball, or a wheel. */
  archive: Uint8Array;
  /** Of a wheel, the text of its `METADATA`: a place may offer that apart from the archive. */
  metadata?: Uint8Array;
}

/** What goes wrong with the answer that has an archive. */
export type ContractFault =
  /** It breaks off in the middle, having announced the whole. */
  | "truncate"
  /** Nothing follows its middle. */
  | "stall"
  /** It announces no length and does not end. */
  | "endless"
  /** The source's credentials are not accepted. */
  | "deny";

/** A place that eggs are published to, and the source of what is there. */
export interface ContractStage {
  /** The source that is tested. */
  source: Source;
  /**
   * Publishes an egg, or replaces the one of its name and version. One version of a Python project
   * has several files: there, the one of its file name.
   */
  publish(egg: ContractEgg): void | Promise<void>;
  /** Takes an egg away, and what was published with it. */
  remove(egg: ContractEgg): void | Promise<void>;
  /** Lets all answers with an egg's archive go wrong, until told `null`; not of a local source. */
  fail?(egg: ContractEgg, fault: ContractFault | null): void | Promise<void>;
  /** What the source asks with. @default {globalThis.fetch} */
  fetch?: typeof fetch;
  /** Ends it; a network source cannot be reached afterwards. */
  close(): void | Promise<void>;
}

/** A part of the contract that a kind of source may lack, for a reason. */
export type ContractPart =
  /** Publishing other bytes under the same version. */
  | "replace"
  /** Faults of a network. */
  | "faults"
  /** Going on where a body broke off, also in a later request. */
  | "resume"
  /** Offering the metadata of wheels apart from the wheels. */
  | "metadata";

/** The kind of source that is tested. */
export interface ContractSubject {
  /** What titles call it. */
  name: string;
  /** Whether it asks a network. */
  kind: Source["kind"];
  /** Which eggs are published to it; of a source of both, each is a subject. @default {"js"} */
  ecosystem?: Ecosystem;
  /** Opens an empty place; every test has its own. */
  open(): ContractStage | Promise<ContractStage>;
  /** The name of a project as this kind of source writes it. @default {as it is} */
  named?(name: string): string;
  /** What the source authenticates with: it must show nowhere. */
  secrets?: string[];
  /** Parts that it lacks, with the reason, which is told in place of the tests. */
  lacks?: Partial<Record<ContractPart, string>>;
}

/** How tests are registered. */
export interface ContractRunner {
  /** Registers a test. */
  test(title: string, run: () => Promise<void>): unknown;
  /** Tells of a test that does not apply. @default {nothing is told} */
  skip?(title: string, reason: string): unknown;
}
