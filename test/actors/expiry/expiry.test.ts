/** What expiry does about each thing that its table says. */
import { expect, test } from 'vitest';
import { expiry } from '../../../src/actors/expiry/expiry.ts';
import { walk } from '../../support/actors/lone-machine.ts';

const CHECK = { type: 'startTimer', params: { name: 'check', delayMs: 5_000 } };
const LOOK = { type: 'apply', params: { table: 'limits', change: 'look' } };
const reached = { type: 'limits.reached', bytes: 20, bytesMax: 10 } as const;

test('the shapes that a limit takes are named to the shape cache, and it is looked again later', () => {
  const exceeded = { type: 'limits.exceeded', handles: ['1-1'], why: 'old' };
  const { value, asked } = walk(expiry, { checkEveryMs: 5_000 }, { type: 'timeout.check' }, exceeded);

  expect({ value, asked: asked.slice(-2) }).toEqual({
    value: 'resting',
    asked: [{ type: 'send', params: { to: '@shape-cache', event: { type: 'expireShapes', handles: ['1-1'], why: 'old' } } }, CHECK],
  });
});

test('who wants room does not wait for the next look', () => {
  const { value, asked } = walk(expiry, { checkEveryMs: 5_000 }, { type: 'makeRoom' });

  expect({ value, last: asked.at(-1) }).toEqual({ value: 'looking', last: LOOK });
});

test('a limit for which nothing can be taken is told once, and again when there was room in between', () => {
  const kept = { type: 'limits.kept' } as const;
  const told = [[reached], [reached, reached], [reached, kept, reached]].map((answers) => {
    const { asked } = walk(expiry, { checkEveryMs: 5_000 }, ...answers.flatMap((answer) => [{ type: 'timeout.check' } as const, answer]));
    return asked.filter(({ type }) => type === 'send').length; // Of the last answer.
  });

  expect(told).toEqual([1, 0, 1]);
});
