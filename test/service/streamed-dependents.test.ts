/**
 * A client of an event stream goes on from an offset that it makes itself, of the LSN of the last up-to-date. Of a shape with a subquery,
 * too, nothing lies before it that has yet to come, and nothing behind it that the client has.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape } from '../support/service/shape-follower.ts';
import { TagFoldingClient, type ShapeMessage } from '../support/shapes/tag-folding-client.ts';

const WHERE = 'parent_id IN (SELECT id FROM parents WHERE active)';
const STEPS = 80;
/** A stream waits for news: these come for certain, two at a time. */
const NEWS = "UPDATE children SET title = title || '.' WHERE parent_id = 9";
/** Right behind the news, and with no row of its own: rows come or leave. */
const MOVE = 'UPDATE parents SET active = NOT active WHERE id = 3';

let database: TestDatabase;
let service: ServiceInProcess;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE parents (id int PRIMARY KEY, active boolean NOT NULL);
    CREATE TABLE children (id int PRIMARY KEY, parent_id int, title text);
    INSERT INTO parents SELECT i, i % 2 = 1 FROM generate_series(1, 4) i;
    INSERT INTO children SELECT i, 1 + i % 4, 'first' FROM generate_series(1, 20) i;
    INSERT INTO parents VALUES (9, true);
    INSERT INTO children VALUES (90, 9, ''), (91, 9, '')`);
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'long-poll-timeout': '1s' } });
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

/** Folds what it reads, and comes back after each batch: by a stream, a poll or a read in turn, from the offset that a stream tells. */
class ReturningClient {
  readonly fold = new TagFoldingClient();
  private handle = '';
  private offset = '-1';
  private turns = 0;

  async begin(): Promise<void> {
    for (let isThere = false; !isThere; ) isThere = (await this.read({})).upToDate;
  }

  /** One batch, up to its up-to-date. */
  async turn(): Promise<void> {
    this.turns += 1;
    if (this.turns % 3 === 0) await this.read({});
    else if (this.turns % 3 === 1) await this.read({ live: 'true' });
    else await this.stream();
  }

  async read(more: Readonly<Record<string, string>>) {
    const held = this.handle === '' ? {} : { handle: this.handle };
    const response = await readShape(service.shapeUrl, { table: 'children', where: WHERE, offset: this.offset, ...held, ...more });
    for (const message of response.messages) this.fold.take(message as unknown as ShapeMessage);
    this.handle = response.handle ?? '';
    this.offset = response.offset ?? '';
    return response;
  }

  private async stream(): Promise<void> {
    const leaving = new AbortController();
    const asked = { table: 'children', where: WHERE, offset: this.offset, handle: this.handle, live: 'true', live_sse: 'true' };
    const response = await fetch(`${service.shapeUrl}?${new URLSearchParams(asked).toString()}`, { signal: leaving.signal });
    const written = Promise.all([database.query(NEWS), database.query(MOVE)]);
    const messages: ShapeMessage[] = [];
    let text = '';
    for await (const piece of response.body ?? []) {
      const events = (text + Buffer.from(piece).toString()).split('\n\n');
      text = events.pop() ?? '';
      messages.push(...events.map((event) => JSON.parse(event.replace(/^data: /, '')) as ShapeMessage));
      if (messages.some(isUpToDate)) break;
    }
    leaving.abort();
    await written;
    const end = messages.findIndex(isUpToDate);
    for (const message of messages.slice(0, end)) this.fold.take(message);
    this.offset = `${(messages[end]?.headers as Record<string, string>)['global_last_seen_lsn']}_0`;
  }
}

function isUpToDate({ headers }: ShapeMessage): boolean {
  return 'control' in headers && headers.control === 'up-to-date';
}

/** Each is one transaction: of rows alone, of moves alone, and of both. */
function randomStep(below: (bound: number) => number): string {
  const [parent, child] = [1 + below(4), 1 + below(25)];
  return [
    `UPDATE parents SET active = NOT active WHERE id = ${parent}`,
    `UPDATE children SET title = title || '.' WHERE parent_id = ${parent}`,
    `UPDATE children SET parent_id = ${parent} WHERE id BETWEEN ${child} AND ${child + 4}`,
    `DELETE FROM children WHERE id BETWEEN ${child} AND ${child + 3}; UPDATE parents SET active = NOT active WHERE id = ${parent}`,
    `INSERT INTO children SELECT i, ${parent}, 'random' FROM generate_series(${child}, ${child + 5}) i ON CONFLICT (id) DO NOTHING`,
  ][below(5)] ?? '';
}

test.each([1, 2])('rows come once and none is missing for one who comes back after each batch (seed %i)', async (seed) => {
  const client = new ReturningClient();
  await client.begin();
  const random = seededRandom(seed);
  for (let step = 0; step < STEPS; step += 1) {
    await database.query(randomStep(random.below));
    await client.turn();
  }
  const selected = await database.query(`SELECT id::text, parent_id::text, title FROM children WHERE ${WHERE} ORDER BY children.id`);
  const rows = (): unknown[] => [...client.fold.rows.values()].sort((left, right) => Number(left['id']) - Number(right['id']));
  await expect.poll(() => client.read({}).then(rows)).toEqual(selected);
  expect(client.fold.mistakes).toEqual([]);
});
