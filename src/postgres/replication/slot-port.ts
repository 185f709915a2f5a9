/**
 * SlotPort: looks at our slot.
 *
 * - `lookAtSlot` → `slot.seen { slot, seenMicros, retainedBytes, flushLagBytes, safeBytes, isActive }`, bytes of WAL, at microseconds since
 *   1970-01-01 UTC; or `slot.unseen`, where there is none, or Postgres does not say
 */
import { systemClock, type Clock } from '../../base/clock.ts';
import type { Message, Name, PortSpec } from '../../otp/process.ts';
import type { DatabasePool } from '../connection/pool.ts';
import { slotFigures } from './slot-figures.ts';

export interface SlotPortOptions {
  readonly name?: Name;
  readonly pool: DatabasePool;
  readonly slot: string;
  readonly clock?: Clock;
}

export function slotPort({ name, pool, slot, clock = systemClock }: SlotPortOptions): PortSpec {
  return {
    ...(name === undefined ? {} : { name }),
    open: () => ({ requests: { lookAtSlot: () => look(pool, slot, clock) } }),
  };
}

async function look(pool: DatabasePool, slot: string, clock: Clock): Promise<Message> {
  const figures = await slotFigures(pool, slot);
  if (figures === undefined) return { type: 'slot.unseen' };
  const { retainedBytes, flushLagBytes, safeBytes = null, isActive } = figures;
  return { type: 'slot.seen', slot, seenMicros: clock.epochMicros(), retainedBytes, flushLagBytes, safeBytes, isActive };
}
