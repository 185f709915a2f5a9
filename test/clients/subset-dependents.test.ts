/** Subsets of a shape with a subquery, amid moves that never pause: their rows, tags and conditions join the log without a loss. */
import { FetchError, ShapeStream, type Row } from '@electric-sql/client';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { seededRandom, type Random } from '../../src/base/random.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape } from '../support/service/shape-follower.ts';
import { TagFoldingClient } from '../support/shapes/tag-folding-client.ts';

type Child = Readonly<Record<string, string | null>>;

const BUCKETS = 4;
const CHILDREN = 40;
const PARENTS = 6;
const WHERE = "parent_id IN (SELECT id FROM parents WHERE active) OR title = 'always'";

let database: TestDatabase;
let service: ServiceInProcess;
let leaving: AbortController;
let writers: { stop(): Promise<void> } | undefined;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE parents (id int PRIMARY KEY, active boolean NOT NULL);
    CREATE TABLE children (id int PRIMARY KEY, bucket int NOT NULL, parent_id int, title text)`);
  service = await startServiceInProcess({ databaseUrl: database.url });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

beforeEach(async () => {
  leaving = new AbortController();
  await database.query(`
    DELETE FROM children; DELETE FROM parents;
    INSERT INTO parents SELECT i, i % 2 = 1 FROM generate_series(1, ${PARENTS}) i;
    INSERT INTO children SELECT i, i % ${BUCKETS}, 1 + i % ${PARENTS}, 'title ' || i FROM generate_series(1, ${CHILDREN}) i`);
});

afterEach(async () => {
  leaving.abort();
  await writers?.stop();
  writers = undefined;
});

/** Of a row that was never told whole it holds nothing, as clients do that follow changes alone. */
class ChangesOnlyClient {
  readonly fold = new TagFoldingClient();
  readonly stream: ShapeStream<Child>;

  constructor(params: Readonly<Record<string, string>>, fetchClient: typeof fetch = fetch, offset: '-1' | 'now' = 'now') {
    this.stream = new ShapeStream<Child>({
      url: service.shapeUrl, params: { table: 'children', where: WHERE, ...params }, log: 'changes_only', offset,
      signal: leaving.signal, fetchClient, parser: { int4: (text: string) => text },
    });
    this.stream.subscribe((messages) => {
      for (const message of messages) this.take(message);
    });
  }

  rows(): Row[] {
    return [...this.fold.rows.values()].sort((left, right) => Number(left['id']) - Number(right['id']));
  }

  private take(message: Parameters<TagFoldingClient['take']>[0]): void {
    if ('key' in message && message.headers.operation === 'update' && !this.fold.held.has(message.key)) return;
    this.fold.take(message);
  }
}

/** @param writesPerMove of so many writes one moves rows: where they never cease to move, no subset can be joined to them. */
async function writeOnce(session: pg.Client, random: Random, writesPerMove: number): Promise<void> {
  const [parent, child] = [1 + random.below(PARENTS), 1 + random.below(CHILDREN)];
  if (random.below(writesPerMove) === 0) await session.query(`UPDATE parents SET active = NOT active WHERE id = ${parent}`);
  const statements = [
    `UPDATE children SET parent_id = ${parent}, title = 'with ${parent}' WHERE id = ${child}`,
    `UPDATE children SET title = 'always' WHERE id = ${child}`,
    `DELETE FROM children WHERE id = ${child}`,
    `INSERT INTO children VALUES (${child}, ${child % BUCKETS}, ${parent}, 'again') ON CONFLICT (id) DO UPDATE SET title = 'twice'`,
  ];
  await session.query(statements[random.below(statements.length)] ?? '');
}

async function startWriters(count: number, seed: number, writesPerMove: number) {
  const pausing = new AbortController();
  const run = async (session: pg.Client, random: Random): Promise<void> => {
    while (!pausing.signal.aborted) await writeOnce(session, random, writesPerMove);
  };
  const sessions = await Promise.all(Array.from({ length: count }, () => database.session()));
  const running = sessions.map((session, index) => run(session, seededRandom(seed * 10 + index)));
  return {
    stop: async () => {
      pausing.abort();
      await Promise.all(running);
    },
  };
}

/** Asks again once it has read what has moved meanwhile. @returns how often it had to. */
async function request(client: ChangesOnlyClient, bucket: number): Promise<number> {
  for (let refusals = 0; ; refusals += 1) {
    const { lastOffset } = client.stream;
    try {
      await client.stream.requestSnapshot({ where: 'bucket = $1', params: { 1: String(bucket) } });
      return refusals;
    } catch (error) {
      expect(error).toMatchObject({ status: 400, json: { errors: { subset: [expect.stringContaining('ask again')] } } });
      expect(error).toBeInstanceOf(FetchError);
      await expect.poll(() => client.stream.lastOffset, { interval: 1 }).not.toBe(lastOffset);
    }
  }
}

test.each([
  [1, 300, {}], [2, 300, { replica: 'full' }], [3, 300, {}], [4, 300, { move_outs: 'deletes' }],
] as const)('who asks for subsets amid moves holds what SELECT answers (%i, one move in %i writes)', async (seed, pace, params) => {
  const client = new ChangesOnlyClient(params);
  writers = await startWriters(2, seed, pace);
  const random = seededRandom(seed);
  const asked = new Set<number>();
  for (let round = 0; round < 6; round += 1) {
    const bucket = random.below(BUCKETS);
    await request(client, bucket);
    asked.add(bucket);
    await expect.poll(() => client.stream.isUpToDate).toBe(true);
  }
  await writers.stop();

  const all = await database.query<Row>(`
    SELECT id::text, bucket::text, parent_id::text, title FROM children WHERE ${WHERE} ORDER BY children.id`);
  const of = (rows: readonly Row[]) => rows.filter(({ bucket }) => asked.has(Number(bucket)));
  await expect.poll(() => of(client.rows())).toEqual(of(all));
  expect(all).toEqual(expect.arrayContaining(client.rows()));
});

test('who has yet to read of rows that moved is told to, and is answered when it has', async () => {
  const client = new ChangesOnlyClient({});
  await request(client, 0);
  const place = () => ({ handle: client.stream.shapeHandle ?? '', offset: client.stream.lastOffset });
  const ask = async (at: ReturnType<typeof place>) => {
    const query = new URLSearchParams({ table: 'children', where: WHERE, log: 'changes_only', ...at, subset__where: 'TRUE' });
    return (await fetch(`${service.shapeUrl}?${query}`)).status;
  };
  await expect.poll(() => ask(place())).toBe(200);
  const behind = place();
  await database.query('UPDATE parents SET active = NOT active WHERE id = 2');

  await expect.poll(() => ask(behind)).toBe(400);
  await expect.poll(() => ask(place())).toBe(200);
});

test('a row that moved in behind the place of a client, and was changed since, is not left as it came in', async () => {
  const statuses: number[] = [];
  /** What happens while the first request for the row is on its way. */
  let meanwhile: (() => Promise<unknown>) | undefined;
  const client = new ChangesOnlyClient({}, async (input, init) => {
    const isAboutRow = new URL(String(input)).searchParams.get('subset__where') === 'id = 1';
    if (isAboutRow) await meanwhile?.();
    const response = await fetch(input, init);
    if (isAboutRow) statuses.push(response.status);
    return response;
  });
  const heard = async (sql: string): Promise<void> => {
    const before = await end();
    await database.query(sql);
    await expect.poll(end).not.toBe(before);
  };
  const shape = { table: 'children', where: WHERE, log: 'changes_only' };
  const end = async () => (await readShape(service.shapeUrl, { ...shape, offset: 'now' })).offset;
  const held = () => client.rows().find(({ id }) => id === '1');
  const isAtEnd = async () => client.stream.lastOffset === (await end());
  await request(client, 0);
  await expect.poll(isAtEnd).toBe(true);
  meanwhile = async () => {
    meanwhile = undefined;
    await heard('UPDATE parents SET active = true WHERE id = 2');
    await heard("UPDATE children SET title = 'newer' WHERE id = 1");
  };

  const place = client.stream.lastOffset;
  await client.stream.requestSnapshot({ where: 'id = 1' }).catch(() => {}); // As the statuses say.
  await expect.poll(() => client.stream.lastOffset).not.toBe(place);
  await expect.poll(() => client.stream.requestSnapshot({ where: 'id = 1' }).then(held)).toBeDefined();

  await expect.poll(isAtEnd).toBe(true);
  expect([statuses[0], held()]).toEqual([400, { id: '1', bucket: '1', parent_id: '2', title: 'newer' }]);
});

test('subsets that begin together follow from where the first has seen, but for what has moved since', async () => {
  const shape = { table: 'children', where: WHERE, log: 'changes_only', offset: 'now' };
  const begin = async () => (await readShape(service.shapeUrl, { ...shape, subset__where: 'bucket = 0' })).offset;
  /** @returns the end of the log behind what `sql` has changed, and behind a row of its own by which that is known. */
  const heard = async (sql: string, id: number): Promise<string | null> => {
    const { offset, handle } = await readShape(service.shapeUrl, shape);
    await database.query(sql);
    await database.query(`INSERT INTO children VALUES (${id}, 0, NULL, 'always')`);
    const behind = { ...shape, offset: offset ?? '', handle: handle ?? '' };
    await expect.poll(async () => (await readShape(service.shapeUrl, behind)).text).toContain(`"id":"${id}"`);
    return (await readShape(service.shapeUrl, shape)).offset;
  };
  await begin();
  const first = await heard('UPDATE parents SET active = NOT active WHERE id = 2', 101);
  await begin();
  await heard("UPDATE children SET title = 'changed' WHERE parent_id = 1", 102);
  const second = await begin();
  const moved = await heard('UPDATE parents SET active = NOT active WHERE id = 2', 103);
  const third = await begin();
  await heard("UPDATE children SET title = 'again' WHERE parent_id = 1", 104);
  const fourth = await begin();
  expect([second, third, fourth]).toEqual([first, moved, moved]);
});

/** A log in which row 1 belongs to a parent that has left and come again, before the row was its. @returns what reads its end. */
async function movedBefore(log: 'full' | 'changes_only'): Promise<() => Promise<string | null>> {
  const shape = { table: 'children', where: WHERE, log, offset: 'now' };
  const end = async () => (await readShape(service.shapeUrl, shape)).offset;
  await end();
  for (const sql of [
    'UPDATE parents SET active = true WHERE id = 4',
    'UPDATE parents SET active = false WHERE id = 4',
    'UPDATE parents SET active = true WHERE id = 4',
    'UPDATE children SET parent_id = 1 WHERE id = 1',
    'UPDATE children SET parent_id = 4 WHERE id = 1',
  ]) {
    const before = await end();
    await database.query(sql);
    await expect.poll(end).not.toBe(before);
  }
  return end;
}

test.each(['-1', 'now'] as const)('who begins at %s with a subset keeps its rows, whatever has moved before', async (offset) => {
  const end = await movedBefore('changes_only');
  const client = new ChangesOnlyClient({}, fetch, offset);

  await client.stream.requestSnapshot({ where: 'id = 1' });
  await expect.poll(async () => client.stream.lastOffset === (await end())).toBe(true);

  expect(client.rows()).toMatchObject([{ id: '1', parent_id: '4' }]);
});

test('who gets all rows by the log is shown some before, wherever he stands, and is told to leave out none', async () => {
  await movedBefore('full');
  const shape = { table: 'children', where: WHERE };
  const begun = await readShape(service.shapeUrl, { ...shape, offset: '-1' });

  const told = await Promise.all(['-1', '0_0', '0_inf', 'now'].map(async (offset) => {
    const query = { ...shape, offset, handle: begun.handle ?? '', subset__where: 'id = 1' };
    const { status, text } = await readShape(service.shapeUrl, query);
    const { metadata, data } = JSON.parse(text) as { metadata: { xmin: string; xmax: string }; data: { value: Child }[] };
    return [status, data.map(({ value }) => value['parent_id']), metadata.xmin === metadata.xmax, BigInt(metadata.xmax) < 100n];
  }));

  expect(told).toEqual(told.map(() => [200, ['4'], true, true]));
});
