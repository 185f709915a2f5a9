import { expect, test } from 'vitest';
import { via } from '../../src/otp/registry.ts';

test('the order of fields makes no other key, at any depth', () => {
  expect(via('rooms', { floor: 1, door: { left: true, number: 2 } })).toBe(via('rooms', { door: { number: 2, left: true }, floor: 1 }));
});

test.each([[1, '1'], [null, 'null'], [[1, 2], [2, 1]], [{ a: 1 }, { a: '1' }], [true, 'true'], [0, false], ['', null]])('%j and %j are two keys', (one, other) => {
  expect(via('rooms', one)).not.toBe(via('rooms', other));
});

test.each([Number.NaN, Infinity, undefined, 1n, () => 1, Symbol('key'), { deep: [undefined] }])('what is no JSON is no key (%#)', (key) => {
  expect(() => via('rooms', key)).toThrow('the key of a name is plain JSON');
});
