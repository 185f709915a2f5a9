/** Bodies that do not come, or are many, or large: they cost nobody else an answer, and each has its end. */
import { afterEach, expect, test } from 'vitest';
import { BODY_LIMITS, type BodyLimits } from '../../src/http/bodies/body-intake.ts';
import { itemLine } from '../support/http/api-world.ts';
import { startHttpWorld, type HttpWorld, type HttpWorldOptions } from '../support/http/http-world.ts';
import { rawConnection, type RawConnection } from '../support/http/raw-connection.ts';

const BASE = 'table=items&offset=-1';
/** Of each body on its way: one for the whole of it, one for its next piece. */
const TIMERS_EACH = 2;
const TOO_SLOW = { status: 408, closes: true, body: { error: 'Request body took too long' } };
const IN_THE_WAY = { status: 503, closes: true, body: { error: 'Too many request bodies at once, please retry' } };

let world: HttpWorld;

async function start(options: HttpWorldOptions = {}): Promise<HttpWorld> {
  world = await startHttpWorld(options);
  return world;
}

function startWith(bodies: Partial<BodyLimits>): Promise<HttpWorld> {
  return start({ http: { bodies: { ...BODY_LIMITS, ...bodies } } });
}

afterEach(() => world.close());

/** A POST that has sent `part` of its body and no more. */
function halfSent(part = '{', length = 5000): Promise<RawConnection> {
  return rawConnection(world.port, `POST /v1/shape?${BASE} HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\n${part}`);
}

function untilArriving(count: number): Promise<void> {
  return world.until(() => world.clock.pendingTimers === count * TIMERS_EACH);
}

async function answerOf({ said }: RawConnection): Promise<object> {
  const [head = '', body = ''] = (await said).split('\r\n\r\n');
  const [status = '', ...headers] = head.toLowerCase().split('\r\n');
  return { status: Number(status.split(' ')[1]), closes: headers.includes('connection: close'), body: JSON.parse(body) as unknown };
}

const padded = (bytes: number): string => JSON.stringify({ note: 'x'.repeat(bytes - '{"note":""}'.length) });

test('a body that has not come holds no permit: readers come in beside any number of them', async () => {
  await start({ settings: { maxConcurrentRequests: { initial: 2, existing: 2 } } });
  const waiting = [await halfSent(), await halfSent(), await halfSent()];
  await untilArriving(3);
  const held = world.api.load();
  const { status } = await world.shape(BASE);
  for (const { socket } of waiting) socket.destroy();
  await untilArriving(0);
  expect([held, status, world.failures]).toEqual([{ initial: 0, existing: 0, parked: 0 }, 200, []]);
});

test('a body that is there takes a permit like everybody else', async () => {
  await start({ settings: { maxConcurrentRequests: { initial: 1, existing: 1 } } });
  world.directory.snapshots = 'held';
  const first = world.shape(BASE);
  await world.until(() => world.api.load().initial === 1);
  const second = await world.shape('table=wide&offset=-1', { method: 'POST', body: 'not valid json' });
  for (const handle of world.directory.pending()) await world.directory.start(handle);
  expect([second.status, (await first).status]).toEqual([503, 200]);
});

test('a body that stands still is cut, in the words of the wire', async () => {
  await start();
  const connection = await halfSent();
  await untilArriving(1);
  world.clock.advance(BODY_LIMITS.stallMsMax);
  expect([await answerOf(connection), world.clock.pendingTimers, world.failures]).toEqual([TOO_SLOW, 0, []]);
});

test('of too many bodies on their way the oldest gives way, and the newcomer is served', async () => {
  await startWith({ arrivingMax: 2 });
  const oldest = await halfSent();
  await untilArriving(1);
  const other = await halfSent();
  await untilArriving(2);
  const newcomer = await world.shape(BASE, { method: 'POST', body: '{}' });
  const cut = await answerOf(oldest);
  other.socket.write(' '.repeat(4998) + '}');
  other.socket.end();
  expect([cut, newcomer.status, (await other.said).slice(0, 15)]).toEqual([IN_THE_WAY, 200, 'HTTP/1.1 200 OK']);
});

test('of bodies that are too large together the largest gives way, and the newcomer is served', async () => {
  await startWith({ totalBytesMax: 4000 });
  const large = await halfSent('x'.repeat(2500));
  await untilArriving(1);
  const small = await halfSent('x'.repeat(1000));
  await untilArriving(2);
  const newcomer = await world.shape(BASE, { method: 'POST', body: padded(1000) });
  expect([await answerOf(large), newcomer.status]).toEqual([IN_THE_WAY, 200]);
  small.socket.destroy();
});

test('a request that waits holds the room of its body, and may have to give way with it', async () => {
  await startWith({ totalBytesMax: 4000 });
  const first = await world.shape(BASE);
  await first.text();
  const live = `table=items&offset=0_inf&live=true&handle=${first.headers.get('electric-handle')}`;
  const large = world.shape(live, { method: 'POST', body: padded(2500) }).catch(() => 'cut off');
  await world.untilParked(1);
  const small = world.shape(live, { method: 'POST', body: padded(500) });
  await world.untilParked(2);
  const newcomer = await world.shape(BASE, { method: 'POST', body: padded(2000) });
  const parked = world.api.load().parked;
  world.append(first.headers.get('electric-handle') ?? '', 100, itemLine('1', 'a'));
  expect([await large, newcomer.status, parked, (await small).status, world.failures]).toEqual(['cut off', 200, 1, 200, []]);
});

test('a request that waits for what knows nothing of its client gives way as well', async () => {
  await startWith({ totalBytesMax: 4000 });
  world.directory.snapshots = 'held';
  const large = world.shape(BASE, { method: 'POST', body: padded(2500) }).catch(() => 'cut off');
  await world.until(() => world.directory.pending().length === 1);
  const newcomer = world.shape('table=wide&offset=-1', { method: 'POST', body: padded(2000) });
  const cut = await large;
  await world.until(() => world.directory.created === 2);
  for (const handle of world.directory.pending()) await world.directory.start(handle);
  expect([cut, (await newcomer).status, world.failures]).toEqual(['cut off', 200, []]);
});

test('the room of a body is given back with its answer', async () => {
  await startWith({ totalBytesMax: 4000 });
  const statuses = [];
  for (let request = 0; request < 5; request += 1) {
    statuses.push((await world.shape(BASE, { method: 'POST', body: padded(3000) })).status);
  }
  expect(statuses).toEqual([200, 200, 200, 200, 200]);
});

test('a body that is larger than all of them may be together is refused, and nobody else', async () => {
  await startWith({ totalBytesMax: 4000 });
  const refused = await world.shape(BASE, { method: 'POST', body: padded(5000) });
  const served = await world.shape(BASE, { method: 'POST', body: padded(3000) });
  expect([refused.status, refused.headers.get('retry-after'), served.status]).toEqual([503, '1', 200]);
});
