/** What must hold of two layers of shapes, at every step and when the world has come to rest, whatever died on the way. */
import { ShapeDirectory } from '../../src/actors/directory/shape-directory.ts';
import { consumerOf, materializerOf } from '../../src/actors/shape-processes.ts';
import { compareLsn } from '../../src/model/lsn.ts';
import type { Handle, ShapeDefinition } from '../../src/model/shape.ts';
import type { ShapeLog } from '../../src/storage/shapes/shape-logs.ts';
import { rowIdOf } from '../support/hand-over/model-database.ts';
import { run, type Outcome, type RunOptions } from '../support/layers/layered-run.ts';
import type { Script } from '../support/layers/layered-scripts.ts';
import { CHILDREN, PARENTS } from '../support/layers/layered-shapes.ts';
import type { LayeredWorld } from '../support/layers/layered-world.ts';
import { forsaken, GivenUp, leftOver, unanswered } from './lives-left.ts';
import { ToldOffsets } from './told-offsets.ts';

/** The properties, in the words in which a violation is told. */
export const PROPERTIES = {
  equal: 'a shape that lives has the rows that the database selects',
  strict: 'its log is one that the strictest client can follow, and never changes',
  promised: 'an up-to-date promises no transaction that is not in the log',
  behind: 'what comes stands behind what an up-to-date has told',
  ends: 'nobody hangs, and whoever is asked for comes to life',
  crashes: 'the death of another process crashes nobody',
  dependants: 'a shape ends with the one that it depends on, once',
  drained: 'draining deletes nothing',
  answered: 'whoever asks for a shape, or for its end, is answered',
  together: 'all who depend on a shape that is given up are given up in the same step',
  needed: 'nothing is left that nobody needs: no process, no monitor, no inner shape',
} as const;

export type Property = keyof typeof PROPERTIES;

export interface Violation {
  readonly property: Property;
  readonly what: string;
}

/** One life of the world, held against the properties. */
export async function violations(script: Script, options: Omit<RunOptions, 'onStep' | 'isAtRest'> = {}): Promise<readonly Violation[]> {
  const broken: Violation[] = [];
  const givenUp = new GivenUp();
  const toldOffsets = new ToldOffsets();
  const onStep = (world: LayeredWorld): void => {
    if (broken.length > 0) return;
    broken.push(...promiseViolations(world), ...told('behind', toldOffsets.early(world)), ...told('together', givenUp.spared(world)));
  };
  const outcome = await run(script, { ...options, onStep, isAtRest: (world) => waitingIn(world).length === 0 });
  return [...broken, ...restViolations(outcome)];
}

function restViolations(outcome: Outcome): readonly Violation[] {
  const { world } = outcome;
  const poisonless = world.crashes.filter(({ message }) => !message.includes("'poison'"));
  return [
    ...told('ends', outcome.isQuiet ? [] : ['the world does not come to rest', ...waitingIn(world)]),
    ...told('crashes', poisonless.map(({ process, message }) => `${process}: ${message}`)),
    ...told('strict', [...world.ledgers].flatMap(([handle, { mistakes }]) => mistakes.map((mistake) => `${handle}: ${mistake}`))),
    ...(outcome.isQuiet ? told('ends', missingOf(outcome)) : []),
    ...(outcome.isQuiet ? told('equal', [...world.storage.shapes.all()].flatMap((log) => unequal(world, log))) : []),
    ...told('answered', unanswered(outcome)),
    ...(outcome.isQuiet ? told('needed', [...leftOver(world), ...forsaken(outcome)]) : []),
    ...told('dependants', dependantViolations(outcome)),
    ...told('drained', lostByDrain(outcome)),
  ];
}

function told(property: Property, whats: readonly string[]): readonly Violation[] {
  return whats.map((what) => ({ property, what }));
}

/** Who is not where it should be when nothing is under way. */
function waitingIn({ runtime, storage }: LayeredWorld): readonly string[] {
  const rests: (readonly [string, unknown, unknown])[] = [
    ['collector', runtime.processInfo('@shape-log-collector')?.state, 'idle'],
    ['catch-up collector', runtime.processInfo('@catch-up-collector')?.state, 'idle'],
    ['shape cache', runtime.processInfo('@shape-cache')?.state, 'serving'],
  ];
  const directory = runtime.tableOf('@shape-cache', 'directory');
  for (const { handle, definition, dependsOn, restsAt } of storage.shapes.all()) {
    const isDormant = directory instanceof ShapeDirectory && directory.isDormant(handle) && restsAt !== undefined;
    rests.push([consumerOf(handle), runtime.processInfo(consumerOf(handle))?.state, isDormant ? undefined : AT_REST]);
    for (const [number, inner] of dependsOn.entries()) {
      const name = materializerOf(inner, definition.dependencies?.[number]?.column ?? '');
      rests.push([name, runtime.processInfo(name)?.state, { live: 'waiting' }]);
    }
  }
  const waiting = rests.filter(([, state, rest]) => JSON.stringify(state) !== JSON.stringify(rest));
  return waiting.map(([who, state]) => `${who} is in ${JSON.stringify(state)}`);
}

const AT_REST = { running: { snapshot: 'complete', ingest: 'live' } };

function missingOf({ world, asked, ending }: Outcome): readonly string[] {
  if (ending === 'leaving') return [];
  return asked.flatMap((definition) => (world.handleOf(definition) === undefined ? [`nobody serves ${definition.where?.text ?? ''}`] : []));
}

function unequal(world: LayeredWorld, { handle, definition }: ShapeLog): readonly string[] {
  const columns = definition.relation.name === PARENTS.name ? PARENTS.columns : CHILDREN.columns;
  const selected = world.selected(definition).map((row) =>
    definition.columns.map((column) => row[columns.findIndex(({ name }) => name === column)] ?? null),
  );
  const has = [...(world.ledgers.get(handle)?.rows.values() ?? [])].map((row) => definition.columns.map((column) => row[column] ?? null));
  const [expected, found] = [sorted(selected), sorted(has)];
  return expected === found ? [] : [`${handle} (${definition.where?.text ?? ''}) has ${found} of ${expected}`];
}

function sorted(rows: readonly (readonly (string | null)[])[]): string {
  return JSON.stringify(rows.map((row) => JSON.stringify(row)).sort());
}

/** Readers hear of an end once; and whoever depends on a shape that is gone is gone too. */
function dependantViolations({ world: { rotated, storage }, hasRestartedAll }: Outcome): readonly string[] {
  // A directory that ended did not get to delete them all: the next one tells of them once more.
  const again = (hasRestartedAll ? [] : rotated).filter((handle, index) => rotated.indexOf(handle) !== index);
  const twice = again.map((handle) => `${handle} ended more than once`);
  const orphans = [...storage.shapes.all()].filter(({ dependsOn }) => dependsOn.some((inner) => storage.shapes.get(inner) === undefined));
  return [...twice, ...orphans.map(({ handle }) => `${handle} outlives a shape that it depends on`)];
}

/** A shape that had its snapshot goes only when somebody ended it by force or by a wish, or one on which it depends. */
function lostByDrain({ world, struck, hasStruckAll }: Outcome): readonly string[] {
  if (hasStruckAll) return [];
  const excused = new Set<Handle>(struck);
  for (const { log, wasWhole } of world.deletions) if (!wasWhole) excused.add(log.handle);
  const forsaken = new Set(world.deletions.flatMap(({ log }) => log.dependsOn)); // Whose dependant went: that one is judged itself.
  const judged = world.deletions.filter(({ log }) => !forsaken.has(log.handle));
  const below = (handle: Handle): readonly Handle[] => {
    const log = world.deletions.find((deletion) => deletion.log.handle === handle)?.log ?? world.storage.shapes.get(handle);
    return [handle, ...(log?.dependsOn ?? []).flatMap(below)];
  };
  const lost = judged.filter(({ log }) => !below(log.handle).some((handle) => excused.has(handle)));
  return lost.map(({ log: { handle }, why }) => `${handle} was deleted: ${why}`);
}

/** Of each row that nobody has written behind the promise, nor a parent that it looks up: it is there, or not, as the database has it. */
function promiseViolations(world: LayeredWorld): readonly Violation[] {
  return [...world.storage.shapes.all()].flatMap((log) => {
    const promised = world.promisedLsn(log);
    const rows = world.ledgers.get(log.handle)?.rows;
    if (rows === undefined || log.snapshot.state !== 'complete' || !world.isServed(log)) return [];
    const open = new Set<string>();
    for (const { lsn, changes } of world.postgres.database.committed) {
      if (compareLsn(lsn, promised) > 0) for (const change of changes) open.add(`${change.table} ${rowIdOf(change)}`);
    }
    if (open.size > 0 && !looksUpParents(log.definition)) return [];
    return told('promised', brokenPromises(world, log.definition, rows, open).map((what) => `${log.handle} at ${promised}: ${what}`));
  });
}

/** Which rows a shape has is then a matter of these rows and their parents alone. */
function looksUpParents({ dependencies = [] }: ShapeDefinition): boolean {
  return dependencies.every(({ shape }) => shape.relation.name === PARENTS.name && shape.dependencies === undefined);
}

function brokenPromises(
  world: LayeredWorld,
  definition: ShapeDefinition,
  rows: ReadonlyMap<string, Readonly<Record<string, string | null>>>,
  open: ReadonlySet<string>,
): readonly string[] {
  const { name } = definition.relation;
  const has = new Set([...rows.values()].map((row) => row['id'] ?? ''));
  const known = new Map(world.postgres.database.rowsOf(name).map((row) => [row[0] ?? '', row]));
  return [...new Set([...has, ...known.keys()])].flatMap((id) => {
    const row = known.get(id);
    const isOfOpenParent = name === CHILDREN.name && row !== undefined && open.has(`${PARENTS.name} ${String(row[1])}`);
    if (open.has(`${name} ${id}`) || isOfOpenParent) return [];
    const selects = row !== undefined && world.selects(definition, row);
    return selects === has.has(id) ? [] : [`row ${id} is ${selects ? 'missing' : 'there'}`];
  });
}
