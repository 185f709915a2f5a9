/** What a client, and the log, are told of a snapshot or a subset that was not read. */
import { expect, test } from 'vitest';
import { DatabaseRefusedError } from '../../../src/postgres/connection/database-error.ts';
import { PoolTimeoutError, SessionNotLentError } from '../../../src/postgres/connection/pool.ts';
import { snapshotRefusal, TableLockedError } from '../../../src/postgres/snapshot/snapshot-error.ts';
import { subsetRefusal } from '../../../src/postgres/snapshot/subset-error.ts';

const LOCKED = new DatabaseRefusedError('55P03', 'canceling statement due to lock timeout');
const message = 'Snapshot timed out while waiting for a table lock';
const lockTimeout = { name: 'lock_timeout', code: 'lock_timeout', status: 503, message };

test.each([
  ['who had it, where that is known', new TableLockedError(LOCKED, ['process 7']), { ...lockTimeout, holders: ['process 7'] }],
  ['nobody, where that is not known', new TableLockedError(LOCKED, []), lockTimeout],
  ['nobody, where it was not asked', LOCKED, lockTimeout],
])('of a lock that was not had in time is told %s', (_, error, refusal) => {
  expect(snapshotRefusal(error, false)).toEqual(refusal);
});

test.each([
  ['a pooler that lends no session', new SessionNotLentError(2_000), ['pooler_timeout', 'pooler_timeout']],
  ['connections that are all at work', new PoolTimeoutError('full'), ['pool_queue_timeout', 'subset_queries_busy']],
])('%s is a matter of time, and has a code of its own', (_, error, codes) => {
  const refusals = [snapshotRefusal(error, false), subsetRefusal(error)];

  expect(refusals).toMatchObject(codes.map((code) => ({ code, status: 503 })));
});
