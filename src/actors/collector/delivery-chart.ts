/**
 * DeliveryChart: what stands in the charts of both collectors. A block is routed step by step, then goes to one layer of
 * Consumers after the other. Whoever died is counted and not waited for, and so is whoever is silent for too long: one shape
 * that cannot go on must not stop all others. What they did not take nobody brings them again, so they are told.
 */
import type { LogPosition } from '../../model/log-position.ts';
import type { Handle } from '../../model/shape.ts';
import type { Address } from '../../otp/process.ts';
import type { DeliveryId } from '../../shapes/delivery.ts';
import { consumerOf } from '../shape-processes.ts';
import type { RouterChange } from './router-table.ts';

/** How long a collector waits while nobody answers of those whom it has brought something. */
export const SILENCE_MS = 5_000;

/** The log reader has died: its supervisor brings it back, and it is asked once more. */
export const awaitRetry = { type: 'startTimer', params: { name: 'retry', delayMs: 50 } } as const;

interface Unanswered {
  readonly event: { readonly failed: readonly Address[] };
}

export interface NotTaken {
  readonly event: { readonly handles: readonly Handle[] };
}

export const routeOn = { type: 'apply', params: { table: 'router', change: 'routeOn' } } as const;
export const nextLayer = { type: 'apply', params: { table: 'router', change: 'nextLayer' } } as const;

export const noteUnanswered = {
  type: 'apply',
  params: ({ event: { failed } }: Unanswered) => routerChange({ unanswered: failed }),
} as const;

/** Nothing is brought to them any more. */
export const removeNotTaken = {
  type: 'apply',
  params: ({ event: { handles } }: NotTaken) => routerChange({ leaveBehind: handles }),
} as const;

export const leaveBehind = [
  removeNotTaken,
  { type: 'sendToEach', params: ({ event: { handles } }: NotTaken) => ({ to: handles.map(consumerOf), event: { type: 'leftBehind' } }) },
] as const;

/** @param type of the request that names the delivery. */
export function deliverLayer(type: 'batch' | 'fragment') {
  const params = ({ context, event }: { context: { routedThrough: LogPosition }; event: { delivery: DeliveryId } }) =>
    tellRecipients({ type, delivery: event.delivery, through: context.routedThrough }, 'batch');
  return { type: 'multicall', params } as const;
}

/** Parameters of a `multicall` to those whom the router addresses. */
export function tellRecipients<const Request>(request: Request, as: string) {
  return { table: 'router', request, as, silenceMs: SILENCE_MS };
}

export function isTakenByAll(_: unknown, { failed }: { failed: readonly Address[] }): boolean {
  return failed.length === 0;
}

/** Parameters of the effect `apply`. */
export function routerChange(change: RouterChange): { table: string; change: RouterChange } {
  return { table: 'router', change };
}
