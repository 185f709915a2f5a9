/** What is kept of a thrown value: plain JSON, for exit reasons. Anything at all can be thrown: nothing here may throw in its turn. */
import type { ErrorReport, ExitReason } from '../process.ts';

export function crash(thrown: unknown): { readonly error: ErrorReport } {
  try {
    return { error: reportOf(thrown) };
  } catch {
    // Reading its name or message threw in its turn.
    return { error: { name: 'Thrown', message: 'something that cannot be told' } };
  }
}

function reportOf(thrown: unknown): ErrorReport {
  if (!(thrown instanceof Error)) return { name: 'Thrown', message: String(thrown) };
  const { name, message, stack } = thrown;
  const report = { name: String(name), message: String(message) };
  return stack === undefined ? report : { ...report, stack };
}

/** For a message: a value that nothing guarantees to be JSON. */
export function inJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // It is cyclic, holds a BigInt, or has a `toJSON` that throws.
    return `[${typeof value} that is no JSON]`;
  }
}

/** An exit reason in one line. */
export function describeReason(reason: ExitReason | 'timeout' | 'overloaded' | 'ignore'): string {
  if (typeof reason === 'string') return reason;
  return 'error' in reason ? `${reason.error.name}: ${reason.error.message}` : `shutdown: ${inJson(reason.shutdown)}`;
}
