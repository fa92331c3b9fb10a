/**
 * Reading JSON of others: nothing about its shape is known.
 *
 * @module
 */

/** A JSON object whose fields may be anything. */
export type Json = Record<string, unknown>;

/** Whether a value is an object with fields: neither a list nor `null`. */
export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
