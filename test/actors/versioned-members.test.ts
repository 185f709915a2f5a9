/** What a column's values keep, and let go of. What they answer at each version is tried in `link-values.test.ts`. */
import { expect, test } from 'vitest';
import { VersionedMembers } from '../../src/actors/versioned-members.ts';
import { SNAPSHOT_END, type LogOffset } from '../../src/model/log-offset.ts';
import type { Xid } from '../../src/model/pg-snapshot.ts';
import { ANY_MEMBER, NULL_MEMBER } from '../../src/sql/subqueries/membership.ts';
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
