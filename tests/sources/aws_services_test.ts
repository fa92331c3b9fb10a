/** Credentials from programs and services that are really run and asked, on this machine. */

import assert from "node:assert/strict";
import { execPath } from "node:process";
import { test } from "node:test";
import { runtime } from "../../lib/runtime/current.ts";
import { findCredentials } from "../../lib/sources/aws_credentials.ts";
import { startLookup } from "../../lib/sources/aws_lookup.ts";
import { readAwsSettings } from "../../lib/sources/aws_settings.ts";
import type { AwsCredentials } from "../../lib/sources/aws_signature.ts";
import { awsSurroundings } from "../fixtures/aws_surroundings.ts";
import type { AwsValues } from "../fixtures/aws_surroundings.ts";
import type { FaultyServer, Found } from "../fixtures/faulty_server.ts";
import { startFaultyServer } from "../fixtures/faulty_server.ts";
import { contextOf } from "../fixtures/npm_questions.ts";
import { refusal } from "../fixtures/refusal.ts";

const found = (body: string | object, status?: number): Found => ({
  body: new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)),
  ...(status === undefined ? {} : { status }),
});

const keys = (name: string) => ({
  AccessKeyId: name,
  SecretAccessKey: `${name}-secret`,
  Token: `${name}-token`,
  Expiration: "2040-01-01T00:00:00Z",
});

const ROLES = "/latest/meta-data/iam/security-credentials/";

/** The services that a machine and a container of a cloud have beside them. */
function startServices(): Promise<FaultyServer> {
  return startFaultyServer({
    find(path, { method, headers }) {
      const hasToken = headers["x-aws-ec2-metadata-token"] === "THE-TOKEN";
      if (path === "/latest/api/token") {
        const seconds = headers["x-aws-ec2-metadata-token-ttl-seconds"];
        return method === "PUT" && seconds !== undefined ? found("THE-TOKEN") : found("", 405);
      }
      if (path.startsWith(ROLES) && !hasToken) return found("", 401);
      if (path === ROLES) return found("a-role");
      if (path === `${ROLES}a-role`) return found({ Code: "Success", ...keys("machine") });
      if (path === "/container") {
        return headers.authorization === "Basic t" ? found(keys("container")) : found("", 403);
      }
      return null;
    },
  });
}

/** What is found among those values, with programs and services that are real. */
async function find(values: AwsValues): Promise<AwsCredentials | null> {
  const { run, assertMayConnect } = runtime;
  const from = { ...awsSurroundings(values), run, assertMayConnect };
  const lookup = startLookup("s3://eggs/", contextOf(), { from });
  return (await findCredentials(lookup, readAwsSettings(lookup, {}))).credentials;
}

const credentials = (name: string): AwsCredentials => ({
  accessKeyId: name,
  secretAccessKey: `${name}-secret`,
  sessionToken: `${name}-token`,
  expiration: new Date("2040-01-01T00:00:00Z"),
});

test("findCredentials() asks the services beside a machine and a container", async () => {
  const services = await startServices();
  try {
    const machine = { AWS_EC2_METADATA_SERVICE_ENDPOINT: services.url };
    assert.deepEqual(await find({ env: machine }), credentials("machine"));
    const container = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${services.url}container`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: "Basic t",
    };
    assert.deepEqual(await find({ env: { ...machine, ...container } }), credentials("container"));
    const denied = { ...machine, ...container, AWS_CONTAINER_AUTHORIZATION_TOKEN: "Basic x" };
    await assert.rejects(find({ env: denied }), refusal("source-denied", "it answered 403"));
  } finally {
    await services.close();
  }
});

test("findCredentials() does without a machine's service that hangs up or redirects", async () => {
  const services = await startServices();
  try {
    const env = { AWS_EC2_METADATA_SERVICE_ENDPOINT: services.url };
    for (
      const fault of ["hang-up", { status: 302, headers: { location: "/container" } }] as const
    ) {
      services.fail("/latest/api/token", fault);
      assert.equal(await find({ env }), null);
    }
    assert.equal(services.count("/container"), 0);
  } finally {
    await services.close();
  }
});

test("findCredentials() runs the program that a profile names", async () => {
  const evaluate = { deno: "eval", node: "-e", bun: "-e" }[runtime.name];
  const output = { Version: 1, ...keys("program"), SessionToken: "program-token" };
  const script = `console.log(${JSON.stringify(JSON.stringify(output))})`;
  const command = `"${execPath}" ${evaluate} '${script}'`;
  const files = { "/home/ada/.aws/config": `[default]\ncredential_process = ${command}\n` };
  assert.deepEqual(await find({ files }), credentials("program"));
});
