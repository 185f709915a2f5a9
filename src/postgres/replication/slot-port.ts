/**
 * SlotPort: looks at our slot.
 *
 * - `lookAtSlot` → `slot.seen { retainedBytes, flushLagBytes, safeBytes, isActive }`, bytes of WAL; or `slot.unseen`, where there is none,
 *   or Postgres does not say
 */
import type { Message, Name, PortSpec } from '../../otp/process.ts';
import type { DatabasePool } from '../connection/pool.ts';
import { slotFigures } from './slot-figures.ts';

export interface SlotPortOptions {
  readonly name?: Name;
  readonly pool: DatabasePool;
  readonly slot: string;
}

export function slotPort({ name, pool, slot }: SlotPortOptions): PortSpec {
  return {
    ...(name === undefined ? {} : { name }),
    open: () => ({ requests: { lookAtSlot: () => look(pool, slot) } }),
  };
}

async function look(pool: DatabasePool, slot: string): Promise<Message> {
  const figures = await slotFigures(pool, slot);
  if (figures === undefined) return { type: 'slot.unseen' };
  const { retainedBytes, flushLagBytes, safeBytes = null, isActive } = figures;
  return { type: 'slot.seen', retainedBytes, flushLagBytes, safeBytes, isActive };
}
