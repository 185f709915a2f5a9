/** A damaged shape does not keep the others from the disk. */
import { expect, test } from 'vitest';
import { checkpointer } from '../../src/actors/checkpointer.ts';
import { walk } from '../support/actors/lone-machine.ts';

test('shapes that hinder the checkpoint are given up, whether they have Consumers or not, and another checkpoint follows', () => {
  const why = 'the log of shape 1-1 is corrupt';
  const { value, asked } = walk(
    checkpointer,
    { everyMs: 5_000 },
    { type: 'unsaved.exceeded' },
    { type: 'checkpoint.deferred', damaged: [{ handle: '1-1', why }, { handle: '2-2', why }] },
  );

  expect({ value, asked }).toEqual({
    value: 'pausing',
    asked: [
      { type: 'send', params: { to: '@shape-cache', event: { type: 'giveUpDamaged', handle: '1-1', why } } },
      { type: 'send', params: { to: '@shape-cache', event: { type: 'giveUpDamaged', handle: '2-2', why } } },
      { type: 'startTimer', params: { name: 'retry', delayMs: 5_000 } },
    ],
  });
});

test('what cannot be removed is told of once, and again only when it is more', () => {
  const taken = (left: number) => ({ type: 'checkpoint.taken' as const, left });
  const due = { type: 'unsaved.exceeded' as const };
  const notesOf = (...lefts: readonly number[]): readonly unknown[] => {
    const { asked } = walk(checkpointer, { everyMs: 5_000 }, ...lefts.flatMap((left) => [due, taken(left)]));
    return asked.flatMap(({ params }) => (params as { event?: { what?: string; left?: number } }).event?.left ?? []);
  };

  expect([notesOf(0), notesOf(2), notesOf(2, 2), notesOf(2, 1), notesOf(2, 1, 2)]).toEqual([[], [2], [], [], [2]]);
});
