/** What was worked out is kept, within bounds. */
import { expect, test } from 'vitest';
import { DefinitionCache, type ShapeTarget } from '../../src/api/definition-cache.ts';
import type { Relation } from '../../src/model/relation.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { shapeOf } from '../support/shapes.ts';

const RELATION: Relation = { oid: 1, schema: 'public', name: 'items', columns: [] };

/** @param size of the filter, in characters. */
function targetOf(size = 0): ShapeTarget {
  const definition = shapeOf({ where: { column: 'title', equals: 'x'.repeat(size) } });
  return { definition, relation: RELATION };
}

test('a target is found under what was asked, of the relation that it was made of', () => {
  const cache = new DefinitionCache(new ManualClock());
  const target = targetOf();
  cache.set('asked', target, []);
  const found = [cache.get('asked', RELATION, []), cache.get('other', RELATION, []), cache.get('asked', { ...RELATION }, [])];
  expect(found).toMatchObject([target, undefined, undefined]);
});

test('a target is of its inner relations as well, which are told without them', () => {
  const cache = new DefinitionCache(new ManualClock());
  const target = targetOf();
  const inner = { ...RELATION, name: 'parents' };
  cache.set('asked', target, [inner]);
  const found = [[inner], [{ ...inner }], []].map((others) => cache.get('asked', RELATION, others));
  const told = [cache.innerTables('asked'), cache.innerTables('other')];
  expect([found, told]).toMatchObject([[target, undefined, undefined], [[inner], undefined]]);
});

test('what inner shapes copy of the request counts', () => {
  const cache = new DefinitionCache(new ManualClock());
  const { definition, ...rest } = targetOf();
  const { definition: shape } = targetOf(5_000_000);
  const target = { definition: { ...definition, dependencies: Array.from({ length: 3 }, () => ({ shape, column: 'id' })) }, ...rest };
  for (const asked of ['first', 'second', 'third']) cache.set(asked, target, []);
  expect(['first', 'second', 'third'].map((asked) => cache.get(asked, RELATION, []))).toMatchObject([undefined, target, target]);
});

test('of more than 10,000 the oldest goes', () => {
  const cache = new DefinitionCache(new ManualClock());
  const target = targetOf();
  for (let asked = 0; asked <= 10_000; asked += 1) cache.set(String(asked), target, []);
  expect(['0', '1', '10000'].map((asked) => cache.get(asked, RELATION, []))).toMatchObject([undefined, target, target]);
});

test('of more than 64 million characters, those of filters among them, the oldest goes', () => {
  const cache = new DefinitionCache(new ManualClock());
  const target = targetOf(30_000_000);
  for (const asked of ['first', 'second', 'third']) cache.set(asked, target, []);
  expect(['first', 'second', 'third'].map((asked) => cache.get(asked, RELATION, []))).toMatchObject([undefined, target, target]);
});

test('what is asked counts as well as what came of it', () => {
  const cache = new DefinitionCache(new ManualClock());
  const target = targetOf();
  const asked = ['a', 'b', 'c'].map((letter) => letter.repeat(30_000_000));
  for (const each of asked) cache.set(each, target, []);
  expect(asked.map((each) => cache.get(each, RELATION, []) !== undefined)).toEqual([false, true, true]);
});

test('what is set again counts once, and what was asked for last stays', () => {
  const cache = new DefinitionCache(new ManualClock());
  const large = targetOf(30_000_000);
  for (const asked of ['first', 'second', 'first', 'first']) cache.set(asked, large, []);
  const both = ['second', 'first'].map((asked) => cache.get(asked, RELATION, []));
  cache.set('third', large, []);
  expect([both, ['first', 'second'].map((asked) => cache.get(asked, RELATION, []))]).toMatchObject([[large, large], [large, undefined]]);
});
