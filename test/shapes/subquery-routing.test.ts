/** Routing by what subqueries select: a superset of the shapes that a change concerns, at the cost of its own look-up. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { invariant } from '../../src/base/invariant.ts';
import type { Handle, ShapeDefinition } from '../../src/model/shape.ts';
import { MemberIndex, memberKey } from '../../src/shapes/member-index.ts';
import { ShapeRouter } from '../../src/shapes/shape-router.ts';
import { EvaluationError } from '../../src/sql/evaluation-error.ts';
import { loadWhereLanguage } from '../../src/sql/where-language.ts';
import type { LookupKey, Membership, Where } from '../../src/sql/where.ts';
import { blockOf, transactionOf, type RowChange } from '../support/actors/changes.ts';
import { routeWhole } from '../support/route-whole.ts';
import { columnKey, handleOf, itemsLayout, shapeOf, whereOf } from '../support/shapes.ts';
import { membersOf, membersOfRows } from '../support/shapes/subquery-filter.ts';

const innerOf = (index: number): Handle => handleOf(100_000 + index);

/** `owner IN (subquery)`, or that or a title. */
interface Filter {
  readonly inner: number;
  readonly orTitle: string | undefined;
  readonly isLookedUp: boolean;
}

function whereFor({ orTitle, isLookedUp }: Filter): Where {
  return {
    canonical: '',
    columns: ['owner', 'title'],
    query: { sql: '', params: [] },
    evaluate(text, isMember) {
      invariant(isMember !== undefined, 'a filter with subqueries is asked with what they select');
      const owner = text('owner');
      return (owner !== null && isMember(0, owner)) || (orTitle !== undefined && text('title') === orTitle);
    },
    lookups: isLookedUp
      ? [
          { kind: 'subquery', key: columnKey('owner'), subquery: 0 },
          ...(orTitle === undefined ? [] : [{ kind: 'some' as const, key: columnKey('title'), values: [orTitle] }]),
        ]
      : undefined,
  };
}

const outer: ShapeDefinition = { ...shapeOf({}), dependencies: [{ shape: shapeOf({ columns: ['owner'] }), column: 'owner' }] };

function routerOf(members: MemberIndex, filters: readonly Filter[]): ShapeRouter {
  const router = new ShapeRouter(() => itemsLayout, members);
  filters.forEach((filter, index) => router.add(handleOf(index), outer, whereFor(filter), [innerOf(filter.inner)]));
  return router;
}

function route(router: ShapeRouter, changes: readonly RowChange[]): readonly (readonly string[])[] {
  return routeWhole(router, blockOf([transactionOf({ xid: 7, lsn: '100' }, changes)])).map((layer) => [...layer.keys()].sort());
}

const listingOf = (members: MemberIndex, inner: number) => members.listing(memberKey(innerOf(inner), 'owner'));
const insertOf = (owner: string | null, title = 't'): RowChange => ({ kind: 'insert', new: ['1', title, owner] });

test('a row costs as much among 10,000 shapes with subqueries of their own as the shapes do that select its value', () => {
  const members = new MemberIndex();
  const filters = Array.from({ length: 10_000 }, (_, inner): Filter => ({ inner, orTitle: undefined, isLookedUp: true }));
  const router = routerOf(members, filters);
  filters.forEach(({ inner }) => listingOf(members, inner).begin([`owner ${inner}`, `pair ${inner >> 1}`]));

  const handles = [insertOf('owner 700'), insertOf('pair 350'), insertOf('nobody'), insertOf(null)].map((row) => route(router, [row]));

  expect({ handles, evaluations: router.evaluations }).toEqual({
    handles: [[[handleOf(700)]], [[handleOf(700), handleOf(701)]], [], []],
    evaluations: 3,
  });
});

/** How often it was asked whether a column is listed. */
class CountedIndex extends MemberIndex {
  looks = 0;

  override isListed(key: string): boolean {
    this.looks += 1;
    return super.isListed(key);
  }
}

test('among 10,000 subqueries one that ends is looked at alone', () => {
  const members = new CountedIndex();
  const router = routerOf(members, Array.from({ length: 10_000 }, (_, inner): Filter => ({ inner, orTitle: undefined, isLookedUp: true })));
  for (let inner = 0; inner < 10_000; inner += 1) listingOf(members, inner).begin([`owner ${inner}`]);
  route(router, [insertOf('nobody')]);
  members.looks = 0;
  listingOf(members, 7).end(['owner 7']);

  const [found] = route(router, [insertOf('owner 700')]);
  expect({ found, looks: members.looks }).toEqual({ found: [handleOf(7), handleOf(700)], looks: 1 });
});

test('what a subquery selects is not known before its Materializer lists it, nor when that has ended: the shape is routed', () => {
  const members = new MemberIndex();
  const router = routerOf(members, [{ inner: 1, orTitle: undefined, isLookedUp: true }]);
  const seen = [route(router, [insertOf('a')])];
  listingOf(members, 1).begin(['b']);
  seen.push(route(router, [insertOf('a')]));
  listingOf(members, 1).end(['b']);
  seen.push(route(router, [insertOf('a')]));

  expect(seen).toEqual([[[handleOf(0)]], [], [[handleOf(0)]]]);
});

test('a shape of which nobody said where its values are kept is brought all that it may take', () => {
  const router = new ShapeRouter(() => itemsLayout);
  router.add(handleOf(0), outer, whereFor({ inner: 1, orTitle: undefined, isLookedUp: true }));

  expect([route(router, [insertOf('a')]), route(router, [insertOf(null)])]).toEqual([[[handleOf(0)]], []]);
});

test('a shape that was removed is brought nothing that its subquery selects', () => {
  const members = new MemberIndex();
  const same: Filter = { inner: 1, orTitle: undefined, isLookedUp: true };
  const router = routerOf(members, [same, same]);
  listingOf(members, 1).begin(['ann']);
  router.remove(handleOf(0));

  expect(route(router, [insertOf('ann')])).toEqual([[handleOf(1)]]);
});

test('NULL is looked up nowhere, and a row whose key has an error everywhere', () => {
  const members = new MemberIndex();
  const router = routerOf(members, [{ inner: 1, orTitle: undefined, isLookedUp: true }]);
  const none = route(router, [insertOf(null)]);
  const { evaluations } = router;
  const byId: Where = { ...whereFor({ inner: 2, orTitle: undefined, isLookedUp: true }), evaluate: () => true };
  const key: LookupKey = {
    name: 'divided',
    read: (text) => {
      if (text('id') === '0') throw new EvaluationError('22012', 'division by zero');
      return [text('id')];
    },
  };
  router.add(handleOf(1), outer, { ...byId, lookups: [{ kind: 'subquery', key, subquery: 0 }] }, [innerOf(2)]);
  listingOf(members, 2).begin([]);
  const erroneous: RowChange = { kind: 'insert', new: ['0', 't', null] };

  expect({ none, evaluations, all: route(router, [erroneous]) }).toEqual({ none: [], evaluations: 0, all: [[handleOf(1)]] });
});

test('a filter that a row is looked up for in two ways is asked about it once', () => {
  const members = new MemberIndex();
  const router = routerOf(members, [{ inner: 1, orTitle: 'news', isLookedUp: true }]);
  listingOf(members, 1).begin(['ann']);

  expect([route(router, [insertOf('ann', 'news')]), router.evaluations]).toEqual([[[handleOf(0)]], 1]);
});

test('inner shapes take a block before those that depend on them, depth by depth; one layer where one depth is touched', () => {
  const router = new ShapeRouter(() => itemsLayout);
  const deeper: ShapeDefinition = { ...shapeOf({}), dependencies: [{ shape: outer, column: 'owner' }] };
  router.add(handleOf(2), deeper, undefined, [handleOf(1)]);
  router.add(handleOf(1), outer, undefined, [handleOf(0)]);
  const dependants = route(router, [insertOf('a')]);
  router.remove(handleOf(2));
  const one = route(router, [insertOf('a')]);
  router.add(handleOf(0), shapeOf({}), whereOf({ where: { column: 'owner', equals: 'a' } }));
  router.add(handleOf(2), deeper, undefined, [handleOf(1)]);

  expect({ dependants, one, all: route(router, [insertOf('a')]) }).toEqual({
    dependants: [[handleOf(1)], [handleOf(2)]],
    one: [[handleOf(1)]],
    all: [[handleOf(0)], [handleOf(1)], [handleOf(2)]],
  });
});

const VALUES = ['a', 'b', 'c'];
const INNER_COUNT = 3;
const inner = fc.nat(INNER_COUNT - 1);
const value = fc.constantFrom(...VALUES);
const filter = fc.record({ inner, orTitle: fc.option(value, { nil: undefined }), isLookedUp: fc.boolean() });
const step = fc.oneof(
  fc.record({ does: fc.constantFrom('begin', 'end'), inner }),
  fc.record({ does: fc.constantFrom('enter', 'leave'), inner, value }),
  fc.record({ does: fc.constant('route' as const), old: value, owner: fc.option(value), title: value }),
  fc.record({ does: fc.constant('remove' as const), shape: fc.nat(5) }),
);

test('whatever comes and goes, exactly those shapes are found whose filter takes the row by what its subquery may select', () => {
  fc.assert(
    fc.property(fc.array(filter, { maxLength: 6 }), fc.array(step, { maxLength: 25, size: 'max' }), (filters, steps) => {
      const members = new MemberIndex();
      const router = routerOf(members, filters);
      const listed = new Map<number, Set<string>>();
      const present = new Set(filters.keys());
      const wrong: string[] = [];
      for (const each of steps) {
        if (each.does === 'remove') {
          router.remove(handleOf(each.shape));
          present.delete(each.shape);
        } else if (each.does === 'route') {
          const rows = [[each.old, 't'], [each.owner, each.title]] as const;
          const update: RowChange = { kind: 'update', old: ['1', 't', each.old], new: ['1', each.title, each.owner] };
          const found = route(router, [update]).flat();
          for (const [index, own] of filters.entries()) {
            const mayTake = present.has(index) && rows.some(([owner, title]) => takes(own, listed.get(own.inner), owner, title));
            if (mayTake !== found.includes(handleOf(index))) wrong.push(handleOf(index));
          }
        } else play(members, listed, each);
      }
      expect(wrong).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});

const OWNERS = ['a', 'b', 'c', null];
const FILTERS = [
  'owner NOT IN (SELECT owner FROM others)', "owner NOT IN (SELECT owner FROM others) AND title = 'a'",
  "title = 'a' OR owner IN (SELECT owner FROM others)", "NOT (title = 'a' OR owner IN (SELECT owner FROM others))",
  "(title = 'a' AND owner IN (SELECT owner FROM others)) OR (title = 'b' AND owner NOT IN (SELECT owner FROM others))",
  ...['NOT TRUE', 'FALSE', 'NOT FALSE', 'NULL', 'NOT NULL'].map((truth) => `(owner IN (SELECT owner FROM others)) IS ${truth}`),
  "(owner IN (SELECT owner FROM others) AND title = 'a') IS NOT TRUE",
];

test('each row is brought to a shape that takes it by any version of what its subquery selects, NULL or nothing at all', async () => {
  const language = await loadWhereLanguage();
  const columns = itemsLayout.columns.map(({ name }) => ({ name, typeName: 'text', dimensions: 0 }));
  const wheres = FILTERS.map((text) => language.parse(text, {}, columns, () => columns));
  const version = fc.subarray([...OWNERS]);
  const history = fc.array(version, { minLength: 1, maxLength: 3 });
  const property = fc.property(history, fc.constantFrom(...OWNERS), value, (versions, owner, title) => {
    const members = new MemberIndex();
    const router = new ShapeRouter(() => itemsLayout, members);
    for (const [index, where] of wheres.entries()) if (!('error' in where)) router.add(handleOf(index), outer, where, [innerOf(0)]);
    listingOf(members, 0).begin(new Set(versions.flat().filter((each) => each !== null)));
    const found = new Set(route(router, [insertOf(owner, title)]).flat());
    const taken = wheres.flatMap((where, index) => {
      const text = (column: string) => (column === 'owner' ? owner : title);
      const takes = versions.some((rows) => 'error' in where || where.evaluate(text, membersOf(membersOfRows(rows))) === true);
      return takes ? [handleOf(index)] : [];
    });

    expect(taken.filter((handle) => !found.has(handle))).toEqual([]);
  });
  fc.assert(property, { numRuns: 500 });
});

/** @param listed what there may be; undefined where that is not known. */
function takes(own: Filter, listed: ReadonlySet<string> | undefined, owner: string | null, title: string): boolean {
  const isMember: Membership = (_, asked) => listed === undefined || listed.has(asked);
  return whereFor(own).evaluate((column) => (column === 'owner' ? owner : title), isMember) === true;
}

function play(members: MemberIndex, listed: Map<number, Set<string>>, each: { does: string; inner: number; value?: string }): void {
  const [listing, values] = [listingOf(members, each.inner), listed.get(each.inner)];
  if (each.does === 'begin' && values === undefined) {
    listing.begin(['a']);
    listed.set(each.inner, new Set(['a']));
  }
  if (values === undefined) return;
  if (each.does === 'end') {
    listing.end(values);
    listed.delete(each.inner);
  }
  if (each.does === 'enter' && each.value !== undefined) {
    if (!values.has(each.value)) listing.add(each.value);
    values.add(each.value);
  }
  if (each.does === 'leave' && each.value !== undefined && values.delete(each.value)) listing.remove(each.value);
}
