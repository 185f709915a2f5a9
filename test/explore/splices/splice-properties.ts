/** The properties of shapes that depend on each other, at each state. */
import { downCause } from '../../../src/actors/down-cause.ts';
import { offsetOf } from '../../../src/model/log-offset.ts';
import { compareLsn, type Lsn } from '../../../src/model/lsn.ts';
import type { Handle } from '../../../src/model/shape.ts';
import { propertyOf } from '../../races/violations.ts';
import type { Violation } from '../checker/system.ts';
import { firstOf, PROPERTIES, rolesOf, type Look } from './splice-claims.ts';
import { dependentsIn, misfolded, otherRows } from './splice-folding.ts';
import type { SpliceModel } from './splice-model.ts';
import { PARENTS } from './splice-scripts.ts';
import { shapeIn, type SettledShape } from './splice-setting.ts';
import { isAtRest, restless } from './splice-rest.ts';
import { keepersOf, type KeeperPlan } from './splice-shapes.ts';

export function violationOf(view: Look, isQuiet: boolean): Violation | undefined {
  const atRest = isAtRest(view, isQuiet) ? restless(view) : undefined;
  return crashed(view) ?? ofWorld(view.world) ?? applied(view.world) ?? overstated(view) ?? atRest;
}

function crashed(view: Look): Violation | undefined {
  return firstOf(rolesOf(view.world), (role) => {
    const local = view.process(role);
    if (local.status !== 'dead' || typeof local.reason !== 'object' || !('error' in local.reason)) return undefined;
    const { message } = local.reason.error;
    const property = message.startsWith('versions are asked about') ? 'versions' : propertyOf(message);
    return { property: PROPERTIES[property], what: `${local.pid}: ${message}` };
  });
}

// --- the world, wherever it stands; most states have one that was looked at before

const looked = new WeakMap<SpliceModel, { readonly found: Violation | undefined }>();

function ofWorld(world: SpliceModel): Violation | undefined {
  const known = looked.get(world) ?? { found: firstOf(world.setting.shapes, (shape) => wrongIn(world, shape)) };
  looked.set(world, known);
  return known.found;
}

function wrongIn(world: SpliceModel, { handle, keeper }: SettledShape): Violation | undefined {
  return unlike(world, handle) ?? undurable(world, handle) ?? (keeper && misfolded(world, handle));
}

/** One of the two is the beginning of the other: after a crash the log grows again. */
function unlike(world: SpliceModel, handle: Handle): Violation | undefined {
  const [entries, read] = [world.entriesOf(handle), world.is.read[handle] ?? []];
  const index = read.findIndex((entry, at) => at < entries.length && entry !== entries[at]);
  return index === -1 ? undefined : { property: PROPERTIES.same, what: `${entries[index]} instead of ${read[index]}` };
}

function undurable(world: SpliceModel, handle: Handle): Violation | undefined {
  const taken = world.shape(handle)?.state.views?.taken ?? 0;
  if (taken <= (world.is.synced[handle] ?? 0)) return undefined;
  return { property: PROPERTIES.durable, what: `splice ${taken} can be read, and a power cut would lose it` };
}

/**
 * Told when the shape has everything: then it folds to what SELECT gives. Whose inner shape is gone is condemned with it in the same
 * step, and tells nobody anything.
 *
 * Who has yet to hear that somebody below it has ended goes along for that moment, and may tell too much: the next state is not
 * looked at until it has heard.
 */
function overstated(view: Look): Violation | undefined {
  const { world } = view;
  const last = world.log.transactions[world.begun - 1]?.lsn;
  return last && firstOf(dependentsIn(world), (shape) => (isLinked(view, shape) ? overstatedOf(world, shape, last) : undefined));
}

function overstatedOf(world: SpliceModel, { handle, dependsOn }: SettledShape, last: Lsn): Violation | undefined {
  const shape = world.shape(handle);
  if (shape === undefined || dependsOn.some((inner) => world.shape(inner) === undefined)) return undefined;
  if (compareLsn(shape.waitsAt ?? world.is.processedLsn, last) < 0) return undefined;
  const what = otherRows(world, handle);
  return what === undefined ? undefined : { property: PROPERTIES.promised, what: `${what} at ${last}` };
}

/** Its Consumer has ended, or its Materializer lives and follows the inner one that lives, which is linked itself. */
function isLinked(view: Look, { role, keeper }: SettledShape): boolean {
  const consumer = view.process(role);
  if (keeper === undefined) return consumer.status === 'alive';
  if (consumer.status !== 'alive') return !('reason' in consumer) || downCause(consumer.reason).type === 'drain';
  const inner = shapeIn(view.world.setting, keeper.follows);
  const [below, materializer] = [view.process(inner.role), view.process(keeper.role)];
  if (below.status !== 'alive' || materializer.status !== 'alive' || !isLinked(view, inner)) return false;
  return materializer.snapshot.context.consumer === below.pid && consumer.snapshot.context.materializers[0] === materializer.pid;
}

/** A Materializer is given each operation once and in order. */
function applied(world: SpliceModel): Violation | undefined {
  return firstOf(keepersOf(world.setting.shapes), (keeper) => {
    const given = world.is.applied[keeper.role] ?? [];
    const expected = dueTo(world, keeper)?.slice(0, given.length);
    if (expected === undefined || given.join() === expected.join()) return undefined;
    return { property: PROPERTIES.once, what: `applied ${given.join(' ')} instead of ${expected.join(' ')}` };
  });
}

/** What it follows: a shape that depends on no other has what its table has, and nobody else knows at which offsets. */
function dueTo({ is, log, setting, shapes }: SpliceModel, { follows }: KeeperPlan): readonly string[] | undefined {
  const { table: own, keeper } = shapeIn(setting, follows);
  const state = shapes.get(follows)?.state;
  if (keeper !== undefined) return state && [...snapshotOf(state.rows), ...(state.lines ?? []).map(({ offset }) => offset)];
  const due = log.transactions.slice(0, is.arrived).flatMap(({ lsn, changes }) => {
    return changes.flatMap(({ table = PARENTS }, index) => (table === own ? [offsetOf(lsn, 2 * index)] : []));
  });
  return [...snapshotOf(setting.script.rows[own]), ...due];
}

function snapshotOf(rows: readonly unknown[] = []): readonly string[] {
  return rows.map(() => 'snapshot');
}
