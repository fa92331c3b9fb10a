/**
 * A web server for a folder, with ETags as such servers have them, and a count of every byte that
 * goes over its connections, headers and all.
 */

/** What went over the wire. */
export interface Counted {
  /** The paths that were asked for, in order. */
  requests: string[];
  /** Bytes from clients, and to them. */
  bytesOut: number;
  bytesIn: number;
}

/** A running server. */
export interface CountingServer extends AsyncDisposable {
  /** Its address, with a slash at its end. */
  url: string;
  reset(): void;
  counted(): Counted;
}

/** Starts a server of `folder` on loopback. */
export function startCountingServer(folder: string): CountingServer {
  let counted: Counted = { requests: [], bytesOut: 0, bytesIn: 0 };
  const files = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const path = decodeURIComponent(new URL(request.url).pathname);
    counted.requests.push(path);
    const file = await Deno.readFile(folder + path).catch(() => null);
    if (file === null) return new Response("Not found", { status: 404 });
    const { mtime, size } = await Deno.stat(folder + path);
    const etag = `"${mtime!.getTime().toString(16)}-${size.toString(16)}"`;
    const headers = { etag, "content-type": "application/json" };
    return request.headers.get("if-none-match") === etag
      ? new Response(null, { status: 304, headers })
      : new Response(file, { headers });
  });
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;

  async function relay(client: Deno.Conn): Promise<void> {
    const server = await Deno.connect({ hostname: "127.0.0.1", port: files.addr.port });
    const counting = (note: (bytes: number) => void) =>
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          note(chunk.length);
          controller.enqueue(chunk);
        },
      });
    await Promise.allSettled([
      client.readable.pipeThrough(counting((bytes) => counted.bytesOut += bytes))
        .pipeTo(server.writable),
      server.readable.pipeThrough(counting((bytes) => counted.bytesIn += bytes))
        .pipeTo(client.writable),
    ]);
  }

  (async () => {
    for await (const client of listener) relay(client).catch(() => {});
  })();

  return {
    url: `http://127.0.0.1:${port}/`,
    reset: () => void (counted = { requests: [], bytesOut: 0, bytesIn: 0 }),
    counted: () => counted,
    async [Symbol.asyncDispose]() {
      listener.close();
      await files.shutdown();
    },
  };
}
