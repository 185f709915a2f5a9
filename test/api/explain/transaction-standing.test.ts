/** Where a transaction stands for a shape with subqueries, by the lines of a log that are seldom so in a service at rest. */
import { expect, test } from 'vitest';
import { findTransaction } from '../../../src/api/explain/log-search.ts';
import { transactionStanding, type TransactionStanding } from '../../../src/api/explain/transaction-standing.ts';
import type { ToldShape } from '../../../src/api/explain/told-shape.ts';
import type { TransactionSource } from '../../../src/api/explain/transaction-source.ts';
import type { LogEntry } from '../../../src/model/log-entry.ts';
import { compareOffsets, SNAPSHOT_END, type LogOffset } from '../../../src/model/log-offset.ts';
import type { LogPosition } from '../../../src/model/log-position.ts';
import type { Lsn } from '../../../src/model/lsn.ts';
import type { Xid } from '../../../src/model/pg-snapshot.ts';
import type { Handle, ShapeDefinition } from '../../../src/model/shape.ts';

const inner: ShapeDefinition = {
  relation: { oid: 1, schema: 'public', name: 'parents' }, columns: ['id'], selectsAll: true, primaryKey: ['id'],
  reads: [{ name: 'id', typeOid: 23, typeMod: -1 }], replica: 'default', log: 'full',
};
const definition: ShapeDefinition = { ...inner, dependencies: [{ shape: inner, column: 'id' }] };

const XID = 700 as Xid;
const [OWN, OTHER] = [event('move-in', 700), event('move-in', 699)];
const [OUT, ROW, END] = [event('move-out', 700), '{"key":"a","value":{},"headers":{"operation":"insert","is_move_in":true}}', end()];
const CHANGE = '{"key":"a","value":{},"headers":{"operation":"insert","txids":[701],"lsn":"70","op_position":0}}';
const OWN_CHANGE = CHANGE.replace('701', '700');

function event(kind: string, xid: number): string {
  return `{"headers":{"event":"${kind}","patterns":[],"txids":[${xid}]}}`;
}

function end(): string {
  return '{"headers":{"control":"snapshot-end","xmin":"1","xmax":"1","xip_list":[]}}';
}

interface World {
  /** Each line has an LSN of its own: 10, 20, … */
  readonly lines: readonly string[];
  /** Whether the first rows were read behind the transaction, which committed at 15. */
  readonly isBefore?: boolean;
  readonly from?: LogOffset;
  readonly log?: 'full' | 'changes_only';
  readonly position?: number;
  readonly compactedThrough?: LogOffset;
  /** A shape without subqueries. */
  readonly isPlain?: boolean;
}

/** Of transaction 700. */
function standing(world: World): Promise<TransactionStanding> {
  const { lines, isBefore = false, from = SNAPSHOT_END, log = 'full', position = 1, compactedThrough = SNAPSHOT_END } = world;
  const xmax = isBefore ? '701' : '600';
  const entries = lines.map((line, index): LogEntry => {
    return { kind: 'row', offset: `${10 * (index + 1)}_0` as LogOffset, bytes: Buffer.from(line) };
  });
  const shape: ToldShape = {
    handle: '1-1' as Handle, definition: { ...(world.isPlain === true ? inner : definition), log }, compactedThrough,
    end: entries.at(-1)?.offset ?? SNAPSHOT_END,
    position: position as LogPosition, waitsAt: undefined,
    snapshot: { state: 'complete', pgSnapshot: { xmin: xmax, xmax, xip: [], insertLsn: '16' as Lsn }, bytes: 0 },
    tailFrom: () => from,
    async *entries(after) {
      yield entries.filter(({ offset }) => compareOffsets(offset, after) > 0);
    },
  };
  const source: TransactionSource = {
    logged: () => Promise.resolve({ lsn: '15' as Lsn, end: 1 as LogPosition }),
    wouldBeKnown: () => true,
    fate: () => Promise.resolve({ fate: 'running' }),
  };
  return transactionStanding({ shape, source, find: (sought) => findTransaction(shape, sought, new AbortController().signal) }, XID);
}

test.each<[string, readonly string[], object]>([
  ['an event, its rows and their end', [OWN, ROW, ROW, END, CHANGE], { status: 'in', offset: '40_0' }],
  ['an event in two parts', [OWN, OWN, ROW, END], { status: 'in', offset: '40_0' }],
  ['an event of rows that go', [OWN, ROW, END, OUT, CHANGE], { status: 'in', offset: '40_0' }],
  ['an event, and then one of somebody else', [OUT, OTHER, ROW, END], { status: 'in', offset: '10_0' }],
  ['a change of its own', [CHANGE, OWN_CHANGE, CHANGE], { status: 'in', offset: '20_0' }],
  ['rows that somebody else brings', [OTHER, ROW, END, CHANGE], { status: 'passed' }],
  ['rows that name nobody', [CHANGE, ROW, END, CHANGE], { status: 'in_moves', offset: '30_0' }],
  ['such rows before it', [END, CHANGE, CHANGE], { status: 'passed' }],
  ['a query that brought none', [CHANGE, END, CHANGE], { status: 'passed' }],
  ['a change of its own, and rows that name nobody', [OWN_CHANGE, ROW, END], { status: 'in', offset: '30_0' }],
])('of %s', async (_, lines, answer) => {
  expect(await standing({ lines })).toEqual(answer);
});

test('first rows that were chosen by an older view have its move behind them', async () => {
  const answers = [
    await standing({ isBefore: true, lines: [CHANGE, OWN, ROW, END] }),
    await standing({ isBefore: true, lines: [CHANGE, ROW, END] }),
    await standing({ isBefore: true, lines: [CHANGE] }),
    await standing({ isBefore: true, lines: [], position: 0 }),
  ];
  expect(answers).toEqual([
    { status: 'in', offset: '40_0' }, { status: 'in_snapshot', offset: '30_0' }, { status: 'in_snapshot', offset: SNAPSHOT_END },
    { status: 'not_yet', waitsFor: 'shape' },
  ]);
});

test('what lies further back than is looked is before the offset that is told, or forgotten', async () => {
  const from = '5_0' as LogOffset;
  const answers = [
    await standing({ isBefore: true, lines: [CHANGE], from }),
    await standing({ isBefore: true, lines: [CHANGE], from, log: 'changes_only' }),
    await standing({ lines: [CHANGE], from }),
  ];
  expect(answers).toEqual([{ status: 'in_snapshot', offset: from }, { status: 'forgotten' }, { status: 'forgotten' }]);
});

test('where lines were compacted, all of a transaction is told at the end of that part, or it cannot be said', async () => {
  const compactedThrough = '35_0' as LogOffset;
  const answers = [
    await standing({ lines: [OWN_CHANGE, CHANGE, CHANGE, CHANGE], compactedThrough }),
    await standing({ lines: [CHANGE, CHANGE, CHANGE, OWN_CHANGE], compactedThrough }),
    await standing({ lines: [CHANGE, CHANGE, CHANGE], compactedThrough }),
    await standing({ lines: [CHANGE, CHANGE, CHANGE], compactedThrough, isPlain: true }),
    await standing({ lines: [CHANGE, CHANGE], isPlain: true }),
    await standing({ lines: [CHANGE, CHANGE], compactedThrough: '12_0' as LogOffset, isPlain: true }),
  ];
  expect(answers).toEqual([
    { status: 'in', offset: compactedThrough }, { status: 'in', offset: '40_0' }, { status: 'forgotten' },
    { status: 'forgotten' }, { status: 'passed' }, { status: 'passed' },
  ]);
});
