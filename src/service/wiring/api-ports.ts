/** What the api asks of the processes, in terms of the runtime: a call that gets no answer becomes an outcome. */
import type {
  ReadableLogs,
  RelationLookup,
  RelationSource,
  ServedShapes,
  ServiceLevel,
  ServiceStatus,
  ShapeCreation,
  SnapshotStart,
  ZoneSource,
} from '../../api/ports.ts';
import { consumerOf } from '../../actors/shape-processes.ts';
import { serviceLevel, STORAGE_REFUSED, whyNotActive, type ServiceConditions } from '../../actors/status-monitor.ts';
import type { DatabaseUse } from '../../actors/connections/database-use.ts';
import type { ShapeDirectory } from '../../actors/directory/shape-directory.ts';
import type { Clock } from '../../base/clock.ts';
import type { Handle } from '../../model/shape.ts';
import type { Message, Name } from '../../otp/process.ts';
import { CallError, type Runtime } from '../../otp/runtime.ts';
import type { Catalog, FoundRelation } from '../../postgres/catalog/catalog.ts';
import type { TimeZones } from '../../postgres/catalog/time-zones.ts';
import { DatabaseUnreachableError } from '../../postgres/connection/database-error.ts';
import { POOLER_TIMEOUT } from '../../postgres/snapshot/snapshot-error.ts';
import { ShapeCorruptError, ShapeGoneError, SnapshotStalledError } from '../../storage/errors.ts';
import type { ShapeLogs } from '../../storage/shapes/shape-logs.ts';
import type { ServiceLimits } from './limits.ts';
import type { ShapeReads } from './shape-reads.ts';
import { SharedWait } from './shared-wait.ts';

/** Longer than the first row of a snapshot may take, and than the wait for a connection before it. */
const SNAPSHOT_START_TIMEOUT_MS = 45_000;
const CREATION_TIMEOUT_MS = 30_000;
/** What clients are told by a code, too. */
const TOLD_CODES: ReadonlySet<string> = new Set([STORAGE_REFUSED.code, POOLER_TIMEOUT]);
/** How often to ask again: a Consumer that is restarted comes back under its name. */
const LOOKUPS_MAX = 3;

type Calls = Pick<Runtime, 'call' | 'send'>;

export function relationSource(catalog: Catalog): RelationSource {
  return {
    relation: (schema, name) => lookup(catalog.relation(schema, name)),
    relationNow: (schema, name) => lookup(catalog.relationNow(schema, name)),
    isCurrent: (relation) => catalog.isCurrent(relation),
  };
}

async function lookup(answer: Promise<FoundRelation>): Promise<RelationLookup> {
  try {
    const found = await answer;
    if (found === undefined) return { outcome: 'missing' };
    return 'kindName' in found ? { outcome: 'unservable', ...found } : { outcome: 'found', relation: found };
  } catch (error) {
    if (error instanceof DatabaseUnreachableError) return { outcome: 'unreachable' };
    throw error;
  }
}

export function zoneSource(zones: TimeZones): ZoneSource {
  return {
    async zone(name) {
      try {
        return await zones.zone(name);
      } catch (error) {
        if (error instanceof DatabaseUnreachableError) return undefined;
        throw error;
      }
    },
  };
}

export function readableLogs(logs: ShapeLogs): ReadableLogs {
  return {
    get: (handle) => logs.get(handle),
    isGone: (error) => error instanceof ShapeGoneError,
    isStalled: (error) => error instanceof SnapshotStalledError,
    elsewhereOf: () => undefined,
    damageOf: (error) => (error instanceof ShapeCorruptError ? error.message : undefined),
  };
}

/**
 * @param table the directory of the shape cache that lives now; undefined while there is none.
 * @param reads told of each reader. @param limits asked before a shape is made.
 */
export function servedShapes(
  runtime: Calls,
  table: () => ShapeDirectory | undefined,
  reads: Pick<ShapeReads, 'note'>,
  limits: Pick<ServiceLimits, 'hasRoom'>,
): ServedShapes {
  return {
    find: (definition) => table()?.find(definition),
    findReadable(definition) {
      const handle = table()?.findReadable(definition);
      if (handle !== undefined) reads.note(handle);
      return handle;
    },
    definitionOf: (handle) => table()?.definitionOf(handle),
    mayReplace: () => false, // Nobody else makes shapes here.
    noteReader(handle) {
      if (table()?.definitionOf(handle) !== undefined) reads.note(handle); // One that has ended already would be kept for ever.
      if (table()?.isForOthers(handle) === true) runtime.send('@shape-cache', { type: 'noteReader', handle });
    },
    async create(definition): Promise<ShapeCreation> {
      if (table()?.find(definition) === undefined && !limits.hasRoom()) return { outcome: 'full' };
      const reply = await answered(runtime.call('@shape-cache', { type: 'createShape', definition }, CREATION_TIMEOUT_MS));
      return reply?.type === 'shape.created' ? { outcome: 'created', handle: reply['handle'] as Handle } : { outcome: 'refused' };
    },
    awaitSnapshotStart: (handle) => awaitSnapshotStart(runtime, table, handle),
    howItEnded: (handle) => lateAnswer(table()?.failureOf(handle)),
    delete: (handle) => deleteShape(runtime, { handle, why: 'request' }),
    condemn: (handle, why) => deleteShape(runtime, { handle, why, isDamaged: true }),
  };
}

async function deleteShape(runtime: Calls, asked: { handle: Handle; why: string; isDamaged?: true }): Promise<void> {
  await answered(runtime.call('@shape-cache', { type: 'deleteShape', ...asked }, CREATION_TIMEOUT_MS));
}

async function awaitSnapshotStart(runtime: Calls, table: () => ShapeDirectory | undefined, handle: Handle): Promise<SnapshotStart> {
  for (let lookup = 0; lookup < LOOKUPS_MAX; lookup += 1) {
    // Then nobody need be asked; and there may be nobody, since nothing touches the shape.
    if (table()?.hasWholeSnapshot(handle) === true) return { outcome: 'started' };
    const reply = await answered(runtime.call(consumerOf(handle), { type: 'awaitSnapshotStart' }, SNAPSHOT_START_TIMEOUT_MS));
    if (reply !== undefined) return snapshotStart(reply);
    const directory = table();
    if (directory === undefined) {
      // The shapes' subsystem restarts. It will bring this shape back, or know why not.
      await answered(runtime.call('@status-monitor', { type: 'awaitReadable' }, SNAPSHOT_START_TIMEOUT_MS));
    } else if (directory.definitionOf(handle) === undefined) {
      return lateAnswer(directory.failureOf(handle));
    }
  }
  return { outcome: 'unexpected', message: 'The process of this shape did not answer' };
}

function snapshotStart({ type, error }: Message): SnapshotStart {
  return type === 'snapshot.isStarted' ? { outcome: 'started' } : failedStart(error);
}

/** The answer to a request that came after its Consumer had ended. */
function lateAnswer(failure: unknown): SnapshotStart {
  return failure === undefined ? { outcome: 'gone' } : failedStart(failure);
}

function failedStart(error: unknown): SnapshotStart {
  const { code, message, status } = error as { code: string; message: string; status?: number };
  if (status === 409) return { outcome: 'gone' };
  if (status === 400) return { outcome: 'filterFailed', code, message };
  if (status === 500) return { outcome: 'unexpected', message };
  return { outcome: 'failed', message, ...(TOLD_CODES.has(code) ? { code } : {}) };
}

/** @param followedAt the level at which somebody brings what is served here up to date. */
export function serviceStatus(
  runtime: Runtime,
  clock: Clock,
  { cause, limits, followedAt, use }: Pick<ServiceStatus, 'cause' | 'limits'> & {
    readonly followedAt: ServiceLevel;
    /** Undefined where the connections stay open. */
    readonly use: () => DatabaseUse | undefined;
  },
): ServiceStatus {
  const told = async (type: string, by: Name = '@status-monitor') => (await answered(runtime.call(by, { type }))) !== undefined;
  const goals = {
    readable: new SharedWait(() => told('awaitReadable'), clock),
    awake: new SharedWait(() => told('awaitAwake', '@idle-watch'), clock),
    connected: new SharedWait(() => told('awaitConnected'), clock),
    active: new SharedWait(() => told('awaitActive'), clock),
  };
  const snapshot = () => runtime.refOf('@status-monitor')?.getSnapshot() as { value: unknown; context: ServiceConditions } | undefined;
  const standing = () => serviceLevel(snapshot()?.value);
  /** Well, but what was missed while the connections were closed is yet to be followed: until then nobody is answered. */
  const isCatchingUp = () => snapshot()?.value === 'active' && use()?.isAwaited === true;
  const level = () => (isCatchingUp() ? 'starting' : standing());
  return {
    level,
    noteUse: () => use()?.note(),
    isAwake: () => use()?.isOpen ?? true,
    isReadable: () => typeof snapshot()?.context.shapes === 'string',
    isConnected: () => typeof snapshot()?.context.pools === 'string',
    whyNotReady: () => {
      const conditions = snapshot()?.context;
      return conditions === undefined || standing() === 'active' ? undefined : whyNotActive(conditions);
    },
    isFollowed: () => standing() === followedAt,
    cause,
    limits,
    waitUntil: (goal, timeoutMs) => goals[goal].until(timeoutMs),
  };
}

/** The answer; undefined when the process was not there, ended or took too long. */
async function answered(call: Promise<Message>): Promise<Message | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof CallError) return undefined;
    throw error;
  }
}
