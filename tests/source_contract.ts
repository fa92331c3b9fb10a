/**
 * What every source must do, as tests that run on any source and under any runner of tests.
 *
 * It uses nothing of a runtime: `test` is given, be it `node:test`'s, `Deno.test` or another.
 *
 * @module
 */

import type { Clause } from "./contract/clauses.ts";
import { CLAUSES, showsNoSecret } from "./contract/clauses.ts";
import { eggsOf } from "./contract/eggs.ts";
import { PYTHON_CLAUSES } from "./contract/python_clauses.ts";
import type { ContractRunner, ContractSubject } from "./contract/subject.ts";

export type {
  ContractEgg,
  ContractFault,
  ContractPart,
  ContractRunner,
  ContractStage,
  ContractSubject,
} from "./contract/subject.ts";

/**
 * Registers the tests of one kind of source.
 *
 * @param subject the source, and the place that its eggs are published to
 * @param runner registers a test; `skip` is told of those that do not apply
 *
 * @example
 * ```ts ignore
 * import { test } from "node:test";
 * import { testSource } from "@transmute/transmute/source-contract";
 *
 * testSource({ name: "my source", kind: "network", open: openMyStage }, { test });
 * ```
 */
export function testSource(subject: ContractSubject, runner: ContractRunner): void {
  const { name, kind, ecosystem = "js", lacks = {}, secrets = [] } = subject;
  const eggs = eggsOf(ecosystem, subject.named ?? ((project) => project));
  const clauses = ecosystem === "python" ? [...CLAUSES, ...PYTHON_CLAUSES] : CLAUSES;
  const register = (title: string, run: Clause["run"]) =>
    runner.test(`${name} ${title}`, async () => {
      const stage = await subject.open();
      try {
        await run(stage, eggs);
      } finally {
        await stage.close();
      }
    });
  register(`is of the kind "${kind}"`, async ({ source }) => {
    if (source.kind !== kind) throw new Error(`The source is of the kind "${source.kind}"`);
    await Promise.resolve();
  });
  for (const { title, part, network, run } of clauses) {
    const reason = network && kind === "local"
      ? "it is about networks, and this source is local"
      : part === undefined
      ? undefined
      : lacks[part];
    if (reason === undefined) register(title, run);
    else runner.skip?.(`${name} ${title}`, reason);
  }
  register("shows its secrets nowhere", (stage) => showsNoSecret(stage, eggs, secrets));
}
