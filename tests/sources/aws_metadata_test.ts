import assert from "node:assert/strict";
import { test } from "node:test";
import { TransmuteError } from "../../lib/errors.ts";
import { SERVICE_MS } from "../../lib/sources/aws_lookup.ts";
import { containerKeys, INSTANCE_MS, instanceKeys } from "../../lib/sources/aws_metadata.ts";
import type { AwsValues } from "../fixtures/aws_surroundings.ts";
import { deadlineFreeTimer, lookupOf, servicesOf } from "../fixtures/aws_surroundings.ts";
import { refusal } from "../fixtures/refusal.ts";

const ANSWER = {
  Code: "Success",
  AccessKeyId: "AKID",
  SecretAccessKey: "SECRET",
  Token: "TOKEN",
  Expiration: "2030-01-01T06:00:00Z",
};
const KEYS = {
  accessKeyId: "AKID",
  secretAccessKey: "SECRET",
  sessionToken: "TOKEN",
  expiration: new Date("2030-01-01T06:00:00Z"),
};

const EC2 = "http://169.254.169.254";
const ROLES = "/latest/meta-data/iam/security-credentials/";

/** The service of a machine at an address. */
function instance(base = EC2) {
  return servicesOf({
    [`PUT ${base}/latest/api/token`]: ({ headers }) =>
      headers["x-aws-ec2-metadata-token-ttl-seconds"] === "21600"
        ? new Response("THE-TOKEN")
        : new Response("", { status: 400 }),
    [`GET ${base}${ROLES}`]: ({ headers }) =>
      headers["x-aws-ec2-metadata-token"] === "THE-TOKEN"
        ? new Response("the-role")
        : new Response("", { status: 401 }),
    [`GET ${base}${ROLES}the-role`]: ({ headers }) =>
      headers["x-aws-ec2-metadata-token"] === "THE-TOKEN"
        ? Response.json(ANSWER)
        : new Response("", { status: 401 }),
  });
}

test("instanceKeys() asks for a token first, and then for the role's keys", async () => {
  const { fetch, requests } = instance();
  assert.deepEqual(await instanceKeys(lookupOf({}, { fetch })), KEYS);
  assert.deepEqual(requests.map(({ method, url }) => `${method} ${url}`), [
    `PUT ${EC2}/latest/api/token`,
    `GET ${EC2}${ROLES}`,
    `GET ${EC2}${ROLES}the-role`,
  ]);
});

test("instanceKeys() asks where the variables say", async () => {
  const table: [env: Record<string, string>, base: string][] = [
    [{ AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: "IPv6" }, "http://[fd00:ec2::254]"],
    [{ AWS_EC2_METADATA_SERVICE_ENDPOINT: "http://127.0.0.1:1338" }, "http://127.0.0.1:1338"],
    [{ AWS_EC2_METADATA_DISABLED: "false" }, EC2],
  ];
  for (const [env, base] of table) {
    assert.deepEqual(await instanceKeys(lookupOf({ env }, instance(base))), KEYS);
  }
});

test("instanceKeys() asks nobody when that is forbidden", async () => {
  const { fetch, requests } = instance();
  const lookup = lookupOf({ env: { AWS_EC2_METADATA_DISABLED: "true" } }, { fetch });
  assert.equal(await instanceKeys(lookup), "AWS_EC2_METADATA_DISABLED is set");
  assert.deepEqual(requests, []);
});

test("instanceKeys() says why a machine gives none", async () => {
  const token = `PUT ${EC2}/latest/api/token`;
  const given = { [token]: () => new Response("THE-TOKEN") };
  const table: [services: Parameters<typeof servicesOf>[0], reason: RegExp][] = [
    [{}, /169\.254\.169\.254 could not be asked$/],
    // The services of other clouds answer at the same address.
    [{ [token]: () => new Response("", { status: 405 }) }, /gives no token \(it answered 405\)$/],
    [{ [token]: () => new Response("", { status: 302 }) }, /gives no token \(it answered 302\)$/],
    [{ ...given, [`GET ${EC2}${ROLES}`]: () => new Response("", { status: 404 }) }, /has no role$/],
    [{ ...given, [`GET ${EC2}${ROLES}`]: () => new Response("\n") }, /has no role$/],
    [
      {
        ...given,
        [`GET ${EC2}${ROLES}`]: () => new Response("r"),
        [`GET ${EC2}${ROLES}r`]: () => new Response("", { status: 500 }),
      },
      /gives no keys \(500\)$/,
    ],
  ];
  for (const [services, reason] of table) {
    const found = await instanceKeys(lookupOf({}, servicesOf(services)));
    assert.match(String(found), reason);
  }
});

/** A `fetch` that never answers until it is stopped. */
const silence: typeof fetch = (_input, init) =>
  new Promise((_resolve, reject) => {
    init!.signal!.addEventListener("abort", () => reject(init!.signal!.reason));
  });

/** A look where nobody answers, and whose time is up as soon as somebody was asked. */
function silentLookup(values: AwsValues = {}, answer: typeof fetch = silence) {
  const deadlines: number[] = [];
  let fire = () => {};
  const lookup = lookupOf(values, {
    fetch: (input, init) => {
      queueMicrotask(() => fire());
      return answer(input, init);
    },
    startTimer(ms, end) {
      deadlines.push(ms);
      fire = end;
      return () => {};
    },
  });
  return { lookup, deadlines };
}

test("instanceKeys() takes a second in all, where nobody answers", async () => {
  const never = new Promise<never>(() => {});
  const endless = () => Promise.resolve(new Response(new ReadableStream({ pull: () => never })));
  // Whether or not the runtime's fetch hears of the deadline.
  for (const answer of [silence, () => never, endless]) {
    const { lookup, deadlines } = silentLookup({}, answer);
    assert.match(String(await instanceKeys(lookup)), /did not answer within 1000 ms$/);
    assert.deepEqual(deadlines, [INSTANCE_MS]);
  }
});

test("instanceKeys() stops with the update, and names a permission that is missing", async () => {
  const ending = new AbortController();
  const asked = instanceKeys(lookupOf({}, { fetch: silence, signal: ending.signal }));
  ending.abort(new Error("the budget is spent"));
  await assert.rejects(asked, refusal("source-timeout", "stopped (the budget is spent)"));

  const lookup = lookupOf();
  const from = {
    ...lookup.from,
    assertMayConnect(host: string) {
      throw new TransmuteError("permission-missing", `no --allow-net=${host}`, { hint: "Add it" });
    },
  };
  await assert.rejects(instanceKeys({ ...lookup, from }), (error: TransmuteError) => {
    assert.match(error.hint!, /^Add it, or set AWS_EC2_METADATA_DISABLED=true/);
    return refusal("permission-missing", "--allow-net=169.254.169.254:80")(error);
  });
});

const ECS = "http://169.254.170.2/v2/credentials/1";
const EKS = "http://169.254.170.23/v1/credentials";

test("containerKeys() asks the container's service, with its token", async () => {
  const table: [values: AwsValues, url: string, token: string | undefined][] = [
    [{ env: { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "/v2/credentials/1" } }, ECS, undefined],
    [
      {
        env: {
          AWS_CONTAINER_CREDENTIALS_FULL_URI: EKS,
          AWS_CONTAINER_AUTHORIZATION_TOKEN: "FROM-VARIABLE",
        },
      },
      EKS,
      "FROM-VARIABLE",
    ],
    [
      {
        env: {
          AWS_CONTAINER_CREDENTIALS_FULL_URI: EKS,
          AWS_CONTAINER_AUTHORIZATION_TOKEN: "FROM-VARIABLE",
          AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "/token",
        },
        files: { "/token": "FROM-FILE\n" },
      },
      EKS,
      "FROM-FILE",
    ],
  ];
  for (const [values, url, token] of table) {
    const { fetch, requests } = servicesOf({ [`GET ${url}`]: () => Response.json(ANSWER) });
    assert.deepEqual(await containerKeys(lookupOf(values, { fetch })), KEYS);
    assert.deepEqual(requests.map(({ headers }) => headers.authorization), [token]);
  }
  assert.equal(await containerKeys(lookupOf()), null);
});

test("containerKeys() reads the token's file each time, for it is renewed", async () => {
  const files: Record<string, string> = { "/token": "OLD" };
  const env = {
    AWS_CONTAINER_CREDENTIALS_FULL_URI: EKS,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "/token",
  };
  const { fetch, requests } = servicesOf({ [`GET ${EKS}`]: () => Response.json(ANSWER) });
  const lookup = lookupOf({ env, files }, { fetch });
  await containerKeys(lookup);
  files["/token"] = "NEW";
  await containerKeys(lookup);
  assert.deepEqual(requests.map(({ headers }) => headers.authorization), ["OLD", "NEW"]);
});

test("containerKeys() asks none but this machine, ECS, EKS or an encrypted address", async () => {
  const table: [uri: string, allowed: boolean][] = [
    ["http://127.0.0.1:8080/x", true],
    ["http://localhost/x", true],
    ["http://[::1]/x", true],
    [EKS, true],
    ["http://[fd00:ec2::23]/v1/credentials", true],
    ["https://keys.example/x", true],
    ["http://keys.example/x", false],
    ["http://169.254.169.254/x", false],
    ["http://10.0.0.1/x", false],
    ["https://ada:pw@keys.example/x", false],
    ["file:///etc/passwd", false],
    ["nonsense", false],
  ];
  for (const [uri, allowed] of table) {
    const { fetch, requests } = servicesOf({ [`GET ${uri}`]: () => Response.json(ANSWER) });
    const lookup = lookupOf({ env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: uri } }, { fetch });
    if (allowed) assert.deepEqual(await containerKeys(lookup), KEYS, uri);
    else await assert.rejects(containerKeys(lookup), refusal("option-invalid", "FULL_URI"), uri);
    assert.equal(requests.length, allowed ? 1 : 0, uri);
  }
});

test("containerKeys() asks again when that may help, and does not go on without", async () => {
  const env = { AWS_CONTAINER_CREDENTIALS_FULL_URI: EKS };
  let failures = 2;
  const pauses: number[] = [];
  const faulty = servicesOf({
    [`GET ${EKS}`]: () =>
      failures-- > 0 ? new Response("", { status: 503 }) : Response.json(ANSWER),
  });
  const startTimer = deadlineFreeTimer(pauses);
  assert.deepEqual(await containerKeys(lookupOf({ env }, { ...faulty, startTimer })), KEYS);
  assert.equal(pauses.length, 2);

  const table: [
    answer: () => Response,
    code: "source-denied" | "source-unreachable",
    found: string,
  ][] = [
    [() => new Response("", { status: 503 }), "source-unreachable", "answered 503"],
    [() => new Response("", { status: 403 }), "source-denied", "it answered 403"],
    [() => new Response("SECRET"), "source-denied", "no JSON object"],
    [() => new Response("x".repeat(300_000)), "source-unreachable", "could not be asked"],
    [() => Response.redirect("http://127.0.0.1/"), "source-denied", "it answered 302"],
  ];
  for (const [answer, code, found] of table) {
    const lookup = lookupOf({ env }, servicesOf({ [`GET ${EKS}`]: answer }));
    await assert.rejects(containerKeys(lookup), refusal(code, "169.254.170.23", found));
  }
});

test("containerKeys() gives up a service that is silent", async () => {
  const { lookup, deadlines } = silentLookup({ env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: EKS } });
  await assert.rejects(containerKeys(lookup), refusal("source-timeout", `within ${SERVICE_MS} ms`));
  assert.deepEqual(deadlines, [SERVICE_MS]);
});

test("containerKeys() refuses a token that would be more than a header", async () => {
  const env = {
    AWS_CONTAINER_CREDENTIALS_FULL_URI: EKS,
    AWS_CONTAINER_AUTHORIZATION_TOKEN: "SECRET\r\nhost: evil",
  };
  await assert.rejects(containerKeys(lookupOf({ env })), (error: Error) => {
    assert.doesNotMatch(error.message, /SECRET/);
    return refusal("option-invalid", "a token that cannot be sent")(error);
  });
});
