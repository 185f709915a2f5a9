/** A long-poll that finds nothing waits as one object; whatever ends its wait, it is told what others are told. */
import { beforeEach, expect, test } from 'vitest';
import { DRAINING } from '../../src/api/draining.ts';
import { isRefusal } from '../../src/api/refusal.ts';
import type { ShapeBounds } from '../../src/api/shape-bounds.ts';
import type { ShapeResponse } from '../../src/api/shape-response.ts';
import { WaitingPoll } from '../../src/api/waiting-poll.ts';
import { invariant } from '../../src/base/invariant.ts';
import { Stop } from '../../src/base/stop-signal.ts';
import { nextTurn } from '../../src/base/turn.ts';
import type { LogOffset } from '../../src/model/log-offset.ts';
import type { Handle } from '../../src/model/shape.ts';
import { column, createWorld, itemLine, key, LONG_POLL_MS, type World } from '../support/http/api-world.ts';
import { until } from '../support/http/http-world.ts';

type Answer = ReturnType<World['api']['readOrWait']>;

interface Asked {
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly ifNoneMatch?: string;
  readonly bounds?: ShapeBounds;
  readonly signal?: Stop;
}

let world: World;
let handle: string;

beforeEach(async () => {
  world = createWorld({ rows: [itemLine('1', 'a')] });
  const first = await answered(poll({ parameters: { offset: '-1', handle: undefined, live: undefined } }));
  invariant(first.kind === 'log', 'the shape is served');
  ({ handle } = first);
  world.append(handle, 100, itemLine('2', 'b'));
  world.append(handle, 200, itemLine('3', 'b'));
});

/** At the end of the log, where nothing else is said. */
function poll({ parameters = {}, ifNoneMatch, bounds, signal = new Stop() }: Asked = {}): Answer {
  const permit = world.api.admit(undefined);
  invariant(!isRefusal(permit), 'few ask');
  const asked = { table: 'items', offset: '200_0', handle, live: 'true', ...parameters };
  return world.api.readOrWait({ parameters: asked, ifNoneMatch, bounds, permit, signal });
}

function answered(answer: Answer): Promise<ShapeResponse> {
  return new Promise((resolve) => (answer instanceof WaitingPoll ? answer.whenAnswered(resolve) : resolve(answer)));
}

/** One that waits for its table first. */
function pollBehindPromises(): Answer {
  world.catalog.isInDoubt = true;
  const answer = poll();
  world.catalog.isInDoubt = false;
  return answer;
}

const ENDS: Readonly<Record<string, () => unknown>> = {
  'a change': () => world.append(handle, 300, itemLine('3', 'c')),
  'the end of its time': () => world.clock.advance(LONG_POLL_MS),
  'the end of its time, while the service is unwell': () => {
    world.status.set('starting');
    world.clock.advance(LONG_POLL_MS);
  },
  'the end of its shape': () => world.directory.remove(handle),
  'a log that goes back': async () => {
    await world.directory.goBack(handle);
    world.clock.advance(LONG_POLL_MS);
  },
};

test.each(Object.entries(ENDS))('a poll that finds nothing waits without a promise, and %s tells it the same as others', async (_, end) => {
  const later = pollBehindPromises();
  await until(() => world.api.load().parked === 1);
  const waiting = poll();
  const waited = [later, waiting].map((answer) => [answer instanceof Promise, answer instanceof WaitingPoll]);
  const answers = [answered(later), answered(waiting)];
  const before = world.api.load().parked;
  await end();
  const [first, second] = await Promise.all(answers);

  expect({ waited, before, second, parked: world.api.load().parked }).toEqual({
    waited: [[true, false], [false, true]], before: 2, second: first, parked: 0,
  });
});

test('those who bring the same cursor get one answer, and those who bring another one the same bytes', async () => {
  const polls = ['1', '1', '2'].map((cursor) => answered(poll({ parameters: { cursor } })));
  world.append(handle, 300, itemLine('3', 'c'));
  const [first, same, other] = await Promise.all(polls);
  invariant(first?.kind === 'log' && other?.kind === 'log', 'the log has something for them');

  expect([first === same, first === other, first.body === other.body]).toEqual([true, false, true]);
});

test.each(['closed', DRAINING])('a poll whose request ends because it is %s hears of it at once', async (reason) => {
  const signal = new Stop();
  const answer = answered(poll({ signal }));
  signal.abort(reason);

  expect([(await answer).kind, world.api.load().parked]).toEqual([reason === DRAINING ? 'log' : 'abandoned', 0]);
});

test('for a client that goes before its turn no shape is made', async () => {
  const signal = new Stop();
  const answer = answered(poll({ signal }));
  const { created } = world.directory;
  world.directory.remove(handle);
  signal.abort('closed');

  expect([(await answer).kind, world.directory.created - created]).toEqual(['abandoned', 0]);
});

test('a poll whose wait is over before somebody takes its answer keeps it for him', async () => {
  const signal = new Stop();
  const answer = poll({ signal });
  signal.abort(DRAINING);

  expect((await answered(answer)).kind).toBe('log');
});

test('a poll for which the log has something is told it at once', async () => {
  world.catalog.isInDoubt = true;
  const behind = await answered(poll({ parameters: { offset: '100_0' } }));
  world.catalog.isInDoubt = false;

  expect(poll({ parameters: { offset: '100_0' } })).toEqual(behind);
});

const NOT_CERTAIN: Readonly<Record<string, () => Answer>> = {
  'a tag that may be that of what it would get': () => poll({ ifNoneMatch: '"another"' }),
  'a stream': () => poll({ parameters: { live_sse: 'true' } }),
  'what is read within bounds': () => poll({ bounds: { table: 'items', columns: undefined, filter: undefined } }),
  'a place beyond the end': () => poll({ parameters: { offset: '250_0' } }),
  'a table that is another now': () => {
    world.catalog.add('items', [key('id', 'uuid'), column('value', 'text')]);
    return poll();
  },
  'a service that sleeps': () => {
    world.status.sleep();
    return poll();
  },
  'a shape that is being brought back': () => {
    world.status.set('starting');
    return poll();
  },
  'a shape that has ended': () => {
    world.directory.remove(handle);
    return poll();
  },
  'a server that closes': () => {
    const signal = new Stop();
    signal.abort(DRAINING);
    return poll({ signal });
  },
};

test.each(Object.entries(NOT_CERTAIN))('for %s it goes the whole way', async (_, asked) => {
  const answer = asked();
  world.status.wake();
  world.status.set('active');
  if (world.directory.definitionOf(handle as never) !== undefined) world.append(handle, 300, itemLine('3', 'c'));

  expect([answer instanceof Promise, (await answered(answer)).kind]).toEqual([true, expect.any(String)]);
});

test.each(['a change', 'the end of its time'])('a fault of ours that %s meets is that of each request that it ends', async (end) => {
  const failures: unknown[] = [];
  for (const answer of [answered(poll()), answered(poll())]) answer.catch((error: unknown) => failures.push(error));
  world.clock.epochMicros = () => {
    throw new Error('a fault');
  };
  ENDS[end]?.();
  await new Promise<void>(nextTurn);

  expect(failures).toEqual([new Error('a fault'), new Error('a fault')]);
});

test('a poll that is woken for nothing waits no longer than it would have', async () => {
  const answer = poll();
  invariant(answer instanceof WaitingPoll, 'the log has nothing');
  answer.whenAnswered(() => {});
  const parked = (): number => world.api.load().parked;
  world.clock.advance(LONG_POLL_MS / 2);
  world.api.announcements.announce(handle as Handle, '200_0' as LogOffset);
  await until(() => parked() === 1);
  world.clock.advance(LONG_POLL_MS / 2 - 1);
  const before = parked();
  world.clock.advance(1);

  expect([before, parked()]).toEqual([1, 0]);
});

test('of a change that is read piece by piece the first piece is there before the poll is told of it', async () => {
  world = createWorld({ rows: [itemLine('1', 'a')], streams: true });
  const first = await answered(poll({ parameters: { offset: '-1', handle: undefined, live: undefined } }));
  invariant(first.kind === 'log', 'the shape is served');
  ({ handle } = first);
  const waiting = poll({ parameters: { offset: '0_0' } });
  invariant(waiting instanceof WaitingPoll, 'the log has nothing');
  const isLater = new Promise((resolve) => waiting.whenAnswered((answer) => resolve(answer instanceof Promise)));
  world.append(handle, 100, itemLine('2', 'b'));

  expect(await isLater).toBe(true);
});
