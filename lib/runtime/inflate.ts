/**
 * Bounded expansion of gzip: by zlib, or by the web's own streams where zlib is not loaded yet.
 *
 * @module
 */

type Zlib = Pick<typeof import("node:zlib"), "gunzipSync">;

const MIN_CHUNK_BYTES = 1024 * 1024;
/** No more is set aside on an archive's word than this many times its size. */
const TRUSTED_RATIO = 12;

/**
 * Expands gzip by zlib; throws a `RangeError` when the result exceeds `maxBytes`.
 *
 * Into one buffer of the size that the archive states, where that is credible: joining many
 * chunks costs half as much again as expanding them.
 */
export function expandWith(zlib: Zlib, bytes: Uint8Array, maxBytes: number): Uint8Array {
  const stated = bytes.length < 4
    ? 0
    : new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4, 4).getUint32(0, true);
  const credible = Math.min(stated, bytes.length * TRUSTED_RATIO, maxBytes);
  const chunkSize = Math.max(credible + 1, MIN_CHUNK_BYTES);
  return zlib.gunzipSync(bytes, { maxOutputLength: maxBytes, chunkSize });
}

/** Expands gzip; throws a `RangeError` as soon as the result exceeds `maxBytes`. */
export async function inflateBounded(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const expanded = new Blob([bytes as BlobPart]).stream()
    .pipeThrough(new DecompressionStream("gzip"));
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of expanded) {
    total += chunk.length;
    if (total > maxBytes) throw new RangeError(`Expands to more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  const whole = new Uint8Array(total);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
