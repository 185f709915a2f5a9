import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Moved } from '../../src/shapes/versioned-values.ts';
import { LinkValues, type LinkValuesBounds } from '../../src/actors/link-values.ts';
import { Fork } from '../../src/base/fork.ts';
import { MemberForm } from '../../src/actors/member-form.ts';
import { LOG_BEGIN, placeAt } from '../../src/model/log-entry.ts';
import { BEFORE_ALL, compareOffsets, isInSnapshot, SNAPSHOT_END, type LogOffset } from '../../src/model/log-offset.ts';
import type { Xid } from '../../src/model/pg-snapshot.ts';
import type { PlacedRow } from '../../src/model/row-values.ts';
import { MemberIndex } from '../../src/shapes/member-index.ts';
import { ANY_MEMBER, NULL_MEMBER } from '../../src/sql/subqueries/membership.ts';
import { equalTextAs } from '../../src/sql/values/equal-text.ts';
import { ShapeBlocks } from '../../src/storage/shapes/shape-blocks.ts';
import { FOLLOWER, followerPorts, LAGGARD } from '../support/actors/follower-ports.ts';
import { committed, deleted, inserted, rekeyed, updated } from '../support/actors/placed-rows.ts';
import { membersOfRows } from '../support/shapes/subquery-filter.ts';

/** Link values after `history`, with a way to apply more and see what came of it. */
function valuesOf(history: readonly PlacedRow[] = [], bounds?: Partial<LinkValuesBounds>, oldestView?: () => LogOffset | undefined) {
  const blocks = new ShapeBlocks();
  const values = new LinkValues('value', followerPorts(blocks, oldestView), new MemberForm([equalText]), bounds);
  const applyBlock = (through: LogOffset, messages: readonly PlacedRow[]) => {
    const block = { after: values.place, through: placeAt(through) };
    blocks.put(FOLLOWER, block, messages);
    return values.apply({ block });
  };
  const last = history.at(-1)?.offset ?? SNAPSHOT_END;
  applyBlock(isInSnapshot(last) ? SNAPSHOT_END : last, history);
  let lsn = 100;
  return {
    values,
    applyBlock,
    /** One live transaction; several parts are blocks of it. @returns whether it moved anything. */
    commit(...parts: (readonly PlacedRow[])[]) {
      lsn += 1;
      const rows = committed(String(lsn), parts.flat());
      const told = parts.map((part, index) => {
        const from = parts.slice(0, index).flat().length;
        const some = rows.slice(from, from + part.length);
        return applyBlock(some.at(-1)?.offset ?? (`${lsn}_0` as LogOffset), some);
      });
      return told.some((message) => message?.['moved'] === true);
    },
  };
}

/** Texts of one value agree in their first two characters. */
const ONE_TEXT = 2;

interface Outcome {
  readonly links: readonly string[];
  readonly moves: readonly string[];
}

/** As the values that are tried here have it. */
function equalText(text: string): string {
  return text.slice(0, ONE_TEXT);
}

function linksOf(values: LinkValues): readonly string[] {
  return Array.from(values.textsAt(values.offset), equalText).sort();
}

function movesText({ movedIn, movedOut }: Pick<Moved, 'movedIn' | 'movedOut'>): string {
  return [...movedIn.map(({ value }) => `+${value}`), ...movedOut.map(({ value }) => `-${value}`)].join(' ');
}

/** The live transactions, and what each that moved anything did. */
function playLive({ values, commit }: ReturnType<typeof valuesOf>, live: readonly (readonly PlacedRow[])[]): Outcome {
  const moves = live.flatMap((transaction) => {
    const before = values.offset;
    return commit(transaction) ? [movesText(values.movesBetween(before, values.offset))] : [];
  });
  return { links: linksOf(values), moves };
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
    expect(playLive(valuesOf(history), live)).toEqual({ links, moves });
  });
});

test('NULL is counted as a row, but is no value: when the last one goes, or one comes, that is a version in which none moves', () => {
  const world = valuesOf([inserted('a', null), inserted('b', null)]);

  const played = playLive(world, [[updated('a', '1')], [updated('b', '1')], [updated('a', null), inserted('c', null)]]);

  expect({ played, counts: world.values.counts }).toEqual({
    played: { links: ['1'], moves: ['+1', '', ''] },
    counts: new Map([[null, 2], ['1', 1]]),
  });
});

test('texts of one value are one value, which does not move when only the text changed; the first text is that for queries', () => {
  const { values, commit } = valuesOf([inserted('a', 'true')]);

  const moved = [commit([updated('a', 'tr')]), commit([inserted('b', 'false')])];

  expect({ moved, now: [...values.textsAt(values.offset)] }).toEqual({
    moved: [false, true],
    now: ['true', 'false'],
  });
});

test('a transaction that comes in two blocks is no version before its end, and moves once', () => {
  const { values, applyBlock } = valuesOf([inserted('a', '1'), inserted('b', '2')]);
  const seen = [[values.offset, linksOf(values)]];
  const rows = committed('101', [updated('a', '3'), inserted('c', null), updated('c', '4')]);

  const told = [applyBlock('101_2' as LogOffset, rows.slice(0, 2))];
  seen.push([values.offset, linksOf(values)]);
  told.push(applyBlock('101_4' as LogOffset, rows.slice(2)));
  seen.push([values.offset, linksOf(values)]);

  const moved = told.map((message) => message?.['moved']);
  expect({ seen, moved, moves: movesText(values.movesBetween(SNAPSHOT_END, values.offset)) }).toEqual({
    seen: [[SNAPSHOT_END, ['1', '2']], [SNAPSHOT_END, ['1', '2']], ['101_4', ['2', '3', '4']]],
    moved: [false, true],
    moves: '+3 +4 -1',
  });
});

test('moves between two versions are net, sorted, and name all transactions that moved something, whatever the order of their xids', () => {
  const { values, applyBlock } = valuesOf();
  const at = (xid: number, rows: readonly PlacedRow[]) => rows.map((row) => ({ ...row, xids: [xid as Xid] }));
  applyBlock('10_0' as LogOffset, at(9, committed('10', [inserted('a', '3')])));
  applyBlock('20_0' as LogOffset, at(7, committed('20', [inserted('b', '1')])));
  applyBlock('30_0' as LogOffset, at(8, committed('30', [inserted('c', '1')])));
  applyBlock('40_2' as LogOffset, at(9, committed('40', [deleted('a'), inserted('d', '2')])));

  expect(values.movesBetween(SNAPSHOT_END, values.offset)).toEqual({
    movedIn: [{ value: '1', text: '1' }, { value: '2', text: '2' }],
    movedOut: [],
    xids: [7, 9],
  });
});

test('a version has the place of its transaction’s last row, also where that is not where the transaction was logged', () => {
  const { values, applyBlock } = valuesOf();
  const rows = committed('7', [inserted('a', '1'), inserted('b', '2')]);

  applyBlock('9_1' as LogOffset, rows.map((row, index) => ({ ...row, offset: `9_${index}` as LogOffset })));

  expect([values.offset, values.has('1', SNAPSHOT_END), values.has('1', '9_0' as LogOffset), values.has('1', '9_1' as LogOffset)]).toEqual([
    '9_1', false, false, true,
  ]);
});

test('so many moves as a splice takes: the highest version with no more, but one transaction’s at the least', () => {
  const { values, commit } = valuesOf();
  commit([inserted('a', '1'), inserted('b', '2'), inserted('c', '3')]);
  commit([deleted('a')]);
  commit([inserted('d', '4')]);
  commit([inserted('e', '4')]);

  expect([1, 2, 3, 4].map((valuesMax) => values.movesThrough(SNAPSHOT_END, valuesMax))).toEqual(['101_4', '102_0', '103_0', '103_0']);
});

test('a chunk of the snapshot may come in several blocks, and the whole of it is the first version', () => {
  const blocks = new ShapeBlocks();
  const values = new LinkValues('value', followerPorts(blocks));
  const middle = { ...LOG_BEGIN, bytes: 100 };
  const ranges = [{ after: LOG_BEGIN, through: middle }, { after: middle, through: placeAt(SNAPSHOT_END) }];
  const told = ranges.map((block, index) => {
    blocks.put(FOLLOWER, block, [inserted(`row ${index}`, String(index))]);
    return [values.apply({ block }), values.offset, linksOf(values)];
  });

  expect(told).toEqual([
    [{ type: 'values.applied', place: middle, version: BEFORE_ALL, moved: false }, BEFORE_ALL, []],
    [{ type: 'values.applied', place: placeAt(SNAPSHOT_END), version: SNAPSHOT_END, moved: false }, SNAPSHOT_END, ['0', '1']],
  ]);
});

test('a block may go from the snapshot into what came behind it: the snapshot alone is the first version', () => {
  const blocks = new ShapeBlocks();
  const values = new LinkValues('value', followerPorts(blocks));
  const block = { after: LOG_BEGIN, through: placeAt('7_0' as LogOffset) };
  blocks.put(FOLLOWER, block, [inserted('a', '1'), ...committed('7', [inserted('b', '2')])]);
  const told = values.apply({ block });

  const moves = movesText(values.movesBetween(SNAPSHOT_END, values.offset));
  expect({ told, moves, keptFrom: values.keptFrom }).toMatchObject({ told: { moved: true }, moves: '+2', keptFrom: SNAPSHOT_END });
});

test('a table that has ended is read nothing for any more', () => {
  const blocks = new ShapeBlocks();
  const values = new LinkValues('value', followerPorts(blocks));
  const block = { after: LOG_BEGIN, through: placeAt(SNAPSHOT_END) };
  values.close();
  blocks.put(FOLLOWER, block, []);

  expect(() => values.apply({ block })).toThrow('a block is taken right after it was read');
});

test('moves are kept as far back as the oldest view of a dependant, which is asked for when what is kept has doubled', () => {
  let asked = 0;
  const oldest = (): LogOffset => {
    asked += 1;
    return '102_0' as LogOffset;
  };
  const { values, commit } = valuesOf([], { valuesMax: 100, keptMovesMin: 4 }, oldest);
  const kept = Array.from({ length: 9 }, (_, row) => {
    commit([inserted(String(row), String(row))]);
    return [values.keptFrom, asked];
  });

  expect(kept).toEqual([
    ...Array.from({ length: 3 }, () => [SNAPSHOT_END, 0]),
    ...Array.from({ length: 2 }, () => ['102_0', 1]),
    ...Array.from({ length: 4 }, () => ['102_0', 2]),
  ]);
});

test('a dependant for which more moves are kept than may be is named again and again, until it is gone and they are forgotten', () => {
  let view: LogOffset | undefined = '101_0' as LogOffset;
  const { values, applyBlock } = valuesOf([], { keptMovesMin: 2, keptMovesMax: 3 }, () => view);
  const commit = (lsn: number) => {
    const row = inserted(String(lsn), String(lsn).slice(1));
    return applyBlock(`${lsn}_0` as LogOffset, committed(String(lsn), [row]));
  };
  const named = [101, 102, 103, 104, 105, 106, 107].map((lsn) => commit(lsn)?.['overdue']);
  const keptFrom = values.keptFrom;
  view = undefined;
  const after = [commit(108), commit(109)].map((told) => told?.['overdue']);

  expect({ named, keptFrom, after, keptAfter: values.keptFrom }).toEqual({
    named: [undefined, undefined, undefined, undefined, [LAGGARD], undefined, [LAGGARD]],
    keptFrom: '101_0',
    after: [undefined, undefined],
    keptAfter: '109_0',
  });
});

test('a splice is of no more transactions than it may move values, however little they leave', () => {
  const { values, commit } = valuesOf();
  for (const row of ['a', 'b', 'c']) {
    commit([inserted(row, '1')]);
    commit([deleted(row)]);
  }

  expect([1, 3, 4].map((valuesMax) => values.movesThrough(SNAPSHOT_END, valuesMax))).toEqual(['101_0', '103_0', '104_0']);
});

test('where nobody depends on the values few moves are kept, and a value that went is forgotten with the move', () => {
  const { values, commit } = valuesOf([inserted('a', '1')], { valuesMax: 100, keptMovesMin: 2 });
  commit([deleted('a')]);
  const before = [values.keptFrom, values.mayHave('1'), values.has('1', SNAPSHOT_END)];
  commit([inserted('b', '2')]);

  expect({ before, behind: [values.keptFrom, values.mayHave('1'), values.mayHave('2')] }).toEqual({
    before: [SNAPSHOT_END, true, true],
    behind: ['102_0', false, true],
  });
});

test('a value that comes and goes in a transaction of two blocks outlives the moves that are forgotten between them', () => {
  const { values, applyBlock } = valuesOf([inserted('a', '1')], { valuesMax: 9, keptMovesMin: 2 });
  applyBlock('101_0' as LogOffset, committed('101', [deleted('a')]));
  const [left, open] = [committed('102', [inserted('b', '2')]), committed('103', [inserted('c', '1'), deleted('c'), inserted('d', '3')])];

  const told = [applyBlock('103_2' as LogOffset, [...left, ...open.slice(0, 2)]), applyBlock('103_4' as LogOffset, open.slice(2))];

  expect({ moved: told.map((message) => message?.['moved']), keptFrom: values.keptFrom, links: linksOf(values) }).toEqual({
    moved: [true, true], keptFrom: '102_0', links: ['2', '3'],
  });
});

test('once history is applied the index lists what there may be: a value that left is listed until its move is forgotten', () => {
  const [members, blocks] = [new MemberIndex(), new ShapeBlocks()];
  const values = new LinkValues('value', followerPorts(blocks, undefined, members), undefined, { valuesMax: 9, keptMovesMin: 2 });
  const steps = [[inserted('a', '1')], committed('7', [deleted('a')]), committed('8', [inserted('b', '2')])];
  const listed = steps.map((rows, index) => {
    const block = { after: values.place, through: placeAt(rows[0]?.isLast === true ? rows[0].offset : SNAPSHOT_END) };
    blocks.put(FOLLOWER, block, rows);
    values.apply({ block });
    if (index === 0) values.apply('list');
    return ['1', '2'].map((value) => members.mayHold('1-1/value', value));
  });
  values.close();

  expect({ listed, behind: [...members.holdersOf('2')] }).toEqual({ listed: [[true, false], [true, false], [false, true]], behind: [] });
});

test('of a table whose many values are asked a copy is asked too, each by the index beside it', () => {
  const [members, copies, blocks] = [new MemberIndex(), new MemberIndex(), new ShapeBlocks()];
  const ports = { ...followerPorts(blocks, undefined, members), clone: () => followerPorts(new ShapeBlocks(), undefined, copies) };
  const values = new LinkValues('value', ports, undefined, { listedMax: 1 });
  const block = { after: values.place, through: placeAt(SNAPSHOT_END) };
  blocks.put(FOLLOWER, block, [inserted('a', '1'), inserted('b', '2')]);
  values.apply({ block });
  values.apply('list');
  copies.listing('1-1/value').begin([]);
  values.clone(new Fork());

  expect([members, copies].map((index) => ['1', '3'].map((value) => index.mayHold('1-1/value', value)))).toEqual([
    [true, false], [true, false],
  ]);
});

test.each([
  ['when history is applied', ['1', '2', '3'], []],
  ['when they have become many', ['1', '2'], ['3']],
])('of many values none is listed, and the index asks for each, from then on %s', (_, before, behind) => {
  const [members, blocks] = [new MemberIndex(), new ShapeBlocks()];
  const values = new LinkValues('value', followerPorts(blocks, undefined, members), undefined, { listedMax: 2, keptMovesMin: 9 });
  const apply = (offset: LogOffset, rows: readonly PlacedRow[]) => {
    const block = { after: values.place, through: placeAt(offset) };
    blocks.put(FOLLOWER, block, rows);
    values.apply({ block });
    return ['1', '3', '4', '5'].map((value) => members.mayHold('1-1/value', value));
  };
  apply(SNAPSHOT_END, before.map((value) => inserted(value, value)));
  values.apply('list');
  apply('7_0' as LogOffset, committed('7', [...behind, '4'].map((value) => inserted(value, value))));
  const held = [apply('8_0' as LogOffset, committed('8', [deleted('4')])), [...members.holdersOf('3')], [...members.askedKeys()]];
  values.close();

  expect({ held, behind: [[...members.askedKeys()], members.mayHold('1-1/value', '5')] }).toEqual({
    held: [[true, true, true, false], [], ['1-1/value']], behind: [[], true],
  });
});

test.each([
  ['before the first one that is kept', BEFORE_ALL],
  ['behind the last', '7_0' as LogOffset],
])('a version %s is not asked about', (_, at) => {
  const { values } = valuesOf();

  expect(() => values.has('1', at)).toThrow(`versions are asked about from 0_inf to 0_inf, not ${at}`);
});

test.each([
  ['a snapshot that has more', [inserted('c', '3'), inserted('d', '4')]],
  ['a transaction that ended with more', [...committed('7', [inserted('c', '3'), inserted('d', '4')]), ...committed('8', [deleted('a')])]],
])('of %s than history may have, the values are refused while they are read', (_, rows) => {
  const blocks = new ShapeBlocks();
  const values = new LinkValues('value', followerPorts(blocks), undefined, { valuesMax: 2, historyValuesMax: 3, keptMovesMin: 9 });
  const block = { after: LOG_BEGIN, through: placeAt('8_0' as LogOffset) };
  blocks.put(FOLLOWER, block, [inserted('a', '1'), inserted('b', '2'), ...rows]);

  expect(values.apply({ block })).toEqual({ type: 'values.areTooMany', what: 'values', max: 3 });
});

const TOO_MANY_VALUES = { type: 'values.areTooMany', what: 'values', max: 2 };

test.each([
  ['are refused that are left in the end', [], TOO_MANY_VALUES],
  ['may have been there that have gone since', [deleted('c')], undefined],
])('of history, more values than are allowed %s', (_, goes, told) => {
  const { values, commit } = valuesOf([inserted('a', '1'), inserted('b', '2')], { valuesMax: 2, keptMovesMin: 9 });
  commit([inserted('c', '3')]);
  if (goes.length > 0) commit(goes);

  expect(values.apply('list')).toEqual(told);
});

test('behind history, more values than are allowed are refused at the end of a transaction', () => {
  const { values, applyBlock } = valuesOf([inserted('a', '1'), inserted('b', '2')], { valuesMax: 2, keptMovesMin: 9 });
  values.apply('list');

  expect(applyBlock('7_0' as LogOffset, committed('7', [inserted('c', '3')]))).toEqual(TOO_MANY_VALUES);
});

test.each([
  ['whatever their values', [inserted('a', '1'), inserted('b', '1'), inserted('c', null)]],
  ['also within a transaction', [inserted('a', '1'), ...committed('7', [inserted('b', '1'), inserted('c', '1'), deleted('c')])]],
])('more rows than are allowed are refused, %s', (_, rows) => {
  const blocks = new ShapeBlocks();
  const values = new LinkValues('value', followerPorts(blocks), undefined, { valuesMax: 9, rowsMax: 2, keptMovesMin: 9 });
  const block = { after: LOG_BEGIN, through: placeAt('7_0' as LogOffset) };
  blocks.put(FOLLOWER, block, rows);

  expect(values.apply({ block })).toEqual({ type: 'values.areTooMany', what: 'rows', max: 2 });
});

test('as many rows as are allowed may change and be replaced', () => {
  const { values, commit } = valuesOf([inserted('a', '1'), inserted('b', '2')], { valuesMax: 9, rowsMax: 2, keptMovesMin: 9 });

  commit([updated('a', '3'), deleted('b'), inserted('c', '4')]);

  expect(linksOf(values)).toEqual(['3', '4']);
});

test('within a transaction there may be more values than are allowed', () => {
  const { values, commit } = valuesOf([inserted('a', '1'), inserted('b', '2')], { valuesMax: 2, keptMovesMin: 9 });
  values.apply('list');

  commit([inserted('c', '3'), deleted('a')]);

  expect(linksOf(values)).toEqual(['2', '3']);
});

test('a row that is inserted twice is our bug, and said so', () => {
  const { commit } = valuesOf([inserted('a', '1')]);

  expect(() => commit([inserted('a', '1')])).toThrow('key a already exists');
});

test('rows of a table without a primary key may have one key: their value goes with the last of them', () => {
  const blocks = new ShapeBlocks();
  const values = new LinkValues('value', followerPorts(blocks, undefined, undefined, false));
  const steps = [
    [inserted('a', '1'), inserted('a', '1'), inserted('a', '1')],
    committed('7', [deleted('a'), deleted('a'), updated('a')]),
    committed('8', [inserted('a', '1'), deleted('a'), deleted('a')]),
  ];
  const counts = steps.map((rows) => {
    const through = rows.find(({ isLast }) => isLast)?.offset ?? SNAPSHOT_END;
    const block = { after: values.place, through: placeAt(through) };
    blocks.put(FOLLOWER, block, rows);
    values.apply({ block });
    return [...values.counts, ...linksOf(values)];
  });

  expect(counts).toEqual([[['1', 3], '1'], [['1', 1], '1'], []]);
});

test('how many rows are alike stands in the key of the table, also where they have no value', () => {
  const keys = [1, 2].map((count) => {
    const blocks = new ShapeBlocks();
    const values = new LinkValues('value', followerPorts(blocks, undefined, undefined, false));
    const block = { after: LOG_BEGIN, through: placeAt(SNAPSHOT_END) };
    blocks.put(FOLLOWER, block, Array.from({ length: count }, () => inserted('a', null)));
    values.apply({ block });
    return values.key();
  });

  expect(keys[0]).not.toBe(keys[1]);
});

test.each([
  ['is inserted', [inserted('a', '2')]],
  ['is inserted with NULL', [inserted('a', null)]],
  ['changes', [inserted('a', '1'), updated('a', '2')]],
])('a row that is named like another one and %s with another value is our bug, and said so', (_, rows) => {
  const blocks = new ShapeBlocks();
  const values = new LinkValues('value', followerPorts(blocks, undefined, undefined, false));
  const block = { after: LOG_BEGIN, through: placeAt(SNAPSHOT_END) };
  blocks.put(FOLLOWER, block, [inserted('a', '1'), ...rows]);

  expect(() => values.apply({ block })).toThrow('rows that are named alike have one value');
});

describe('of a table with partitions', () => {
  test.each([
    ['inserted that is there', inserted('a', '2')],
    ['updated that is not there', updated('b', '1')],
    ['updated in another column that is not there', updated('b')],
    ['deleted that is not there', deleted('b')],
  ])('a row is %s when partitions came or went: the values are no good', (_, message) => {
    const blocks = new ShapeBlocks();
    const values = new LinkValues('value', { ...followerPorts(blocks), isPartitioned: () => true });
    const block = { after: LOG_BEGIN, through: placeAt('7_0' as LogOffset) };
    blocks.put(FOLLOWER, block, [inserted('a', '1'), ...committed('7', [message])]);

    expect(values.apply({ block })).toEqual({ type: 'values.haveTurned' });
  });
});

test('keys that begin with the name of the table and others are told from one another', () => {
  const names = ['"s"."t"/"1"', '"s"."t"/"2"', '"1"', '"s"."u"/"1"', '"s"."t"/'];
  const { values, commit } = valuesOf(names.map((name, index) => inserted(name, `${index}`)));
  commit(names.slice(1).map(deleted));

  expect(linksOf(values)).toEqual(['0']);
});

test('more bytes of keys and values than are allowed are refused', () => {
  const blocks = new ShapeBlocks();
  const values = new LinkValues('value', followerPorts(blocks), undefined, { bytesMax: 100_000 });
  const block = { after: LOG_BEGIN, through: placeAt(SNAPSHOT_END) };
  blocks.put(FOLLOWER, block, [inserted('a', 'x'.repeat(60_000)), inserted('b', 'y'.repeat(60_000))]);

  expect(values.apply({ block })).toEqual({ type: 'values.areTooMany', what: 'bytes', max: 100_000 });
});

test('texts that cannot be cast take of the bytes that there may be', () => {
  const blocks = new ShapeBlocks();
  const form = new MemberForm([equalTextAs('text', ['int4'])]);
  const values = new LinkValues('value', followerPorts(blocks), form, { bytesMax: 100_000 });
  const block = { after: LOG_BEGIN, through: placeAt(SNAPSHOT_END) };
  blocks.put(FOLLOWER, block, [inserted('a', 'x'.repeat(60_000)), inserted('b', 'y'.repeat(60_000))]);

  expect(values.apply({ block })).toEqual({ type: 'values.areTooMany', what: 'bytes', max: 100_000 });
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

  expect(() => applyBlock(values.place.offset, [])).toThrow('every applied place lies beyond the last');
});

test('a block that leaves a gap is refused', () => {
  const { values } = valuesOf();

  const block = { after: placeAt('5_0' as LogOffset), through: placeAt('6_0' as LogOffset) };

  expect(() => values.apply({ block })).toThrow('a block begins where the last one ended');
});

test('begins before everything', () => {
  expect(new LinkValues('value', followerPorts(new ShapeBlocks())).place).toEqual(LOG_BEGIN);
});

const operation = fc.record({
  row: fc.integer({ min: 0, max: 4 }),
  value: fc.option(fc.constantFrom('1', '2', '3'), { freq: 5 }),
  remove: fc.boolean(),
});
const history = fc.array(fc.array(operation, { minLength: 1, maxLength: 8 }), { maxLength: 6 });

test('any transactions, whatever is forgotten meanwhile: each version that is kept answers as the set of values that there was', () => {
  fc.assert(
    fc.property(history, fc.integer({ min: 1, max: 4 }), fc.array(fc.nat(6), { minLength: 1 }), (transactions, partSize, views) => {
      const model = new EveryVersion();
      const oldestView = () => model.offsets.at(-(views[model.offsets.length % views.length] ?? 0));
      const { values, commit } = valuesOf([], { valuesMax: 100, keptMovesMin: 1 }, oldestView);
      for (const operations of transactions) {
        const messages = operations.map((wish) => messageFor(model.rows, wish)).filter((message) => message !== undefined);
        if (messages.length === 0) continue;
        commit(...partsOf(messages, partSize));
        model.note(values.offset);
      }
      expect(answersOf(values, model.offsets)).toEqual(model.answers(values.keptFrom, values.counts));
    }),
    { numRuns: 1_000 },
  );
});

const NAMES = ['1', '2', '3'];
const MARKS = [NULL_MEMBER, ANY_MEMBER];

/** The naive way: a set for each version. */
class EveryVersion {
  readonly rows = new Map<string, string | null>();
  readonly offsets: LogOffset[] = [SNAPSHOT_END];
  private readonly sets = new Map<LogOffset, ReadonlySet<string>>([[SNAPSHOT_END, new Set()]]);

  note(offset: LogOffset): void {
    this.offsets.push(offset);
    this.sets.set(offset, new Set(membersOfRows([...this.rows.values()])));
  }

  answers(from: LogOffset, counts: ReadonlyMap<string | null, number>) {
    const kept = this.offsets.filter((offset) => compareOffsets(offset, from) >= 0);
    const has = kept.map((at) => [...NAMES, ...MARKS].map((value) => this.at(at).has(value)));
    const valuesAt = kept.map((at) => NAMES.map((value) => this.at(at).has(value)));
    const moves = kept.flatMap((after, index) => kept.slice(index).map((through) => this.moves(this.at(after), this.at(through))));
    return { isCounted: JSON.stringify([...counts].sort()) === JSON.stringify([...countsOf(this.rows)].sort()), has, valuesAt, moves };
  }

  private at(offset: LogOffset): ReadonlySet<string> {
    return this.sets.get(offset) ?? new Set();
  }

  private moves(before: ReadonlySet<string>, behind: ReadonlySet<string>): string {
    const movedIn = NAMES.filter((value) => behind.has(value) && !before.has(value));
    const movedOut = NAMES.filter((value) => before.has(value) && !behind.has(value));
    return [...movedIn.map((value) => `+${value}`), ...movedOut.map((value) => `-${value}`)].join(' ');
  }
}

function answersOf(values: LinkValues, offsets: readonly LogOffset[]) {
  const kept = offsets.filter((offset) => compareOffsets(offset, values.keptFrom) >= 0);
  const found = kept.map((at) => new Set(values.textsAt(at)));
  return {
    isCounted: true,
    has: kept.map((at) => [...NAMES, ...MARKS].map((value) => values.has(value, at))),
    valuesAt: found.map((set) => NAMES.map((value) => set.has(value))),
    moves: kept.flatMap((after, index) => kept.slice(index).map((through) => movesText(values.movesBetween(after, through)))),
  };
}

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
