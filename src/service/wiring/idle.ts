/** The wiring of the idle watch: what counts as use of the database, and what must be over before its connections are closed. */
import { DatabaseUse, type DatabaseUsePorts } from '../../actors/connections/database-use.ts';
import { ShapeDirectory } from '../../actors/directory/shape-directory.ts';
import type { Api } from '../../api/api.ts';
import { uncopied } from '../../base/fork.ts';
import type { Runtime } from '../../otp/runtime.ts';
import type { DatabasePool } from '../../postgres/connection/pool.ts';
import { sleepPort } from '../../postgres/connection/sleep-port.ts';
import type { StackWiring } from '../../supervisors/stack-wiring.ts';
import type { ServiceResources } from '../service-resources.ts';
import { livingTable } from './living-table.ts';
import type { LogAccess } from './storage.ts';

/** So often within the time for which nobody must have used the database: by so much it may be longer. */
const LOOKS = 8;

/** The table of the idle watch that lives now; undefined where the connections stay open. */
export function databaseUse(runtime: Pick<Runtime, 'tableOf'>): DatabaseUse | undefined {
  return livingTable(runtime, '@idle-watch', 'use', DatabaseUse);
}

/** @returns undefined where the connections are to stay open. */
export function idleWiring(resources: ServiceResources, access: LogAccess, api: Pick<Api, 'answering'>): StackWiring['idle'] {
  const { configuration: { replicationIdleTimeoutMs: idleMs }, database: { adminPool, slot } } = resources;
  if (idleMs === 0) return undefined;
  const ports = usePorts(resources, access, api);
  return {
    lookEveryMs: Math.ceil(idleMs / LOOKS),
    tables: () => ({ use: new DatabaseUse(ports, idleMs) }),
    port: () => sleepPort({ name: '@sleep', pool: adminPool, slot }),
  };
}

function usePorts(resources: ServiceResources, access: LogAccess, api: Pick<Api, 'answering'>): DatabaseUsePorts {
  const { database, runtime, storage, world: { clock } } = resources;
  const { adminPool, snapshotPool, movePool, subsetPool } = database;
  const isActive = () => runtime.refOf('@status-monitor')?.getSnapshot()?.value === 'active';
  return {
    nowMs: () => clock.nowMs(),
    epochMicros: () => clock.epochMicros(),
    lastCommitLsn: () => storage.log.lastCommitLsn,
    isInUse: () => api.answering() > 0 || access.intake.isUnderWay || [snapshotPool, movePool, subsetPool].some(isAtWork),
    isSettled: () => isActive() && !isAtWork(adminPool) && areShapesSettled(resources),
    hasTaken: (through) => storage.shapes.position >= through,
    clone: uncopied('a database'),
  };
}

/** The publication is looked after from time to time, whoever uses what is in it. */
function isAtWork({ counts: { open, idle, waiting } }: DatabasePool): boolean {
  return open > idle || waiting > 0;
}

/** Each has its first rows, and has taken what the log has. */
function areShapesSettled({ runtime, storage: { log, shapes } }: ServiceResources): boolean {
  const directory = livingTable(runtime, '@shape-cache', 'directory', ShapeDirectory);
  if (directory === undefined || shapes.position < log.durableEnd) return false;
  if (directory.count('reserved') + directory.count('starting') > 0) return false;
  for (const { snapshot, waitsAt } of shapes.all()) if (snapshot.state !== 'complete' || waitsAt !== undefined) return false;
  return true;
}
