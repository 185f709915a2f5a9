/** The properties of a shape that depends on another, at each state and where nothing is left to do. */
import { downCause } from '../../../src/actors/down-cause.ts';
import { compareOffsets, offsetOf } from '../../../src/model/log-offset.ts';
import { compareLsn } from '../../../src/model/lsn.ts';
import { ANY_MEMBER, NULL_MEMBER } from '../../../src/sql/subqueries/membership.ts';
import { membersOfRows } from '../../support/shapes/subquery-filter.ts';
import { TagFoldingClient, type ShapeMessage } from '../../support/shapes/tag-folding-client.ts';
import { PROPERTIES as COMMON, propertyOf } from '../../races/violations.ts';
import type { Violation, View } from '../checker/system.ts';
import type { SpliceModel } from './splice-model.ts';
import { CHILDREN, PARENTS } from './splice-scripts.ts';
import { childrenIn, INNER, OUTER } from './splice-setting.ts';

export const PROPERTIES = {
  ...COMMON,
  ends: 'nobody waits for one who has ended, and nobody hangs',
  folds: 'when all is quiet, the log folds to the rows that SELECT gives',
  strict: 'an insert is of an absent row, all else of a present one, after each entry',
  ordered: 'offsets only grow',
  same: 'what was read once stands at its offset for ever',
  durable: 'a splice is durable before a line of it can be read',
  promised: 'what an up-to-date says is there, is there',
  versions: 'a version is kept for as long as somebody looks at it',
  exactly: 'what ends takes along those who depend on it, and nobody else',
} as const;

type Look = View<SpliceModel>;
const ROLES = ['collector', 'catchUp', 'inner', 'materializer', 'outer'] as const;

export function violationOf(view: Look, isQuiet: boolean): Violation | undefined {
  const atRest = isAtRest(view, isQuiet) ? restless(view) : undefined;
  return crashed(view) ?? ofWorld(view.world) ?? applied(view.world) ?? overstated(view) ?? atRest;
}

/** Nothing is under way, and nothing that has committed is yet to come; a time-out that is awaited is none of ours. */
function isAtRest(view: Look, isQuiet: boolean): boolean {
  if (!isQuiet || !view.world.isSettled || isAt(view, 'collector', 'restoring')) return false;
  return ROLES.every((role) => {
    const local = view.process(role);
    return local.status !== 'alive' || Object.keys(local.timers).every((name) => name === 'return');
  });
}

function restless(view: Look): Violation | undefined {
  return hanging(view) ?? unequal(view) ?? held(view.world) ?? endedAlone(view);
}

function crashed(view: Look): Violation | undefined {
  for (const role of ROLES) {
    const local = view.process(role);
    if (local.status !== 'dead' || typeof local.reason !== 'object' || !('error' in local.reason)) continue;
    const { message } = local.reason.error;
    const property = message.startsWith('versions are asked about') ? 'versions' : propertyOf(message);
    return { property: PROPERTIES[property], what: `${local.pid}: ${message}` };
  }
  return undefined;
}

// --- the world, wherever it stands; most states have one that was looked at before

const looked = new WeakMap<SpliceModel, { readonly found: Violation | undefined }>();

function ofWorld(world: SpliceModel): Violation | undefined {
  const known = looked.get(world) ?? { found: unlike(world) ?? undurable(world) ?? folded(world).found };
  looked.set(world, known);
  return known.found;
}

/** One of the two is the beginning of the other: after a crash the log grows again. */
function unlike(world: SpliceModel): Violation | undefined {
  const entries = entriesOf(world);
  const index = world.is.read.findIndex((entry, at) => at < entries.length && entry !== entries[at]);
  if (index === -1) return undefined;
  return { property: PROPERTIES.same, what: `${entries[index]} instead of ${world.is.read[index]}` };
}

export function entriesOf(world: SpliceModel): readonly string[] {
  return world.shape(OUTER)?.state.lines?.map(({ offset, text }) => `${offset} ${text}`) ?? [];
}

function undurable(world: SpliceModel): Violation | undefined {
  const taken = world.shape(OUTER)?.state.views?.taken ?? 0;
  if (taken <= world.is.synced) return undefined;
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
  if (!isLinked(view)) return undefined;
  const last = world.log.transactions[world.begun - 1]?.lsn;
  const [inner, outer] = [world.shape(INNER), world.shape(OUTER)];
  if (last === undefined || inner === undefined || outer === undefined) return undefined;
  if (compareLsn(outer.waitsAt ?? world.is.processedLsn, last) < 0) return undefined;
  const [rows, expected] = [folded(world).rows.join(), selected(world).join()];
  return rows === expected ? undefined : { property: PROPERTIES.promised, what: `rows ${rows} instead of ${expected} at ${last}` };
}

/** The outer Consumer has ended, or its Materializer lives and follows the inner one that lives. */
function isLinked(view: Look): boolean {
  const [inner, materializer, outer] = [view.process('inner'), view.process('materializer'), view.process('outer')];
  if (outer.status !== 'alive') return outer.status === 'absent' || outer.status === 'unborn' || downCause(outer.reason).type === 'drain';
  if (inner.status !== 'alive' || materializer.status !== 'alive') return false;
  return materializer.snapshot.context.consumer === inner.pid && outer.snapshot.context.materializers[0] === materializer.pid;
}

/** What SELECT gives. */
function selected(world: SpliceModel): readonly string[] {
  const values = world.rows(PARENTS).map(([, value = null]) => value);
  return childrenIn(world.setting.script.filter, world.rows(CHILDREN), values).map(([id, parent]) => `${id} ${parent}`).sort();
}

interface Folded {
  readonly found: Violation | undefined;
  readonly rows: readonly string[];
}

const folds = new WeakMap<SpliceModel, Folded>();

function folded(world: SpliceModel): Folded {
  const known = folds.get(world) ?? fold(world);
  folds.set(world, known);
  return known;
}

function fold(world: SpliceModel): Folded {
  const client = new TagFoldingClient();
  const { rows = [], lines = [] } = world.shape(OUTER)?.state ?? {};
  for (const text of [...rows, ...lines.map((line) => line.text)]) client.take(JSON.parse(text) as ShapeMessage);
  const [mistake] = client.mistakes;
  const disordered = lines.findIndex(({ offset }, index) => index > 0 && compareOffsets(lines[index - 1]?.offset ?? offset, offset) >= 0);
  const strict = mistake && { property: PROPERTIES.strict, what: `${mistake.claim}: ${JSON.stringify(mistake.message)}` };
  const ordered = disordered === -1 ? undefined : { property: PROPERTIES.ordered, what: `${lines[disordered]?.offset} comes too late` };
  return { found: strict ?? ordered, rows: [...client.rows.values()].map(({ id, parent }) => `${id} ${parent}`).sort() };
}

/** A Materializer is given each operation once and in order. */
function applied({ is, log, setting }: SpliceModel): Violation | undefined {
  const due = log.transactions.slice(0, is.arrived).flatMap(({ lsn, changes }) => {
    return changes.flatMap(({ table = PARENTS }, index) => (table === PARENTS ? [offsetOf(lsn, 2 * index)] : []));
  });
  const expected = [...setting.script.parents.map(() => 'snapshot'), ...due].slice(0, is.applied.length);
  if (is.applied.join() === expected.join()) return undefined;
  return { property: PROPERTIES.once, what: `applied ${is.applied.join(' ')} instead of ${expected.join(' ')}` };
}

// --- at rest

const AT_REST = {
  collector: ['"idle"'],
  catchUp: ['"idle"'],
  inner: ['{"running":{"snapshot":"complete","ingest":"live"}}'],
  materializer: ['{"live":"waiting"}'],
  outer: ['{"running":{"snapshot":"complete","ingest":"live"}}'],
} as const;

function hanging(view: Look): Violation | undefined {
  for (const role of ROLES) {
    const local = view.process(role);
    if (local.status !== 'alive' || AT_REST[role].some((state) => state === JSON.stringify(local.snapshot.value))) continue;
    return { property: PROPERTIES.ends, what: `${local.pid} hangs in ${JSON.stringify(local.snapshot.value)}` };
  }
  const lives = (role: (typeof ROLES)[number]): boolean => view.process(role).status === 'alive';
  if (lives('materializer') && !lives('outer')) {
    return { property: PROPERTIES.ends, what: 'the Materializer outlives those who depend on it' };
  }
  if (lives('outer') && !(lives('materializer') && lives('inner'))) {
    return { property: PROPERTIES.ends, what: 'a shape outlives those on which it depends' };
  }
  return undefined;
}

/** Who lives has what the tables have. */
function unequal(view: Look): Violation | undefined {
  const { world } = view;
  const values = [...new Set(membersOfRows(world.rows(PARENTS).map(([, value = null]) => value)))].sort().join();
  for (const table of world.values.values()) {
    const marks = [ANY_MEMBER, NULL_MEMBER].filter((mark) => table.has(mark, table.offset));
    const kept = [...marks, ...table.textsAt(table.offset)].sort().join();
    if (kept !== values) return { property: PROPERTIES.once, what: `values ${kept} instead of ${values}` };
  }
  if (view.process('outer').status !== 'alive') return undefined;
  const [rows, expected] = [folded(world).rows.join(), selected(world).join()];
  return rows === expected ? undefined : { property: PROPERTIES.folds, what: `rows ${rows} instead of ${expected}` };
}

function isAt(view: Look, role: string, state: string): boolean {
  const local = view.process(role);
  return local.status === 'alive' && local.snapshot.value === state;
}

function held({ loaded, movedRows, deliveries }: SpliceModel): Violation | undefined {
  const owners = [...loaded.keys(), ...movedRows.keys(), ...deliveries.keys()];
  return owners.length === 0 ? undefined : { property: PROPERTIES.held, what: `something is held for ${owners.join()}` };
}

/** The inner shape goes only with its own Consumer; the outer one with its own, with the values, or with the inner one. */
function endedAlone(view: Look): Violation | undefined {
  const { world } = view;
  const [inner, outer] = [world.shape(INNER), world.shape(OUTER)];
  if (inner === undefined && outer !== undefined) return { property: PROPERTIES.exactly, what: 'a shape is kept whose inner one is gone' };
  const mayBeGone = inner === undefined || wasStruck(view, 'outer') || wasStruck(view, 'materializer');
  const isKept = (inner !== undefined || wasStruck(view, 'inner')) && (outer !== undefined || mayBeGone);
  return isKept ? undefined : { property: PROPERTIES.drained, what: 'a shape is gone though nobody ended it' };
}

/** It was killed, and nobody has taken its place. */
function wasStruck(view: Look, role: string): boolean {
  const local = view.process(role);
  return local.status === 'dead' && downCause(local.reason).type === 'crash';
}

