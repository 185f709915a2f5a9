/**
 * Why the service did not start, in one message. An error of the world carries its own words; deep in the tree they
 * are wrapped by every supervisor on the way up, so the innermost error speaks.
 */
import { isOurFault } from '../base/our-fault.ts';
import type { ErrorReport } from '../otp/process.ts';
import { AddressRefusedError, PortTakenError } from '../http/listen-errors.ts';
import { StartError } from '../otp/kernel/outside.ts';
import { errorOf } from '../storage/errors.ts';

const DEPTH_MAX = 20;

export function startFailure(error: unknown): string {
  const report = innermost(error);
  if (report === undefined) return error instanceof Error ? error.message : String(error);
  if (!isOurFault(report)) return report.message;
  return `this is an error of Armature itself, please report it.\n${report.stack ?? `${report.name}: ${report.message}`}`;
}

/** Of errors that come from within the tree nothing is left but what they say. */
const KNOWN: ReadonlyMap<string, new (message: string) => Error> = new Map<string, new (message: string) => Error>([
  ['PortTakenError', PortTakenError],
  ['AddressRefusedError', AddressRefusedError],
]);

/** What a program catches: the error that speaks, and behind it, as its cause, all that was wrapped around it. */
export function startError(error: unknown): Error {
  if (!(error instanceof StartError)) return errorOf(error);
  const report = innermost(error);
  if (report === undefined) return error;
  const Known = KNOWN.get(report.name) ?? Error;
  const told = new Known(report.message);
  return Object.assign(told, { name: report.name, cause: error, ...(report.stack === undefined ? {} : { stack: report.stack }) });
}

function innermost(error: unknown): ErrorReport | undefined {
  let at: unknown = error instanceof StartError ? error.reason : { error };
  for (let depth = 0; depth < DEPTH_MAX; depth += 1) {
    if (!isRecord(at)) return undefined;
    if (isReport(at['error'])) return at['error'];
    at = at['shutdown'] ?? at['reason'] ?? at['error'];
  }
  return undefined;
}

function isReport(value: unknown): value is ErrorReport {
  return isRecord(value) && typeof value['name'] === 'string' && typeof value['message'] === 'string';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
