/**
 * Programs of one file as they are published on PyPI, in wheels of one platform: had and run with no
 * Python. Skipped, saying so, where the index is out of reach.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Transmute } from "../../mod.ts";
import { isTransmuteError } from "../../lib/errors.ts";
import { pypiSource } from "../../lib/sources/pypi.ts";
import { contextOf } from "../fixtures/source_context.ts";
import { outputOf } from "../fixtures/running_program.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

/** Why the index cannot be asked; `false` when it can. */
async function absence(): Promise<string | false> {
  try {
    const { listing } = await pypiSource("pypi:").list("ruff", contextOf(), "python");
    return listing.releases.length > 0 ? false : "the index has no ruff";
  } catch (error) {
    if (!isTransmuteError(error)) throw error;
    return error.message;
  }
}

const skip = await absence();
if (skip) console.log(`# skip a program of PyPI: ${skip}`);

test(
  "update() takes a program from a wheel of PyPI, and others find it by its name",
  { skip },
  async () => {
    using folder = temporaryFolder();
    const transmute = new Transmute({
      ...{ app: "app", cacheDir: folder.path, sources: ["pypi:"], log: "off" },
    });
    transmute.require("executable:ruff");
    const { outcome, eggs: [{ version }] } = await transmute.update();
    assert.equal(outcome, "updated");
    const env = await transmute.environment();
    assert.equal(await outputOf("sh", ["-c", "ruff --version"], { env }), `ruff ${version}\n`);
  },
);
