/** Behind a cache that joins equal requests the service answers each of them once or twice, however many ask. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCachingProxy, type CachingProxy } from '../support/http/caching-proxy.ts';
import { startCountingForwarder, type CountingForwarder } from '../support/http/counting-forwarder.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';

const POLLS = 2_000;
/** nginx lets a second one through when as many as these come at once. */
const ORIGIN_REQUESTS_MAX = 4;
const ROUNDS = 3;

let database: TestDatabase;
let service: ServiceInProcess;
let origin: CountingForwarder;
let cache: CachingProxy;

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE items (id int PRIMARY KEY, title text)');
  service = await startServiceInProcess({ databaseUrl: database.url });
  origin = await startCountingForwarder(service.url);
  cache = await startCachingProxy(origin.url);
});

afterAll(async () => {
  await cache.stop();
  await origin.close();
  await service.remove();
  await database.drop();
});

interface Told {
  readonly status: number;
  readonly offset: string | null;
  readonly cursor: string | null;
  readonly handle: string | null;
  readonly body: string;
}

async function ask(query: string): Promise<Told> {
  const response = await fetch(`${cache.url}/v1/shape?table=items&${query}`);
  const header = (name: string): string | null => response.headers.get(name);
  return {
    status: response.status, offset: header('electric-offset'), cursor: header('electric-cursor'), handle: header('electric-handle'),
    body: await response.text(),
  };
}

/** Everybody polls there; once all of them wait, `sql` runs. @returns answers that differ in more than their cursor, and the cost. */
async function pollTogether(query: string, sql: string): Promise<{ readonly answers: readonly Told[]; readonly cost: number }> {
  const before = origin.asked.length;
  const polls = Array.from({ length: POLLS }, () => ask(query));
  await expect.poll(async () => [await cache.waitingCount(), origin.asked.length > before]).toEqual([POLLS, true]);
  await database.query(sql);
  const answers = new Map((await Promise.all(polls)).map((told) => [JSON.stringify({ ...told, cursor: null }), told]));
  return { answers: [...answers.values()], cost: origin.asked.length - before };
}

test(`${POLLS} equal polls, round after round, reach the service as a handful, and all get the same`, async () => {
  const { handle } = await ask('offset=-1');
  let { offset, cursor } = { offset: '0_inf' as string | null, cursor: '' as string | null };
  const rounds: unknown[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const { answers, cost } = await pollTogether(
      `handle=${handle}&offset=${offset}&live=true&cursor=${cursor}`, `INSERT INTO items VALUES (${round}, 'round')`,
    );
    rounds.push([answers.length, answers[0]?.status, answers[0]?.body.includes(`"id":"${round}"`), cost <= ORIGIN_REQUESTS_MAX]);
    ({ offset = null, cursor = null } = answers[0] ?? {});
  }

  expect(rounds).toEqual(Array.from({ length: ROUNDS }, () => [1, 200, true, true]));
});

test(`${POLLS} polls whose shape ends are led to one and the same next handle`, async () => {
  const { handle } = await ask('offset=-1&where=id > 0');
  const { answers, cost } = await pollTogether(
    `handle=${handle}&offset=0_inf&where=id > 0&live=true&cursor=`, 'TRUNCATE items',
  );
  const next = answers[0]?.handle;
  const anew = await ask(`offset=-1&where=id > 0&handle=${next}`);

  expect([answers.map(({ status }) => status), cost <= ORIGIN_REQUESTS_MAX, next !== handle, anew.status, anew.handle === next]).toEqual([
    [409], true, true, 200, true,
  ]);
});
