/**
 * Texts with percent-encodings, from whoever wrote them.
 *
 * @module
 */

/** A text decoded; as it is where a "%" in it begins no encoding. */
export function decodedText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
