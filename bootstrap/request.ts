/**
 * Asking over HTTP: redirects by hand, bounded in bytes.
 *
 * @module
 */

import { readBounded } from "./archive.ts";
import { codeOf, demand, failure, isOurs, textOf } from "./machine.ts";

/** Asks over HTTPS, or plain HTTP where it began so. Headers go to the first origin only. */
export async function get(
  start: URL,
  signal: AbortSignal,
  headersFor: (url: URL) => Record<string, string> = () => ({}),
): Promise<Uint8Array> {
  for (let url = start, isHome = true, steps = 0; steps < 5; steps++) {
    const isPlain = url.protocol === "http:" && start.protocol === "http:";
    if (url.protocol !== "https:" && !isPlain) break;
    demand("net", "host", `${url.hostname}:${url.port || (isPlain ? 80 : 443)}`);
    try {
      const headers = isHome ? headersFor(url) : {};
      const response = await fetch(url, { headers, redirect: "manual", signal });
      if (response.status === 200) {
        // A signal that fires as the head arrives goes past the body in Deno 2.9: given twice.
        return await readBounded(response.body!.pipeThrough(new TransformStream(), { signal }));
      }
      await response.body?.cancel();
      const next = response.headers.get("location");
      if (response.status < 300 || response.status > 399 || next === null) {
        const code = [401, 403].includes(response.status) ? "source-denied" : "source-unreachable";
        throw failure(code, `${url.host} answered ${response.status}`);
      }
      url = new URL(next, url);
      isHome &&= url.origin === start.origin;
    } catch (error) {
      if (isOurs(error)) throw error;
      if (signal.aborted) throw failure("source-timeout", `${url.host} did not answer in time`);
      const cause = (error as { cause?: unknown }).cause ?? error;
      const found = `${url.host} failed (${codeOf(cause) ?? textOf(cause)})`;
      throw failure("source-unreachable", found, undefined, cause);
    }
  }
  throw failure("source-unreachable", `${start.host} leads to no address that is safe`);
}
