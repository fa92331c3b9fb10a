/**
 * Why what an application runs is what it runs, what is blocked and what to do, in sentences.
 *
 * @module
 */

import type { ErrorCode } from "../errors.ts";
import { describeError, isTransmuteError } from "../errors.ts";
import { samePlatform } from "../model/state.ts";
import { runtime } from "../runtime/current.ts";
import { readClosure } from "../store/closure.ts";
import { readHistory } from "../store/history.ts";
import { countFailedStarts } from "../store/leases.ts";
import { acquireLock } from "../store/lock.ts";
import { isProven } from "../store/marks.ts";
import { closureFolder } from "../store/state.ts";
import type { Application } from "./application.ts";
import type { CommandRequest } from "./command.ts";
import type { Finding } from "./finding.ts";
import { finding } from "./finding.ts";
import {
  CLOCK_TOLERANCE_MS,
  diagnoseRefusals,
  diagnoseSources,
  redacted,
  WRONG_CLOCK_HINT,
} from "./source_diagnosis.ts";
import { counted, duration, relativeTime } from "./wording.ts";

/** Looks at one application and asks its sources; changes nothing. */
export async function diagnoseApplication(
  application: Application,
  request: CommandRequest,
): Promise<Finding[]> {
  const { state, damaged } = application;
  const findings = [...await diagnoseLock(application)];
  if (damaged) {
    findings.push(
      finding(
        "problem",
        "state",
        "Its state is damaged: a disk failed, or something else wrote there",
        `The next start takes the newest generation that is whole, as does: transmute update --app ${application.name}`,
      ),
    );
  }
  if (state.active === null && !damaged) {
    findings.push(finding("problem", "state", "It has nothing to run on: no update succeeded yet"));
  }
  findings.push(...diagnoseProbation(application, request.now));
  findings.push(...diagnoseRecordedTimes(application, request.now));
  findings.push(...diagnoseFiles(application));
  findings.push(...await diagnoseSources(application, request));
  findings.push(...diagnoseRefusals(application, findings));
  findings.push(...diagnoseRecord(application, request.now));
  return withoutRepetition(findings);
}

/** A failure is told where it happened and again by what failed of it: the longer says more. */
function withoutRepetition(findings: Finding[]): Finding[] {
  const texts = findings.map(({ text }) => redacted(text));
  return findings.filter((_finding, index) =>
    !texts.some((text, other) =>
      text.includes(texts[index]) && (text !== texts[index] || other < index)
    )
  );
}

async function diagnoseLock({ paths }: Application): Promise<Finding[]> {
  if (runtime.status(paths.lock) === null) return [];
  try {
    const unlock = await acquireLock(paths.lock, AbortSignal.abort(), () => {});
    unlock();
    return [];
  } catch (error) {
    if (isTransmuteError(error, "lock-timeout")) {
      return [finding("note", "state", "Another process is updating it at this moment")];
    }
    return [finding("problem", "state", `Its lock cannot be taken: ${describeError(error)}`)];
  }
}

/** Records from the future: the clock was set back, and checks come late. */
function diagnoseRecordedTimes({ state }: Application, now: number): Finding[] {
  const { active, checks } = state;
  const times = Object.values(checks).map(({ checkedAt }) => checkedAt);
  if (active !== null) times.push(Date.parse(active.createdAt));
  const aheadMs = Math.max(0, ...times) - now;
  return aheadMs < CLOCK_TOLERANCE_MS ? [] : [
    finding(
      "problem",
      "clock",
      `This machine's clock is ${duration(aheadMs)} behind the newest record of it`,
      WRONG_CLOCK_HINT,
    ),
  ];
}

function diagnoseFiles({ paths, state: { active } }: Application): Finding[] {
  if (active === null) return [];
  const findings: Finding[] = [];
  for (const [project, { version, closure, source }] of Object.entries(active.eggs)) {
    if (runtime.status(closureFolder(paths, closure)) === null) {
      findings.push(
        finding(
          "problem",
          "egg",
          `The files of ${project} ${version} are gone from the store`,
          "The next update brings them again",
        ),
      );
      continue;
    }
    const own = readClosure(paths, closure)?.packages
      .find(({ location }) => location === `node_modules/${project}`);
    if (own?.checked.every((proof) => proof === "size")) {
      const by = own.checked.length === 0 ? "nothing but its name" : "its size only";
      findings.push(
        finding(
          "note",
          "proof",
          `${project} ${version} was proven by ${by}: ${source} gives no digest of it`,
          `Put its SHA-256 beside it, as sha256sum writes it, into a file ending in .tgz.sha256`,
        ),
      );
    }
  }
  if (!samePlatform(active.platform, runtime.platform())) {
    const { os, cpu } = active.platform;
    const text = `It was planned for ${os} on ${cpu}, which this is not: the next start plans anew`;
    findings.push(finding("note", "state", text));
  }
  return findings;
}

/** A generation that has yet to show that it works, and how often it failed to. */
function diagnoseProbation({ paths, state: { active } }: Application, now: number): Finding[] {
  if (active === null || isProven(paths, active)) return [];
  const { generation } = active;
  const { count, lastReason } = countFailedStarts(paths, generation, now);
  const failures = count === 0 ? "" : `; ${counted(count, "start")} failed: ${lastReason}`;
  return [
    finding(
      count === 0 ? "note" : "problem",
      "state",
      `Generation ${generation} has not proven itself yet${failures}`,
      count === 0
        ? "A start that ends well proves it"
        : "After enough of them, older eggs run again; at once with: transmute rollback",
    ),
  ];
}

/** Failures on record that nothing better followed. */
function diagnoseRecord({ paths }: Application, now: number): Finding[] {
  const open = new Map<string, Finding>();
  for (const event of readHistory(paths)) {
    const { kind } = event;
    if (kind === "activated" || kind === "source-answered") open.delete("update");
    if (kind === "source-answered") open.delete(event.source);
    if (kind === "kept" || kind === "failed") {
      open.set("update", failureOnRecord("Its last update failed", event, now));
    } else if (kind === "source-unreachable" && event.code === "permission-missing") {
      // What it may do, only it knows; anything else about its sources was looked at just now.
      open.set(event.source, failureOnRecord(`It could not ask ${event.source}`, event, now));
    }
  }
  return [...open.values()];
}

function failureOnRecord(
  what: string,
  { at, code, message }: { at: string; code: ErrorCode; message: string },
  now: number,
): Finding {
  const level = code === "permission-missing" ? "problem" : "note";
  const text = `${what} ${relativeTime(Date.parse(at), now)}: ${message}`;
  return finding(level, "record", text);
}
