import assert from "node:assert/strict";
import { test } from "node:test";
import { EXIT_CODES, exitCodeOf } from "../../lib/cli/exit_codes.ts";
import type { ErrorCode } from "../../lib/errors.ts";
import { ERROR_CODES, TransmuteError } from "../../lib/errors.ts";

test("exitCodeOf() tells a wrong command line and a silent source from all else", () => {
  const others = [...ERROR_CODES.plan, ...ERROR_CODES.trust, ...ERROR_CODES.store];
  const cases: [codes: readonly ErrorCode[], exitCode: number][] = [
    [ERROR_CODES.request.filter((code) => code !== "permission-missing"), EXIT_CODES.usage],
    [["permission-missing"], EXIT_CODES.failed],
    [ERROR_CODES.source, EXIT_CODES.sourceFailed],
    [others, EXIT_CODES.failed],
  ];
  for (const [codes, exitCode] of cases) {
    for (const code of codes) {
      assert.equal(exitCodeOf(new TransmuteError(code, "Cannot: …")), exitCode, code);
    }
  }
  assert.equal(exitCodeOf(new Error("unforeseen")), EXIT_CODES.failed);
});
