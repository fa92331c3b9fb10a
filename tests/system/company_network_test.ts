/**
 * A company's network: a registry that only the company's proxy reaches, with a certificate of the
 * company's own authority, as the runtimes are told of them. The documents state it so.
 */

import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import type { Application, RuntimeName } from "../fixtures/application.ts";
import { application, helloEgg, RUNTIMES } from "../fixtures/application.ts";
import type { Certificates } from "../fixtures/certificates.ts";
import { makeCertificates, secureServer } from "../fixtures/certificates.ts";
import { startRegistry } from "../fixtures/npm_registry.ts";
import type { ProxyOptions } from "../fixtures/proxy.ts";
import { proxyVariables, startProxy } from "../fixtures/proxy.ts";
import { told } from "../fixtures/running_program.ts";
import { until } from "../fixtures/until.ts";

/** Less than what Node's own connections keep a program alive for. */
const LINGERING_MS = 8000;
const REGISTRY = "https://eggs.example/";

const PROGRAM = `
const { budgetMs, force } = JSON.parse(args[0]);
const own = new transmute.Transmute({ app: "own", sources: ["npm+${REGISTRY}"], budgetMs });
own.require("hello");
try {
  const { outcome, background } = await own.update({ force });
  const greeting = (await own.import("hello")).greet("x");
  console.log(JSON.stringify({ outcome, background, greeting }));
} catch ({ code, message }) {
  console.log(JSON.stringify({ code, message }));
}
`;

/** What a start told. */
interface Told {
  outcome?: string;
  background?: string;
  greeting?: string;
  code?: string;
  message?: string;
}

/** A registry that calls itself by its public address, behind TLS. */
async function startCompany(certificates: Certificates) {
  const registry = await startRegistry();
  await registry.publish(helloEgg("1.0.0"));
  registry.rewrite(
    "hello",
    (packument) => JSON.parse(JSON.stringify(packument).replaceAll(registry.url, REGISTRY)),
  );
  const server = await secureServer(certificates, (asked, answer) => {
    const url = new URL(asked.url!, registry.url);
    const passed = request(url, { headers: { ...asked.headers, host: url.host } }, (found) => {
      answer.writeHead(found.statusCode!, found.headers);
      found.pipe(answer);
    });
    passed.on("error", () => answer.destroy());
    passed.end();
  });
  return {
    registry,
    /** Where the proxy finds it. */
    hosts: { "eggs.example:443": `127.0.0.1:${server.port}` },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await registry.close();
    },
  };
}

/** Tells a runtime of the authority and the proxy. */
function variables(runtime: RuntimeName, authority: string, proxy: string): Record<string, string> {
  return {
    ...proxyVariables({ HTTPS_PROXY: proxy }),
    ...(runtime === "deno" ? { DENO_CERT: authority } : { NODE_EXTRA_CA_CERTS: authority }),
    ...(runtime.startsWith("node") ? { NODE_USE_ENV_PROXY: "1" } : {}),
  };
}

async function start(
  here: Application,
  runtime: RuntimeName,
  env: Record<string, string>,
  given: { budgetMs?: number; force?: boolean } = {},
): Promise<Told> {
  const end = await here.run(runtime, "own", [JSON.stringify(given)], { env });
  assert.equal(end.code, 0, told(end));
  return JSON.parse(end.stdout);
}

const certificates = makeCertificates();
const skip = certificates === null ? { skip: "there is no openssl" } : {};

for (const runtime of RUNTIMES) {
  test(`update() works behind a company's proxy and authority (${runtime})`, skip, async () => {
    using here = application();
    await using company = await startCompany(certificates!);
    await using proxy = await startProxy({ hosts: company.hosts });
    await here.program("own", PROGRAM);
    const env = variables(runtime, certificates!.authority, proxy.url);
    assert.deepEqual(await start(here, runtime, env), {
      outcome: "updated",
      greeting: "Hi, x! -- from version 1.0.0 of hello",
    });

    // What goes on in the background goes the same way.
    await company.registry.publish(helloEgg("2.0.0"));
    const gate = Promise.withResolvers<void>();
    company.registry.fail("/hello", { until: gate.promise });
    const told = await start(here, runtime, env, { budgetMs: 300, force: true });
    assert.deepEqual([told.outcome, told.background], ["deferred", "process"]);
    gate.resolve();
    const state = `${here.store}/apps-v1/own/state.json`;
    await until("2.0.0 is active", () => /"version":"2.0.0"/.test(Deno.readTextFileSync(state)));
    assert.deepEqual([...new Set(await proxy.end())], ["eggs.example:443"]);
  });

  test(`update() trusts no authority that it is not told of (${runtime})`, skip, async () => {
    using here = application();
    await using company = await startCompany(certificates!);
    await using proxy = await startProxy({ hosts: company.hosts });
    await here.program("own", PROGRAM);
    const { DENO_CERT: _deno, NODE_EXTRA_CA_CERTS: _node, ...env } = variables(
      runtime,
      certificates!.authority,
      proxy.url,
    );
    const { code, message } = await start(here, runtime, env);
    assert.equal(code, "source-unreachable");
    assert.match(message!, /\[npm\+https:\/\/eggs\.example\/\].*(?:certificate|CERT|SSL|verify)/i);
    assert.equal(company.registry.requests.length, 0);
  });

  test(`update() keeps its budget when a proxy hangs (${runtime})`, skip, async () => {
    using here = application();
    await using company = await startCompany(certificates!);
    await here.program("own", PROGRAM);
    const through = async (options: ProxyOptions, given: object) => {
      await using proxy = await startProxy(options);
      const env = variables(runtime, certificates!.authority, proxy.url);
      return await start(here, runtime, { ...env, TRANSMUTE_BACKGROUND: "off" }, given);
    };
    await through({ hosts: company.hosts }, {});
    const startedAt = performance.now();
    const told = await through({ isSilent: true }, { budgetMs: 300, force: true });
    assert.ok(performance.now() - startedAt < LINGERING_MS, "it ended when it was done");
    assert.deepEqual(told, {
      outcome: "deferred",
      background: "off",
      greeting: "Hi, x! -- from version 1.0.0 of hello",
    });
  });
}

test.after?.(() => certificates?.[Symbol.dispose]());
