/**
 * The documents of a repository: their shapes in TUF 1.0. Fields that are not known here stay where
 * they are.
 *
 * @module
 */

import type { SignedCustom } from "../model/signed_target.ts";
import type { TufKey } from "./public_key.ts";

/** The version of the specification that documents are written by. */
export const SPEC_VERSION = "1.0.31";

/** What every role signs. */
export interface Signed {
  _type: string;
  spec_version: string;
  version: number;
  /** `2027-01-31T00:00:00Z` */
  expires: string;
}

/** A role: who may sign for it, and how many of them must. */
export interface Role {
  keyids: string[];
  threshold: number;
}

/** The roles that a root names. */
export const TOP_ROLES = ["root", "targets", "snapshot", "timestamp"] as const;

/** One of the roles that a root names. */
export type TopRole = (typeof TOP_ROLES)[number];

/** How many days from its signing the documents of each role are good for. */
export type RoleDays = Record<TopRole, number>;

/** What a root signs. */
export interface Root extends Signed {
  consistent_snapshot: boolean;
  keys: Record<string, TufKey>;
  roles: Record<TopRole, Role>;
  /** Ours: how long documents are good for, so that all publishers sign for as long. */
  "x-transmute-days"?: Partial<RoleDays>;
}

/** Which version of a document belongs to a snapshot. */
export interface MetaFile {
  version: number;
  length?: number;
  hashes?: Record<string, string>;
}

/** What `snapshot` and `timestamp` sign: documents by file name, such as `js-hello.json`. */
export interface Snapshot extends Signed {
  meta: Record<string, MetaFile>;
}

/** What `timestamp` signs. */
export interface Timestamp extends Snapshot {
  /** Ours: the version of the newest root, so that who has it need not look for a newer one. */
  "x-transmute-root"?: number;
}

/** One delegation of `targets`. */
export interface DelegatedRole extends Role {
  name: string;
  terminating: boolean;
  paths: string[];
}

/** One target, as documents have it. */
export interface Target {
  length: number;
  hashes: Record<string, string>;
  custom?: SignedCustom;
}

/** What `targets` and the roles of projects sign. */
export interface Targets extends Signed {
  targets: Record<string, Target>;
  delegations?: { keys: Record<string, TufKey>; roles: DelegatedRole[] };
}

/** A document: what is signed, and the signatures. */
export interface Document<T extends Signed = Signed> {
  signatures: { keyid: string; sig: string }[];
  signed: T;
}

/** The bytes of a document's file. */
export function documentBytes(document: Document): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(document));
}

/** A moment as documents write it: whole seconds, in UTC. */
export function signedTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

/** Where a document of a version lies in a repository; the newest timestamp lies at `TIMESTAMP_PATH`. */
export function documentPath(role: string, version: number): string {
  return `metadata/${version}.${role}.json`;
}

/** The one file of a repository that is ever overwritten. */
export const TIMESTAMP_PATH = "metadata/timestamp.json";

/** The key and threshold of each role. */
export interface Signers extends Role {
  keys: Record<string, TufKey>;
}

/** Who signs for a role of the root. */
export function signersOf({ keys, roles }: Root, role: TopRole): Signers {
  return { ...roles[role], keys };
}
