import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { startRegistry } from "../fixtures/npm_registry.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

const SOURCE = pathToFileURL(resolve("lib/sources/npm.ts")).href;

/** A program that lists and fetches from the user's registry, and prints what came of it. */
const PROGRAM = `
import { npmSource } from ${JSON.stringify(SOURCE)};
const context = {
  signal: new AbortController().signal,
  fetch,
  listings: { read: () => null, write() {} },
  maxDownloadBytes: 1_000_000,
};
try {
  const source = npmSource();
  const { listing } = await source.list("hello", context);
  await source.fetch(listing.releases[0].artifact, context);
  console.log("fetched", listing.releases[0].version);
} catch (error) {
  console.log(error.code, error.message, "|", error.hint);
}
`;

/** This process's variables without npm's: a runner started by npm hands its configuration down. */
function ownEnvironment(): Record<string, string> {
  const variables = Object.entries(process.env as Record<string, string>);
  return Object.fromEntries(variables.filter(([name]) => !/^npm_/i.test(name)));
}

function run(folder: string, flags: string[], env: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ["run", "--no-prompt", "--no-config", "--no-lock", ...flags, join(folder, "main.ts")],
      { cwd: folder, env: { ...ownEnvironment(), ...env } },
      (error, stdout, stderr) => error === null ? resolve(stdout.trim()) : reject(stderr),
    );
  });
}

const skip = "Deno" in globalThis ? false : "only Deno has permissions";

test("npmSource() needs just these permissions, and names the one that is missing", {
  skip,
}, async () => {
  const folder = temporaryFolder();
  const registry = await startRegistry({
    packages: [{ manifest: { name: "hello", version: "1.0.0" } }],
    token: "secret",
  });
  try {
    const [project, home] = ["project", "home"].map((name) => join(folder.path, name));
    mkdirSync(project);
    mkdirSync(home);
    writeFileSync(join(project, "main.ts"), PROGRAM);
    const { host } = new URL(registry.url);
    const userFile = join(home, "npmrc");
    writeFileSync(userFile, `registry=${registry.url}\n//${host}/:_authToken=\${HELLO_TOKEN}\n`);
    const env = { NPM_CONFIG_USERCONFIG: userFile, HELLO_TOKEN: "secret" };

    const variables = "npm_config_registry,NPM_CONFIG_REGISTRY," +
      "npm_config_userconfig,NPM_CONFIG_USERCONFIG";
    const flags = {
      net: `--allow-net=${host}`,
      env: `--allow-env=${variables},HELLO_TOKEN`,
      read: `--allow-read=${project},${userFile}`,
    };
    const without = (name: keyof typeof flags, instead: string[] = []) =>
      run(project, [...Object.values({ ...flags, [name]: "" }).filter(Boolean), ...instead], env);

    assert.equal(await run(project, Object.values(flags), env), "fetched 1.0.0");
    const table: [answer: string, flag: string][] = [
      [await without("net"), flags.net],
      [await without("env", [`--allow-env=HELLO_TOKEN`]), `--allow-env=${variables},HOME`],
      [await without("env", [`--allow-env=${variables}`]), "--allow-env=HELLO_TOKEN"],
      [await without("read", [`--allow-read=${project}`]), `--allow-read=${userFile}`],
    ];
    for (const [answer, flag] of table) {
      assert.match(answer, /^permission-missing Cannot /);
      assert.ok(answer.endsWith(`| Add ${flag} to the flags of deno run`), answer);
    }
  } finally {
    await registry.close();
    folder[Symbol.dispose]();
  }
});
