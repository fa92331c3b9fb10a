/**
 * The address of a folder behind a web server, and what is sent to that server alone.
 *
 * Credentials come from the options, from the address itself, or from the variable
 * `TRANSMUTE_AUTH_TOKENS`, which is written as Deno writes its own `DENO_AUTH_TOKENS`:
 * `token@host` or `name:password@host:port`, several of them with `;` between.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { runtime } from "../runtime/current.ts";
import { authorizationIn, basicAuthorization } from "./npm_config.ts";
import { addressKind } from "./private_address.ts";

/** The variable that holds credentials by host. */
export const TOKENS_VARIABLE = "TRANSMUTE_AUTH_TOKENS";

/** How a folder behind a web server is asked; all fields are optional. */
export interface HttpSourceOptions {
  /**
   * The value of `Authorization`, such as `Bearer …`; or what gives it, asked before every request,
   * so that it may expire. Sent to the folder's own origin only.
   */
  authorization?: string | (() => string | Promise<string>);
  /** Further headers, such as `x-api-key`. Sent to the folder's own origin only. */
  headers?: Record<string, string>;
  /** Whether an `http:` address of another machine may be used. @default {false} */
  allowHttp?: boolean;
}

/** An address that may be asked. */
export interface HttpFolderAddress {
  /** Canonical and without credentials. */
  id: string;
  /** The folder, with a slash at its end; or a page of links, which ends in `.html`. */
  url: URL;
  /** What goes to the folder's own origin, and nothing for all others. */
  headersFor(url: URL): Promise<Record<string, string>>;
  /** What to do when the server denies a request. */
  deniedHint(): string;
}

/** An address as messages may show it: a question may hold a token as well. */
function withoutSecrets(address: string): string {
  return address.replace(/\/\/[^/]*@/, "//").replace(/[?#].*/s, "");
}

function invalid(address: string, found: string, hint?: string): TransmuteError {
  return new TransmuteError(
    "option-invalid",
    `Cannot open the source ${JSON.stringify(withoutSecrets(address))}: ${found}`,
    hint === undefined ? {} : { hint },
  );
}

/** What `fetch` would refuse with a message that shows the value. */
function assertSendable(address: string, name: string, value: string): void {
  if (/^[!#$%&'*+.^_`|~\w-]+$/.test(name) && /^[\t -~\x80-\xff]*$/.test(value)) return;
  throw invalid(address, `the header ${JSON.stringify(name)} cannot be sent as it is`);
}

/**
 * Reads the address of a folder.
 *
 * @param env reads a variable
 * @throws {TransmuteError} `option-invalid`
 */
export function readHttpAddress(
  address: string,
  options: HttpSourceOptions,
  env: (name: string) => string | undefined = runtime.env,
): HttpFolderAddress {
  const url = /^https?:\/\//i.test(address) && URL.canParse(address) ? new URL(address) : null;
  if (url === null || url.search !== "" || url.hash !== "") {
    throw invalid(address, 'wanted an address such as "https://host/path/", without "?" and "#"');
  }
  if (
    url.protocol === "http:" && options.allowHttp !== true &&
    addressKind(url.hostname) !== "loopback"
  ) {
    throw invalid(
      address,
      'found an unencrypted address, wanted "https:"',
      `Use https:, or httpSource("http://…", { allowHttp: true }) where the network can be trusted`,
    );
  }
  const own = authorizationIn(url);
  url.username = url.password = "";
  if (!/(?:\/|\.html?)$/.test(url.pathname)) url.pathname += "/";

  const configured = options.authorization ?? own ?? tokenFor(url.host, env(TOKENS_VARIABLE));
  const headers = options.headers ?? {};
  for (const [name, value] of Object.entries(headers)) assertSendable(address, name, value);

  return {
    id: url.href,
    url,
    async headersFor(asked) {
      if (asked.origin !== url.origin) return {};
      const authorization = typeof configured === "function" ? await configured() : configured;
      if (authorization === undefined) return headers;
      assertSendable(address, "authorization", authorization);
      return { ...headers, authorization };
    },
    deniedHint: () =>
      configured === undefined
        ? `Set ${TOKENS_VARIABLE}=<token>@${url.host}, or give httpSource() an authorization`
        : "Renew the credentials for it",
  };
}

/** The value of `Authorization` for a host, as the variable has it. */
function tokenFor(host: string, variable: string | undefined): string | undefined {
  for (const entry of (variable ?? "").split(";")) {
    const at = entry.lastIndexOf("@");
    if (at < 0 || entry.slice(at + 1).trim().toLowerCase() !== host) continue;
    const secret = entry.slice(0, at).trim();
    const colon = secret.indexOf(":");
    return colon < 0
      ? `Bearer ${secret}`
      : basicAuthorization(secret.slice(0, colon), secret.slice(colon + 1));
  }
  return undefined;
}
