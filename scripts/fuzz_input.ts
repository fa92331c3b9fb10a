/** Inputs out of inputs, by chance: the same ones again for the same seed. */

/** Numbers between 0 and 1, the same for the same seed. */
export type Chance = () => number;

/** A source of chance. @param seed any whole number */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What parsers tend to stumble over. */
const STUMBLING = [
  ...["../", "/", "\\", "\0", "..", ".", "C:", "\u202e", "é", "e\u0301", "PK\x05\x06", "ustar"],
  ...["__proto__", "constructor", "null", "-1", "1e999", "9007199254740993", "{}", "[]", '"', "\n"],
  ...["{", "[", "}", "]", ",", ":", "${", "<!--", "]]>", "%2f", "%00", "true", "0", "\ufeff", "a@"],
].map((text) => new TextEncoder().encode(text));
const LARGEST_BYTES = 64 * 1024;

const below = (chance: Chance, limit: number) => Math.floor(chance() * limit);

function spliced(bytes: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array {
  const whole = new Uint8Array(bytes.length - remove + insert.length);
  whole.set(bytes.subarray(0, at));
  whole.set(insert, at);
  whole.set(bytes.subarray(at + remove), at + insert.length);
  return whole;
}

/** One change. */
function changed(bytes: Uint8Array, seeds: Uint8Array[], chance: Chance): Uint8Array {
  const at = below(chance, bytes.length + 1);
  const length = Math.min(bytes.length - at, 1 + below(chance, 2 ** below(chance, 10)));
  switch (below(chance, 8)) {
    case 0: {
      const copy = bytes.slice();
      if (copy.length > 0) copy[at % copy.length] ^= 1 << below(chance, 8);
      return copy;
    }
    case 1: {
      const copy = bytes.slice();
      if (copy.length > 0) copy[at % copy.length] = [0, 0xff, 0x7f, 0x80, 0x30][below(chance, 5)];
      return copy;
    }
    case 2:
      return spliced(bytes, at, length, new Uint8Array());
    case 3:
      return spliced(bytes, at, 0, bytes.subarray(at, at + length));
    case 4:
      return spliced(bytes, at, 0, STUMBLING[below(chance, STUMBLING.length)]);
    case 5:
      return spliced(bytes, at, length, STUMBLING[below(chance, STUMBLING.length)]);
    case 6: {
      const other = seeds[below(chance, seeds.length)];
      const from = below(chance, other.length + 1);
      return spliced(bytes, at, length, other.subarray(from, from + length));
    }
    default:
      return bytes.slice(0, at);
  }
}

/** An input like one of the seeds, or once in a while like nothing. */
export function nextInput(seeds: Uint8Array[], chance: Chance): Uint8Array {
  if (chance() < 0.01) {
    return Uint8Array.from({ length: below(chance, 600) }, () => below(chance, 256));
  }
  let input = seeds[below(chance, seeds.length)];
  for (let changes = 1 + below(chance, 2 ** below(chance, 4)); changes > 0; changes--) {
    input = changed(input, seeds, chance);
    if (input.length > LARGEST_BYTES) input = input.slice(0, LARGEST_BYTES);
  }
  return input;
}
