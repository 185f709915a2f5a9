import { expect, test } from 'vitest';
import { downCause, hasSlept, leavingReason, SLEPT, type DownCause } from '../../src/actors/down-cause.ts';
import type { ExitReason } from '../../src/otp/process.ts';

const error = { name: 'Error', message: 'full disk' };

const causes: readonly [ExitReason, DownCause][] = [
  ['normal', { type: 'gone' }],
  ['noproc', { type: 'gone' }],
  ['shutdown', { type: 'drain' }],
  ['killed', { type: 'crash', error: { name: 'Killed', message: 'the process was ended by force' } }],
  [{ error }, { type: 'crash', error }],
  [{ shutdown: 'drain' }, { type: 'drain' }],
  [SLEPT, { type: 'drain' }],
  [{ shutdown: { delete: 'truncate' } }, { type: 'delete', why: 'truncate' }],
  [{ shutdown: 'restart' }, { type: 'gone' }],
  [{ shutdown: { delete: 7 } }, { type: 'gone' }],
  [{ shutdown: {} }, { type: 'gone' }],
  [{ shutdown: null }, { type: 'gone' }],
  [{ shutdown: undefined }, { type: 'gone' }],
];

test.each(causes)('an exit with %j has exactly one cause', (reason, cause) => {
  expect(downCause(reason)).toEqual(cause);
});

test('only a Consumer that was told to sleep has slept', () => {
  expect(causes.map(([reason]) => reason).filter(hasSlept)).toEqual([SLEPT]);
});

test('a process that is ended passes on a deletion, and drains for every other reason', () => {
  const leaving = causes.map(([reason]) => leavingReason(reason));

  const drains = Array<ExitReason>(causes.length).fill({ shutdown: 'drain' });
  expect(leaving).toEqual(drains.with(7, { shutdown: { delete: 'truncate' } }));
});
