/**
 * The contract of sources, for whoever writes one: tests that run under any runner.
 *
 * @example A source of one's own, tested
 * ```ts ignore
 * import { test } from "node:test";
 * import { testSource } from "@transmute/transmute/source-contract";
 * import { openStage } from "./my_stage.ts";
 *
 * testSource({ name: "my source", kind: "network", open: openStage }, { test });
 * ```
 *
 * @module
 */

export { testSource } from "./tests/source_contract.ts";
export type {
  ContractEgg,
  ContractFault,
  ContractPart,
  ContractRunner,
  ContractStage,
  ContractSubject,
} from "./tests/source_contract.ts";
