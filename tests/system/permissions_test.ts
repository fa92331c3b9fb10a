/**
 * Deno's permissions: the narrowest flags of each source suffice, and each one that is missing is
 * named, in an error or a report, never asked for in a prompt and never done without in silence.
 *
 * The README states these flags; change both together.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Application } from "../fixtures/application.ts";
import { application, helloEgg, moduleUrl } from "../fixtures/application.ts";
import { startRegistry } from "../fixtures/npm_registry.ts";
import { KEYS, startTestBucket } from "../fixtures/test_bucket.ts";
import { plainPage, startWebFolder } from "../fixtures/web_folder.ts";
import type { ProgramEnd } from "../fixtures/running_program.ts";
import { layFiles, SignedFolder } from "../fixtures/signed_folder.ts";
import { runProgram, told } from "../fixtures/running_program.ts";
import { runInTerminal } from "../fixtures/terminal.ts";

/** What a flag is given for, and what becomes of a program on eggs it has when it is missing. */
interface Permission {
  flag: `--allow-${string}`;
  /** The values, as the README has them. */
  values: string[];
  /** True where the program goes on with what is active, and reports. */
  survives: (value: string) => boolean;
}

const ALWAYS: Permission[] = [
  { flag: "--allow-write", values: ["<store>"], survives: () => true },
  { flag: "--allow-sys", values: ["uid"], survives: () => false },
];

/** With the store's place in `TRANSMUTE_CACHE_DIR` or `cacheDir`. */
const FOLDER: Permission[] = [
  { flag: "--allow-read", values: ["<store>", "dist"], survives: (value) => value === "dist" },
  { flag: "--allow-env", values: ["TRANSMUTE_*"], survives: () => false },
  ...ALWAYS,
];

/** A signed repository in a folder, whose root the application carries. */
const SIGNED: Permission[] = [
  {
    flag: "--allow-read",
    values: ["<store>", "signed", "root.json"],
    survives: (value) => value !== "<store>",
  },
  { flag: "--allow-env", values: ["TRANSMUTE_*"], survives: () => false },
  ...ALWAYS,
];

/** With the registry of the user's `.npmrc`: `<registry>` is its host and port. */
const NPM: Permission[] = [
  {
    flag: "--allow-read",
    values: ["<store>", ".npmrc", "<home>/.npmrc"],
    survives: (value) => value !== "<store>",
  },
  {
    flag: "--allow-env",
    values: [
      ...["TRANSMUTE_*", "HOME", "npm_config_registry", "NPM_CONFIG_REGISTRY"],
      ...["npm_config_userconfig", "NPM_CONFIG_USERCONFIG"],
    ],
    survives: (value) => value !== "TRANSMUTE_*",
  },
  { flag: "--allow-net", values: ["<registry>"], survives: () => true },
  ...ALWAYS,
];

/** A folder behind a web server: `<web>` is its host and port. */
const HTTP: Permission[] = [
  { flag: "--allow-read", values: ["<store>"], survives: () => false },
  { flag: "--allow-env", values: ["TRANSMUTE_*"], survives: () => false },
  { flag: "--allow-net", values: ["<web>"], survives: () => true },
  ...ALWAYS,
];

/** A bucket, with keys, region and endpoint in the user's files: `<bucket>` is its host and port. */
const S3: Permission[] = [
  {
    flag: "--allow-read",
    values: ["<store>", "<home>/.aws/credentials", "<home>/.aws/config"],
    survives: (value) => value !== "<store>",
  },
  {
    flag: "--allow-env",
    values: ["TRANSMUTE_*", "AWS_*", "HOME"],
    survives: (value) => value !== "TRANSMUTE_*",
  },
  { flag: "--allow-net", values: ["<bucket>"], survives: () => true },
  ...ALWAYS,
];

/** What each kind of source needs, and how it is required. */
const KINDS = {
  folder: { permissions: FOLDER, requirement: 'transmute.require("hello", { sources: "dist" })' },
  signed: {
    permissions: SIGNED,
    requirement:
      'transmute.require("hello", { sources: { source: "signed", trust: { root: "root.json" } } })',
  },
  npm: { permissions: NPM, requirement: 'transmute.require("npm:hello")' },
  // The registry is that of the scope @jsr in the same files.
  jsr: { permissions: NPM, requirement: 'transmute.require("jsr:@ada/hello")' },
  http: { permissions: HTTP, requirement: 'transmute.require("hello", { sources: "<web>" })' },
  s3: {
    permissions: S3,
    requirement: 'transmute.require("hello", { sources: "s3://eggs/stable" })',
  },
};

/** Says what became of it, in one line of JSON. */
const PROBE = `
try {
  const { eggs: [{ version }], problems } = await transmute.update({ force: args[0] !== "lazily" });
  const [problem] = problems;
  const { greet } = await transmute.import(HELLO);
  console.log(JSON.stringify({ version, greeting: greet("x"), ...tell(problem) }));
} catch (error) {
  console.log(JSON.stringify(tell(error)));
}
function tell(error) {
  return { code: error?.code, message: error?.message, hint: error?.hint };
}
`;

interface World extends AsyncDisposable {
  here: Application;
  program: string;
  home: string;
  /** A flag's value with its words replaced by what they stand for here. */
  place(value: string): string;
}

/** An application with a `main.mjs` whose source is of this kind. */
async function world(kind: keyof typeof KINDS): Promise<World> {
  const here = application();
  const registry = await startRegistry();
  const web = await startWebFolder({ page: plainPage });
  const bucket = await startTestBucket();
  const home = `${here.folder}/home`;
  Deno.mkdirSync(`${home}/.aws`, { recursive: true });
  Deno.writeTextFileSync(
    `${home}/.aws/credentials`,
    `[default]\naws_access_key_id = ${KEYS.accessKeyId}\n` +
      `aws_secret_access_key = ${KEYS.secretAccessKey}\n`,
  );
  Deno.writeTextFileSync(
    `${home}/.aws/config`,
    `[default]\nregion = eu-west-1\nendpoint_url = ${bucket.url}\n`,
  );
  Deno.writeTextFileSync(
    `${home}/.npmrc`,
    `registry=${registry.url}\n@jsr:registry=${registry.url}\n`,
  );
  const egg = helloEgg("1.0.0");
  await here.publish(egg);
  await registry.publish(egg);
  await registry.publish({ ...egg, manifest: { ...egg.manifest, name: "@jsr/ada__hello" } });
  const signed = await SignedFolder.create();
  await signed.add(egg.manifest, {}, egg.files);
  await signed.publish();
  layFiles(signed, `${here.folder}/signed`);
  Deno.writeTextFileSync(`${here.folder}/root.json`, JSON.stringify(signed.root));
  const archive = await web.publish(egg.manifest, egg.files);
  bucket.put("stable/hello-1.0.0.tgz", archive);
  const program = `${here.folder}/main.mjs`;
  const required = KINDS[kind].requirement.replace("<web>", web.url);
  const project = kind === "jsr" ? "@ada/hello" : "hello";
  Deno.writeTextFileSync(
    program,
    // The bundle, because Deno itself would ask the user's registry for mod.ts's dependencies.
    `import * as transmute from "${await moduleUrl("node24")}";\n` +
      `const args = Deno.args;\n${required};\n${PROBE.replace("HELLO", `"${project}"`)}`,
  );
  return {
    here,
    program,
    home,
    place: (value) =>
      value.replace("<store>", here.store).replace("<home>", home)
        .replace("<registry>", new URL(registry.url).host)
        .replace("<web>", new URL(web.url).host).replace("<bucket>", new URL(bucket.url).host),
    async [Symbol.asyncDispose]() {
      await registry.close();
      await web.close();
      await bucket.close();
      here[Symbol.dispose]();
    },
  };
}

/** The flags, without one value of one of them if so wished. */
function flagsOf(permissions: Permission[], { place }: World, without?: string): string[] {
  return permissions.flatMap(({ flag, values }) => {
    const left = values.filter((value) => `${flag}=${value}` !== without).map(place);
    return left.length === 0 ? [] : [`${flag}=${left.join(",")}`];
  });
}

const surroundings = ({ here, home }: World) => ({
  cwd: here.folder,
  env: { HOME: home, TRANSMUTE_CACHE_DIR: here.store },
});

function runMain(at: World, flags: string[], args: string[] = []): Promise<ProgramEnd> {
  const command = ["run", "--no-prompt", ...flags, at.program, ...args];
  return runProgram(Deno.execPath(), command, surroundings(at));
}

/** Runs it where Deno could ask, which it must not; the same comes out. */
async function runInSight(at: World, flags: string[]): Promise<string> {
  const command = [Deno.execPath(), "run", ...flags, at.program];
  const end = await runInTerminal(command, [["Deno requests", "\x03"]], surroundings(at));
  assert.doesNotMatch(end.output, /Deno requests|Allow\?/);
  return end.output.split("\n").find((line) => line.startsWith("{")) ?? end.output;
}

for (const kind of ["folder", "signed", "npm", "jsr", "http", "s3"] as const) {
  const { permissions } = KINDS[kind];
  test(`update() needs no more than the flags of the README (${kind})`, async () => {
    await using at = await world(kind);
    for (const _start of ["first", "second"]) {
      const end = await runMain(at, flagsOf(permissions, at));
      const greeting = "Hi, x! -- from version 1.0.0 of hello";
      assert.deepEqual(JSON.parse(end.stdout), { version: "1.0.0", greeting }, told(end));
      assert.equal(end.stderr, "");
    }
    assert.match(await runInSight(at, flagsOf(permissions, at)), /"version":"1\.0\.0"/);
  });

  test(`update() names the flag that is missing on an empty store (${kind})`, async () => {
    await using at = await world(kind);
    for (const { flag, values } of permissions) {
      for (const value of values) {
        const flags = flagsOf(permissions, at, `${flag}=${value}`);
        const end = await runMain(at, flags);
        assertNamed(at, end.stdout, flag, value);
        assert.equal(await runInSight(at, flags), end.stdout.trim());
        await Deno.remove(at.here.store, { recursive: true }).catch(() => {});
      }
    }
  });

  test(`update() names the flag that is missing, and goes on if it can (${kind})`, async () => {
    await using at = await world(kind);
    assert.equal((await runMain(at, flagsOf(permissions, at))).code, 0);
    for (const { flag, values, survives } of permissions) {
      for (const value of values) {
        const flags = flagsOf(permissions, at, `${flag}=${value}`);
        const end = await runMain(at, flags);
        const { version } = assertNamed(at, end.stdout, flag, value);
        assert.equal(version, survives(value) ? "1.0.0" : undefined, `${flag}=${value}`);
        if (survives(value)) {
          assert.match(end.stderr, /^transmute: error: .*code=permission-missing/, told(end));
        }
        assert.equal(await runInSight(at, flags), end.stdout.trim());
      }
    }
  });
}

/** Asserts that what was printed tells of one missing flag, and how to add it. */
function assertNamed(
  at: World,
  output: string,
  flag: string,
  value: string,
): { version?: string } {
  const found = JSON.parse(output);
  const isRelativePath = flag === "--allow-read" && !value.startsWith("<");
  const whole = `${flag}=${isRelativePath ? `${at.here.folder}/${value}` : at.place(value)}`;
  assert.equal(found.code, "permission-missing", `${whole}: ${output}`);
  assert.ok(found.message.endsWith(whole), `${found.message} (wanted: ${whole})`);
  if (found.version === undefined) {
    assert.equal(found.hint, `Add ${whole} to the flags of deno run`);
  }
  return found;
}

test("update() needs no file of the user when keys and region are in variables", async () => {
  await using at = await world("s3");
  const { place } = at;
  const flags = [
    ...[`--allow-read=${at.here.store}`, `--allow-write=${at.here.store}`, "--allow-sys=uid"],
    ...["--allow-env=TRANSMUTE_*,AWS_*", `--allow-net=${place("<bucket>")}`],
  ];
  const { env, ...rest } = surroundings(at);
  const variables = {
    AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
    AWS_REGION: "eu-west-1",
    AWS_ENDPOINT_URL: `http://${place("<bucket>")}`,
  };
  const command = ["run", "--no-prompt", ...flags, at.program];
  const end = await runProgram(Deno.execPath(), command, {
    ...rest,
    env: { ...env, ...variables },
  });
  assert.equal(JSON.parse(end.stdout).version, "1.0.0", told(end));
});

test("update() names the flags for credentials of a program and of a machine", async () => {
  await using at = await world("s3");
  Deno.removeSync(`${at.home}/.aws/credentials`);
  const config = `${at.home}/.aws/config`;
  const settings = Deno.readTextFileSync(config);
  Deno.writeTextFileSync(config, `${settings}credential_process = /bin/keys\n`);
  const run = async () =>
    JSON.parse((await runMain(at, flagsOf(S3, at))).stdout) as {
      code: string;
      message: string;
      hint: string;
    };
  const program = await run();
  assert.equal(program.code, "permission-missing");
  assert.match(program.message, /--allow-run=\/bin\/keys$/);
  Deno.writeTextFileSync(config, settings);
  const machine = await run();
  assert.equal(machine.code, "permission-missing");
  assert.match(machine.message, /--allow-net=169\.254\.169\.254:80$/);
  assert.match(machine.hint, /AWS_EC2_METADATA_DISABLED=true/);
});

test("update() tells at every start that a folder may not be read", async () => {
  await using at = await world("folder");
  assert.equal((await runMain(at, flagsOf(FOLDER, at))).code, 0);
  const flags = flagsOf(FOLDER, at, "--allow-read=dist");
  for (const _start of ["due", "not due"]) {
    const end = await runMain(at, flags, ["lazily"]);
    assert.equal(assertNamed(at, end.stdout, "--allow-read", "dist").version, "1.0.0");
    assert.match(end.stderr, /^transmute: error: source-unreachable .*--allow-read=/);
  }
});

test("update() needs two variables more for the default place of the store", async () => {
  await using at = await world("folder");
  const { folder } = at.here;
  const store = `${folder}/home/.local/share/transmute`;
  const run = (...variables: string[]) =>
    runProgram(Deno.execPath(), [
      "run",
      "--no-prompt",
      `--allow-read=dist,${store}`,
      `--allow-write=${store}`,
      `--allow-env=${["TRANSMUTE_*", ...variables].join(",")}`,
      "--allow-sys=uid",
      at.program,
    ], { cwd: folder, env: { HOME: `${folder}/home`, XDG_DATA_HOME: "" } });
  const end = await run("HOME", "XDG_DATA_HOME");
  assert.equal(JSON.parse(end.stdout).version, "1.0.0", told(end));
  assert.ok(Deno.statSync(store).isDirectory);
  for (const [variable, other] of [["HOME", "XDG_DATA_HOME"], ["XDG_DATA_HOME", "HOME"]]) {
    assertNamed(at, (await run(other)).stdout, "--allow-env", variable);
  }
});

test("import() names --allow-ffi for an egg with a native add-on", async () => {
  await using at = await world("folder");
  const { here } = at;
  await here.publish({
    manifest: { name: "native", version: "1.0.0", main: "main.js" },
    files: { "main.js": "module.exports = require('./no_real.node');", "no_real.node": "" },
  });
  Deno.writeTextFileSync(
    at.program,
    `import * as transmute from "${await moduleUrl("node24")}";
    transmute.require("native", { sources: "dist" });
    await transmute.update();
    await transmute.import("native").catch(({ code, message, hint }) => console.log(code, hint));`,
  );
  const flags = flagsOf(FOLDER, at);
  const denied = await runMain(at, flags);
  assert.equal(denied.stdout, "permission-missing Add --allow-ffi to the flags of deno run\n");
  // With the flag it is the system that refuses what is no add-on.
  const allowed = await runMain(at, [...flags, `--allow-ffi=${here.store}`]);
  assert.match(allowed.stdout, /^undefined/, told(allowed));
});
