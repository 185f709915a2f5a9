/** What becomes of a connection whose question was given up, refused, or answered. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../../src/postgres/connection/connection.ts';
import { DatabaseUnreachableError } from '../../../src/postgres/connection/database-error.ts';
import { stepInTime, until } from '../../../src/postgres/connection/silence.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

test.each<[string, string, 'before' | 'behind', string, string]>([
  ['given up before its answer came is closed, and the answer counts for nothing', 'SELECT 1', 'before', 'refused', 'ended'],
  ['given up before it was asked is closed, though no answer ever comes', 'SELECT pg_sleep(3600)', 'before', 'refused', 'ended'],
  ['refused is closed', 'SELECT 1 / 0', 'behind', 'refused', 'ended'],
  ['answered outlasts whoever asked', 'SELECT 1', 'behind', 'answered', 'goes on'],
])('a connection whose question was %s', async (_, sql, when, outcome, standing) => {
  const client = await connect(targetOf(database.url), { applicationName: 'silence test' });
  const ended = new Promise<string>((done) => void client.once('end', () => done('ended')));
  const asker = new AbortController();
  if (when === 'before') asker.abort();

  const answer = await until(asker.signal, client, client.query(sql)).then(() => 'answered', () => 'refused');
  asker.abort();

  const after = await Promise.race([ended, client.query('SELECT 1').then(() => 'goes on', () => ended)]);
  await client.end();
  expect([answer, after]).toEqual([outcome, standing]);
});

const SILENT = new DatabaseUnreachableError('Postgres has been silent for 1000 ms');
const LEFT = new Error('left');

test.each<[string, (clock: ManualClock, asker: AbortController, answer: (given: string) => void) => void, unknown]>([
  ['answered in time ends so', (_, __, answer) => answer('the answer'), 'the answer'],
  ['late is given up', (clock) => clock.advance(1_000), SILENT],
  ['for which nobody waits any longer is given up, and nobody says that it was late', (_, asker) => asker.abort(LEFT), LEFT],
])('a step that is %s, and no timer is left of it', async (_, happen, outcome) => {
  const [clock, asker] = [new ManualClock(), new AbortController()];
  let answer: (given: string) => void = () => {};
  const step = (given: AbortSignal) => new Promise<string>((done, failed) => {
    answer = done;
    given.addEventListener('abort', () => failed(given.reason as Error));
  });
  const stepping = stepInTime(asker.signal, clock, 1_000, step).catch((error: unknown) => error);

  happen(clock, asker, (given) => answer(given));

  expect({ outcome: await stepping, timers: clock.pendingTimers }).toEqual({ outcome, timers: 0 });
});
