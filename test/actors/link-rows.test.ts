/** Row values of several columns, and values that are cast: what a Materializer keeps of them, against the rows that there are. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Fork } from '../../src/base/fork.ts';
import type { Message } from '../../src/otp/process.ts';
import { LinkValues } from '../../src/actors/link-values.ts';
import { MemberForm, type EqualText } from '../../src/actors/member-form.ts';
import { placeAt } from '../../src/model/log-entry.ts';
import { SNAPSHOT_END, type LogOffset } from '../../src/model/log-offset.ts';
import type { PlacedRow, ToldValue } from '../../src/model/row-values.ts';
import { truthOfIn } from '../../src/sql/subqueries/membership.ts';
import type { Truth } from '../../src/sql/subqueries/truths.ts';
import { equalTextAs } from '../../src/sql/values/equal-text.ts';
import type { Key } from '../../src/sql/where.ts';
import { ShapeBlocks } from '../../src/storage/shapes/shape-blocks.ts';
import { FOLLOWER, followerPorts } from '../support/actors/follower-ports.ts';
import { committed, deleted, inserted, updated } from '../support/actors/placed-rows.ts';

class Follower {
  readonly values: LinkValues;
  private readonly blocks = new ShapeBlocks();
  private lsn = 100;

  constructor(equalTexts: readonly (EqualText | undefined)[]) {
    this.values = new LinkValues('columns', followerPorts(this.blocks), new MemberForm(equalTexts, true));
    this.apply(SNAPSHOT_END, []);
  }

  apply(through: LogOffset, rows: readonly PlacedRow[]): Message | undefined {
    const block = { after: this.values.place, through: placeAt(through) };
    this.blocks.put(FOLLOWER, block, rows);
    return this.values.apply({ block });
  }

  commit(...rows: readonly PlacedRow[]): Message | undefined {
    this.lsn += 1;
    const placed = committed(String(this.lsn), rows);
    return this.apply(placed.at(-1)?.offset ?? (`${this.lsn}_0` as LogOffset), placed);
  }
}

// --- row values

type Row = readonly Key[];
type Step =
  | { readonly kind: 'put'; readonly key: string; readonly row: Row; readonly untold: readonly boolean[] }
  | { readonly kind: 'delete'; readonly key: string };

const part = fc.constantFrom('1', '1.0', '2', null);
const row = fc.tuple(part, part, fc.constantFrom('x', null));
const key = fc.constantFrom('a', 'b', 'c', 'd');
const untold = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean());
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('put' as const), key, row, untold }) },
  fc.record({ kind: fc.constant('delete' as const), key }),
);
const EXACT = equalTextAs('numeric', []);
const FORMS = [EXACT, EXACT, undefined];
const identityAt = (at: number, text: string): string => FORMS[at]?.(text) ?? text;
const NUMBERS = ['1', '2', null];
const LEFTS: readonly Row[] = NUMBERS.flatMap((one) => NUMBERS.flatMap((two) => ['x', 'y', null].map((three) => [one, two, three])));

/** What is told of a step: an update tells no part that stays, and may leave it out or not. */
function changeOf(rows: Map<string, Row>, change: Step): readonly PlacedRow[] {
  const old = rows.get(change.key);
  if (change.kind === 'delete') return rows.delete(change.key) ? [deleted(change.key)] : [];
  rows.set(change.key, change.row);
  if (old === undefined) return [inserted(change.key, change.row)];
  const told = change.row.map((value, at): ToldValue => (value === old[at] && change.untold[at] === true ? undefined : value));
  return [{ ...updated(change.key), value: told }];
}

/** As SQL says it: `left = ANY (rows)`, part by part. */
function truthBy(rows: readonly Row[], left: Row): Truth {
  const truths = rows.map((values) => {
    const parts = values.map((value, at): Truth => {
      const other = left[at] ?? null;
      return value === null || other === null ? null : identityAt(at, value) === identityAt(at, other);
    });
    return parts.includes(false) ? false : parts.includes(null) ? null : true;
  });
  return truths.includes(true) ? true : truths.includes(null) ? null : false;
}

test('at each version a left side, with NULLs or without, is in the row values that there were, as in SQL', () => {
  const property = fc.property(fc.array(fc.array(step, { maxLength: 4 }), { maxLength: 8 }), fc.nat(8), (transactions, firstAsked) => {
    const follower = new Follower(FORMS);
    const rows = new Map<string, Row>();
    const versions: (readonly [LogOffset, readonly Row[]])[] = [[follower.values.offset, []]];
    const judged = ([at, there]: (typeof versions)[number], by: 'values' | 'rows') =>
      LEFTS.map((left) => (by === 'rows' ? truthBy(there, left) : truthOfIn((_, member) => follower.values.has(member, at), 0, left)));
    for (const [index, steps] of transactions.entries()) {
      follower.commit(...steps.flatMap((change) => changeOf(rows, change)));
      if (follower.values.offset !== versions.at(-1)?.[0]) versions.push([follower.values.offset, [...rows.values()]]);
      if (index < firstAsked) continue;

      expect(versions.map((version) => judged(version, 'values'))).toEqual(versions.map((version) => judged(version, 'rows')));
    }
    const copy = follower.values.clone(new Fork());

    expect({ key: copy.key(), width: copy.width }).toEqual({ key: follower.values.key(), width: 3 });
  });
  fc.assert(property, { numRuns: 300 });
});

test('a row value is told with its parts as they were written last, and is one for all texts of equal parts', () => {
  const follower = new Follower(FORMS);
  follower.commit(inserted('a', ['1.0', '2', 'x']), inserted('b', ['1', '2', 'x']));
  const before = follower.values.offset;
  follower.commit({ ...updated('a'), value: [undefined, null, undefined] });

  expect(follower.values.movesBetween(before, follower.values.offset)).toEqual({
    movedIn: [{ value: '["1",null,"x"]', text: '["1.0",null,"x"]' }], movedOut: [], xids: [102],
  });
});

// --- values that cannot be cast

describe('of a row whose value cannot be cast', () => {
  const INTEGER = equalTextAs('text', ['int4']);
  const FAILED = { type: 'values.haveFailed', code: '22P02', message: 'invalid input syntax for type integer: "x"' };
  const follow = (): Follower => {
    const follower = new Follower([INTEGER]);
    follower.values.apply('list');
    return follower;
  };

  test('the values are no good when its transaction ends', () => {
    const follower = follow();

    expect([follower.commit(inserted('a', ' 7 ')), follower.commit(inserted('b', 'x'))]).toEqual([
      expect.objectContaining({ type: 'values.applied', moved: true }), FAILED,
    ]);
  });

  test.each<[string, readonly PlacedRow[]]>([
    ['it has gone', [deleted('b')]],
    ['it has another value', [updated('b', '8')]],
    ['it has none', [updated('b', null)]],
  ])('nothing is told where %s when the transaction ends', (_, then) => {
    const follower = follow();

    expect(follower.commit(inserted('b', 'x'), updated('b'), ...then)).toMatchObject({ type: 'values.applied' });
  });

  test('nothing is told while history is read, but at its end', () => {
    const [kept, gone] = [new Follower([INTEGER]), new Follower([INTEGER])];
    for (const follower of [kept, gone]) follower.commit(inserted('a', '7'), inserted('b', 'x'));
    gone.commit(deleted('b'));

    expect([kept, gone].map(({ values }) => values.apply('list'))).toEqual([FAILED, undefined]);
  });

  test('ten thousand others may be mended before history ends, and a copy tells of the one that is left', () => {
    const follower = new Follower([INTEGER]);
    const keys = Array.from({ length: 10_000 }, (_, index) => `${index}`);
    follower.commit(...keys.map((each) => inserted(each, `y${each}`)), inserted('b', 'x'));
    follower.commit(...keys.map((each, index) => (index % 2 === 0 ? updated(each, '7') : deleted(each))));
    const copy = follower.values.clone(new Fork());
    follower.commit(deleted('b'));

    expect([copy.apply('list'), follower.values.apply('list')]).toEqual([FAILED, undefined]);
  });

  test('a part of a row value that is told alone goes with the others as they were', () => {
    const follower = new Follower([INTEGER, INTEGER]);
    follower.commit(inserted('a', ['7', 'x']));
    follower.commit({ ...updated('a'), value: ['8', undefined] });
    const failed = follower.values.apply('list');
    follower.commit({ ...updated('a'), value: [undefined, '9'] });

    expect([failed, [...follower.values.textsAt(follower.values.offset)]]).toEqual([FAILED, ['["8","9"]']]);
  });
});
