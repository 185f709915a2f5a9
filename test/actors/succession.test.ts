/** When an instance without the lock makes room: for one that is there, and not before it has waited. */
import { expect, test } from 'vitest';
import { succession } from '../../src/actors/succession.ts';
import { walk } from '../support/actors/lone-machine.ts';

const input = { lookEveryMs: 2_000, patienceMs: 15_000 };
const failed = (type: string, reason: string) => ({ type, to: '@peer', request: 'any', reason });
const late = { type: 'timeout.look' };
const seen = { type: 'candidate.seen', host: 'there', pid: 7 };
const unseen = { type: 'candidate.unseen' };
const timer = (delayMs: number) => ({ type: 'startTimer', params: { name: 'look', delayMs } });
const ask = (type: string) => ({ type: 'call', params: { to: '@candidates', request: { type }, as: 'candidates' } });
const end = (...events: { type: string }[]) => {
  const { value, asked } = walk(succession, input, ...events);
  return [value, asked.at(-1)];
};

test.each([
  ['with the lock it rests', [{ type: 'lock.isHeld' }], 'resting', timer(2_000)],
  ['where nobody connects, because it sleeps or begins anew, it rests', [failed('lock.failed', 'noproc')], 'resting', timer(2_000)],
  ['it looks for nobody before it has waited', [], { lockless: 'patient' }, timer(15_000)],
  ['then it looks', [late], { lockless: 'looking' }, ask('seeCandidate')],
  ['where nobody is there it looks again later', [late, unseen], { lockless: 'waiting' }, timer(2_000)],
  ['the lock may come meanwhile', [late, unseen, { type: 'lock.isHeld' }], 'resting', timer(2_000)],
  ['it makes room for one that is there', [late, unseen, late, seen], 'leaving', ask('makeRoom')],
  ['where that fails it begins anew', [late, seen, failed('candidates.failed', 'noproc')], { lockless: 'patient' }, timer(15_000)],
  ['its end is that of all', [late, seen, { type: 'room.made' }], 'left', undefined],
])('%s', (_, events, value, asked) => {
  expect(end(...events)).toEqual([value, asked]);
});

test('however long it is without the lock, it waits for that by one question', () => {
  const { asked } = walk(succession, input, late, unseen, late, unseen);

  expect(asked.filter(({ type }) => type === 'call')).toEqual([]);
});

test('it says for whom, and why', () => {
  const { asked } = walk(succession, input, late, seen);

  const why = expect.stringContaining('stands by behind it');
  const event = { type: 'note', level: 'warn', what: 'storage.left', host: 'there', pid: 7, why };
  expect(asked).toContainEqual({ type: 'send', params: { to: '@journal', event } });
});
