/** Subsets of a shape with a subquery, amid moves that never pause: their rows, tags and conditions join the log without a loss. */
import { isDeepStrictEqual } from 'node:util';
import { ShapeStream, type Row } from '@electric-sql/client';
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

  constructor(params: Readonly<Record<string, string>>, fetchClient: typeof fetch = fetch) {
    this.stream = new ShapeStream<Child>({
      url: service.shapeUrl, params: { table: 'children', where: WHERE, ...params }, log: 'changes_only', offset: 'now',
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


/** @param writesPerMove of so many writes one moves rows. */
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

async function request(client: ChangesOnlyClient, bucket: number): Promise<void> {
  await client.stream.requestSnapshot({ where: 'bucket = $1', params: { 1: String(bucket) } });
}

const SHAPE = { table: 'children', where: WHERE, log: 'changes_only' };
const end = async () => (await readShape(service.shapeUrl, { ...SHAPE, offset: 'now' })).offset;

/** Resolves when the shape's log has grown by what the statement does. */
async function heard(sql: string): Promise<void> {
  const before = await end();
  await database.query(sql);
  await expect.poll(end).not.toBe(before);
}

test.each([
  [1, 300, {}], [2, 300, { replica: 'full' }], [3, 300, {}], [4, 300, { move_outs: 'deletes' }],
  [5, 2, {}], [6, 2, { replica: 'full' }], [7, 5, {}], [8, 2, { move_outs: 'deletes' }], [9, 20, {}],
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
  await expect.poll(() => of(client.rows()), { timeout: 10_000 }).toEqual(of(all));
  const strange = () => client.rows().filter((row) => !all.some((other) => isDeepStrictEqual(other, row)));
  await expect.poll(strange, { timeout: 10_000 }).toEqual([]);
});

test('a client asks for two subsets at once, before it follows the log, and misses nothing that moves between the two', async () => {
  let [first, hasFirst] = [true, () => {}];
  const isAnswered = new Promise<void>((resolve) => (hasFirst = resolve));
  const client = new ChangesOnlyClient({}, async (input, init) => {
    const isSubset = new URL(String(input)).searchParams.has('subset__where');
    const isFirst = isSubset && first;
    if (isFirst) first = false;
    if (isSubset && !isFirst) await isAnswered;
    const response = await fetch(input, init);
    if (isFirst) {
      await heard('UPDATE parents SET active = NOT active');
      hasFirst();
    }
    return response;
  });
  await Promise.all([request(client, 0), request(client, 1)]);
  const all = await database.query<Row>(`
    SELECT id::text, bucket::text, parent_id::text, title FROM children WHERE (${WHERE}) AND bucket < 2 ORDER BY children.id`);
  await expect.poll(() => client.rows().filter(({ bucket }) => Number(bucket) < 2)).toEqual(all);
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
  const held = () => client.rows().find(({ id }) => id === '1');
  const isAtEnd = async () => client.stream.lastOffset === (await end());
  await request(client, 0);
  await expect.poll(isAtEnd).toBe(true);
  meanwhile = async () => {
    meanwhile = undefined;
    await heard('UPDATE parents SET active = true WHERE id = 2');
    await heard("UPDATE children SET title = 'newer' WHERE id = 1");
  };

  await client.stream.requestSnapshot({ where: 'id = 1' });

  await expect.poll(isAtEnd).toBe(true);
  expect([statuses, held()]).toEqual([[200], { id: '1', bucket: '1', parent_id: '2', title: 'newer' }]);
});
