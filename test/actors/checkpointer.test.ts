/** A damaged shape does not keep the others from the disk. */
import { expect, test } from 'vitest';
import { checkpointer } from '../../src/actors/checkpointer.ts';
import { walk } from '../support/actors/lone-machine.ts';

test('the Consumer of a shape that hinders the checkpoint is told to go, and another checkpoint follows', () => {
  const why = 'the log of shape 1-1 is corrupt';
  const { value, asked } = walk(
    checkpointer,
    { everyMs: 5_000 },
    { type: 'unsaved.exceeded' },
    { type: 'checkpoint.deferred', handle: '1-1', why },
  );

  expect({ value, asked }).toEqual({
    value: 'pausing',
    asked: [
      { type: 'send', params: { to: '@consumer/1-1', event: { type: 'stop', cause: { delete: why, isDamaged: true } } } },
      { type: 'startTimer', params: { name: 'retry', delayMs: 5_000 } },
    ],
  });
});
