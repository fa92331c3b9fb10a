/**
 * Shows an application on a bucket of a real server, OpenStack Swift, that its author fills with
 * ordinary tools: npm packs, the command line of AWS uploads. Run by `deno task demo:s3`.
 */

import { AWS_TOOLS, pythonPackages } from "../../scripts/python_packages.ts";
import type { S3Server } from "../../scripts/s3_servers.ts";
import { startSwift } from "../../scripts/s3_servers.ts";

const here = new URL(".", import.meta.url).pathname;
const playground = Deno.makeTempDirSync({ prefix: "transmute-demo-" });
const store = `${playground}/store`;

function say(text: string): void {
  console.log(`\n▶ ${text}`);
}

/** Runs a command in the playground; gives its exit code and all that it printed. */
async function run(
  command: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(command[0], {
    args: command.slice(1),
    cwd: playground,
    env: { NO_COLOR: "1", HOME: playground, ...env },
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const indented = decode(stderr).replace(/^(?=.)/gm, "    ") +
    decode(stdout).replace(/^(?=.)/gm, "  ");
  return { code, text: indented.replaceAll(playground, "…").trimEnd() };
}

/** What a user of the server sets, as for any service of AWS. */
function variables({ url, keys }: S3Server, secret = keys.secretAccessKey): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: secret,
  };
}

/** The author's side: packs the egg and uploads it. */
async function publish(version: string, server: S3Server, tools: string): Promise<void> {
  const egg = `${playground}/egg`;
  Deno.mkdirSync(egg, { recursive: true });
  for (const name of ["package.json", "hello.js"]) {
    Deno.copyFileSync(`${here}../hello/egg/${name}`, `${egg}/${name}`);
  }
  const manifest = JSON.parse(Deno.readTextFileSync(`${egg}/package.json`));
  Deno.writeTextFileSync(`${egg}/package.json`, JSON.stringify({ ...manifest, version }));
  const file = `hello-${version}.tgz`;
  const env = { ...variables(server), AWS_DEFAULT_REGION: server.region, PYTHONPATH: tools };
  const aws = ["python3", `${tools}/bin/aws`, "s3"];
  const commands = [
    ["npm", "pack", "--silent", "./egg"],
    [...aws, "cp", "--no-progress", file, `s3://eggs/stable/${file}`],
  ];
  for (const command of commands) {
    const { code, text } = await run(command, env);
    if (code !== 0) throw new Error(`${command.join(" ")} failed:\n${text}`);
    console.log(text);
  }
}

/** The narrowest permissions of an application that takes its eggs from that server. */
const permissions = ({ url }: S3Server) => [
  `--allow-read=${store},.aws`,
  `--allow-write=${store}`,
  "--allow-env=TRANSMUTE_*,AWS_*,HOME",
  `--allow-net=${new URL(url).host}`,
  "--allow-sys=uid",
];

async function runApplication(version: string, server: S3Server, secret?: string): Promise<void> {
  const command = [Deno.execPath(), "run", "--no-prompt", "--quiet", ...permissions(server)];
  const { code, text } = await run([...command, `${here}app.ts`], {
    ...variables(server, secret),
    TRANSMUTE_CACHE_DIR: store,
    TRANSMUTE_LOG: "info",
    // For once, every start asks; the default is once a day.
    TRANSMUTE_CHECK_EVERY_MS: "0",
  });
  console.log(text);
  const expected = `Hi, world! -- from version ${version} of hello`;
  if (code !== 0 || !text.includes(expected)) {
    throw new Error(
      `The demonstration failed: wanted "${expected}" and exit code 0, found ${code}`,
    );
  }
}

async function demonstrate(server: S3Server, tools: string): Promise<void> {
  say("The author publishes hello 1.0.0 into the bucket eggs. The application starts:");
  const make = ["python3", `${tools}/bin/aws`, "s3", "mb", "s3://eggs"];
  const env = { ...variables(server), AWS_DEFAULT_REGION: server.region, PYTHONPATH: tools };
  console.log((await run(make, env)).text);
  await publish("1.0.0", server, tools);
  await runApplication("1.0.0", server);

  say("The author publishes hello 2.1.0. The same application starts again:");
  await publish("2.1.0", server, tools);
  await runApplication("2.1.0", server);

  say("With a wrong secret the server refuses, and 2.1.0 still runs:");
  await runApplication("2.1.0", server, "wrong");

  say("The server is gone. The application starts all the same:");
  await server[Symbol.asyncDispose]();
  await runApplication("2.1.0", server);
}

/** The server and the tool; `null` where they cannot be had, which is told. */
async function bring(): Promise<[S3Server, string] | null> {
  try {
    const tools = await pythonPackages(AWS_TOOLS);
    return [await startSwift(), tools];
  } catch (error) {
    console.log(`# skip demo:s3: ${(error as Error).message}`);
    return null;
  }
}

try {
  const brought = await bring();
  if (brought !== null) {
    const [server, tools] = brought;
    try {
      await demonstrate(server, tools);
    } finally {
      await server[Symbol.asyncDispose]();
    }
  }
} finally {
  Deno.removeSync(playground, { recursive: true });
}
