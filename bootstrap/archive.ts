/**
 * Reading the one file that is wanted out of an `npm pack` archive.
 *
 * @module
 */

import { decode, failure, isOurs } from "./machine.ts";

/** Neither an answer nor what it expands to may be larger. */
const MAX_BYTES = 64 * 1024 ** 2;

/** All of a stream, which may not be endless. */
export async function readBounded(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    total += chunk.length;
    if (total > MAX_BYTES) throw failure("size-mismatch", `found more than ${MAX_BYTES} bytes`);
  }
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
}

/** The file `mod.js` of an `npm pack` archive. No path of the archive is used for writing. */
export async function modFile(archive: Uint8Array, what: string): Promise<Uint8Array> {
  const refuse = (found: string) => failure("archive-invalid", `${what} ${found}`);
  const gzip = new Blob([archive as BlobPart]).stream().pipeThrough(
    new DecompressionStream("gzip"),
  );
  const tar = await readBounded(gzip).catch((error) => {
    throw isOurs(error) ? error : refuse("is no gzip");
  });
  const bodies: Uint8Array[] = [];
  for (let at = 0; tar[at] !== 0;) {
    const header = tar.subarray(at, at + 512);
    const text = (from: number, to: number) => decode(header.subarray(from, to)).split("\0")[0];
    const size = parseInt(text(124, 136), 8);
    const sum = header.reduce((all, byte, i) => all + (i >= 148 && i < 156 ? 32 : byte), 0);
    const body = tar.subarray(at + 512, at + 512 + size);
    if (parseInt(text(148, 156), 8) !== sum || body.length !== size) {
      throw refuse("is a broken tar");
    }
    const type = text(156, 157) || "0";
    // An extended header may only tell what is of no use here, such as times.
    const isHarmless = /[xg]/.test(type) && !/^\d+ (path|size|linkpath)=/m.test(decode(body));
    if (!/[05]/.test(type) && !isHarmless) throw refuse(`has an entry of the type ${type}`);
    if (type === "0" && text(345, 500) + text(0, 100) === "package/mod.js") bodies.push(body);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  if (bodies.length !== 1) throw refuse(`has ${bodies.length} files mod.js, wanted one`);
  return bodies[0];
}
