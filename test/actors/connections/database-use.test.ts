/** When nobody uses the database: what counts as use, what is waited for besides, and that nobody slips in while it is decided. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DatabaseUse, type DatabaseUseChange } from '../../../src/actors/connections/database-use.ts';
import type { LogPosition } from '../../../src/model/log-position.ts';
import { IDLE_MS, UsedDatabase, type UseState } from '../../support/actors/idle-world.ts';
import { tableContract } from '../../support/otp/table-contract.ts';

type Step = DatabaseUseChange | 'note' | Partial<UseState>;

tableContract('DatabaseUse', {
  world: () => new UsedDatabase(),
  table: (world) => new DatabaseUse(world, IDLE_MS),
  steps: fc.oneof<fc.Arbitrary<Step>[]>(
    fc.constantFrom<Step[]>('look', 'close', 'open', 'giveUp', 'note'),
    fc.constantFrom(0, 10).map((taken) => ({ taken: taken as LogPosition })),
    fc.constantFrom<Step[]>({ atMs: IDLE_MS }, { atMs: 5 * IDLE_MS }, { lsn: 2 }, { isInUse: true }, { isSettled: false }),
  ),
  play(table, step, world) {
    if (step === 'note') return table.note();
    if (typeof step === 'object' && !('taken' in step)) return void Object.assign(world.state, step);
    return table.apply(step as DatabaseUseChange);
  },
});

/** What the last of the steps tells. */
function told(...steps: readonly Step[]) {
  const world = new UsedDatabase();
  const use = new DatabaseUse(world, IDLE_MS);
  const answers = steps.map((step) => {
    if (step === 'note') return use.note();
    return typeof step === 'object' ? void Object.assign(world.state, step) : use.apply(step);
  });
  return { type: answers.at(-1)?.type, isOpen: use.isOpen };
}

const LATER = { atMs: IDLE_MS };

test.each<[string, readonly Step[], string]>([
  ['at once', ['look'], 'use.goesOn'],
  ['after long without use', [LATER, 'look'], 'use.isOver'],
  ['after a request', [{ atMs: 1 }, 'note', LATER, 'look'], 'use.goesOn'],
  ['after a transaction', [{ atMs: 1, lsn: 2 }, 'look', LATER, 'look'], 'use.goesOn'],
  ['long after both', [{ atMs: 1, lsn: 2 }, 'note', 'look', { atMs: IDLE_MS + 1 }, 'look'], 'use.isOver'],
  ['while somebody is answered', [{ ...LATER, isInUse: true }, 'look'], 'use.goesOn'],
  ['as soon as somebody was answered', [{ ...LATER, isInUse: true }, 'look', { isInUse: false }, 'look'], 'use.goesOn'],
  ['while something is under way', [{ ...LATER, isSettled: false }, 'look'], 'use.goesOn'],
  ['as soon as nothing is under way', [{ ...LATER, isSettled: false }, 'look', { isSettled: true }, 'look'], 'use.isOver'],
])('%s, use is over or goes on', (_, steps, type) => {
  expect(told(...steps)).toEqual({ type, isOpen: true });
});

test('a request that comes before they are closed keeps them open, and one that comes behind that learns that they are closed', () => {
  expect([told(LATER, 'look', 'note', 'close'), told(LATER, 'look', 'close')]).toEqual([
    { type: 'use.goesOn', isOpen: true },
    { type: 'use.isOver', isOpen: false },
  ]);
});

test('what opens them tells for how long they were closed, and since when they were waited for', () => {
  const world = new UsedDatabase(LATER);
  const use = new DatabaseUse(world, 0);
  use.apply('close');
  world.state.atMs += 500;
  use.note();
  world.state.atMs += 20;
  use.note();
  world.state.atMs += 30;

  const resumed = use.apply('open');

  expect([resumed, use.closedSinceMicros, use.apply('open')]).toEqual([
    { type: 'use.resumed', closedForMs: 550, wakingForMs: 50, isFollowed: true }, undefined, undefined,
  ]);
});
