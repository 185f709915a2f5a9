import { expect, test } from 'vitest';
import type { FewSet } from '../../../src/base/few-set.ts';
import type { Name, Pid } from '../../../src/otp/process.ts';
import { Registry, via } from '../../../src/otp/kernel/registry.ts';

test('the order of fields makes no other key, at any depth', () => {
  expect(via('rooms', { floor: 1, door: { left: true, number: 2 } })).toBe(via('rooms', { door: { number: 2, left: true }, floor: 1 }));
});

test.each([
  [1, '1'],
  [null, 'null'],
  [
    [1, 2],
    [2, 1],
  ],
  [[1], { 0: 1 }],
  [{ a: 1 }, { a: '1' }],
  [true, 'true'],
  [0, false],
  ['', null],
])('%j and %j are two keys', (one, other) => {
  expect(via('rooms', one)).not.toBe(via('rooms', other));
});

test.each([Number.NaN, Infinity, undefined, 1n, () => 1, Symbol('key'), { deep: [undefined] }, new Map([[1, 2]]), [new Set()]])(
  'what is no JSON is no key (%#)',
  (key) => {
    expect(() => via('rooms', key)).toThrow('the key of a name is plain JSON');
  },
);

test.each(['', 'rooms/first', '@rooms', undefined, 5])('what is no word is no registry: %j', (registry) => {
  expect(() => via(registry as string, 1)).toThrow("a registry is a word that has no slash and does not begin with '@'");
});

test('everybody who listens is told once by each of its words, and nobody who has ended', () => {
  const told: string[] = [];
  const processOf = (pid: string) => ({ pid: pid as Pid, names: undefined as FewSet<Name> | undefined });
  const registry = new Registry<ReturnType<typeof processOf>>((_from, to, { type }) => told.push(`${to.pid} ${type}`));
  const [one, ended, other, holder] = [processOf('a#1'), processOf('ended#2'), processOf('b#3'), processOf('c#4')];
  for (const listener of [one, ended, other, one]) registry.listen(listener, 'rooms', 'seen');
  registry.listen(one, 'rooms', 'also');
  registry.listen(other, 'halls', 'seen');

  registry.release(ended);
  registry.register(holder, via('rooms', 1));

  expect(told).toEqual(['a#1 seen.registered', 'a#1 also.registered', 'b#3 seen.registered']);
});

test('a name that is none of any registry is in none', () => {
  const registry = new Registry(() => undefined);
  registry.register({ pid: 'a#1' as Pid, names: undefined }, '@roomsX');

  expect([...registry.registered('rooms')]).toEqual([]);
});
