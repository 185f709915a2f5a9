/** What a column's values keep, and let go of. What they answer at each version is tried in `link-values.test.ts`. */
import { expect, test } from 'vitest';
import { MemberForm } from '../../src/actors/member-form.ts';
import { VersionedMembers } from '../../src/actors/versioned-members.ts';
import { SNAPSHOT_END, type LogOffset } from '../../src/model/log-offset.ts';
import type { Xid } from '../../src/model/pg-snapshot.ts';
import { ANY_MEMBER, NULL_MEMBER, rowMember, rowPattern } from '../../src/sql/subqueries/membership.ts';
import { countRows } from '../support/actors/count-rows.ts';

/** One transaction, as of `countRows`. */
function commit(members: VersionedMembers, at: string, moves: readonly string[]): void {
  countRows(members, moves);
  members.commit(at as LogOffset, [7 as Xid]);
}

test('of a value that no kept version has, and of one that came and went in a transaction, nothing is left', () => {
  const members = new VersionedMembers();
  members.begin(SNAPSHOT_END);
  commit(members, '10_0', ['+a']);
  commit(members, '20_0', ['-a']);
  commit(members, '30_0', ['+b', '-b', '+', '-']);
  members.forgetBefore('20_0' as LogOffset);

  expect({ key: members.key(), keptMoves: members.keptMoves, count: members.count }).toEqual({
    key: [[], [], [], [], '20_0', '20_0'], keptMoves: 0, count: 0,
  });
});

test('what a snapshot counted is the first version, which moved nothing; rows of one value are one value', () => {
  const members = new VersionedMembers();
  countRows(members, ['+a', '+a', '+b']);
  members.begin(SNAPSHOT_END);

  const counted = [['a', 2, true, []], ['b', 1, true, []]];
  expect({ key: members.key(), count: members.count }).toEqual({
    key: [counted, [[ANY_MEMBER, 3, true, []]], [], [], SNAPSHOT_END, SNAPSHOT_END], count: 2,
  });
});

test('of a value it is known when it last came or went, as long as that is kept', () => {
  const members = new VersionedMembers();
  countRows(members, ['+a', '+b']);
  members.begin(SNAPSHOT_END);
  commit(members, '10_0', ['+c']);
  commit(members, '20_0', ['-a', '+a', '-b']);
  const known = ['a', 'b', 'c', 'd', NULL_MEMBER].map((value) => members.lastTurn(value)?.offset);
  members.forgetBefore('10_0' as LogOffset);

  expect([known, members.lastTurn('c'), members.lastTurn('b')]).toEqual([
    [undefined, '20_0', '10_0', undefined, undefined], undefined, { offset: '20_0', xids: [7] },
  ]);
});

test('who asks for the same moves gets the same answer, however often, until nobody asks; a large one is made for each', () => {
  const members = new VersionedMembers();
  members.begin(SNAPSHOT_END);
  commit(members, '10_0', ['+a']);
  commit(members, '20_0', ['-a', '+b']);
  const many = Array.from({ length: 1_001 }, (_, index) => `many ${index}`);
  commit(members, '30_0', many.map((value) => `+${value}`));
  commit(members, '40_0', [...many.map((value) => `-${value}`), `+${'long'.repeat(250_000)}`]);
  const ask = (through: string) => members.movesBetween('10_0' as LogOffset, through as LogOffset);
  const isKept = (through: string) => new Set([ask(through), ask(through)]).size === 1;
  const first = ask('20_0');
  const kept = ['20_0', '30_0', '40_0'].map(isKept);
  members.hibernate();
  const again = ask('20_0');
  members.forgetBefore('10_0' as LogOffset);

  const a = { value: 'a', text: 'a' };
  const b = { value: 'b', text: 'b' };
  expect({ first, kept, isRemade: [again !== first, ask('20_0') !== again], again }).toEqual({
    first: { movedIn: [b], movedOut: [a], xids: [7] },
    kept: [true, false, false],
    isRemade: [true, true],
    again: first,
  });
});

test('a copy counts values and moves on from where its original is', () => {
  const members = new VersionedMembers();
  members.begin(SNAPSHOT_END);
  commit(members, '10_0', ['+a', '+b', '+']);
  const copy = members.copy();

  expect([copy.count, copy.keptMoves, copy.key()]).toEqual([members.count, members.keptMoves, members.key()]);
});

test('the first NULL is a version, though no value moves with it, and it is kept as long as others are', () => {
  const members = new VersionedMembers();
  members.begin(SNAPSHOT_END);
  const seen = () => [NULL_MEMBER, ANY_MEMBER].map((mark) => (['10_0', '20_0', '30_0'] as LogOffset[]).map((at) => members.has(mark, at)));
  commit(members, '10_0', ['+a']);
  commit(members, '20_0', ['+', '+']);
  commit(members, '30_0', ['-', '-', '-a']);
  const { keptMoves } = members;
  const before = seen();
  members.forgetBefore('30_0' as LogOffset);
  const listed = [...members.all(), ...members.textsAt('30_0' as LogOffset)];

  expect({ before, keptMoves, key: members.key(), listed }).toEqual({
    before: [[false, true, false], [true, true, false]],
    keptMoves: 3,
    key: [[], [], [], [], '30_0', '30_0'],
    listed: [],
  });
});

test('a value that was there and is counted again is told to nobody twice, nor is its end before it is forgotten', () => {
  const told: string[] = [];
  const members = new VersionedMembers();
  members.begin(SNAPSHOT_END);
  members.watch = { add: (value) => void told.push(`+${value}`), remove: (value) => void told.push(`-${value}`) };
  commit(members, '10_0', ['+a']);
  commit(members, '20_0', ['-a']);
  commit(members, '30_0', ['+a']);
  commit(members, '40_0', ['-a']);
  const before = [...told];
  members.forgetBefore('30_0' as LogOffset);
  const between = [...told];
  members.forgetBefore('40_0' as LogOffset);

  expect({ before, between, told }).toEqual({ before: ['+a'], between: ['+a'], told: ['+a', '-a'] });
});

test.each([
  ['values', new MemberForm()],
  ['row values that are looked up by some of their parts', new MemberForm([undefined, undefined], true)],
])('%s that come and go for ever take no more memory than those that there are at a time', (_, form) => {
  const members = new VersionedMembers(form);
  const textOf = (number: number): string => (form.width === 1 ? `value ${number}` : rowMember([String(number % 10), `value ${number}`]));
  const held = Array.from({ length: 5_000 }, (_row, number) => members.add(textOf(number)));
  members.begin(SNAPSHOT_END);
  const bytes: number[] = [];
  for (let count = 1; count <= 500_000; count += 1) {
    members.remove(held.shift() ?? 0);
    held.push(members.add(textOf(held.length + count)));
    if (count % 100 !== 0) continue;
    const at = `${count}_0` as LogOffset;
    members.commit(at, [7 as Xid]);
    members.forgetBefore(at);
    if (count === 50_000 || count === 500_000) bytes.push(members.bytes);
  }

  const [early = 0, late = 0] = bytes;
  expect({ hasGrown: late > 1.1 * early, count: members.count, keptMoves: members.keptMoves }).toEqual({
    hasGrown: false, count: 5_000, keptMoves: 0,
  });
});

test('what a transaction touches takes memory until it ends, and so does what row values are sorted by', () => {
  const [open, sorted] = [new VersionedMembers(), new VersionedMembers(new MemberForm([undefined, undefined], true))];
  const before = sorted.bytes;
  for (const members of [open, sorted]) members.begin(SNAPSHOT_END);
  const values = Array.from({ length: 100_000 }, (_, number) => open.add(`value ${number}`));
  const touched = open.bytes;
  open.commit('10_0' as LogOffset, [7 as Xid]);
  for (const value of values) sorted.add(rowMember(['1', open.textAt(value)]));
  const atBegin = sorted.has(rowPattern(['1', undefined]), SNAPSHOT_END);

  // Eight bytes are what one that is touched takes, and forty what it is to be sorted by either of two parts.
  expect({ touched: touched - open.bytes >= 800_000, sorted: sorted.bytes - before >= 4_000_000, atBegin }).toEqual({
    touched: true, sorted: true, atBegin: false,
  });
});

test('who has not said that it looks row values up by some of their parts is not answered', () => {
  const members = new VersionedMembers(new MemberForm([undefined, undefined]));
  members.begin(SNAPSHOT_END);

  const asked = (): boolean => members.has(rowPattern(['1', undefined]), SNAPSHOT_END);
  expect(asked).toThrow('whoever looks row values up by some of their parts has said so');
});

/** So often a value may have moved at versions that are kept for one who looks far back. With a list made anew each time it takes long. */
const KEPT_MAX = 500_000;

test('a value that comes and goes again and again costs each time what it costs at first, however much of it is kept', () => {
  const members = new VersionedMembers();
  members.begin(SNAPSHOT_END);
  for (let turn = 1; turn <= KEPT_MAX; turn += 1) commit(members, `${turn}_0`, [turn % 2 === 1 ? '+a' : '-a']);
  const isThere = [1, 2, KEPT_MAX - 1, KEPT_MAX].map((turn) => members.has('a', `${turn}_0` as LogOffset));
  members.forgetBefore(`${KEPT_MAX - 2}_0` as LogOffset);
  const { keptMoves, keptFrom } = members;
  const last = members.lastTurn('a')?.offset;
  members.forgetBefore(`${KEPT_MAX}_0` as LogOffset);

  expect({ isThere, keptMoves, keptFrom, last, key: members.key() }).toEqual({
    isThere: [true, false, true, false],
    keptMoves: 2,
    keptFrom: `${KEPT_MAX - 2}_0`,
    last: `${KEPT_MAX}_0`,
    key: [[], [], [], [], `${KEPT_MAX}_0`, `${KEPT_MAX}_0`],
  });
}, 30_000);
