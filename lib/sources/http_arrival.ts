/**
 * The bytes of one answer as they arrive: over several requests when the first ones break off, and
 * over several processes when the store keeps what came.
 *
 * Nothing here is believed for good. What was put together from two answers may be of two files,
 * if a server lies or a disk does; so a resumed body says that it is one, and whoever finds it
 * wanting asks for the whole again.
 *
 * @module
 */

import type { HttpQuestion } from "./http_question.ts";
import { failure, PassingFailure } from "./http_question.ts";
import type { PartialArchive, PartialArchives } from "./source.ts";

/** How much arrives before it is written to the store. */
const KEEP_BYTES = 256 * 1024;
/** A time of change this much older than the answer changes whenever the file does. */
const SETTLED_MS = 60_000;

/** The body of an answer, as far as it is here. */
export class Arrival {
  readonly #question: HttpQuestion;
  readonly #partials: PartialArchives | undefined;
  #chunks: Uint8Array[] = [];
  #totalBytes = 0;
  /** How many of the chunks the store has. */
  #keptChunks = 0;
  #unkeptBytes = 0;
  #kept: PartialArchive | null = null;
  /** What the beginning is held to when its rest is asked for. */
  #validator: string | null = null;
  /** Where the body that is being read ends, when its answer says. */
  #endsAt: number | null = null;
  /** The size of the whole, when an answer said. */
  #sizeBytes: number | null = null;
  /** Whether bytes of an earlier answer are here. */
  resumed = false;

  constructor(question: HttpQuestion, partials?: PartialArchives) {
    this.#question = question;
    if (question.resume === undefined) return;
    this.#partials = partials;
    const kept = partials?.take(question.resume.key) ?? null;
    if (kept === null) return;
    if (kept.bytes.length === 0 || kept.bytes.length > question.maxBytes) {
      kept.remove();
      return;
    }
    this.#kept = kept;
    this.#validator = kept.validator;
    this.#chunks = [kept.bytes];
    this.#keptChunks = 1;
    this.#totalBytes = kept.bytes.length;
  }

  /** How much is here. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** The headers that ask for the rest; none when the whole is to be asked for. */
  conditions(): Record<string, string> {
    const { resume } = this.#question;
    if (resume === undefined || this.#totalBytes === 0 || this.#validator === null) return {};
    return { "range": `bytes=${this.#totalBytes}-`, [resume.condition]: this.#validator };
  }

  /**
   * Prepares for the body of an answer of 200 or 206.
   *
   * @throws {PassingFailure} when it does not continue what is here, which is then forgotten
   * @throws {TransmuteError} the question's `tooLarge`
   */
  expect(host: string, status: number, headers: Headers): void {
    if (status === 206) {
      const fits = this.#expectRest(headers);
      if (!fits) {
        this.forget();
        throw new PassingFailure(`${host} continued otherwise than it was asked to`);
      }
      this.resumed = true;
    } else {
      this.forget();
      const length = isEncoded(headers) ? null : headers.get("content-length");
      this.#endsAt = this.#sizeBytes = length === null ? null : Number(length);
      this.#validator = this.#validatorOf(headers);
    }
    const declared = this.#sizeBytes ?? Number(headers.get("content-length") ?? 0);
    if (declared > this.#question.maxBytes) throw this.#tooLarge(host, String(declared));
  }

  /** Whether a 206 is the rest of what is here, by all that it says of itself. */
  #expectRest(headers: Headers): boolean {
    const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers.get("content-range") ?? "");
    if (range === null || isEncoded(headers) || this.conditions().range === undefined) return false;
    const [start, last] = [Number(range[1]), Number(range[2])];
    const size = range[3] === "*" ? null : Number(range[3]);
    if (start !== this.#totalBytes || last < start || (size !== null && last >= size)) return false;
    if (this.#sizeBytes !== null && size !== null && size !== this.#sizeBytes) return false;
    const validators = [headers.get("etag"), headers.get("last-modified")];
    const given = validators.filter((one) => one !== null);
    if (given.length > 0 && !given.includes(this.#validator!)) return false;
    this.#endsAt = last + 1;
    this.#sizeBytes = size;
    return true;
  }

  /** @throws {TransmuteError} the question's `tooLarge` */
  add(host: string, chunk: Uint8Array): void {
    this.#totalBytes += chunk.length;
    if (this.#totalBytes > this.#question.maxBytes) {
      throw this.#tooLarge(host, `more than ${this.#question.maxBytes}`);
    }
    this.#chunks.push(chunk);
    this.#unkeptBytes += chunk.length;
    if (this.#unkeptBytes >= KEEP_BYTES) this.keep();
  }

  /**
   * The whole body, once an answer has ended.
   *
   * @throws {PassingFailure} when it ended elsewhere than it said
   */
  whole(host: string): Uint8Array {
    const wanted = Math.max(this.#endsAt ?? 0, this.#sizeBytes ?? 0);
    if (this.#totalBytes < wanted) {
      throw new PassingFailure(`${host} sent ${this.#totalBytes} of ${wanted} bytes`);
    }
    if (this.#endsAt !== null && this.#totalBytes > this.#endsAt) {
      const found = `${host} sent ${this.#totalBytes} bytes and announced ${this.#endsAt}`;
      this.forget();
      throw new PassingFailure(found);
    }
    this.#kept?.remove();
    return joined(this.#chunks, this.#totalBytes);
  }

  /** Lets the store have what is here, for whoever asks next. */
  keep(): void {
    const { resume } = this.#question;
    if (this.#partials === undefined || resume === undefined || this.#validator === null) return;
    if (this.#unkeptBytes === 0) return;
    this.#kept ??= this.#partials.begin(resume.key, this.#validator);
    const chunks = this.#chunks.slice(this.#keptChunks);
    this.#kept.append(joined(chunks, this.#unkeptBytes));
    this.#keptChunks = this.#chunks.length;
    this.#unkeptBytes = 0;
  }

  /** Drops what is here, and in the store. */
  forget(): void {
    this.#kept?.remove();
    this.#kept = null;
    this.#chunks = [];
    this.#totalBytes = this.#keptChunks = this.#unkeptBytes = 0;
    this.#validator = this.#endsAt = this.#sizeBytes = null;
    this.resumed = false;
  }

  #tooLarge(host: string, found: string) {
    const { maxBytes, tooLarge } = this.#question;
    this.forget();
    const text = `${host} sent ${found} bytes, wanted at most ${maxBytes}`;
    return failure(this.#question, tooLarge, text);
  }

  /** What the rest can be held to: a strong ETag, or a time of change that has settled. */
  #validatorOf(headers: Headers): string | null {
    if (this.#question.resume === undefined || isEncoded(headers)) return null;
    const etag = headers.get("etag");
    if (etag !== null) return etag.startsWith('"') ? etag : null;
    const changed = headers.get("last-modified");
    if (changed === null || this.#question.resume.condition === "if-match") return null;
    const age = Date.parse(headers.get("date") ?? "") - Date.parse(changed);
    return age >= SETTLED_MS ? changed : null;
  }
}

/** Whether `fetch` changes the bytes on their way, so that lengths and ranges are of others. */
function isEncoded(headers: Headers): boolean {
  return (headers.get("content-encoding") ?? "identity").toLowerCase() !== "identity";
}

function joined(chunks: Uint8Array[], totalBytes: number): Uint8Array {
  if (chunks.length === 1) return chunks[0];
  const whole = new Uint8Array(totalBytes);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
