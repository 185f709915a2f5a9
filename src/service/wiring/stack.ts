/**
 * The wiring of the stack: the ports and tables of its processes, over one storage, one database and one server.
 *
 * What lives longer than a process is made here, once. What a process owns is made anew for each incarnation; whoever
 * else reads a table asks the runtime for that of the process that lives now, so nothing is read of one that died.
 */
import type { Api } from '../../api/api.ts';
import { LOOK_MS } from '../../storage/disk/candidate.ts';
import { candidatesPort } from '../../storage/disk/candidates-port.ts';
import type { StackWiring } from '../../supervisors/stack-wiring.ts';
import { databasePorts } from './database.ts';
import { edgePorts, serviceApi, type Entrance } from './edge.ts';
import { observed, serviceObserver } from './observer.ts';
import type { ServiceResources } from '../service-resources.ts';
import { explainSource } from './explain/explain-source.ts';
import { idleWiring } from './idle.ts';
import { serviceLimits } from './limits.ts';
import { ShapeReads } from './shape-reads.ts';
import { logAccess, shapeLogOf, storagePorts } from './storage.ts';
import { SubsetQueries } from './subsets/subset-queries.ts';
import { SubsetReads } from './subsets/subset-reads.ts';
import { processTables, type ShapeLives } from './tables.ts';

const CHECKPOINT_EVERY_MS = 5_000;
const EXPIRY_CHECK_EVERY_MS = 5_000;

/** What is wired, with the api that its server stands in front of. */
export interface ServiceWiring extends StackWiring {
  readonly api: Api;
}

/** What stands around the stack. */
export interface Surroundings extends Entrance {
  /** Told of shapes that begin and end. */
  readonly lives: ShapeLives;
  /** Told of what must be closed when the tree has ended. */
  opened(what: string, close: () => Promise<void>): void;
  /** Told that the tree is about to end, for another instance that is to have the storage. */
  makeRoom(): void;
}

export function stackWiring(resources: ServiceResources, { lives, opened, makeRoom, ...entrance }: Surroundings): ServiceWiring {
  const { configuration, storage, watches } = resources;
  const access = logAccess(resources, watches.transactions);
  const queries = new SubsetQueries(resources.runtime);
  const subsets = new SubsetReads(resources, access, queries);
  const reads = new ShapeReads(resources.world.clock);
  const limits = serviceLimits(resources, reads);
  const { filters } = access;
  const api = serviceApi(resources, { subsets, explain: explainSource(resources, queries), reads, limits, filters });
  const idle = idleWiring(resources, access, api);
  const observer = serviceObserver(resources, api);
  if (observer !== undefined) opened('the observer', () => Promise.resolve(observer.close()));
  return {
    api,
    ports: {
      ...storagePorts(resources, access),
      ...databasePorts(resources, access, queries, observer),
      ...edgePorts(resources, api, entrance, observer),
    },
    tables: processTables(resources, access, observed(api.announcements, observer), withReads(reads, lives), observer?.worked),
    shapeLog: (handle) => shapeLogOf(storage, handle),
    takenThrough: () => storage.shapes.position,
    checkpointEveryMs: CHECKPOINT_EVERY_MS,
    expiry: { checkEveryMs: EXPIRY_CHECK_EVERY_MS, tables: () => limits.tables() },
    ...successionWiring(resources, makeRoom),
    ...(idle === undefined ? {} : { idle }),
    drainTimeoutMs: configuration.drainTimeoutMs,
    publicationCheckEveryMs: configuration.publicationCheckEveryMs,
    retainedWalBytesMax: configuration.retainedWalBytesMax,
    shapeHibernateAfterMs: configuration.shapeHibernateAfterMs,
    shapeDormantAfterMs: configuration.shapeDormantAfterMs,
  };
}

/** Of a storage in memory there is no other instance. For an answer of Postgres one waits as long as for the lock. */
function successionWiring({ configuration, world }: ServiceResources, makeRoom: () => void): Pick<StackWiring, 'succession'> {
  const { storage, storageDirectory: directory, databaseTimeoutMs: patienceMs } = configuration;
  if (storage === 'memory') return {};
  return { succession: { lookEveryMs: LOOK_MS, patienceMs, port: () => candidatesPort({ ...world, directory, makeRoom }) } };
}

/** A shape counts as read when it starts, for somebody asked for it; and what ended is read by nobody. */
function withReads(reads: ShapeReads, lives: ShapeLives): ShapeLives {
  return {
    restoring: (restored, of) => lives.restoring(restored, of),
    started(handle, definition) {
      reads.note(handle);
      lives.started(handle, definition);
    },
    ended(handle, definition) {
      reads.forget(handle);
      lives.ended(handle, definition);
    },
  };
}
