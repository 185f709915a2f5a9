/** Whether the service can do what a request needs; a request that comes a little early waits. */
import type { ApiContext } from './api-context.ts';
import { becameUnready, notReady, type Refusal } from './refusal.ts';

const UNKNOWN = { message: 'Timeout waiting for the service to be ready' };

/**
 * @param goal `readable` for stored shapes, `active` for whatever makes or deletes one.
 * @returns why not, once the wait is over.
 */
export async function whenReady(context: ApiContext, goal: 'readable' | 'active'): Promise<Refusal | undefined> {
  const { status } = context.ports;
  const isReady = goal === 'readable' ? status.isReadable() : status.level() === 'active';
  if (isReady || (await status.waitUntil(goal, context.settings.readinessTimeoutMs))) return undefined;
  return notReady(status.whyNotReady() ?? UNKNOWN);
}

/** Asked at the end of a long wait, which began when the service was well. */
export function whyUnwell(context: ApiContext): Refusal | undefined {
  const { status } = context.ports;
  return status.level() === 'starting' ? becameUnready(status.whyNotReady() ?? UNKNOWN) : undefined;
}
