/**
 * A short text that differs when a long one does. To tell changes, not to prove anything: whoever
 * wants to can make two texts collide.
 *
 * @module
 */

/** 64 bits of FNV-1a's kind, in hexadecimal, of the UTF-16 units of `text`. */
export function fingerprintOf(text: string): string {
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    low = Math.imul(low ^ unit, 0x01000193);
    high = Math.imul(high ^ unit, 0x85ebca6b) ^ (low >>> 15);
  }
  return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}
