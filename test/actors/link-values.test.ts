import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LinkValues, type Moves } from '../../src/actors/link-values.ts';
import { LOG_BEGIN, placeAt } from '../../src/model/log-entry.ts';
import { SNAPSHOT_END, type LogOffset } from '../../src/model/log-offset.ts';
import type { Handle } from '../../src/model/shape.ts';
import type { PlacedRow } from '../../src/model/row-values.ts';
import { ShapeBlocks } from '../../src/storage/shapes/shape-blocks.ts';
import { committed, deleted, inserted, rekeyed, updated } from '../support/actors/placed-rows.ts';

const HANDLE = '1-1' as Handle;

/** Link values after `history`, with a way to apply more and see what came of it. */
function valuesOf(history: readonly PlacedRow[] = []) {
  const blocks = new ShapeBlocks();
  const values = new LinkValues(HANDLE, 'value', blocks);
  const applyBlock = (through: LogOffset, messages: readonly PlacedRow[], keepMoves: boolean) => {
    const block = { after: values.place, through: placeAt(through) };
    blocks.put(HANDLE, 'value', block, messages);
    values.apply({ block, keepMoves });
  };
  applyBlock(SNAPSHOT_END, history, false);
  let lsn = 100;
  return {
    values,
    applyBlock,
    /** One live transaction; several parts are blocks of it. */
    commit(...parts: (readonly PlacedRow[])[]) {
      lsn += 1;
      parts.forEach((part, index) => {
        const open = index < parts.length - 1 ? 'open' : undefined;
        applyBlock(`${lsn}_${2 * index}` as LogOffset, committed(String(lsn), part, open), true);
      });
    },
  };
}

interface Outcome {
  readonly links: readonly (string | null)[];
  readonly moves: readonly string[];
}

function outcomeOf(values: LinkValues): Outcome {
  return { links: [...values.values.keys()].sort(), moves: values.moves.map(movesText) };
}

function movesText({ movedIn, movedOut }: Pick<Moves, 'movedIn' | 'movedOut'>): string {
  return [...[...movedIn].sort().map((value) => `+${value}`), ...[...movedOut].sort().map((value) => `-${value}`)].join(' ');
}

interface Case {
  readonly title: string;
  readonly history?: readonly PlacedRow[];
  /** The live transactions. */
  readonly live?: readonly (readonly PlacedRow[])[];
  readonly links: readonly string[];
  /** Per transaction that moved something. */
  readonly moves: readonly string[];
}

const cases: readonly Case[] = [
  {
    title: 'rows inserted into an empty shape',
    live: [[inserted('a', '1'), inserted('b', '2'), inserted('c', '3')]],
    links: ['1', '2', '3'],
    moves: ['+1 +2 +3'],
  },
  { title: 'history makes values, no moves', history: [inserted('a', '10')], links: ['10'], moves: [] },
  {
    title: 'an update moves one value out and another in',
    history: [inserted('a', '10')],
    live: [[updated('a', '11')]],
    links: ['11'],
    moves: ['+11 -10'],
  },
  {
    title: 'history that holds an update',
    history: [inserted('a', '10'), ...committed('5', [updated('a', '11')])],
    links: ['11'],
    moves: [],
  },
  { title: 'a delete moves the last row’s value out', history: [inserted('a', '10')], live: [[deleted('a')]], links: [], moves: ['-10'] },
  { title: 'history that ends empty', history: [inserted('a', '10'), ...committed('5', [deleted('a')])], links: [], moves: [] },
  {
    title: 'a second row with a value that is there',
    history: [inserted('a', '10')],
    live: [[inserted('b', '10')]],
    links: ['10'],
    moves: [],
  },
  {
    title: 'an update to a value that is there',
    history: [inserted('a', '10'), inserted('b', '20')],
    live: [[updated('a', '20')]],
    links: ['20'],
    moves: ['-10'],
  },
  {
    title: 'an update away from a value that stays',
    history: [inserted('a', '10'), inserted('b', '10')],
    live: [[updated('a', '20')]],
    links: ['10', '20'],
    moves: ['+20'],
  },
  {
    title: 'an update between two values that stay',
    history: [inserted('a', '10'), inserted('b', '20'), inserted('c', '10')],
    live: [[updated('a', '20')]],
    links: ['10', '20'],
    moves: [],
  },
  {
    title: 'a delete of one of two rows',
    history: [inserted('a', '10'), inserted('b', '10')],
    live: [[deleted('a')]],
    links: ['10'],
    moves: [],
  },
  {
    title: 'a third row with the same value',
    history: [inserted('a', '10'), inserted('b', '10')],
    live: [[inserted('c', '10')]],
    links: ['10'],
    moves: [],
  },
  {
    title: 'a new key and a new value',
    history: [inserted('1', '10')],
    live: [rekeyed('1', '2', '20')],
    links: ['20'],
    moves: ['+20 -10'],
  },
  { title: 'a new key, the same value', history: [inserted('1', '10')], live: [rekeyed('1', '2', '10')], links: ['10'], moves: [] },
  { title: 'an update of other columns', history: [inserted('a', '10')], live: [[updated('a')]], links: ['10'], moves: [] },
  {
    title: 'two transactions, each with its own moves',
    live: [
      [inserted('a', '1'), inserted('b', '2'), inserted('c', '1')],
      [updated('b', '3'), deleted('c'), updated('a')],
    ],
    links: ['1', '3'],
    moves: ['+1 +2', '+3 -2'],
  },
  { title: 'inserted and deleted in one transaction', live: [[inserted('a', '10'), deleted('a')]], links: [], moves: [] },
  {
    title: 'there and back in one transaction',
    history: [inserted('a', '10')],
    live: [[updated('a', '20'), updated('a', '10')]],
    links: ['10'],
    moves: [],
  },
  { title: 'in, out, in again', live: [[inserted('a', '10'), deleted('a'), inserted('b', '10')]], links: ['10'], moves: ['+10'] },
  {
    title: 'one value cancelled, another not',
    live: [[inserted('a', '10'), deleted('a'), inserted('b', '20')]],
    links: ['20'],
    moves: ['+20'],
  },
  {
    title: 'out, in, out again',
    history: [inserted('a', '10')],
    live: [[deleted('a'), inserted('b', '10'), deleted('b')]],
    links: [],
    moves: ['-10'],
  },
  { title: 'in, away and back', live: [[inserted('a', '10'), updated('a', '20'), updated('a', '10')]], links: ['10'], moves: ['+10'] },
];

describe('the values of a column, and what a transaction does to them', () => {
  test.each(cases)('$title', ({ history = [], live = [], links, moves }) => {
    const { values, commit } = valuesOf(history);

    for (const transaction of live) commit(transaction);

    expect(outcomeOf(values)).toEqual({ links, moves });
  });
});

test('NULL counts like any other value', () => {
  const { values, commit } = valuesOf([inserted('a', null), inserted('b', null)]);

  commit([updated('a', '1')]);
  const between = outcomeOf(values);
  commit([updated('b', '1')]);

  expect([between, outcomeOf(values)]).toEqual([
    { links: ['1', null].sort(), moves: ['+1'] },
    { links: ['1'], moves: ['+1', '-null'] },
  ]);
});

test('texts of one value are one value: no move when only the text changed', () => {
  const blocks = new ShapeBlocks();
  const values = new LinkValues(HANDLE, 'value', blocks, (text) => text.slice(0, 1));
  const block = { after: values.place, through: placeAt('7_4' as LogOffset) };
  blocks.put(HANDLE, 'value', block, [
    inserted('a', 'true'),
    ...committed('7', [updated('a', 't'), inserted('b', 'false'), inserted('c', null)]),
  ]);

  values.apply({ block, keepMoves: true });

  expect({ counts: values.values, moves: values.moves.map(movesText) }).toEqual({
    counts: new Map([
      ['t', 1],
      ['f', 1],
      [null, 1],
    ]),
    moves: ['+t', '+f +null'],
  });
});

test('who begins inside a transaction begins with what was there before it, and its moves lead to what is there behind it', () => {
  const { values, applyBlock } = valuesOf([inserted('a', '1'), inserted('b', '2')]);
  const seen = [[...values.committed]];
  applyBlock('101_0' as LogOffset, committed('101', [updated('a', '3'), inserted('c', null)], 'open'), true);
  seen.push([...values.committed].sort());
  applyBlock('101_4' as LogOffset, committed('101', [updated('c', '4')]), true);
  seen.push([...values.committed].sort());

  expect({ seen, moves: values.moves.map(movesText) }).toEqual({
    seen: [
      ['1', '2'],
      ['1', '2'],
      ['2', '3', '4'],
    ],
    moves: ['+3 +4 -1'],
  });
});

test('a transaction that comes in two blocks moves nothing before its end, and then once', () => {
  const { values, applyBlock } = valuesOf();

  applyBlock('7_4' as LogOffset, committed('7', [inserted('a', '1'), inserted('b', '2'), inserted('c', '3')], 'open'), true);
  const open = values.moves.length;
  applyBlock('7_8' as LogOffset, committed('7', [deleted('a'), inserted('d', '4')]), true);

  expect({ open, moves: values.moves.map(movesText) }).toEqual({ open: 0, moves: ['+2 +3 +4'] });
});

test('moves name the transaction that made them', () => {
  const { values, applyBlock } = valuesOf();

  applyBlock('4242_0' as LogOffset, committed('4242', [inserted('a', '1')]), true);

  expect(values.moves).toEqual([{ offset: '4242_0', xids: [4242], movedIn: ['1'], movedOut: [] }]);
});

test('moves are kept until the dependants have taken them', () => {
  const { values, commit } = valuesOf();
  commit([inserted('a', '1')]);

  values.apply('forgetMoves');

  expect(outcomeOf(values)).toEqual({ links: ['1'], moves: [] });
});

test('moves have the place of their transaction’s last row, also where that is not where the transaction was logged', () => {
  const { values, applyBlock } = valuesOf();
  const rows = committed('7', [inserted('a', '1'), inserted('b', '2')]);
  const spliced = rows.map((row, index) => ({ ...row, offset: `9_${index}` as LogOffset }));

  applyBlock('9_1' as LogOffset, spliced, true);

  expect(values.moves).toEqual([{ offset: '9_1', xids: [7], movedIn: ['1', '2'], movedOut: [] }]);
});

test('a chunk of the snapshot may come in several blocks', () => {
  const blocks = new ShapeBlocks();
  const values = new LinkValues(HANDLE, 'value', blocks);
  const middle = { ...LOG_BEGIN, bytes: 100 };
  const ranges = [{ after: LOG_BEGIN, through: middle }, { after: middle, through: placeAt(SNAPSHOT_END) }];
  const told = ranges.map((block, index) => {
    blocks.put(HANDLE, 'value', block, [inserted(`row ${index}`, String(index))]);
    return values.apply({ block, keepMoves: false });
  });

  expect({ told, links: outcomeOf(values).links }).toEqual({
    told: [{ type: 'values.applied', place: middle }, { type: 'values.applied', place: placeAt(SNAPSHOT_END) }],
    links: ['0', '1'],
  });
});

test('a row that is inserted twice is our bug, and said so', () => {
  const { commit } = valuesOf([inserted('a', '1')]);

  expect(() => commit([inserted('a', '1')])).toThrow('key a already exists');
});

test.each([
  ['deleted', deleted('a')],
  ['updated', updated('a', '1')],
  ['updated in another column', updated('a')],
])('a row that was never inserted and is %s is our bug, and said so', (_, message) => {
  const { commit } = valuesOf();

  expect(() => commit([message])).toThrow('key a does not exist');
});

test('a block that does not lie beyond the last one is refused', () => {
  const { values, applyBlock } = valuesOf([inserted('a', '1')]);

  expect(() => applyBlock(values.place.offset, [], true)).toThrow('every applied place lies beyond the last');
});

test('a block that leaves a gap is refused', () => {
  const { values } = valuesOf();

  const block = { after: placeAt('5_0' as LogOffset), through: placeAt('6_0' as LogOffset) };

  expect(() => values.apply({ block, keepMoves: true })).toThrow('a block begins where the last one ended');
});

test('the order in which an open transaction touched the values stands in the key, since the moves will have it', () => {
  const keys = [[inserted('a', '1'), inserted('b', '2')], [inserted('b', '2'), inserted('a', '1')]].map((messages) => {
    const { values, commit } = valuesOf();
    commit(messages, []); // The transaction has another part, which has not come.
    return values.key();
  });

  expect(keys[0]).not.toBe(keys[1]);
});

test('begins before everything', () => {
  expect(new LinkValues(HANDLE, 'value', new ShapeBlocks()).place).toEqual(LOG_BEGIN);
});

const operation = fc.record({
  row: fc.integer({ min: 0, max: 4 }),
  value: fc.option(fc.constantFrom('1', '2', '3'), { freq: 5 }),
  remove: fc.boolean(),
});
const history = fc.array(fc.array(operation, { minLength: 1, maxLength: 8 }), { maxLength: 6 });

test('any transactions: counts are those of the rows, and the moves lead from each set of values to the next', () => {
  fc.assert(
    fc.property(history, fc.integer({ min: 1, max: 4 }), (transactions, partSize) => {
      const { values, commit } = valuesOf();
      const rows = new Map<string, string | null>();
      const moves: string[] = [];
      for (const operations of transactions) {
        const before = new Set(rows.values());
        const messages = operations.map((wish) => messageFor(rows, wish)).filter((message) => message !== undefined);
        if (messages.length > 0) commit(...partsOf(messages, partSize));
        const after = new Set(rows.values());
        const movedIn = [...after].filter((value) => !before.has(value));
        const movedOut = [...before].filter((value) => !after.has(value));
        if (movedIn.length + movedOut.length > 0) moves.push(movesText({ movedIn, movedOut }));
      }
      expect({ counts: values.values, moves: values.moves.map(movesText) }).toEqual({ counts: countsOf(rows), moves });
    }),
  );
});

function messageFor(rows: Map<string, string | null>, { row, value, remove }: { row: number; value: string | null; remove: boolean }) {
  const key = String(row);
  const known = rows.has(key);
  if (remove && !known) return undefined;
  if (remove) {
    rows.delete(key);
    return deleted(key);
  }
  rows.set(key, value);
  return known ? updated(key, value) : inserted(key, value);
}

function partsOf<T>(items: readonly T[], size: number): (readonly T[])[] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}

function countsOf(rows: ReadonlyMap<string, string | null>): Map<string | null, number> {
  const counts = new Map<string | null, number>();
  for (const value of rows.values()) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
