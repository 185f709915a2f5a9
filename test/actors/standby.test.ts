/** What a standby says of the directory, and how often it looks: a trouble that lasts is told once. */
import { expect, test } from 'vitest';
import { standby } from '../../src/actors/standby.ts';
import { walk } from '../support/actors/lone-machine.ts';

const self = 'standby#1';
const next = { type: 'timeout.next' };
const held = (host: string, pid = 1) => ({ type: 'storage.held', host, pid });
const seen = { type: 'storage.seen', count: 1 };
const unseen = (code: string) => ({ type: 'storage.unseen', error: { code, message: `cannot list /data: ${code}` } });
const take = { type: 'call', params: { to: '@standby-storage', request: { type: 'take' }, as: 'storage' } };
const rest = (delayMs: number) => ({ type: 'startTimer', params: { name: 'next', delayMs } });
const noted = (code: string) => {
  const event = { type: 'note', level: 'warn', what: 'storage.unseen', error: unseen(code).error };
  return { type: 'send', params: { to: '@journal', event } };
};

/** What was noted on the way, and for how long it rested last. */
function told(...events: { type: string }[]): { notes: unknown[]; restedMs: unknown; value: unknown } {
  const notes: unknown[] = [];
  let restedMs: unknown;
  let value: unknown;
  for (let count = 1; count <= events.length; count += 1) {
    const walked = walk(standby, { self }, ...events.slice(0, count));
    ({ value } = walked);
    for (const { type, params } of walked.asked as { type: string; params: { event?: { what?: string }; delayMs?: number } }[]) {
      if (type === 'startTimer') restedMs = params.delayMs;
      if (params.event?.what !== undefined) notes.push(params.event.what);
    }
  }
  return { notes, restedMs, value };
}

test('a disk that says no is told of, and asked again', () => {
  const { value, asked } = walk(standby, { self }, unseen('ESTALE'));

  expect({ value, asked }).toEqual({ value: 'resting', asked: [noted('ESTALE'), rest(200)] });
});

test('one that goes on to say no is told of once, and asked less and less often', () => {
  const often = Array.from({ length: 10 }, () => [next, unseen('ESTALE')]).flat();

  expect(told(unseen('ESTALE'), ...often)).toEqual({ notes: ['storage.unseen'], restedMs: 3_200, value: 'resting' });
});

test('one that says something else is told of anew, and so is one that had been seen meanwhile', () => {
  const events = [unseen('ESTALE'), next, unseen('EIO'), next, held('there'), seen, next, held('there'), unseen('EIO')];

  expect(told(...events)).toEqual({
    notes: ['storage.unseen', 'storage.unseen', 'storage.held', 'storage.unseen'], restedMs: 200, value: 'resting',
  });
});

test('a holder of the same number on another host is another one', () => {
  expect(told(held('one'), seen, next, held('two'), seen, next, held('two'), seen)).toEqual({
    notes: ['storage.held', 'storage.held'], restedMs: 100, value: 'resting',
  });
});

test.each([
  ['asked for', []],
  ['looked at', [held('there')]],
])('a directory that nobody answers for when it is %s is asked for again a while later', (_, events) => {
  const { value, asked } = walk(standby, { self }, ...events, { type: 'storage.failed', reason: 'noproc' });

  expect({ value, asked }).toEqual({ value: 'resting', asked: [rest(100)] });
});

test('a status monitor that starts anew hears that stored shapes can be read, once they can', () => {
  const report = { type: 'reportCondition' };
  const met = ['storage', 'shapes'].map((condition) => {
    return { type: 'send', params: { to: '@status-monitor', event: { type: 'condition.met', condition, process: self } } };
  });

  const heard = [[held('there'), report], [held('there'), seen, report]].map((events) => walk(standby, { self }, ...events).asked);

  expect(heard).toEqual([[], met]);
});

test('it asks for the directory from the start', () => {
  expect(walk(standby, { self }).asked).toEqual([take]);
});
