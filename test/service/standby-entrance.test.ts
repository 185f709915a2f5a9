/** By which ways requests reach a standby: none of them is left without an answer, however the take-over ends. */
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { BODY_LIMITS } from '../../src/http/bodies/body-intake.ts';
import { RequestDispatcher } from '../../src/http/request-dispatcher.ts';
import { fetchHandler } from '../../src/http/web/fetch-handler.ts';
import { StandbyEntrance } from '../../src/service/standby-entrance.ts';
import { edgeSettings, ServiceReception } from '../../src/service/wiring/edge.ts';
import { UNWATCHED } from '../../src/service/wiring/telemetry.ts';
import type { Watches } from '../../src/service/wiring/watches.ts';
import { systemWorld } from '../../src/service/world.ts';
import { configurationOf } from '../../src/service/service-options.ts';
import { createWorld, itemLine } from '../support/http/api-world.ts';
import { told, until } from '../support/http/http-world.ts';
import { rawConnection } from '../support/http/raw-connection.ts';

const DRAIN_MS_MAX = 60_000;
/** More than a stream takes that nobody reads. */
const LONG = 'v'.repeat(100_000);

let opened: StandbyEntrance | undefined;

afterEach(() => opened?.close());

interface Wish {
  readonly rows?: readonly string[];
  readonly openFilesMax?: number;
  readonly turnedAway?: Watches['turnedAway'];
}

async function openEntrance({ rows = [itemLine('1', 'v')], openFilesMax = Infinity, turnedAway }: Wish = {}) {
  const configuration = configurationOf({
    databaseUrl: 'postgresql://nobody@127.0.0.1/none', insecure: true, host: '127.0.0.1', port: 0, drainTimeoutMs: DRAIN_MS_MAX,
  });
  const { api, clock } = createWorld({ rows });
  const ports = { api, clock, random: seededRandom(1), failed() {}, cutOff() {} };
  const dispatchers = [1, 2].map(() => new RequestDispatcher({ ...edgeSettings(configuration, systemWorld), bodies: BODY_LIMITS }, ports));
  const [dispatcher, next] = dispatchers as [RequestDispatcher, RequestDispatcher];
  const reception = new ServiceReception();
  const world = { ...systemWorld, clock, openFilesMax: () => openFilesMax };
  const ground = { world, logger: pino({ enabled: false }), watches: { ...UNWATCHED, turnedAway } };
  const entrance = new StandbyEntrance({ ...ground, configuration, reception }, dispatcher);
  opened = entrance;
  return { entrance, reception, next, api, clock, url: `${await entrance.open()}/v1/shape?table=items&offset=-1` };
}

test.each(['close', 'drain'] as const)('who waits for a stack that never comes is told to ask again, at %s', async (end) => {
  const { entrance, url } = await openEntrance();
  entrance.hold();
  const asked = fetch(url);
  await until(() => entrance.waitingCount === 1);

  const ended = entrance[end]();
  const answer = await told(await asked, 'retry-after');

  expect([answer, await ended]).toEqual([
    { status: 503, 'retry-after': '1', body: { message: 'The service is stopping. Please try again.' } },
    undefined,
  ]);
});

test('one that has left is closed as soon as who it served has gone, and whatever a client does that waited', async () => {
  const { entrance, api, url } = await openEntrance();
  const parked = fetch(`${url.replace('offset=-1', 'offset=0_0')}&live=true&handle=${await handleOf(url)}`);
  await until(() => api.load().parked === 1);
  entrance.hold();
  const leaving = new AbortController();
  const gone = fetch(url, { signal: leaving.signal }).catch(() => 'gone');
  await until(() => entrance.waitingCount === 1);
  leaving.abort();

  entrance.leave();

  expect([await gone, (await parked).status]).toEqual(['gone', 200]);
});

test.each([
  ['that is closed waits for him no longer than a drain may take', false],
  ['that has left, and is closed, does not wait for him', true],
])('of a client who does not read what he is sent, one %s', async (_, hasLeft) => {
  const rows = Array.from({ length: 20 }, (_, id) => itemLine(String(id), LONG));
  const { entrance, reception, clock, url } = await openEntrance({ rows });
  const unread = await fetchHandler(() => reception.dispatcher, {})(new Request(url));

  if (hasLeft) entrance.leave();
  const closed = entrance.close();
  if (!hasLeft) clock.advance(DRAIN_MS_MAX);

  expect([unread.status, await closed]).toEqual([200, undefined]);
});

test('a program that waits for a change is answered when the stack is there, to ask that', async () => {
  const { entrance, api, url } = await openEntrance();
  const leaving = new AbortController();
  const permit = { promote() {}, release() {} };
  const parameters = { table: 'items', offset: '0_inf', live: true, handle: await handleOf(url) };
  const reading = entrance.answering(api).readShape({ parameters, ifNoneMatch: undefined, permit, signal: leaving.signal });
  await until(() => api.load().parked === 1);

  entrance.leave();

  expect(await reading).toMatchObject({ kind: 'log', hasData: false });
});

test.each([
  ['the stack, when that is there', 200],
  ['nobody, when none comes', 503],
])('a request of the web that comes between the stages is answered by %s', async (_, status) => {
  const { entrance, reception, next, url } = await openEntrance();
  const handle = fetchHandler(() => reception.dispatcher, {});
  entrance.hold();
  const asked = handle(new Request(url));

  if (status === 200) reception.open(next);
  else entrance.drain();

  expect((await asked).status).toBe(status);
});

test('connections that are one too many are counted, the last of them when the entrance is closed', async () => {
  const counted: number[] = [];
  const { entrance, url } = await openEntrance({ openFilesMax: 2, turnedAway: (connections) => counted.push(connections) });
  const port = Number(new URL(url).port);
  const { socket } = await rawConnection(port, '');
  for (let number = 0; number < 3; number += 1) await (await rawConnection(port, '')).said;
  const open = [...counted];
  socket.destroy();
  await entrance.close();

  expect({ open, closed: counted }).toEqual({ open: [1], closed: [1, 2] });
});

async function handleOf(url: string): Promise<string> {
  const response = await fetch(url);
  await response.text();
  return response.headers.get('electric-handle') ?? '';
}
