/** Whether the service can do what a request needs; a request that comes a little early waits. */
import type { StopSignal } from '../base/stop-signal.ts';
import type { ApiContext } from './api-context.ts';
import type { ReadinessGoal } from './ports.ts';
import { becameUnready, leaving, notReady, type Refusal } from './refusal.ts';

const UNKNOWN = { message: 'Timeout waiting for the service to be ready' };
const STILL_WAKING = {
  code: 'not_up_to_date',
  message: 'What was changed while nobody used the database is still being followed. Please try again later.',
};

/**
 * @param goal `readable` for stored shapes, `awake` for what tells of the present, `connected` for the catalogue, `active` for whatever
 * makes or deletes a shape.
 * @param signal aborted when nobody waits any longer, or nobody is to: the server closes.
 * @returns why not, once the wait is over.
 */
export async function whenReady(context: ApiContext, goal: ReadinessGoal, signal?: StopSignal): Promise<Refusal | undefined> {
  if (isMet(context, goal)) return undefined;
  const { status } = context.ports;
  const until = status.waitUntil(goal, context.settings.readinessTimeoutMs);
  const hasCome = await (signal === undefined ? until : unlessAborted(until, signal));
  if (hasCome === 'aborted') return leaving();
  return hasCome ? undefined : notReady(status.whyNotReady() ?? (goal === 'awake' ? STILL_WAKING : UNKNOWN));
}

/**
 * The database counts as used. Connections that were closed because nobody used it are opened: who asks now must not be told of what was
 * known before.
 */
export async function whenAwake(context: ApiContext, signal?: StopSignal): Promise<Refusal | undefined> {
  context.ports.status.noteUse();
  return await whenReady(context, 'awake', signal);
}

/** A signal may outlive many waits, and keeps nothing of those that are over. */
function unlessAborted<Result>(wait: Promise<Result>, signal: StopSignal): Promise<Result | 'aborted'> {
  return new Promise((resolve, reject) => {
    const abandon = (): void => resolve('aborted');
    if (signal.aborted) abandon();
    signal.addEventListener('abort', abandon);
    wait.then(resolve, reject).finally(() => signal.removeEventListener('abort', abandon));
  });
}

function isMet({ ports: { status } }: ApiContext, goal: ReadinessGoal): boolean {
  switch (goal) {
    case 'readable':
      return status.isReadable();
    case 'awake':
      return status.isAwake();
    case 'connected':
      return status.isConnected();
    case 'active':
      return status.level() === 'active';
  }
}

/** Asked before somebody is told for long that there is nothing new. A service that is unwell for a moment is waited for. */
export async function whyUnwellStill(context: ApiContext): Promise<Refusal | undefined> {
  if (whyUnwell(context) === undefined) return undefined;
  await context.ports.status.waitUntil('active', context.settings.readinessTimeoutMs);
  return whyUnwell(context);
}

/** Asked at the end of a long wait, which began when the service was well. Who waits for the lock follows nothing: others may. */
export function whyUnwell(context: ApiContext): Refusal | undefined {
  const { status } = context.ports;
  return status.isFollowed() ? undefined : becameUnready(status.whyNotReady() ?? UNKNOWN);
}
