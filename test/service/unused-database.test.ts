/** While nobody uses the database: what the metrics and the program around the service read, and that new shapes are made as ever. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { pick, scrape, scrapeUntil } from '../support/service/scraped-metrics.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape, ShapeFollower } from '../support/service/shape-follower.ts';

const ASLEEP = 'armature_postgres_asleep';
const FIGURES = [ASLEEP, 'armature_postgres_up', 'armature_status{status="active"}', 'armature_slot_active'];
const RESTARTS = 'armature_supervisor_restarts_total{supervisor="stack"}';
let database: TestDatabase;
let service: ServiceInProcess;

beforeAll(async () => {
  database = await createDatabase();
  await database.query("CREATE TABLE items (id integer PRIMARY KEY, title text); INSERT INTO items VALUES (1, 'one')");
  const flags = { 'replication-idle-timeout': '1s', 'prometheus-port': '0', 'long-poll-timeout': '1s' };
  service = await startServiceInProcess({ databaseUrl: database.url, flags });
});
afterAll(async () => {
  await service.remove();
  await database.drop();
});

/** @returns how to close it. */
async function openStream(parameters: Readonly<Record<string, string>>): Promise<() => Promise<void>> {
  const query = new URLSearchParams({ ...parameters, live: 'true', live_sse: 'true' });
  const { body } = await fetch(`${service.shapeUrl}?${query.toString()}`);
  return async () => await body?.cancel();
}

const untilAsleep = () => scrapeUntil(service.metricsUrl, ASLEEP, 1);

test('a service that nobody has asked for anything falls asleep, and says so', async () => {
  await untilAsleep();

  const metrics = await scrape(service.metricsUrl);

  expect({ figures: pick(metrics, FIGURES), status: service.status(), cause: await service.cause() }).toEqual({
    figures: {
      [ASLEEP]: 1, armature_postgres_up: 0, 'armature_status{status="active"}': 1, armature_slot_active: undefined,
    },
    status: { level: 'active', isReadable: true, why: undefined },
    cause: expect.stringMatching(/^the connections to Postgres are closed since /) as unknown,
  });
});

test('a shape that there was not is made by the request that wakes it, and nothing counts as a restart', async () => {
  await untilAsleep();

  const { handle, offset, rows } = await new ShapeFollower(service.shapeUrl, { table: 'items', where: 'id > 0' }).catchUp();

  const close = await openStream({ table: 'items', where: 'id > 0', handle: handle ?? '', offset }); // It stays awake meanwhile.
  const metrics = await scrape(service.metricsUrl);
  await close();
  expect([[...rows.values()], pick(metrics, [ASLEEP, 'armature_postgres_up', RESTARTS])]).toEqual([
    [{ id: '1', title: 'one' }], { [ASLEEP]: 0, armature_postgres_up: 1, [RESTARTS]: undefined },
  ]);
});

test('a subset of a stored shape is read by the request that wakes it', async () => {
  const { handle, offset } = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  await untilAsleep();
  await database.query("INSERT INTO items VALUES (2, 'two')");

  const { status, text } = await readShape(service.shapeUrl, {
    table: 'items', handle: handle ?? '', offset, subset__where: 'id = 2',
  });

  expect([status, text.includes('"title":"two"')]).toEqual([200, true]);
});

test('until what was missed is followed, health says that it starts, and why', async () => {
  const { handle, offset } = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  await untilAsleep();
  service.runtime.suspend('@log-writer');

  const waking = readShape(service.shapeUrl, { table: 'items', handle: handle ?? '', offset });
  await expect.poll(() => service.cause(), { timeout: 10_000 }).toMatch(/^what was changed since .* is being followed/);
  const { level } = service.status();
  service.runtime.resume('@log-writer');
  await waking;

  expect(level).toBe('starting');
});

test('an idle watch that is killed while the connections are closed opens them again', async () => {
  await untilAsleep();

  service.runtime.exit('@idle-watch', 'kill');

  const metrics = await scrapeUntil(service.metricsUrl, 'armature_postgres_up', 1);
  expect(metrics.get(ASLEEP)).toBe(0);
});
