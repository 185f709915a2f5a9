/** Every machine of the service, with what it is there for. */
import type { AnyStateMachine } from 'xstate';
import { checkpointer } from '../../../src/actors/checkpointer.ts';
import { diskMonitor } from '../../../src/actors/disk-monitor.ts';
import { connectionLock } from '../../../src/actors/connections/connection-lock.ts';
import { idleWatch } from '../../../src/actors/connections/idle-watch.ts';
import { connectionPools } from '../../../src/actors/connections/connection-pools.ts';
import { consumer } from '../../../src/actors/consumer/consumer.ts';
import { expiry } from '../../../src/actors/expiry/expiry.ts';
import { handleLife } from '../../../src/actors/directory/handle-life-chart.ts';
import { materializer } from '../../../src/actors/materializer.ts';
import { publicationManager } from '../../../src/actors/publication/publication-manager.ts';
import { replicationClient } from '../../../src/actors/connections/replication-client.ts';
import { walWatch } from '../../../src/actors/connections/wal-watch.ts';
import { shapeCache } from '../../../src/actors/directory/shape-cache.ts';
import { catchUpCollector } from '../../../src/actors/collector/catch-up-collector.ts';
import { shapeLogCollector } from '../../../src/actors/collector/shape-log-collector.ts';
import { snapshotter } from '../../../src/actors/snapshotter.ts';
import { standby } from '../../../src/actors/standby.ts';
import { succession } from '../../../src/actors/succession.ts';
import { statusMonitor } from '../../../src/actors/status-monitor.ts';
import { dynamicSupervisorMachine } from '../../../src/otp/supervision/dynamic-supervisor.ts';
import { supervisorMachine } from '../../../src/otp/supervision/supervisor.ts';

export interface ChartedMachine {
  readonly machine: AnyStateMachine;
  readonly purpose: string;
}

export const machines: readonly ChartedMachine[] = [
  { machine: consumer, purpose: 'Writes one shape’s log, and says to everybody who follows the shape how far it can be read.' },
  { machine: materializer, purpose: 'Keeps the values of one column of a shape, for outer shapes with a subquery on it.' },
  { machine: snapshotter, purpose: 'Gets one new shape its first rows, then ends.' },
  { machine: shapeLogCollector, purpose: 'Takes the transaction log, block by block, to the Consumers that a block touches.' },
  { machine: catchUpCollector, purpose: 'Takes shapes that lag through the log together, until they have come as far as the others.' },
  { machine: shapeCache, purpose: 'Makes shapes, brings the stored ones back, and lets go of those whose Consumer has ended.' },
  { machine: handleLife, purpose: 'The life of a handle: not a process, but a word in the shape cache’s directory.' },
  { machine: publicationManager, purpose: 'Keeps each table that has a shape in the publication, and no other.' },
  { machine: statusMonitor, purpose: 'Knows whether the service is ready, from those who can say so.' },
  { machine: connectionLock, purpose: 'Of all instances on one database, the one that holds the lock streams.' },
  { machine: replicationClient, purpose: 'Brings the stream of Postgres’s changes, and comes back by itself when it breaks.' },
  { machine: connectionPools, purpose: 'Knows whether Postgres can be asked.' },
  { machine: walWatch, purpose: 'Says when Postgres keeps much WAL for our slot, and why.' },
  { machine: idleWatch, purpose: 'Closes the connections to Postgres when nobody uses it for long, and opens them for the next request.' },
  { machine: checkpointer, purpose: 'From time to time, and when much is in memory only, brings the shapes’ logs to the disk.' },
  { machine: expiry, purpose: 'Has shapes end that a limit takes: the longest unread first.' },
  { machine: diskMonitor, purpose: 'Knows whether the disk takes what is to be stored, and has it tried again until it does.' },
  { machine: standby, purpose: 'Waits while another instance works in the storage, shows what that stores, and takes over behind it.' },
  { machine: succession, purpose: 'Makes room for an instance that reaches the database, when this one has lost it for long.' },
  { machine: supervisorMachine, purpose: 'Starts its children in order, restarts them by its strategy, stops them in reverse order.' },
  { machine: dynamicSupervisorMachine, purpose: 'Supervises children that come and go on request, each from a template.' },
];
