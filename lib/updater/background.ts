/**
 * Finishing an update in the background: what a process or thread does that was started for it.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { TransmuteOptions } from "../options.ts";
import { forgetVariable, leave } from "../runtime/beside.ts";
import { runtime } from "../runtime/current.ts";
import { releaseBackground, signBackground } from "../store/background_marker.ts";
import { writeHistory } from "./change_state.ts";
import type { UpdateRequest } from "./request.ts";
import { updateNow } from "./update.ts";

/** The variable that tells a process what it was started for. Also the option's own. */
export const BACKGROUND_VARIABLE = "TRANSMUTE_BACKGROUND";

/** The part of a life after which requests are ended, so that there is time to tidy up. */
const WORKING_LIFE = 0.95;

/** What a program asked for, in words. */
export interface BackgroundRequest {
  options: TransmuteOptions;
  requirements: string[];
}

/** What a process or thread is started for. */
export interface BackgroundWork {
  app: string;
  /** Milliseconds after which it ends, done or not. */
  lifeMs: number;
  /** A process's right to do it. */
  token?: string;
  /** True for a thread, which ends by itself and must not end the process. */
  thread?: true;
  /** Absent where the program itself was started again, which knows. */
  request?: BackgroundRequest;
}

/** @throws {TransmuteError} `option-invalid` when it is no work */
function readWork(text: string): BackgroundWork {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TransmuteError(
      "option-invalid",
      `Cannot use the option background: found ${JSON.stringify(text.slice(0, 20))}, wanted ` +
        '"process", "in-process" or "off"',
      { cause },
    );
  }
}

/**
 * Does the work, and ends this process when it was started for that. What goes wrong is in the
 * history: nobody is there to see it.
 *
 * Another application's work is left to it, which may be met later in the same process.
 *
 * @throws {TransmuteError} `option-invalid` when the text is no work
 */
export async function finishUpdate(
  text: string,
  request: UpdateRequest,
): Promise<void> {
  const work = readWork(text);
  const { paths, options, tell } = request;
  if (work.app !== options.app) return;
  const stop = new AbortController();
  const timers = [
    setTimeout(
      () => stop.abort(new TransmuteError("source-timeout", "Cannot go on: the time is over")),
      work.lifeMs * WORKING_LIFE,
    ),
  ];
  if (!work.thread) {
    timers.push(setTimeout(() => leave(0), work.lifeMs));
    // Programs that are started from here have work of their own.
    forgetVariable(BACKGROUND_VARIABLE);
  }
  try {
    if (work.token !== undefined && !signBackground(paths, work.token)) return;
    const result = await updateNow({ ...request, signal: stop.signal, continuing: true });
    await result.afterwards?.();
  } catch {
    /* what it was is in the history */
  } finally {
    for (const timer of timers) clearTimeout(timer);
    if (work.token !== undefined) {
      releaseBackground(paths, work.token);
      tell("debug", "background-ended", { pid: runtime.pid });
      writeHistory(request);
    }
    if (!work.thread) leave(0);
  }
}
