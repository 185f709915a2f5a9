/** LentSessions: what the pools find of a pooler that lends sessions, for the log, and for who asks for health. */
import { note } from '../../actors/journal.ts';
import type { Runtime } from '../../otp/runtime.ts';

/**
 * Of what is found again and again, what changes is told. It outlives the process that finds it.
 *
 * @param withinMs how long a pooler has for a session.
 */
export function lendingOf(runtime: Pick<Runtime, 'send'>, withinMs: number): (isWithheld: boolean) => void {
  let wasWithheld = false;
  return (isWithheld) => {
    if (isWithheld === wasWithheld) return;
    wasWithheld = isWithheld;
    const { to, event } = isWithheld ? note('warn', 'sessions.withheld', { withinMs }) : note('info', 'sessions.lent');
    runtime.send(to, event);
  };
}
