/** A service that has followed its database before starts while that is away, says so, and goes on by itself. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDatabase } from '../support/postgres/postgres.ts';
import { startCuttableNetwork } from '../support/operations/cuttable-network.ts';
import { urlWith } from '../support/operations/database-url.ts';
import { startRelay } from '../support/service/relay.ts';
import { QUICK_TIME } from '../support/service/quick-time.ts';
import { freePort, spawnService, startServiceProcess, untilActive } from '../support/service/service-process.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

async function health(url: string): Promise<unknown> {
  const response = await fetch(`${url}/v1/health`).catch(() => undefined);
  return response === undefined ? 'unreachable' : await response.json();
}

function urlOf(shapeUrl: string, params: Readonly<Record<string, string>>): string {
  return `${shapeUrl}?${new URLSearchParams(params).toString()}`;
}

/** Behind the first rows, by a handle. */
async function stored(shapeUrl: string, params: Readonly<Record<string, string>>): Promise<unknown[]> {
  const response = await fetch(urlOf(shapeUrl, { ...params, offset: '0_0' }));
  const messages = (await response.json()) as { readonly key?: string }[];
  return [response.status, response.headers.get('electric-schema'), messages.filter(({ key }) => key !== undefined)];
}

test('killed, and started where Postgres is away: it says so, and goes on with its shapes when that is back', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'armature-without-'));
  const database = await createDatabase();
  await database.query(`
    CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TABLE parents (id int PRIMARY KEY, name text); INSERT INTO parents VALUES (7, 'p');
    CREATE TABLE items (id integer PRIMARY KEY, title varchar(9) NOT NULL, tags text[][], mood mood, parent int)`);
  const params = { table: 'items', where: `mood = 'glad' AND parent IN (SELECT id FROM parents WHERE name > 'a')` };
  const insert = (id: number) => database.query(`INSERT INTO items VALUES (${id}, 'one', '{{a}}', 'glad', 7)`);
  const [server, port] = [{ host: '127.0.0.1', port: Number(new URL(database.url).port) }, await freePort()];
  const startDoor = () => startRelay(server, (client, upstream) => void client.pipe(upstream).pipe(client), { port });
  const options = {
    databaseUrl: urlWith(database.url, { port: String(port) }), storageDirectory: join(directory, 'storage'), port: await freePort(),
    environment: { ARMATURE_LONG_POLL_TIMEOUT: '500' },
  };
  const door = await startDoor();
  const first = await startServiceProcess(options);
  const follower = await new ShapeFollower(first.shapeUrl, params).catchUp();
  await insert(1);
  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(1);
  const held = { ...params, handle: follower.handle ?? '' };
  const before = await stored(first.shapeUrl, held);
  await first.kill();
  await door.close();

  const second = await spawnService({ ...options, environment: { ...QUICK_TIME, ...options.environment } });
  await expect.poll(() => health(second.url)).toEqual({
    status: 'starting', cause: expect.stringMatching(/^Postgres cannot be asked for the lock since .*ECONNREFUSED/) as string,
  });
  await expect.poll(() => stored(second.shapeUrl, held)).toEqual(before);
  const [live, unheld] = await Promise.all([
    fetch(urlOf(second.shapeUrl, { ...held, offset: follower.offset, live: 'true' })),
    fetch(urlOf(second.shapeUrl, { ...params, offset: '-1' })),
  ]);
  const { code } = (await live.json()) as { code?: string };
  await insert(2);
  const doorAgain = await startDoor();
  await untilActive(second);
  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(2);
  await second.stop();
  await doorAgain.close();
  await database.drop();
  rmSync(directory, { recursive: true, force: true });

  expect({ live: [live.status, code], unheld: unheld.status, refetches: follower.refetches }).toEqual({
    live: [503, 'not_up_to_date'], unheld: 503, refetches: 0,
  });
});

/** Of the first line of the log that says `message`. */
function loggedAtMs(output: string, message: string): number {
  const line = output.split('\n').find((each) => each.includes(`"msg":"${message}"`)) ?? '{}';
  return Date.parse((JSON.parse(line) as { readonly time?: string }).time ?? '');
}

test('started where Postgres takes what it is sent and says nothing: it listens soon, says so, and goes on when that answers', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'armature-silent-'));
  const database = await createDatabase();
  await database.query('CREATE TABLE items (id integer PRIMARY KEY)');
  const network = await startCuttableNetwork(database.url);
  const options = {
    databaseUrl: network.url, storageDirectory: join(directory, 'storage'), port: await freePort(),
    environment: { ARMATURE_DATABASE_TIMEOUT: '3s' },
  };
  const first = await startServiceProcess(options);
  const follower = await new ShapeFollower(first.shapeUrl, { table: 'items' }).catchUp();
  await first.stop();
  network.cut();

  const second = await spawnService(options);
  await expect.poll(() => health(second.url)).toEqual({ status: 'starting', cause: 'an answer of Postgres is waited for' });
  await expect.poll(() => health(second.url)).toEqual({
    status: 'starting', cause: expect.stringMatching(/^Postgres (does not answer queries|cannot be asked for the lock) since /) as string,
  });
  network.mend();
  await untilActive(second);
  await database.query('INSERT INTO items VALUES (1)');
  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(1);
  await second.stop();
  const listenedAfterMs = loggedAtMs(second.output(), 'the service listens') - loggedAtMs(second.output(), 'storage.opened');
  await network.close();
  await database.drop();
  rmSync(directory, { recursive: true, force: true });

  expect({ isSoon: listenedAfterMs < 5_000, refetches: follower.refetches }).toEqual({ isSoon: true, refetches: 0 });
});
