/** Queries about moves that are alike go to Postgres together. Each has its own rows, and what befalls one is not told to another. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { systemClock, type Clock } from '../../../src/base/clock.ts';
import { InvariantError } from '../../../src/base/invariant.ts';
import { Change } from '../../../src/model/change.ts';
import type { Handle } from '../../../src/model/shape.ts';
import type { Message } from '../../../src/otp/process.ts';
import { createPool, type DatabasePool } from '../../../src/postgres/connection/pool.ts';
import { MoveQueries, type MoveQueryTarget } from '../../../src/postgres/snapshot/move-queries.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';
import { texts } from '../../support/postgres/recording-sink.ts';

const QUERIES = 30;

let database: TestDatabase;
let pool: DatabasePool;
/** Of the only session. */
let writes: number;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE tasks (id int PRIMARY KEY, bucket int, note text);
    INSERT INTO tasks SELECT i, i / 2, repeat('x', 10) FROM generate_series(0, 99) i`);
});
beforeEach(async () => {
  pool = createPool({ target: targetOf(database.url), applicationName: 'moves', max: 1 });
  await pool.open();
  writes = 0;
});
afterEach(() => pool.close());
afterAll(() => database.drop());

/** Rows of one bucket, of which each takes Postgres so many seconds, and divides by something. */
class Tasks implements MoveQueryTarget<number> {
  readonly relation = { schema: 'public', name: 'tasks' };
  readonly columns = ['id', 'bucket', 'note'];
  readonly where: MoveQueryTarget<number>['where'];
  readonly read: unknown[] = [];
  isNewEnough = (): boolean => true;

  constructor(bucket: number, { seconds = 0, divisor = 1 } = {}) {
    const sql = 'CASE WHEN bucket = $1::int4 THEN pg_sleep($2::float8) IS NOT NULL AND 1 / $3::int4 = 1 ELSE false END';
    this.where = { sql, params: [String(bucket), String(seconds), String(divisor)] };
  }

  accepts(): boolean {
    return true;
  }

  async rows(fragment: Uint8Array): Promise<void> {
    for (let at = 0; at < fragment.length; ) {
      const change = new Change(fragment, at);
      if (change.new !== undefined) this.read.push(Number(texts(change.new)[0]));
      at = change.end;
    }
  }

  async complete(): Promise<number> {
    return this.read.length;
  }
}

const targetsOf = (count: number): Tasks[] => Array.from({ length: count }, (_, bucket) => new Tasks(bucket));

/** All at once. */
async function askedOf(
  targets: readonly Tasks[],
  { signals = [], clock = systemClock }: { readonly signals?: readonly (AbortSignal | undefined)[]; readonly clock?: Clock } = {},
): Promise<readonly Message[]> {
  const { signal } = new AbortController();
  return await new Promise((answered, failed) => {
    const queries = new MoveQueries({ pool, target: (handle) => targets[Number(handle)], clock }, failed);
    const asks = targets.map((_, index) => queries.ask(String(index) as Handle, [], signals[index] ?? signal));
    Promise.all(asks.filter((_, index) => signals[index] === undefined)).then(answered, failed);
  });
}

async function countWrites(): Promise<void> {
  await pool.use(async (client) => {
    const { stream } = (client as unknown as { connection: { stream: { write: (...args: never[]) => boolean } } }).connection;
    const write = stream.write.bind(stream);
    stream.write = (...args) => {
      writes += 1;
      return write(...args);
    };
    return Promise.resolve();
  });
}

const typesOf = (answers: readonly Message[]): readonly string[] => answers.map(({ type }) => type);
/** What was read together with one that is refused, or is late, may be read again. */
const lastOf = (read: readonly unknown[]): readonly unknown[] => read.slice(-2);
const ownRows = (bucket: number): readonly number[] => [2 * bucket, 2 * bucket + 1];

test('each has its own rows, in fewer writes than there are queries', async () => {
  await countWrites();
  const targets = targetsOf(QUERIES);

  const answers = await askedOf(targets, { clock: new ManualClock() }); // By which each is quick.

  expect({ types: new Set(typesOf(answers)), read: targets.map(({ read }) => read), few: writes < QUERIES }).toEqual({
    types: new Set(['moves.queried']), read: targets.map((_, bucket) => ownRows(bucket)), few: true,
  });
});

test('rows that are much, and none at all, are those of their query', async () => {
  await database.query("INSERT INTO tasks SELECT i, 1000, repeat('y', 2000) FROM generate_series(1000, 3999) i");
  const targets = [...targetsOf(6), new Tasks(1000), new Tasks(2000), ...targetsOf(6)];

  const answers = await askedOf(targets);

  await database.query('DELETE FROM tasks WHERE bucket = 1000');
  const own = Array.from({ length: 6 }, (_, bucket) => ownRows(bucket));
  const much = Array.from({ length: 3_000 }, (_, index) => 1_000 + index);
  expect({ types: new Set(typesOf(answers)), read: targets.map(({ read }) => read.toSorted((a, b) => Number(a) - Number(b))) }).toEqual({
    types: new Set(['moves.queried']), read: [...own, much, [], ...own],
  });
});

test('one that is refused, one whose rows meet a bug of ours, and one that is not seen yet concern nobody else', async () => {
  const targets = targetsOf(12);
  const [late, refused, broken] = [6, 8, 10];
  targets[refused] = new Tasks(refused, { divisor: 0 });
  Object.assign(targets[broken] ?? {}, { rows: () => Promise.reject(new InvariantError('what can never be')) });
  let looks = 0;
  Object.assign(targets[late] ?? {}, { isNewEnough: () => (looks += 1) > 1 });

  const answers = await askedOf(targets);

  const fates: Readonly<Record<number, string>> = { [refused]: 'moves.failed', [broken]: 'moves.crashed' };
  expect({ types: typesOf(answers), read: targets.map(({ read }) => lastOf(read)), looks }).toEqual({
    types: targets.map((_, index) => fates[index] ?? 'moves.queried'),
    read: targets.map((_, index) => (fates[index] === undefined ? ownRows(index) : [])),
    looks: 2,
  });
});

test('one that takes long is waited for alone', async () => {
  const targets = targetsOf(8);
  targets[5] = new Tasks(5, { seconds: 1.5 });

  const answers = await askedOf(targets);

  expect({ types: new Set(typesOf(answers)), read: targets.map(({ read }) => lastOf(read)) }).toEqual({
    types: new Set(['moves.queried']), read: targets.map((_, index) => ownRows(index)),
  });
});

test('whoever takes rows may take his time: Postgres is not silent meanwhile', async () => {
  const clock = new ManualClock();
  const targets = targetsOf(8);
  const slow = targets[3];
  const take = slow?.rows.bind(slow);
  Object.assign(slow ?? {}, {
    rows: async (fragment: Uint8Array) => {
      clock.advance(2_000);
      await take?.(fragment);
    },
  });

  const answers = await askedOf(targets, { clock });

  expect({ types: new Set(typesOf(answers)), read: targets.map(({ read }) => read) }).toEqual({
    types: new Set(['moves.queried']), read: targets.map((_, bucket) => ownRows(bucket)),
  });
});

test('where nobody waits for those that were asked together, the next one is answered', async () => {
  const gone = Array.from({ length: 8 }, () => new AbortController());
  const targets = [new Tasks(0), ...gone.map(() => new Tasks(3, { seconds: 30 })), new Tasks(4)];
  const signals = [undefined, ...gone.map(({ signal }) => signal)];
  const answered = askedOf(targets, { signals, clock: new ManualClock() }); // By which Postgres is never silent for too long.
  await database.until("SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'");
  for (const each of gone) each.abort();

  expect(typesOf(await answered)).toEqual(['moves.queried', 'moves.queried']);
});
