/**
 * Serves a folder on loopback as web servers do, for benchmarks: `/listed/` by a page, `/indexed/`
 * by its `index.json` too. Prints its port.
 *
 * `deno run -A scripts/bench_folder_server.ts <folder>`
 */

import { createHash } from "node:crypto";

const [folder] = Deno.args;

function page(): string {
  const links = Array.from(Deno.readDirSync(folder), ({ name }) => name)
    .filter((name) => name !== "index.json").sort()
    .map((name) => `<a href="${name}">${name}</a>        26-Nov-2026 00:30        400`);
  return `<html>\n<head><title>Index of /listed/</title></head>\n<body>\n<pre>` +
    `<a href="../">../</a>\n${links.join("\n")}\n</pre></body>\n</html>\n`;
}

function answer(request: Request): Response {
  const { pathname } = new URL(request.url);
  const [, way, name] = pathname.split("/");
  if (name === "") return new Response(page(), { headers: { "content-type": "text/html" } });
  if (way === "listed" && name === "index.json") return new Response(null, { status: 404 });
  const path = `${folder}/${decodeURIComponent(name)}`;
  try {
    const body = Deno.readFileSync(path);
    const etag = `"${createHash("sha1").update(body).digest("hex")}"`;
    return request.headers.get("if-none-match") === etag
      ? new Response(null, { status: 304, headers: { etag } })
      : new Response(body, { headers: { etag } });
  } catch {
    return new Response(null, { status: 404 });
  }
}

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(port),
}, answer);
