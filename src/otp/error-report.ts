/** What is kept of a thrown value: plain JSON, for exit reasons. */
import type { ErrorReport, ExitReason } from './process.ts';

export function crash(thrown: unknown): { readonly error: ErrorReport } {
  if (!(thrown instanceof Error)) return { error: { name: 'Thrown', message: String(thrown) } };
  const { name, message, stack } = thrown;
  return { error: stack === undefined ? { name, message } : { name, message, stack } };
}

/** An exit reason in one line. */
export function describeReason(reason: ExitReason | 'timeout' | 'overloaded' | 'ignore'): string {
  if (typeof reason === 'string') return reason;
  return 'error' in reason ? `${reason.error.name}: ${reason.error.message}` : `shutdown: ${JSON.stringify(reason.shutdown)}`;
}
