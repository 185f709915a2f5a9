/** Queries about moves wait for each other, and for nothing else. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Handle } from '../../../src/model/shape.ts';
import type { Message } from '../../../src/otp/process.ts';
import { createPool, type DatabasePool } from '../../../src/postgres/connection/pool.ts';
import { MoveQueries } from '../../../src/postgres/snapshot/move-queries.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';

const TURNS_MAX = 12;

let database: TestDatabase;
let pool: DatabasePool;

beforeAll(async () => {
  database = await createDatabase();
  pool = createPool({ target: targetOf(database.url), applicationName: 'moves', max: 1 });
  await pool.open();
});
afterAll(async () => {
  await pool.close();
  await database.drop();
});

/** The same pool; `then` is called so many turns of the queue of promises after a connection was given back. */
function poolThat(turns: number, then: () => void): DatabasePool {
  const use: DatabasePool['use'] = async (work) => {
    const result = await pool.use(work);
    let turn = Promise.resolve();
    for (let count = 0; count < turns; count += 1) turn = turn.then(() => {});
    void turn.then(then);
    return result;
  };
  return Object.create(pool, { use: { value: use } }) as DatabasePool;
}

/** @returns the answer to the second of two questions, which comes when the connection of the first has so many turns of rest. */
function askedAfter(turns: number): Promise<Message> {
  return new Promise((answered, failed) => {
    const { signal } = new AbortController();
    let isAsked = false;
    const again = (): void => {
      if (!isAsked) queries.ask('1-2' as Handle, [], signal).then(answered, failed);
      isAsked = true;
    };
    const queries = new MoveQueries({ pool: poolThat(turns, again), target: () => undefined }, failed);
    void queries.ask('1-1' as Handle, [], signal);
  });
}

test('who asks at the very moment when the last connection comes to rest is answered', async () => {
  const answers = await Promise.all(Array.from({ length: TURNS_MAX }, (_, turns) => askedAfter(turns)));

  expect(answers.map(({ type }) => type)).toEqual(answers.map(() => 'moves.failed'));
});
