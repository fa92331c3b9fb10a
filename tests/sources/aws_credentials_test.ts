import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CredentialKeeper,
  findCredentials,
  FRESH_MS,
  givenCredentials,
} from "../../lib/sources/aws_credentials.ts";
import type { AwsLookup } from "../../lib/sources/aws_lookup.ts";
import { readAwsSettings } from "../../lib/sources/aws_settings.ts";
import type { AwsCredentials } from "../../lib/sources/aws_signature.ts";
import type { AwsValues } from "../fixtures/aws_surroundings.ts";
import { lookupOf, NOW, servicesOf } from "../fixtures/aws_surroundings.ts";
import { refusal } from "../fixtures/refusal.ts";

/** Every place has keys that are named after it. */
const keys = (name: string) => ({ accessKeyId: name, secretAccessKey: `${name}-secret` });

const VARIABLES = {
  AWS_ACCESS_KEY_ID: "variables",
  AWS_SECRET_ACCESS_KEY: "variables-secret",
};
const OLD_VARIABLES = {
  AWS_ACCESS_KEY: "old-variables",
  AWS_SECRET_KEY: "old-variables-secret",
};
const WEB_IDENTITY = {
  AWS_WEB_IDENTITY_TOKEN_FILE: "/token",
  AWS_ROLE_ARN: "arn:aws:iam::1:role/web",
};
const CONTAINER = { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/keys" };

const FILES = {
  "/old-file": "AWSAccessKeyId=old-file\nAWSSecretKey=old-file-secret\n",
  "/token": "the-web-token",
  "/home/ada/.aws/credentials":
    "[default]\naws_access_key_id=default\naws_secret_access_key=default-secret\n" +
    "[ci]\naws_access_key_id=ci\naws_secret_access_key=ci-secret\n",
};
const NO_PROFILES = { "/old-file": FILES["/old-file"], "/token": FILES["/token"] };

/** The answer of the service that lends roles. */
function lent(name: string): Response {
  return new Response(
    `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>` +
      `<Credentials><AccessKeyId>${name}</AccessKeyId><SecretAccessKey>${name}-secret` +
      `</SecretAccessKey><SessionToken>${name}-token</SessionToken>` +
      `<Expiration>2030-01-01T01:00:00Z</Expiration></Credentials>` +
      `</AssumeRoleResult></AssumeRoleResponse>`,
  );
}

const META = "http://169.254.169.254/latest";
const service = (name: string) =>
  Response.json({ AccessKeyId: name, SecretAccessKey: `${name}-secret`, Token: `${name}-token` });

/** All services of AWS that give keys. */
function everyService() {
  return servicesOf({
    "POST https://sts.us-east-1.amazonaws.com/": ({ body }) =>
      lent(new URLSearchParams(body).get("RoleArn")!.replace(/.*\//, "role-")),
    "GET http://169.254.170.2/keys": () => service("container"),
    [`PUT ${META}/api/token`]: () => new Response("T"),
    [`GET ${META}/meta-data/iam/security-credentials/`]: () => new Response("r"),
    [`GET ${META}/meta-data/iam/security-credentials/r`]: () => service("machine"),
  });
}

async function find(values: AwsValues, more: Partial<AwsLookup> = {}) {
  const lookup = lookupOf(values, { ...everyService(), ...more });
  return await findCredentials(lookup, readAwsSettings(lookup, {}));
}

async function found(values: AwsValues): Promise<string | undefined> {
  return (await find(values)).credentials?.accessKeyId;
}

test("findCredentials() looks in the places of the AWS SDK, in its order", async () => {
  const everything = {
    ...VARIABLES,
    ...OLD_VARIABLES,
    AWS_CREDENTIAL_FILE: "/old-file",
    ...WEB_IDENTITY,
    ...CONTAINER,
  };
  const without = (...names: string[]) =>
    Object.fromEntries(Object.entries(everything).filter(([name]) => !names.includes(name)));
  const variables = Object.keys(VARIABLES);
  const old = Object.keys(OLD_VARIABLES);
  const table: [values: AwsValues, found: string][] = [
    [{ files: FILES, env: everything }, "variables"],
    [{ files: FILES, env: without(...variables) }, "old-variables"],
    [{ files: FILES, env: without(...variables, ...old) }, "old-file"],
    [{ files: FILES, env: without(...variables, ...old, "AWS_CREDENTIAL_FILE") }, "default"],
    // A profile that is named comes before variables.
    [{ files: FILES, env: { ...everything, AWS_PROFILE: "ci" } }, "ci"],
    [{ files: NO_PROFILES, env: { ...WEB_IDENTITY, ...CONTAINER } }, "role-web"],
    [{ files: NO_PROFILES, env: { ...CONTAINER } }, "container"],
    [{ files: NO_PROFILES }, "machine"],
    // Half of a pair is none.
    [{ env: { AWS_ACCESS_KEY_ID: "variables" } }, "machine"],
    [{ env: { AWS_ROLE_ARN: "arn:aws:iam::1:role/web" } }, "machine"],
  ];
  for (const [values, name] of table) assert.equal(await found(values), name);
});

test("findCredentials() says why there are none", async () => {
  const nobody = servicesOf({});
  const { credentials, ...rest } = await find({}, nobody);
  assert.equal(credentials, null);
  assert.match((rest as { reason: string }).reason, /169\.254\.169\.254 could not be asked/);
  const disabled = await find({ env: { AWS_EC2_METADATA_DISABLED: "true" } }, nobody);
  assert.deepEqual(disabled, { credentials: null, reason: "AWS_EC2_METADATA_DISABLED is set" });
  assert.equal(nobody.requests.length, 1);
});

test("findCredentials() takes session tokens, by their new name and their old one", async () => {
  const table: [env: Record<string, string>, credentials: AwsCredentials][] = [
    [{ ...VARIABLES, AWS_SESSION_TOKEN: "T" }, { ...keys("variables"), sessionToken: "T" }],
    [{ ...OLD_VARIABLES, AWS_SECURITY_TOKEN: "T" }, {
      ...keys("old-variables"),
      sessionToken: "T",
    }],
    [{ ...VARIABLES, AWS_CREDENTIAL_EXPIRATION: "2030-01-01T01:00:00Z" }, {
      ...keys("variables"),
      expiration: new Date("2030-01-01T01:00:00Z"),
    }],
  ];
  for (const [env, credentials] of table) {
    assert.deepEqual((await find({ env })).credentials, credentials);
  }
});

test("findCredentials() does not look further where something is set and wrong", async () => {
  const profiles = (text: string) => ({ files: { "/home/ada/.aws/config": text } });
  const table: [values: AwsValues, found: string][] = [
    [{ env: { AWS_CREDENTIAL_FILE: "/nowhere" } }, "/nowhere: there is no such file"],
    [{ env: { AWS_CREDENTIAL_FILE: "/f" }, files: { "/f": "nonsense" } }, "/f: found no pair"],
    [{ env: { ...VARIABLES, AWS_SECRET_ACCESS_KEY: "a\nb" } }, "the variables AWS_ACCESS_KEY_ID"],
    [{ env: { AWS_PROFILE: "nobody" } }, "the profile nobody: there is none"],
    [{ env: WEB_IDENTITY }, "/token: there is no such file"],
    [profiles("[default]\naws_access_key_id=AKID"), "the profile default: found no pair"],
    [profiles("[default]\nrole_arn=r"), "needs one of source_profile and credential_source"],
    [
      profiles("[default]\nrole_arn=r\nsource_profile=default\ncredential_source=Environment"),
      "needs one of source_profile and credential_source",
    ],
    [
      profiles("[default]\nrole_arn=r\ncredential_source=constructor"),
      "Environment, EcsContainer, Ec2InstanceMetadata",
    ],
    [profiles("[default]\nrole_arn=r\nsource_profile=a"), "the profile a: there is none"],
    [profiles("[default]\nrole_arn=r\nsource_profile=a\n[profile a]\nx=1"), "a has no keys"],
    [profiles("[default]\nrole_arn=r\ncredential_source=Environment"), "Environment has no keys"],
    [
      profiles(
        "[default]\nrole_arn=r\nsource_profile=a\n[profile a]\nrole_arn=r\nsource_profile=default",
      ),
      "leads back to it: default → a → default",
    ],
    [
      profiles("[default]\nrole_arn=r\nmfa_serial=m\nsource_profile=a\n[profile a]\nx=1"),
      "mfa_serial needs somebody who signs in",
    ],
    [profiles("[default]\nsso_session=x"), "sso_session needs somebody who signs in"],
    [profiles("[default]\nsso_start_url=x"), "sso_start_url needs somebody who signs in"],
  ];
  for (const [values, found] of table) {
    await assert.rejects(find(values), refusal("option-invalid", found));
  }
});

test("findCredentials() goes on from a profile that has no credentials", async () => {
  const files = { "/home/ada/.aws/config": "[profile ci]\nregion=eu-west-1" };
  assert.equal(await found({ files, env: { AWS_PROFILE: "ci", ...CONTAINER } }), "container");
});

test("findCredentials() takes what a profile stands for", async () => {
  const config = (text: string): AwsValues => ({
    files: {
      ...FILES,
      "/home/ada/.aws/config": text,
      "/home/ada/.aws/credentials": FILES["/home/ada/.aws/credentials"],
    },
    env: { AWS_PROFILE: "app", ...VARIABLES, ...CONTAINER },
    run: ([program]) => ({
      stdout: JSON.stringify({ Version: 1, AccessKeyId: program, SecretAccessKey: "x" }),
    }),
  });
  const role = "role_arn=arn:aws:iam::1:role/app";
  const table: [profiles: string, found: string][] = [
    [`[profile app]\n${role}\nsource_profile=ci`, "role-app"],
    [`[profile app]\n${role}\ncredential_source=Environment`, "role-app"],
    [`[profile app]\n${role}\ncredential_source=EcsContainer`, "role-app"],
    [`[profile app]\n${role}\ncredential_source=Ec2InstanceMetadata`, "role-app"],
    [`[profile app]\n${role}\nweb_identity_token_file=/token`, "role-app"],
    ["[profile app]\ncredential_process=/bin/keys", "/bin/keys"],
    ["[profile app]\ncredential_process=/bin/keys\nsso_session=x", "/bin/keys"],
    // Its own keys assume its role.
    [
      `[profile app]\n${role}\nsource_profile=app\naws_access_key_id=own\naws_secret_access_key=x`,
      "role-app",
    ],
    [
      `[profile app]\n${role}\nsource_profile=b\n[profile b]\n${role}\nsource_profile=ci`,
      "role-app",
    ],
  ];
  for (const [profiles, name] of table) assert.equal(await found(config(profiles)), name, profiles);
});

test("findCredentials() signs for a role with the keys of its source", async () => {
  const services = everyService();
  const files = {
    ...FILES,
    "/home/ada/.aws/config": "[profile app]\nrole_arn=arn:aws:iam::1:role/app\n" +
      "source_profile=ci\nexternal_id=E\nrole_session_name=S\nduration_seconds=900\n",
  };
  const { credentials } = await find({ files, env: { AWS_PROFILE: "app" } }, services);
  assert.deepEqual(credentials, {
    ...keys("role-app"),
    sessionToken: "role-app-token",
    expiration: new Date("2030-01-01T01:00:00Z"),
  });
  const [{ headers, body }] = services.requests;
  assert.match(
    headers.authorization,
    /^AWS4-HMAC-SHA256 Credential=ci\/20300101\/us-east-1\/sts\/aws4_request, /,
  );
  assert.deepEqual(Object.fromEntries(new URLSearchParams(body)), {
    Action: "AssumeRole",
    RoleArn: "arn:aws:iam::1:role/app",
    RoleSessionName: "S",
    ExternalId: "E",
    DurationSeconds: "900",
    Version: "2011-06-15",
  });
});

test("findCredentials() sends a web identity's token without a signature", async () => {
  const services = everyService();
  await find({ files: NO_PROFILES, env: WEB_IDENTITY }, services);
  const [{ headers, body }] = services.requests;
  assert.equal(headers.authorization, undefined);
  assert.deepEqual(Object.fromEntries(new URLSearchParams(body)), {
    Action: "AssumeRoleWithWebIdentity",
    RoleArn: "arn:aws:iam::1:role/web",
    RoleSessionName: `transmute-${NOW}`,
    WebIdentityToken: "the-web-token",
    Version: "2011-06-15",
  });
});

test("findCredentials() asks for roles where the region and the variables say", async () => {
  const table: [env: Record<string, string>, url: string][] = [
    [{ AWS_REGION: "eu-west-1" }, "https://sts.eu-west-1.amazonaws.com/"],
    [{ AWS_REGION: "cn-north-1" }, "https://sts.cn-north-1.amazonaws.com.cn/"],
    [{ AWS_ENDPOINT_URL_STS: "http://127.0.0.1:1/x" }, "http://127.0.0.1:1/x/"],
  ];
  for (const [env, url] of table) {
    const services = servicesOf({ [`POST ${url}`]: () => lent("role") });
    await find({ files: NO_PROFILES, env: { ...WEB_IDENTITY, ...env } }, services);
    assert.deepEqual(services.requests.map((request) => request.url), [url]);
  }
});

test("findCredentials() tells why no role is lent, and shows nothing of the answer", async () => {
  const error = (code: string) =>
    `<ErrorResponse><Error><Code>${code}</Code><Message>the-web-token</Message></Error></ErrorResponse>`;
  const table: [
    answer: () => Response,
    code: "source-denied" | "source-unreachable" | "option-invalid",
    found: string,
  ][] = [
    [
      () => new Response(error("ExpiredTokenException"), { status: 400 }),
      "source-denied",
      "answered 400 (ExpiredTokenException)",
    ],
    [() => new Response("the-web-token", { status: 403 }), "source-denied", "answered 403"],
    [() => new Response("", { status: 500 }), "source-unreachable", "answered 500"],
    [() => new Response("<a"), "source-denied", "no list of credentials"],
    [() => new Response("<R><XResult></XResult></R>"), "source-denied", "no list of credentials"],
    [
      () => new Response("<R><XResult><Credentials></Credentials></XResult></R>"),
      "option-invalid",
      "found no pair",
    ],
  ];
  for (const [answer, code, found] of table) {
    const services = servicesOf({ "POST https://sts.us-east-1.amazonaws.com/": answer });
    await assert.rejects(
      find({ files: NO_PROFILES, env: WEB_IDENTITY }, services),
      (error: Error) => {
        assert.doesNotMatch(error.message, /the-web-token/);
        return refusal(code, "the role arn:aws:iam::1:role/web", found)(error);
      },
    );
  }
});

/** Keys that are given out one after the other, each for an hour. */
function keeperOf(fail: () => boolean = () => false) {
  let count = 0;
  const clock = { now: NOW };
  const keeper = new CredentialKeeper(({ now }) => {
    if (fail()) return Promise.reject(new Error("nobody answers"));
    const expiration = new Date(now() + 60 * 60 * 1000);
    return Promise.resolve({ credentials: { ...keys(`keys-${++count}`), expiration } });
  });
  const lookup = lookupOf({}, { now: () => clock.now });
  const current = async () => (await keeper.current(lookup)).credentials!.accessKeyId;
  return { keeper, lookup, clock, current };
}

test("CredentialKeeper looks once, and again when less than five minutes are left", async () => {
  const { clock, current } = keeperOf();
  assert.deepEqual(await Promise.all([current(), current()]), ["keys-1", "keys-1"]);
  clock.now += 60 * 60 * 1000 - FRESH_MS - 1;
  assert.equal(await current(), "keys-1");
  clock.now += 1;
  assert.equal(await current(), "keys-2");
});

test("CredentialKeeper keeps what is in hand while it lasts, when there is nothing new", async () => {
  let down = false;
  const { clock, current } = keeperOf(() => down);
  await current();
  down = true;
  clock.now += 60 * 60 * 1000 - 1;
  assert.equal(await current(), "keys-1");
  clock.now += 1;
  await assert.rejects(current(), /nobody answers/);
  down = false;
  assert.equal(await current(), "keys-2");
});

test("CredentialKeeper looks again when it is told that keys have ended", async () => {
  const { keeper, lookup, current } = keeperOf();
  await current();
  assert.equal((await keeper.renewed(lookup)).credentials!.accessKeyId, "keys-2");
  assert.equal(await current(), "keys-2");
});

test("CredentialKeeper asks again after a while whether there are none", async () => {
  let asked = 0;
  const clock = { now: NOW };
  const keeper = new CredentialKeeper(() => {
    asked++;
    return Promise.resolve({ credentials: null, reason: "nobody has any" });
  });
  const lookup = lookupOf({}, { now: () => clock.now });
  for (const later of [0, FRESH_MS - 1, 1]) {
    clock.now += later;
    await keeper.current(lookup);
  }
  assert.equal(asked, 2);
});

test("givenCredentials() takes keys, or what gives them, as the AWS SDK's providers do", async () => {
  const expiration = new Date(NOW);
  const sdk = { ...keys("sdk"), sessionToken: "T", expiration, accountId: "1", $source: {} };
  const plain = { ...keys("sdk"), sessionToken: "T", expiration };
  for (const given of [sdk, () => sdk, () => Promise.resolve(sdk)]) {
    assert.deepEqual(await givenCredentials(lookupOf(), given), { credentials: plain });
  }
  await assert.rejects(
    givenCredentials(lookupOf(), () => Promise.reject(new Error("SECRET"))),
    (error: Error) => {
      assert.doesNotMatch(error.message, /SECRET/);
      return refusal("source-denied", "the option credentials: it failed")(error);
    },
  );
  await assert.rejects(
    givenCredentials(lookupOf(), () => ({ accessKeyId: "", secretAccessKey: "" })),
    refusal("option-invalid", "found no pair"),
  );
});
