/** Windows that are recorded of a running service are replayed on its machines; and one that was changed is refused in words. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ProcessView } from '../../src/observer/views/processes.ts';
import type { Pid } from '../../src/otp/process.ts';
import { toldReplay } from '../explore/replay/told-replay.ts';
import { readWindow, type RecordedTurn, type RecordedWindow } from '../explore/replay/window/recorded-window.ts';
import { replayWindow } from '../explore/replay/window/replay-window.ts';
import { ObserverClient } from '../support/observer/observer-client.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

type DeliverTurn = Extract<RecordedTurn, { deliver: string }>;

let database: TestDatabase;
let service: ServiceInProcess;
let observer: ObserverClient;
let handOver: RecordedWindow;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE parents (id integer PRIMARY KEY, active boolean);
    CREATE TABLE items (id integer PRIMARY KEY, parent integer, title text);
    INSERT INTO parents VALUES (1, true), (2, false);
    INSERT INTO items SELECT n, n % 3, 'title' FROM generate_series(1, 30) AS n`);
  service = await startServiceInProcess({ databaseUrl: database.url });
  observer = new ObserverClient(service.url);
  handOver = await recordHandOver();
});

afterAll(async () => {
  await service.remove();
  await database.drop();
});

/** From before there is a shape until a Materializer has told the shape that depends on it of a value that came. */
async function recordHandOver(): Promise<RecordedWindow> {
  await downloaded();
  const follower = new ShapeFollower(service.shapeUrl, { table: 'items', where: 'parent IN (SELECT id FROM parents WHERE active)' });
  await follower.catchUp();
  await database.query('UPDATE parents SET active = true WHERE id = 2');
  while (follower.rows.size < 20) await follower.poll();
  await quiet(`@consumer/${follower.handle ?? ''}`);
  return await downloaded();
}

async function quiet(consumer: string): Promise<void> {
  await observer.until<ProcessView>(`process?pid=${consumer}`, ({ state, mailbox }) => state.endsWith('ingest.live)') && mailbox === 0);
}

async function downloaded(query = ''): Promise<RecordedWindow> {
  return readWindow(await observer.form(`scenario${query}`));
}

test('a hand-over that was recorded is replayed by the machines that took part, each from its beginning to where it stood', () => {
  const { difference, machines } = replayWindow(handOver);
  const followed = handOver.turns.filter((turn): turn is DeliverTurn => 'deliver' in turn && turn.to.startsWith('@materializer/'));

  const given = followed.map(({ deliver }) => deliver).filter((type) => type.includes('.')).slice(0, 3);
  expect({ difference, machines, given }).toMatchObject({
    difference: undefined,
    machines: { consumer: 2, snapshotter: 2, materializer: 1, 'shape-cache': 1, 'shape-log-collector': 1 },
    given: ['snapshot.isStarted', 'consumer.subscribed', 'history.blockRead'],
  });
});

test('so is one that begins and ends in the middle, in which a process was killed, of these processes alone', async () => {
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items', where: 'id < 7' }).catchUp();
  const { toMs: fromMs } = await downloaded();
  await database.query(`UPDATE items SET title = 'before' WHERE id < 7`);
  await follower.poll();
  const pid = service.runtime.whereis(`@consumer/${follower.handle ?? ''}`) as Pid;
  service.runtime.exit(pid, 'kill');
  await service.runtime.whenDown(pid);
  await observer.until<ProcessView>('process?pid=@shape-cache', ({ events }) => events.some(({ text }) => text.includes(pid)));

  const window = await downloaded(`?from=${fromMs}&process=@shape-log-collector&process=@shape-cache&process=${encodeURIComponent(pid)}`);

  const { difference, passed, machines } = replayWindow(window);
  const killed = window.roles.find((role) => role.pid === pid)?.role;
  expect({ difference, passed, machines, ends: window.turns.filter((turn) => 'kill' in turn) }).toEqual({
    difference: undefined,
    passed: 0,
    machines: { 'shape-log-collector': 1, 'shape-cache': 1, consumer: 1 },
    ends: [{ kill: killed }],
  });
});

const FORGED = { offset: '7_0' };

/** In the turn in which the Materializer hears up to where history reaches. */
function inSubscription(change: (turn: DeliverTurn, window: RecordedWindow) => void): (window: RecordedWindow) => void {
  return (window) => {
    const turn = window.turns.find((each): each is DeliverTurn => 'deliver' in each && each.deliver === 'consumer.subscribed');
    if (turn !== undefined) change(turn, window);
  };
}

const CHANGES: readonly (readonly [string, (window: RecordedWindow) => void, RegExp])[] = [
  [
    'an event',
    inSubscription((turn) => void (turn.event = FORGED)),
    /^Turn \d+ differs\. @materializer\S+ is given 'consumer\.subscribed' \{"offset":"7_0"\}, which turn \d+ has not sent to it\./m,
  ],
  [
    'an event, and what its sender sent',
    inSubscription((turn, { turns }) => {
      const sender = turns[turn.sentIn ?? -1];
      const sent = sender !== undefined && 'sends' in sender ? sender.sends?.find(({ send }) => send === turn.deliver) : undefined;
      if (sent !== undefined) turn.event = sent.event = FORGED;
    }),
    /^Turn \d+ differs\. @consumer\S+, given '[\w.]+', does not ask to send 'consumer\.subscribed' \{"offset":"7_0"/m,
  ],
  [
    'a state',
    inSubscription((turn) => void (turn.becomes = 'live')),
    /^Turn \d+ differs\. @materializer\S+, given 'consumer\.subscribed', becomes .+; in the record it becomes "live"\./m,
  ],
  [
    'where a process stood at the end',
    ({ roles }) => {
      const end = roles.find(({ machine }) => machine === 'materializer')?.end;
      if (end && 'context' in end) Object.assign(end.context as object, { appliedOffset: FORGED.offset });
    },
    /^The end differs\. @materializer\S+ stands on .+; the record has .+"appliedOffset":"7_0"/m,
  ],
  [
    'all machines',
    ({ roles }) => void roles.forEach((role) => (role.machine &&= `${role.machine}-of-tomorrow`)),
    /^None of its machines is there: another version has recorded this\./m,
  ],
];

test.each(CHANGES)('a file in which somebody has changed %s is refused in words', async (_, change, words) => {
  const file = structuredClone(handOver);
  change(file);

  expect(await toldReplay(JSON.stringify(file))).toEqual({ code: 1, text: expect.stringMatching(words) as unknown });
});

test('a machine that is not there is passed over, and told; the others are replayed', async () => {
  const file = structuredClone(handOver);
  const materializer = file.roles.find(({ machine }) => machine === 'materializer');
  if (materializer !== undefined) materializer.machine = 'of-a-program';

  expect(await toldReplay(JSON.stringify(file))).toEqual({
    code: 0,
    text: expect.stringMatching(/^ {2}@materializer\S+: There is no machine 'of-a-program' here/m) as unknown,
  });
});

test('what is no window is refused with the place', async () => {
  const file = { ...handOver, turns: [{ deliver: 'batch' }] };

  expect(await Promise.all(['{', '{}', JSON.stringify(file)].map(toldReplay))).toEqual([
    { code: 2, text: expect.stringContaining('This is no JSON') as unknown },
    { code: 2, text: expect.stringContaining('This is neither a window nor a scenario') as unknown },
    { code: 2, text: expect.stringContaining('turns.0') as unknown },
  ]);
});
