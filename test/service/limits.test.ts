/** The limits of a storage, in a service whose clock a test puts forward: who goes, who stays, and what is answered to new ones. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { QuickClock } from '../support/service/quick-clock.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape } from '../support/service/shape-follower.ts';

const HOUR_MS = 3_600_000;
let database: TestDatabase;
let service: ServiceInProcess | undefined;
let passedMs: number;

class MovedClock extends QuickClock {
  override nowMs(): number {
    return super.nowMs() + passedMs;
  }
}

beforeEach(async () => {
  passedMs = 0;
  service = undefined;
  database = await createDatabase();
  await database.query(`CREATE TABLE items (id integer PRIMARY KEY, title text); CREATE TABLE tags (id integer PRIMARY KEY);
    INSERT INTO items SELECT id, repeat('x', 1000) FROM generate_series(1, 300) AS id; INSERT INTO tags VALUES (1)`);
});

afterEach(async () => {
  await service?.remove();
  await database.drop();
});

async function start(flags: Readonly<Record<string, string>>): Promise<ServiceInProcess> {
  const clock = new MovedClock();
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'long-poll-timeout': '500', ...flags }, world: { clock } });
  clock.hurry();
  return service;
}

type Wish = Readonly<Record<string, string>>;

function ask({ shapeUrl }: ServiceInProcess, wish: Wish, more: Wish = { offset: '-1' }) {
  return readShape(shapeUrl, { table: 'items', ...wish, ...more });
}

/** Whether each of these handles serves yet. */
async function standing(running: ServiceInProcess, shapes: readonly (readonly [Wish, string | null])[]): Promise<readonly number[]> {
  const answers = shapes.map(([wish, handle]) => ask(running, wish, { handle: handle ?? '', offset: '0_inf' }));
  return (await Promise.all(answers)).map(({ status }) => status);
}

test('beyond --max-shapes the longest unread go, and no shape on which another one depends', async () => {
  const running = await start({ 'max-shapes': '3' });
  const old = await ask(running, { where: 'id = 1' });
  const tags = await ask(running, { table: 'tags', columns: 'id' });
  passedMs += HOUR_MS;
  const outer = await ask(running, { where: 'id IN (SELECT id FROM tags)' });
  const young = await ask(running, { where: 'id = 2' });

  await expect.poll(() => [...running.runtime.printTree().matchAll(/consumers\/\d+-\d+#/g)].length).toBe(3);

  const found = await standing(running, [
    [{ where: 'id = 1' }, old.handle],
    [{ table: 'tags', columns: 'id' }, tags.handle],
    [{ where: 'id IN (SELECT id FROM tags)' }, outer.handle],
    [{ where: 'id = 2' }, young.handle],
  ]);
  expect(found).toEqual([409, 200, 200, 200]);
});

test('at --max-storage-size a new shape is refused in words while all are in use, and finds room when one is not', async () => {
  const running = await start({ 'max-storage-size': '250000' });
  const large = await ask(running, {});
  await expect.poll(async () => (await ask(running, {}, { offset: '0_0', handle: large.handle ?? '' })).upToDate).toBe(true);
  passedMs += 2_000; // That there was room may be a second old.
  const refused = await ask(running, { where: 'id < 290' });
  const stored = await ask(running, {}, { handle: large.handle ?? '', offset: '0_0' });
  const query = new URLSearchParams({ table: 'items', offset: '-1', where: 'id < 290' });
  const { headers } = await fetch(`${running.shapeUrl}?${query.toString()}`);
  passedMs += HOUR_MS;

  await expect.poll(async () => (await ask(running, { where: 'id < 290' })).status).toBe(200);

  expect({ refused: [refused.status, JSON.parse(refused.text)], retry: headers.get('retry-after'), stored: stored.status }).toEqual({
    refused: [
      503,
      {
        code: 'storage_limit_reached',
        message: 'The stored shapes are at their limit of size. Please try again later: shapes that nobody reads make room.',
      },
    ],
    retry: '10',
    stored: 200,
  });
  passedMs += 2_000;
  expect(await standing(running, [[{}, large.handle]])).toEqual([503]); // It has ended, and there is no room for another one again.
});

test('what is used of the limits, and what they have ended or refused last, is told by health and metrics', async () => {
  const flags = { 'max-shapes': '1', 'max-storage-size': '250000', 'prometheus-port': '0' };
  const running = await start(flags);
  await ask(running, { where: 'id = 1' });
  await ask(running, {});
  passedMs += HOUR_MS;
  await ask(running, {});
  const health = async () => (await (await fetch(`${running.url}/v1/health`)).json()) as { limits?: unknown };
  const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string;
  const ended = { count: 1, lastAt: at, lastWhy: 'there are more than 1 shapes, and it was unread for longest' };
  const bytesUsed = expect.any(Number) as number;
  await expect.poll(async () => (await health()).limits).toEqual({
    shapes: { used: 1, limit: 1 }, bytes: { used: bytesUsed, limit: 250_000 }, ended, refused: { count: 0 },
  });
  const refused = await ask(running, { where: 'id < 290' });
  const told = (await health()).limits;
  const metrics = await (await fetch(running.metricsUrl ?? '')).text();

  const lastRefused = { count: 1, lastAt: at, lastWhy: 'the shapes have reached 250000 bytes' };
  expect({ status: refused.status, told }).toEqual({
    status: 503,
    told: { shapes: { used: 1, limit: 1 }, bytes: { used: bytesUsed, limit: 250_000 }, ended, refused: lastRefused },
  });
  const numbers = ['armature_shapes_limit 1', 'armature_limits_ended_total 1', 'armature_limits_refused_total 1'];
  expect(metrics.split('\n').filter((line) => numbers.includes(line)).sort()).toEqual(numbers.toSorted());
});

test('what the transaction log has is no shape\'s, and ends none', async () => {
  const running = await start({ 'max-storage-size': '100000' });
  const { handle } = await ask(running, { where: 'id = 1' });
  await database.query(`INSERT INTO items SELECT id, repeat('y', 1000) FROM generate_series(1001, 1300) AS id;
    UPDATE items SET title = 'last' WHERE id = 1`);
  const behind = { offset: '0_0', handle: handle ?? '' };
  await expect.poll(async () => (await ask(running, { where: 'id = 1' }, behind)).text).toContain('last');
  passedMs += HOUR_MS;

  expect((await ask(running, { where: 'id = 2' })).status).toBe(200);
  expect(await standing(running, [[{ where: 'id = 1' }, handle]])).toEqual([200]);
});

test('a shape that nobody has read for --shape-expire-after goes', async () => {
  const running = await start({ 'shape-expire-after': '30min' });
  const { handle } = await ask(running, { where: 'id = 1' });
  passedMs += HOUR_MS;

  await expect.poll(() => running.runtime.printTree().includes(String(handle))).toBe(false);
});
