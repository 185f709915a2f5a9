/** Clients that stop reading cost next to no memory, whatever they ask for, and nobody else an answer. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { invariant } from '../../src/base/invariant.ts';
import { rawConnection, type RawConnection } from '../support/http/raw-connection.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceProcess, type ServiceProcess } from '../support/service/service-process.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';

const CLIENTS = 50;
const ROWS = 50_000;
const MEBIBYTE = 1024 * 1024;
/** Of the first rows, and of the log behind them: a kilobyte for each row. */
const SHAPE_BYTES = 2 * ROWS * 1024;

const directory = temporaryDirectory();
let database: TestDatabase;
let service: ServiceProcess;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE items (id integer PRIMARY KEY, value text);
    INSERT INTO items SELECT n, repeat('x', 1000) FROM generate_series(1, ${ROWS}) AS n`);
  service = await startServiceProcess({ databaseUrl: database.url, storageDirectory: directory });
});

afterAll(async () => {
  await service.stop();
  await database.drop();
  removeDirectory(directory);
});

const follower = (): Promise<ShapeFollower> => new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();

function residentBytes(): number {
  const { pid } = service.child;
  invariant(pid !== undefined, 'a service that answers has a process');
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** Has had the first bytes of its answer, and takes no more. */
async function silentReader(query: string): Promise<RawConnection> {
  const connection = await rawConnection(Number(new URL(service.url).port), `GET /v1/shape?${query} HTTP/1.1\r\nhost: x\r\n\r\n`);
  await new Promise((begun) => connection.socket.once('data', begun));
  connection.socket.pause();
  return connection;
}

test(`${CLIENTS} clients that stop reading a shape of ${SHAPE_BYTES / MEBIBYTE} MiB hold less than 2 MiB each`, async () => {
  const { handle } = await follower();
  await database.query("UPDATE items SET value = repeat('y', 1000)");
  await expect.poll(async () => (await follower()).sorted().at(-1)?.['value']?.[0]).toBe('y');
  const before = residentBytes();
  const of = `table=items&handle=${handle}`;
  const asked = ['offset=-1', 'offset=0_1', 'offset=0_inf', 'offset=0_inf&live=true', 'offset=0_inf&live=true&live_sse=true'];
  const silent: RawConnection[] = [];
  for (let client = 0; client < CLIENTS; client += 1) silent.push(await silentReader(`${of}&${asked[client % asked.length]}`));
  const { rows } = await follower();
  const grownBytes = residentBytes() - before;
  for (const { socket } of silent) socket.destroy();
  expect({ rows: rows.size, isFlat: grownBytes < CLIENTS * 2 * MEBIBYTE }).toEqual({ rows: ROWS, isFlat: true });
});
