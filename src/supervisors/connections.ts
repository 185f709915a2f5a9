/**
 * connections: rest_for_one, because each leans on the one before: nobody streams without the lock, and a process that
 * waits for a port's answer starts over when the port does. Losing Postgres is no crash: the machines come back by
 * themselves, with back-off.
 */
import { connectionLock } from '../actors/connections/connection-lock.ts';
import { connectionPools } from '../actors/connections/connection-pools.ts';
import { replicationClient } from '../actors/connections/replication-client.ts';
import { walWatch } from '../actors/connections/wal-watch.ts';
import type { SupervisorSpec } from '../otp/supervision/child-spec.ts';
import type { StackWiring } from './stack-wiring.ts';

/** Where the database may be left alone, one more port is asked before and behind that. */
export function connections({ ports, retainedWalBytesMax, idle }: StackWiring): SupervisorSpec {
  return {
    strategy: 'rest_for_one',
    children: [
      { id: 'lock', start: ports.lock },
      { id: 'connection-lock', start: () => ({ machine: connectionLock, name: '@connection-lock' }) },
      { id: 'replication', start: ports.replication },
      { id: 'replication-client', start: () => ({ machine: replicationClient, name: '@replication-client' }) },
      { id: 'pools', start: ports.pools },
      { id: 'connection-pools', start: () => ({ machine: connectionPools, name: '@connection-pools' }) },
      { id: 'publication', start: ports.publication },
      { id: 'snapshots', start: ports.snapshots },
      { id: 'move-queries', start: ports.moveQueries },
      { id: 'subset-queries', start: ports.subsetQueries },
      { id: 'slot', start: ports.slot },
      ...(idle === undefined ? [] : [{ id: 'sleep', start: idle.port }]),
      { id: 'wal-watch', start: () => ({ machine: walWatch, input: { retainedBytesMax: retainedWalBytesMax }, name: '@wal-watch' }) },
    ],
  };
}
