/** The properties of a hand-over, at each state and where nothing is under way: those of `test/races/violations.ts`. */
import type { LinkValues } from '../../../src/actors/link-values.ts';
import { compareOffsets, offsetOf, type LogOffset } from '../../../src/model/log-offset.ts';
import { isVisible } from '../../../src/model/pg-snapshot.ts';
import { countsOf, PROPERTIES, propertyOf } from '../../races/violations.ts';
import type { Violation, View } from '../checker/system.ts';
import type { HandOverModel } from './hand-over-model.ts';
import type { ScriptedTransaction } from './scripted-log.ts';

type Look = View<HandOverModel>;

export function violationOf(view: Look, isQuiet: boolean): Violation | undefined {
  const atRest = isQuiet ? (unapplied(view) ?? hanging(view) ?? unequal(view) ?? held(view.world)) : undefined;
  return crashed(view) ?? ofWorld(view.world) ?? deletedByDrain(view) ?? atRest;
}

/** Most states have a world that was looked at before. */
const looked = new WeakMap<HandOverModel, { readonly found: Violation | undefined }>();

function ofWorld(world: HandOverModel): Violation | undefined {
  const known = looked.get(world) ?? { found: lost(world) ?? applied(world, world.is.applied.length) };
  looked.set(world, known);
  return known.found;
}

const ROLES = ['collector', 'catchUp', 'consumer', 'snapshotter', 'materializer'];

function crashed(view: Look): Violation | undefined {
  for (const role of ROLES) {
    const local = view.process(role);
    if (local.status !== 'dead' || typeof local.reason !== 'object' || !('error' in local.reason)) continue;
    const { message } = local.reason.error;
    return { property: PROPERTIES[propertyOf(message)], what: `${local.pid}: ${message}` };
  }
  return undefined;
}

/** What lies behind the shape's position is never read again for it. */
function lost(world: HandOverModel): Violation | undefined {
  const { shapeLog, is } = world;
  if (shapeLog === undefined || is.pgSnapshot === undefined) return undefined;
  for (const [index, transaction] of behind(world).entries()) {
    const { through } = world.log.endOf(world.log.transactions.indexOf(transaction) + 1);
    const last = lastOf(transaction);
    if (through > shapeLog.position || compareOffsets(last, shapeLog.end) <= 0) continue;
    return { property: PROPERTIES.kept, what: `${last}, number ${index + 1}, would be lost in a crash` };
  }
  return undefined;
}

/** The Materializer's table was given each operation behind the snapshot once and in order: so many of them. */
function applied(world: HandOverModel, count: number): Violation | undefined {
  const { is } = world;
  if (is.pgSnapshot === undefined) return undefined;
  const due = [...Array<string>(is.snapshotRows).fill('snapshot'), ...behind(world).flatMap(offsetsOf)].slice(0, count);
  if (is.applied.join() === due.join()) return undefined;
  return { property: PROPERTIES.once, what: `applied ${is.applied.join(' ')} instead of ${due.join(' ')}` };
}

/** All of them, where nothing is left to do. */
function unapplied(view: Look): Violation | undefined {
  return view.process('materializer').status === 'alive' ? applied(view.world, Infinity) : undefined;
}

function deletedByDrain({ world, happened, hasStruck }: Look): Violation | undefined {
  const wasMade = happened.includes('the shape is made');
  const isGone = wasMade && world.shapeLog === undefined;
  return isGone && !hasStruck ? { property: PROPERTIES.drained, what: 'the shape was deleted though nobody died' } : undefined;
}

function hanging(view: Look): Violation | undefined {
  const [consumer, materializer] = [view.process('consumer'), view.process('materializer')];
  const rests = [
    [consumer, { running: { snapshot: 'complete', ingest: 'live' } }],
    [materializer, { live: 'waiting' }],
  ] as const;
  for (const [local, atRest] of rests) {
    if (local.status !== 'alive' || JSON.stringify(local.snapshot.value) === JSON.stringify(atRest)) continue;
    return { property: PROPERTIES.ends, what: `${local.pid} hangs in ${JSON.stringify(local.snapshot.value)}` };
  }
  const hasOutlived = materializer.status === 'alive' && consumer.status !== 'alive';
  return hasOutlived ? { property: PROPERTIES.ends, what: 'the Materializer outlives its Consumer' } : undefined;
}

/** Who lives, or sleeps, has what the table has. */
function unequal(view: Look): Violation | undefined {
  const { world } = view;
  const [consumer, materializer] = [view.process('consumer'), view.process('materializer')];
  const last = behind(world).at(-1);
  const end = last === undefined ? '0_inf' : lastOf(last);
  const isFollowed = consumer.status === 'alive' || (world.is.life === 'dormant' && world.shapeLog !== undefined);
  if (isFollowed && world.shapeLog?.end !== end) {
    return { property: PROPERTIES.once, what: `the log ends at ${world.shapeLog?.end} instead of ${end}` };
  }
  if (materializer.status !== 'alive') return undefined;
  const values = JSON.stringify([...(materializer.tables['values'] as LinkValues).counts].sort());
  const counts = JSON.stringify(countsOf(world.rows.map((row) => row[1] ?? null)));
  return values === counts ? undefined : { property: PROPERTIES.once, what: `values ${values} of ${counts}` };
}

function held({ loaded }: HandOverModel): Violation | undefined {
  return loaded.size === 0 ? undefined : { property: PROPERTIES.held, what: `blocks are held for ${[...loaded.keys()].join()}` };
}

/** The transactions that the snapshot does not see. */
function behind({ log, is }: HandOverModel): readonly ScriptedTransaction[] {
  const { pgSnapshot, committed } = is;
  if (pgSnapshot === undefined) return [];
  return log.transactions.slice(0, committed).filter(({ xid }) => !isVisible(xid, pgSnapshot));
}

function offsetsOf({ lsn, changes }: ScriptedTransaction): readonly LogOffset[] {
  return changes.map((_, index) => offsetOf(lsn, 2 * index));
}

function lastOf(transaction: ScriptedTransaction): LogOffset {
  return offsetsOf(transaction).at(-1) ?? ('' as LogOffset);
}
