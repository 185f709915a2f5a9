/** What a frame leaves out of its shapes is there again when it is read. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DefinitionParts } from '../../../src/model/definition-parts.ts';
import type { LogOffset } from '../../../src/model/log-offset.ts';
import { LOG_START, type LogPosition } from '../../../src/model/log-position.ts';
import type { Lsn } from '../../../src/model/lsn.ts';
import type { PgSnapshot } from '../../../src/model/pg-snapshot.ts';
import type { ShapeDefinition } from '../../../src/model/shape.ts';
import { BriefReader, BriefWriter, type BriefChange } from '../../../src/storage/checkpoint/brief-changes.ts';
import { stateChange, type StateChange } from '../../../src/storage/checkpoint/checkpoint-states.ts';
import type { SnapshotState } from '../../../src/storage/shapes/shape-logs.ts';
import { newShape } from '../../../src/storage/shapes/shape-table.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';

/** Few of each, so that much is alike and much is not. `__proto__` is the name of a column as well as any. */
const few = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const name = few('id', 'title', '__proto__', 'where', '');
const names = fc.array(name, { maxLength: 2 });
const named = <T>(value: fc.Arbitrary<T>) => fc.array(fc.tuple(name, value), { maxLength: 2 }).map((all) => Object.fromEntries(all));
const collation = fc.record({
  name: few('C', 'de_DE'), order: few('bytes', 'language'), cases: few('ascii', 'unicode'), isDeterministic: fc.boolean(),
});
const where = fc.record({
  text: few("title = 'a'", "title = 'b'", 'null'), params: names, canonical: few('1', '2'), collations: named(collation), collation,
  version: few(14, 15), zones: named(few({ first: 0, changes: [] }, { first: 3600, changes: [] })),
}, { requiredKeys: ['text', 'params', 'canonical'] });
const parts = {
  relation: fc.record({ oid: few(1, 2), schema: name, name }), columns: names, selectsAll: fc.boolean(), primaryKey: names,
  reads: fc.array(fc.record({ name, typeOid: few(23, 25), typeMod: few(-1) }), { maxLength: 2 }),
  facts: fc.record({ files: few('1', '2'), columns: name, types: named(fc.tuple(name, few(0, 1))) }, {
    requiredKeys: ['files', 'columns'],
  }),
  where, replica: few('default', 'full'), log: few('full', 'changes_only'), moveOuts: few('deletes'),
};
const requiredKeys = ['relation', 'columns', 'selectsAll', 'primaryKey', 'reads', 'replica', 'log'] as const;
const plain = fc.record(parts, { requiredKeys: [...requiredKeys] });
const dependencies = fc.array(fc.record({ shape: plain, column: name }), { minLength: 1, maxLength: 2 });
const definition = fc.record({ ...parts, dependencies }, { requiredKeys: [...requiredKeys] }) as fc.Arbitrary<ShapeDefinition>;

const position = few(0, 7).map((at) => at as LogPosition);
const offset = few('0_inf', '7_0').map((text) => text as LogOffset);
const insertLsn = few('5' as Lsn);
const pgSnapshot: fc.Arbitrary<PgSnapshot> = fc.record({ xmin: few('1', '2'), xmax: few('2'), xip: few([], ['1']), insertLsn });
const chunks = fc.array(fc.record({ bytes: few(1, 2), sums: few([1], []) }), { maxLength: 2 });
const packed = fc.record({ pack: few(1), at: few(0, 9), bytes: few(9) });
const snapshot: fc.Arbitrary<SnapshotState> = fc.oneof(
  few({ state: 'awaited' as const }),
  fc.record({ state: few('writing' as const), pgSnapshot, chunkCount: few(0, 1) }),
  fc.record({ state: few('complete' as const), pgSnapshot, chunks, packed, fewRows: few('AA') }, {
    requiredKeys: ['state', 'pgSnapshot', 'chunks'],
  }),
);
const always = {
  handle: few(1, 2, 3).map(handleOf), end: offset, bytes: few(0, 9), count: few(0, 1), openBytes: few(0, 9), position,
  isLagging: fc.boolean(), filterBy: fc.option(pgSnapshot),
};
const sometimes = {
  dependsOn: few([handleOf(4)]), isInner: fc.boolean(),
  views: fc.record({ views: fc.array(offset, { maxLength: 1 }), taken: few(0), pending: few([]) }),
  snapshot, compacted: fc.record({ generation: few(1), through: offset, bytes: few(9) }),
  chunkEnds: fc.array(fc.record({ offset, bytes: few(9) }), { minLength: 1, maxLength: 2 }),
  tail: fc.array(fc.record({ pack: few(1), at: few(0), bytes: few(9), count: few(1), after: offset }), { maxLength: 1 }),
};
const requiredOfAll = ['handle', 'end', 'bytes', 'count', 'openBytes', 'position', 'isLagging', 'filterBy'] as const;
const later = fc.record({ ...always, ...sometimes }, { requiredKeys: [...requiredOfAll] });
const first = fc.record({ ...always, ...sometimes, definition, chunkBytesMax: few(10, 20) }, {
  requiredKeys: [...requiredOfAll, 'definition', 'chunkBytesMax', 'snapshot'],
});
const changes = fc.array(fc.oneof({ arbitrary: first, weight: 3 }, { arbitrary: later, weight: 1 }), { maxLength: 12 });

function inBrief(all: readonly StateChange[]): string {
  const writer = new BriefWriter();
  return JSON.stringify(all.map((change) => writer.brief(change)));
}

function inFull(text: string): readonly StateChange[] {
  const reader = new BriefReader(new DefinitionParts());
  return (JSON.parse(text) as readonly BriefChange[]).map((change) => reader.whole(change));
}

/** As JSON has it: without the prototypes of what was generated. */
const plainly = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('whatever shapes were written one behind the other are read as they were', () => {
  fc.assert(fc.property(changes, (all) => {
    expect(inFull(inBrief(all as readonly StateChange[]))).toEqual(plainly(all));
  }), { numRuns: 1_000 });
});

const taken: PgSnapshot = { xmin: '775', xmax: '775', xip: [], insertLsn: '51728296' as Lsn };

function wholeOf(number: number): SnapshotState {
  return { state: 'complete', pgSnapshot: taken, chunks: [{ bytes: 237, sums: [number] }], packed: { pack: 1, at: number, bytes: 237 } };
}

/** They differ in a constant, and in where their rows are. */
function ownedBy(number: number): StateChange {
  const made = shapeOf({ where: { column: 'owner', equals: String(number) } });
  const state = newShape(handleOf(number), { definition: made, chunkBytesMax: 100, position: LOG_START });
  return stateChange({ ...state, snapshot: wholeOf(number), filterBy: taken }, undefined);
}

test('of one that differs from the one before it in a constant no more is told than that and its rows', () => {
  const writer = new BriefWriter();
  const [, brief] = [1, 2].map((number) => writer.brief(ownedBy(number)));

  const text = "owner = '2'";
  const { pgSnapshot: _, ...rows } = { ...wholeOf(2), pgSnapshot: taken };
  expect(brief).toEqual({ handle: handleOf(2), definition: { where: { text, canonical: text } }, snapshot: rows });
});

test('of a thousand that differ in a constant each takes a third of what the first one takes, and they hold what is alike once', () => {
  const all = Array.from({ length: 1_000 }, (_, number) => ownedBy(number));
  const text = inBrief(all);
  const read = inFull(text);

  const [one] = all;
  const alike = read.map(({ definition: own, filterBy }) => [own?.relation, own?.columns, own?.reads, filterBy]);
  expect(read).toEqual(all);
  expect({
    isShort: text.length < 1_000 * JSON.stringify(one).length / 3,
    areShared: alike.every((own) => own.every((part, index) => part === alike[0]?.[index])),
  }).toEqual({ isShort: true, areShared: true });
});
