import { expect, test } from 'vitest';
import { printed } from '../../src/observer/printable.ts';
import { stateText } from '../../src/observer/state-text.ts';

test('small values are printed as JSON', () => {
  expect(printed({ a: 1, b: ['x', null], c: { d: true } })).toBe('{"a":1,"b":["x",null],"c":{"d":true}}');
});

test('long texts, long lists and what lies deep are replaced by what says so', () => {
  const deep = { a: { b: { c: { d: { e: { f: 1 } } } } } };
  expect([printed('x'.repeat(300)), printed(Array.from({ length: 30 }, () => 0)), printed(deep)]).toEqual([
    `"${'x'.repeat(200)}… (300 characters)"`,
    `[${'0,'.repeat(20)}"… 10 more"]`,
    '{"a":{"b":{"c":{"d":{"e":"…"}}}}}',
  ]);
});

test('what is no JSON is printed too, and nothing is looked through that is large by nature', () => {
  const value = { big: 3n, call: function named() {}, bytes: Buffer.alloc(7), map: new Map([[1, 2]]), none: undefined };
  expect([printed(value), printed(undefined)]).toEqual([
    '{"big":"3","call":"function named","bytes":"7 bytes","map":"1 entries"}',
    'undefined',
  ]);
});

test('it is never longer than was asked for', () => {
  expect(printed({ text: 'x'.repeat(150) }, 20)).toBe(`${'{"text":"'}${'x'.repeat(11)}…`);
});

test('what is cyclic ends where it lies deep', () => {
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  expect(printed(cyclic)).toBe('{"self":{"self":{"self":{"self":{"self":"…"}}}}}');
});

test.each([
  ['live', 'live'],
  [{ up: 'resting' }, 'up.resting'],
  [{ ingest: 'live', snapshot: 'done' }, 'ingest.live | snapshot.done'],
  [{ running: { snapshot: 'complete', ingest: { splicing: 'reading' } } }, 'running.(snapshot.complete | ingest.splicing.reading)'],
  [{ a: {} }, 'a'],
])('the state %o is told as %s', (value, text) => {
  expect(stateText(value)).toBe(text);
});
