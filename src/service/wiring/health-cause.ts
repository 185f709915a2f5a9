/** The wiring of the cause that health tells: what the processes say at this moment, and who holds the lock, as Postgres said lately. */
import { ShapeDirectory } from '../../actors/directory/shape-directory.ts';
import { CONDITIONS, type ServiceConditions } from '../../actors/status-monitor.ts';
import type { Clock } from '../../base/clock.ts';
import { lockHolder, type LockHolder } from '../../postgres/connection/lock-holder.ts';
import type { DatabasePool } from '../../postgres/connection/pool.ts';
import { healthCause, type CauseSource } from '../../telemetry/health-cause.ts';
import { stateText } from '../../telemetry/process-census.ts';
import type { ServiceResources } from '../service-resources.ts';
import { databaseUse } from './idle.ts';
import { KeptAnswer } from './kept-answer.ts';
import { livingTable } from './living-table.ts';

/** Whoever asks for health does so often, and gives it little time. */
const HOLDER_TIMES = { keptMs: 5_000, waitMsMax: 500 };
/** A disk that takes longer for one thing is told of. */
const SLOW_MS = 5_000;

/** @returns told whether the secret was given; undefined when the service is active, its disk in time, and sessions lent. */
export function causeOfHealth(resources: ServiceResources): (isTrusted: boolean) => Promise<string | undefined> {
  const { database: { adminPool, slot, lock }, runtime, world: { clock } } = resources;
  const holder = keptHolder(clock, adminPool, slot);
  const conditions = () => runtime.refOf('@status-monitor')?.getSnapshot() as { context: ServiceConditions } | undefined;
  const missing = (): CauseSource['missing'] => CONDITIONS.filter((condition) => conditions()?.context[condition] === null);
  return async (isTrusted) => {
    if (conditions() === undefined) return 'the status monitor is being started';
    const isLockMissing = missing().includes('lock');
    const held = isLockMissing && adminPool.isUp ? await holder.get() : undefined;
    const isHolderOurs = typeof held === 'object' && lock.wasOurs(held.pid);
    // Meanwhile it may have become active.
    return healthCause({ ...sourceOf(resources), missing: missing(), holder: held, isHolderOurs }, isTrusted);
  };
}

/** Whoever has the lock keeps it, as a rule. Where nobody does, or Postgres has just come back, somebody may in the next moment. */
export function keptHolder(clock: Clock, pool: DatabasePool, slot: string): KeptAnswer<LockHolder | 'nobody'> {
  return new KeptAnswer(clock, HOLDER_TIMES, () => lockHolder(pool, slot), (holder) => typeof holder !== 'object');
}

function sourceOf(resources: ServiceResources): Omit<CauseSource, 'missing' | 'holder' | 'isHolderOurs'> {
  const { database: { slot }, runtime, storage, troubles, world: { clock } } = resources;
  const { slowest } = storage.disk;
  const use = databaseUse(runtime);
  return {
    slow: slowest !== undefined && slowest.forMs >= SLOW_MS ? slowest : undefined,
    asleepSinceMicros: stateOf(runtime) === 'asleep' ? use?.closedSinceMicros : undefined,
    missedSinceMicros: use?.isAwaited === true ? use.closedSinceMicros : undefined,
    trouble: (troubled) => troubles.of(troubled),
    nowMs: clock.nowMs(),
    slot,
    replication: stateText(runtime.processInfo('@replication-client')?.state),
    slotAwaits: awaitedOf(runtime),
    restored() {
      const directory = livingTable(runtime, '@shape-cache', 'directory', ShapeDirectory);
      return { count: directory?.back ?? 0, of: storage.shapes.count };
    },
  };
}

function stateOf(runtime: ServiceResources['runtime']): unknown {
  return runtime.refOf('@status-monitor')?.getSnapshot()?.value;
}

/** By the making of a slot. */
function awaitedOf(runtime: ServiceResources['runtime']): readonly string[] {
  const snapshot = runtime.refOf('@replication-client')?.getSnapshot() as { context: { awaited: readonly string[] } } | undefined;
  return snapshot?.context.awaited ?? [];
}
