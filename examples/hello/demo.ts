/**
 * Shows the whole of it: an application that is updated, survives the loss of its source, and
 * refuses a corrupt update. Run by `deno task demo`.
 */

import { packEntries } from "../../lib/publisher/pack.ts";

const here = new URL(".", import.meta.url).pathname;
const playground = Deno.makeTempDirSync({ prefix: "transmute-demo-" });
const dist = `${playground}/dist`;
const store = `${playground}/store`;

/** The narrowest permissions of an application that takes its eggs from the folder dist. */
const PERMISSIONS = [
  `--allow-read=dist,${store}`,
  `--allow-write=${store}`,
  "--allow-env=TRANSMUTE_*",
  "--allow-sys=uid",
];

function say(text: string): void {
  console.log(`\n▶ ${text}`);
}

/** The egg as its author would pack it, under the given version. */
async function pack(version: string): Promise<Uint8Array> {
  const manifest = JSON.parse(Deno.readTextFileSync(`${here}egg/package.json`));
  const { archive } = await packEntries({ ...manifest, version }, {
    "hello.js": Deno.readTextFileSync(`${here}egg/hello.js`),
  });
  return archive;
}

function put(name: string, bytes: Uint8Array): void {
  Deno.mkdirSync(dist, { recursive: true });
  Deno.writeFileSync(`${dist}/${name}`, bytes);
}

async function runApplication(expected: string): Promise<void> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--quiet", ...PERMISSIONS, `${here}app.ts`],
    cwd: playground,
    env: { TRANSMUTE_CACHE_DIR: store, TRANSMUTE_LOG: "info", NO_COLOR: "1" },
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).replaceAll(playground, "…");
  for (const line of decode(stderr).trimEnd().split("\n")) if (line) console.log(`    ${line}`);
  for (const line of decode(stdout).trimEnd().split("\n")) console.log(`  ${line}`);
  if (code !== 0 || !decode(stdout).includes(expected)) {
    throw new Error(
      `The demonstration failed: wanted "${expected}" and exit code 0, found ${code}`,
    );
  }
}

const greeting = (version: string) => `Hi, world! -- from version ${version} of hello`;

try {
  say("The author publishes hello 1.0.0 into the folder dist. The application starts:");
  put("hello-1.0.0.tgz", await pack("1.0.0"));
  await runApplication(greeting("1.0.0"));

  say("It starts again: nothing is new, so nothing is done.");
  await runApplication(greeting("1.0.0"));

  say("The author publishes hello 2.1.0. The same application starts again:");
  put("hello-2.1.0.tgz", await pack("2.1.0"));
  await runApplication(greeting("2.1.0"));

  say("The folder dist is gone. The application starts all the same:");
  Deno.removeSync(dist, { recursive: true });
  await runApplication(greeting("2.1.0"));

  say("A corrupt hello 3.0.0 appears in dist. It is refused, and 2.1.0 still runs:");
  const whole = await pack("3.0.0");
  put("hello-3.0.0.tgz", whole.subarray(0, whole.length - 40));
  await runApplication(greeting("2.1.0"));

  say("It starts once more: the corrupt egg is remembered and not even read again.");
  await runApplication(greeting("2.1.0"));
} finally {
  Deno.removeSync(playground, { recursive: true });
}
