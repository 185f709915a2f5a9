/** What must hold when a world has come to rest, whatever died on the way. */
import { downCause } from '../../src/actors/down-cause.ts';
import { isVisible } from '../../src/model/pg-snapshot.ts';
import type { ExitReason } from '../../src/otp/process.ts';
import { NAMES, type HandOverWorld } from '../support/hand-over/hand-over-world.ts';

/** The properties, in the words in which a violation is told. */
export const PROPERTIES = {
  once: 'every committed change is applied exactly once',
  ends: 'a Materializer whose Consumer died ends, and nobody hangs',
  crashes: 'the death of another process crashes nobody',
  readable: 'an offset that is given out can be read',
  kept: 'what the storage takes for taken is in the log of the shape',
  held: 'a block of the log is in memory only while its answer is under way',
  told: 'a dependant learns every move, and once that the values are invalid',
  drained: 'draining deletes nothing',
} as const;

export type Property = keyof typeof PROPERTIES;

export interface Violation {
  readonly property: Property;
  readonly what: string;
}

export function violationsOf(world: HandOverWorld, isQuiet: boolean): readonly Violation[] {
  return [
    ...restViolations(world, isQuiet),
    ...crashViolations(world),
    ...onceViolations(world),
    ...logViolations(world),
    ...[...world.lost].map((operation): Violation => ({ property: 'kept', what: `${operation} would be lost in a crash` })),
    ...toldViolations(world),
    ...heldViolations(world),
  ];
}

/** A claim that broke is a violation of the property that it guards. */
const CLAIMS: readonly (readonly [string, Property])[] = [
  ['every applied place lies beyond the last', 'readable'],
  ['an offset is announced before it is applied', 'once'],
  ['already exists', 'once'],
  ['does not exist', 'once'],
];

/** @returns the property that a crash breaks, by the claim with which the process ended. */
export function propertyOf(claim: string): Property {
  return CLAIMS.find(([part]) => claim.includes(part))?.[1] ?? 'crashes';
}

function crashViolations(world: HandOverWorld): Violation[] {
  return world.records.flatMap((record) => {
    if (record.type !== 'exit' || typeof record.reason !== 'object' || !('error' in record.reason)) return [];
    const { message } = record.reason.error;
    if (message.includes("'poison'")) return []; // That was the script.
    return [{ property: propertyOf(message), what: `${record.process}: ${message}` }];
  });
}

function restViolations({ runtime }: HandOverWorld, isQuiet: boolean): Violation[] {
  if (!isQuiet) return [{ property: 'ends', what: 'the world does not come to rest' }];
  const consumer = runtime.processInfo(NAMES.consumer)?.state;
  const materializer = runtime.processInfo(NAMES.materializer)?.state;
  const rests: readonly [string, unknown, unknown][] = [
    ['consumer', consumer, { running: { snapshot: 'complete', ingest: 'live' } }],
    ['materializer', materializer, { live: 'waiting' }],
    ['collector', runtime.processInfo('@shape-log-collector')?.state, 'idle'],
    ['catch-up collector', runtime.processInfo('@catch-up-collector')?.state, 'idle'],
  ];
  const waiting = rests.filter(([, state, atRest]) => state !== undefined && JSON.stringify(state) !== JSON.stringify(atRest));
  const outlived = consumer === undefined && materializer !== undefined ? ['materializer outlives its Consumer'] : [];
  const hanging = waiting.map(([who, state]) => `${who} hangs in ${JSON.stringify(state)}`);
  return [...hanging, ...outlived].map((what) => ({ property: 'ends', what }));
}

/** The table was given each operation behind the snapshot once and in order: all of them, when it is live. */
function onceViolations(world: HandOverWorld): Violation[] {
  const { applied, pgSnapshot, database, values, runtime } = world;
  const isLive = runtime.processInfo(NAMES.materializer) !== undefined;
  const due = [...Array<string>(world.snapshotRows).fill('snapshot'), ...operationsBehind(world)];
  const expected = isLive ? due : due.slice(0, applied.length);
  const violations: Violation[] = [];
  if (pgSnapshot !== undefined && JSON.stringify(applied) !== JSON.stringify(expected)) {
    violations.push({ property: 'once', what: `applied ${applied.join(' ')} instead of ${expected.join(' ')}` });
  }
  const counts = countsOf(database.rows.map((row) => row[1] ?? null));
  if (isLive && JSON.stringify([...(values?.counts ?? [])].sort()) !== JSON.stringify(counts)) {
    violations.push({ property: 'once', what: `values ${JSON.stringify([...(values?.counts ?? [])])} of ${JSON.stringify(counts)}` });
  }
  return violations;
}

function operationsBehind({ database, pgSnapshot }: HandOverWorld): string[] {
  const behind = database.committed.filter(({ xid }) => pgSnapshot !== undefined && !isVisible(xid, pgSnapshot));
  return behind.flatMap(({ lsn, changes }) => changes.map((_, index) => `${lsn}_${2 * index}`));
}

function logViolations(world: HandOverWorld): Violation[] {
  const { shapeLog, runtime } = world;
  if (shapeLog === undefined || runtime.processInfo(NAMES.consumer) === undefined) return [];
  const last = operationsBehind(world).at(-1) ?? '0_inf';
  if (shapeLog.end === last) return [];
  return [{ property: 'once', what: `the log ends at ${shapeLog.end} instead of ${last}` }];
}

function heldViolations({ heldBlocks }: HandOverWorld): Violation[] {
  return heldBlocks === 0 ? [] : [{ property: 'held', what: `${heldBlocks} blocks are held for nobody` }];
}

/** The last words of a process: its exit, and whatever its trace says before. */
function exitOf({ records }: HandOverWorld, id: string) {
  return records.find((record) => record.type === 'exit' && record.process.startsWith(`consumers/${id}#`));
}

function reasonOf(world: HandOverWorld, id: string): ExitReason | undefined {
  const exit = exitOf(world, id);
  return exit?.type === 'exit' ? exit.reason : undefined;
}

function toldViolations(world: HandOverWorld): Violation[] {
  const { view, values, runtime } = world;
  if (view === undefined) return [];
  const told = view.endings.join(', ');
  const state = runtime.processInfo(NAMES.dependant)?.state;
  const isFollowed = state === 'following' && runtime.processInfo(NAMES.materializer) !== undefined;
  const kept = JSON.stringify([...view.values].sort());
  const current = JSON.stringify([...(values?.counts.keys() ?? [])].filter((value) => value !== null).sort());
  return [
    ...(isFollowed && kept !== current ? [`the dependant keeps ${kept} of ${current}`] : []),
    ...(mustHear(world) && told !== 'invalidated' ? [`an invalid Materializer told its dependant: ${told}`] : []),
    ...(view.endings.length > 1 ? [`told more than once: ${told}`] : []),
    ...wrongEnd(world),
  ].map((what) => ({ property: 'told', what }));
}

/** The dependant had subscribed, and lived, when the Materializer ended because its values were no good any more. */
function mustHear(world: HandOverWorld): boolean {
  const ended = exitOf(world, 'materializer');
  const reason = reasonOf(world, 'materializer');
  if (ended === undefined || reason === undefined || !wasSaidByMachine(world) || downCause(reason).type !== 'delete') return false;
  const followed = world.records.some(({ n, ...record }) => n < ended.n && isTransitionTo(record, 'dependant', 'following'));
  const left = exitOf(world, 'dependant');
  return followed && (left === undefined || left.n > ended.n);
}

/** Its machine came to an end by itself, and was not ended from outside. */
function wasSaidByMachine({ records }: HandOverWorld): boolean {
  const isEnd = (record: object): boolean => ['invalidated', 'stopped'].some((state) => isTransitionTo(record, 'materializer', state));
  return records.some(isEnd);
}

function isTransitionTo(record: object, id: string, state: string): boolean {
  if (!('type' in record) || record.type !== 'transition' || !('process' in record) || !('state' in record)) return false;
  return String(record.process).startsWith(`consumers/${id}#`) && record.state === state;
}

/** A Consumer that failed must never look drained to those who depend on it. Who ended before it heard of that, had nobody left. */
function wrongEnd(world: HandOverWorld): string[] {
  const consumerReason = reasonOf(world, 'consumer');
  const reason = reasonOf(world, 'materializer');
  const hasHeard = world.records.some((record) => record.type === 'deliver' && record.message.type === 'consumer.down');
  if (consumerReason === undefined || reason === undefined || !hasHeard || !wasSaidByMachine(world)) return [];
  const [cause, conclusion] = [downCause(consumerReason).type, downCause(reason).type];
  return cause !== 'drain' && conclusion === 'drain' ? [`the Consumer's end (${cause}) was taken for a drain`] : [];
}

export function countsOf(column: readonly (string | null)[]): [string | null, number][] {
  const counts = new Map<string | null, number>();
  for (const value of column) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort();
}
