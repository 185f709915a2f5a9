/**
 * Why the service did not start, in one message. An error of the world carries its own words; deep in the tree they
 * are wrapped by every supervisor on the way up, so the innermost error speaks.
 */
import { isOurFault } from '../base/our-fault.ts';
import type { ErrorReport } from '../otp/process.ts';
import { StartError } from '../otp/kernel/outside.ts';

const DEPTH_MAX = 20;

export function startFailure(error: unknown): string {
  const report = innermost(error);
  if (report === undefined) return error instanceof Error ? error.message : String(error);
  if (!isOurFault(report)) return report.message;
  return `this is an error of Armature itself, please report it.\n${report.stack ?? `${report.name}: ${report.message}`}`;
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
