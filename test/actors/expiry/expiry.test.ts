/** What expiry does about each thing that its table says. */
import { expect, test } from 'vitest';
import { expiry } from '../../../src/actors/expiry/expiry.ts';
import { walk } from '../../support/actors/lone-machine.ts';

const CHECK = { type: 'startTimer', params: { name: 'check', delayMs: 5_000 } };
const LOOK = { type: 'apply', params: { table: 'limits', change: 'look' } };
const MEASURE = { type: 'apply', params: { table: 'logs', change: 'look' } };
const LOGS_KEPT = { type: 'logs.kept' } as const;
const reached = { type: 'limits.reached', bytes: 20, bytesMax: 10 } as const;

test('the shapes that a limit takes are named to the shape cache, and it is looked again later', () => {
  const exceeded = { type: 'limits.exceeded', handles: ['1-1'], why: 'old' };
  const { value, asked } = walk(expiry, { checkEveryMs: 5_000 }, { type: 'timeout.check' }, exceeded);

  expect({ value, asked: asked.slice(-2) }).toEqual({
    value: 'measuring',
    asked: [{ type: 'send', params: { to: '@shape-cache', event: { type: 'expireShapes', handles: ['1-1'], why: 'old' } } }, MEASURE],
  });
});

test('behind the limits the logs are looked at, and whose log is too long ends with all that depend on it', () => {
  const outgrown = { type: 'logs.outgrown', handles: ['2-2'], why: 'long' } as const;
  const found = walk(expiry, { checkEveryMs: 5_000 }, { type: 'timeout.check' }, { type: 'limits.kept' }, outgrown);

  expect({ value: found.value, asked: found.asked.slice(-2) }).toEqual({
    value: 'resting',
    asked: [{ type: 'send', params: { to: '@shape-cache', event: { type: 'condemnShapes', handles: ['2-2'], why: 'long' } } }, CHECK],
  });
});

test('who wants room does not wait for the next look', () => {
  const { value, asked } = walk(expiry, { checkEveryMs: 5_000 }, { type: 'makeRoom' });

  expect({ value, last: asked.at(-1) }).toEqual({ value: 'looking', last: LOOK });
});

test('a limit for which nothing can be taken is told once, and again when there was room in between', () => {
  const kept = { type: 'limits.kept' } as const;
  const told = [[reached], [reached, reached], [reached, kept, reached]].map((answers) => {
    const events = answers.flatMap((answer) => [LOGS_KEPT, { type: 'timeout.check' } as const, answer]).slice(1);
    const { asked } = walk(expiry, { checkEveryMs: 5_000 }, ...events);
    return asked.filter(({ type }) => type === 'send').length; // Of the last answer.
  });

  expect(told).toEqual([1, 0, 1]);
});
