/**
 * Shows what a signature is good for: an author publishes in a bucket of a real S3 service, an
 * application runs on it, and then the server turns hostile. Run by `deno task demo:signed`.
 */

import { AwsClient } from "npm:aws4fetch@1.0.20";
import { PUBLIC_BUCKET, startSeaweed } from "../../scripts/s3_servers.ts";
import type { Attack } from "./hostile_proxy.ts";
import { startHostileProxy } from "./hostile_proxy.ts";

const here = new URL(".", import.meta.url).pathname;
const command = new URL("../../lib/cli/main.ts", import.meta.url).pathname;
const playground = Deno.makeTempDirSync({ prefix: "transmute-demo-" });

await using server = await startSeaweed();
const client = new AwsClient({ ...server.keys, service: "s3", region: server.region });
await (await client.fetch(`${server.url}${PUBLIC_BUCKET}`, { method: "PUT" })).body?.cancel();
await using proxy = startHostileProxy(
  server.url,
  `/${PUBLIC_BUCKET}/stable/metadata/timestamp.json`,
);

/** The author's surroundings: credentials of the bucket, and the passphrase of all keys. */
const author = {
  AWS_ENDPOINT_URL: server.url,
  AWS_REGION: server.region,
  AWS_ACCESS_KEY_ID: server.keys.accessKeyId,
  AWS_SECRET_ACCESS_KEY: server.keys.secretAccessKey,
  TRANSMUTE_PASSPHRASE: "correct horse battery staple",
  TRANSMUTE_CACHE_DIR: `${playground}/author`,
};
const repository = `s3://${PUBLIC_BUCKET}/stable`;
/** The application asks without credentials, and the proxy in place of the server. */
const seenByApplication = `${repository}?endpoint=${proxy.url}&anonymous=true`;

function say(text: string): void {
  console.log(`\n▶ ${text}`);
}

async function run(args: string[], env: Record<string, string>): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", ...args],
    cwd: playground,
    env: { ...env, NO_COLOR: "1" },
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).replaceAll(playground, "…");
  for (const line of decode(stdout).trimEnd().split("\n")) console.log(`  ${line}`);
  if (code !== 0) throw new Error(`The demonstration failed:\n${decode(stderr)}`);
  return decode(stdout);
}

async function transmute(...args: string[]): Promise<void> {
  console.log(`  $ transmute ${args.join(" ")}`);
  await run([command, ...args], author);
}

async function runApplication(version: string, named?: string, days = 0): Promise<void> {
  const printed = await run([`${here}app.ts`, seenByApplication, String(days)], {
    TRANSMUTE_CACHE_DIR: `${playground}/store`,
  });
  const wanted = [`from version ${version} of hello`, ...(named === undefined ? [] : [named])];
  for (const text of wanted) {
    if (!printed.includes(text)) throw new Error(`The demonstration failed: wanted "${text}"`);
  }
}

function write(version: string): void {
  Deno.mkdirSync(`${playground}/hello`, { recursive: true });
  const text = "export const greet = (name) => console.log(`Hi, ${name}! -- from version " +
    `${version} of hello\`);\n`;
  Deno.writeTextFileSync(`${playground}/hello/hello.js`, text);
}

async function publish(version: string): Promise<void> {
  write(version);
  await transmute("pack", "hello", "--name", "hello", "--release", version, "--quiet");
  await transmute("publish", `hello-${version}.tgz`, "--to", repository);
}

/** Each attack, as the application names it. */
const ATTACKS: [attack: Attack, what: string, named: string, days?: number][] = [
  [
    "older",
    "The server has the metadata of before, with all its signatures",
    "(downgrade-refused:",
  ],
  ["swapped", "hello 3.0.0 is offered, but its bytes are others", "digest-mismatch"],
  ["frozen", "The server says for 31 days that nothing is newer", "(metadata-expired:", 31],
  ["endless", "The server answers without end", "(size-mismatch:"],
];

try {
  say("The author makes keys and a repository, and publishes hello 1.0.0 and 2.1.0:");
  await transmute("keygen");
  await transmute("init-repository", "--to", repository);
  await publish("1.0.0");
  await proxy.keep("old");
  await publish("2.1.0");

  say("An application that carries root.json starts:");
  await runApplication("2.1.0");

  say("It starts again: nothing is new.");
  await runApplication("2.1.0");

  for (const [attack, what, named, days] of ATTACKS) {
    if (attack === "swapped") {
      say("The author publishes hello 3.0.0.");
      await publish("3.0.0");
      await proxy.keep("now");
    }
    say(`${what}. The application stays on 2.1.0, and says why:`);
    proxy.turn(attack);
    await runApplication("2.1.0", named, days);
  }

  say("The server is honest again, and the egg is what was signed:");
  proxy.turn("none");
  await runApplication("3.0.0");
} finally {
  Deno.removeSync(playground, { recursive: true });
}
