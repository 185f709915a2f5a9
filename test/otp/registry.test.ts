import { expect, test } from 'vitest';
import type { Name, Pid } from '../../src/otp/process.ts';
import { Registry, via } from '../../src/otp/registry.ts';

test('the order of fields makes no other key, at any depth', () => {
  expect(via('rooms', { floor: 1, door: { left: true, number: 2 } })).toBe(via('rooms', { door: { number: 2, left: true }, floor: 1 }));
});

test.each([[1, '1'], [null, 'null'], [[1, 2], [2, 1]], [[1], { 0: 1 }], [{ a: 1 }, { a: '1' }], [true, 'true'], [0, false], ['', null]])('%j and %j are two keys', (one, other) => {
  expect(via('rooms', one)).not.toBe(via('rooms', other));
});

test.each([Number.NaN, Infinity, undefined, 1n, () => 1, Symbol('key'), { deep: [undefined] }])('what is no JSON is no key (%#)', (key) => {
  expect(() => via('rooms', key)).toThrow('the key of a name is plain JSON');
});

test('everybody who listens is told, and who has died is found out once', () => {
  const asked: string[] = [];
  const told: string[] = [];
  const processOf = (pid: string, isAlive = true) => ({
    pid: pid as Pid,
    names: undefined as readonly Name[] | undefined,
    get alive() {
      asked.push(pid);
      return isAlive;
    },
  });
  const registry = new Registry<ReturnType<typeof processOf>>((_from, to, { type }) => told.push(`${to.pid} ${type}`));
  for (const listener of [processOf('a#1'), processOf('dead#2', false), processOf('b#3')]) registry.listen(listener, 'rooms', 'seen');

  registry.register(processOf('c#4'), via('rooms', 1));
  registry.register(processOf('c#4'), via('rooms', 2));

  expect({ asked, told }).toEqual({
    asked: ['a#1', 'dead#2', 'b#3', 'a#1', 'b#3'],
    told: ['a#1 seen.registered', 'b#3 seen.registered', 'a#1 seen.registered', 'b#3 seen.registered'],
  });
});

test('a name that is none of any registry is in none', () => {
  const registry = new Registry(() => undefined);
  registry.register({ pid: 'a#1' as Pid, alive: true, names: undefined }, '@roomsX');

  expect([...registry.registered('rooms')]).toEqual([]);
});
