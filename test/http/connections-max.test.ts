/** Connections that are one too many: nobody else feels them, and the operator reads of them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startHttpWorld, type HttpWorld } from '../support/http/http-world.ts';
import { rawConnection } from '../support/http/raw-connection.ts';

const ASKING = 'GET /v1/health HTTP/1.1\r\nhost: x\r\n\r\n';
const LEAVING = 'GET /v1/health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';

let world: HttpWorld;

beforeAll(async () => {
  world = await startHttpWorld({ http: { connectionsMax: 2 } });
});

afterAll(() => world.close());

test('a connection that is one too many is closed unread and told of, and there is room when another one has gone', async () => {
  const first = await rawConnection(world.port, '');
  const second = await rawConnection(world.port, '');
  const { said } = await rawConnection(world.port, ASKING);
  const third = await said;
  first.socket.write(LEAVING);
  const answered = [await first.said];
  const fourth = await rawConnection(world.port, LEAVING);
  answered.push(await fourth.said);
  second.socket.destroy();

  const statuses = answered.map((text) => text.slice(0, 'HTTP/1.1 200'.length));
  expect({ third, statuses, turnedAway: world.turnedAway }).toEqual({
    third: '', statuses: ['HTTP/1.1 200', 'HTTP/1.1 200'], turnedAway: [1],
  });
});

test('those that were turned away in the minute of the first are told of when the server is closed', async () => {
  const closing = await startHttpWorld({ http: { connectionsMax: 1 } });
  const { socket } = await rawConnection(closing.port, '');
  for (let number = 0; number < 3; number += 1) await (await rawConnection(closing.port, '')).said;
  const open = [...closing.turnedAway];
  socket.destroy();
  await closing.close();

  expect({ open, closed: closing.turnedAway }).toEqual({ open: [1], closed: [1, 2] });
});
