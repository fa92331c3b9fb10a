/**
 * Whoever sits between an application and its repository, or owns the server: passes everything on,
 * or answers as it likes.
 */

/** What the proxy does to those who ask. */
export type Attack = "none" | "older" | "swapped" | "frozen" | "endless";

/** A running proxy. */
export interface HostileProxy extends AsyncDisposable {
  /** Its address, with a slash at its end. */
  url: string;
  /** From now on it answers like this. */
  turn(attack: Attack): void;
  /** Keeps what `timestamp.json` is at this moment, under a name. */
  keep(name: "old" | "now"): Promise<void>;
}

const PIECE = new Uint8Array(64 * 1024).fill(0x20);

/**
 * Starts a proxy for a repository.
 *
 * @param server the address of the real server
 * @param timestamp the path of the repository's timestamp on it
 */
export function startHostileProxy(server: string, timestamp: string): HostileProxy {
  const kept = new Map<string, Uint8Array>();
  let attack: Attack = "none";
  const ask = (path: string, headers?: Headers) =>
    fetch(new URL(path, server), headers === undefined ? {} : { headers });

  async function answer(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const isTimestamp = pathname === timestamp;
    if (isTimestamp && attack === "endless") return new Response(endless());
    if (isTimestamp && attack === "older") return new Response(kept.get("old") as BodyInit);
    if (isTimestamp && attack === "frozen") return new Response(kept.get("now") as BodyInit);
    const response = await ask(pathname.slice(1) + search, request.headers);
    if (attack !== "swapped" || !pathname.endsWith(".tgz")) return response;
    const bytes = new Uint8Array(await response.arrayBuffer());
    bytes[bytes.length >> 1] ^= 1;
    return new Response(bytes);
  }

  const running = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
  return {
    url: `http://127.0.0.1:${running.addr.port}/`,
    turn: (next) => void (attack = next),
    async keep(name) {
      const response = await ask(timestamp.slice(1));
      kept.set(name, new Uint8Array(await response.arrayBuffer()));
    },
    [Symbol.asyncDispose]: () => running.shutdown(),
  };
}

/** A body without an end. */
function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({ pull: (controller) => controller.enqueue(PIECE) });
}
