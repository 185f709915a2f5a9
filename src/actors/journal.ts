/**
 * Journal notes: what a machine has to tell an operator, sent to the process `@journal`; where none is, they vanish.
 *
 * For what is known to the machine alone and forgotten after the transition: with which error, for how long. Starts,
 * ends and restarts of processes are told by the runtime, and nothing is told twice. Never one per row or per batch.
 */
import type { Message, Name } from '../otp/process.ts';

export interface JournalNote extends Message {
  readonly type: 'note';
  readonly level: 'info' | 'warn' | 'error';
  /** Subject and past participle, as events are named: `replication.refused`. */
  readonly what: string;
}

/** Parameters of the effect `send`. @param fields plain JSON, small. */
export function note(
  level: JournalNote['level'],
  what: string,
  fields: Readonly<Record<string, unknown>> = {},
): { to: Name; event: JournalNote } {
  return { to: '@journal', event: { ...fields, type: 'note', level, what } };
}

/**
 * Of a machine that backs off and tries again by itself: what was against it, and when it will try. An `error` is what
 * somebody must do something about.
 */
export function refusalNote({
  context,
  event,
}: {
  context: { delayMs: number };
  event: { type: string; error: unknown; fatal?: boolean };
}): ReturnType<typeof note> {
  return note(event.fatal === true ? 'error' : 'warn', event.type, { error: event.error, retryInMs: context.delayMs });
}
