/** A service that has followed its database before starts while that is away, says so, and goes on by itself. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDatabase } from '../support/postgres/postgres.ts';
import { urlWith } from '../support/operations/database-url.ts';
import { startRelay } from '../support/service/relay.ts';
import { freePort, spawnService, startServiceProcess, untilActive } from '../support/service/service-process.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

async function health(url: string): Promise<unknown> {
  const response = await fetch(`${url}/v1/health`).catch(() => undefined);
  return response === undefined ? 'unreachable' : await response.json();
}

test('killed, and started where Postgres is away: it says so, and goes on with its shapes when that is back', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'armature-without-'));
  const database = await createDatabase();
  await database.query('CREATE TABLE items (id integer PRIMARY KEY)');
  const [server, port] = [{ host: '127.0.0.1', port: Number(new URL(database.url).port) }, await freePort()];
  const startDoor = () => startRelay(server, (client, upstream) => void client.pipe(upstream).pipe(client), { port });
  const options = {
    databaseUrl: urlWith(database.url, { port: String(port) }), storageDirectory: join(directory, 'storage'), port: await freePort(),
  };
  const door = await startDoor();
  const first = await startServiceProcess(options);
  const follower = await new ShapeFollower(first.shapeUrl, { table: 'items' }).catchUp();
  await database.query('INSERT INTO items VALUES (1)');
  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(1);
  await first.kill();
  await door.close();

  const second = await spawnService(options);
  await expect.poll(() => health(second.url)).toEqual({
    status: 'starting', cause: expect.stringMatching(/^Postgres cannot be asked for the lock since .*ECONNREFUSED/) as string,
  });
  await database.query('INSERT INTO items VALUES (2)');
  const doorAgain = await startDoor();
  await untilActive(second);
  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(2);
  await second.stop();
  await doorAgain.close();
  await database.drop();
  rmSync(directory, { recursive: true, force: true });

  expect(follower.refetches).toBe(0);
});
