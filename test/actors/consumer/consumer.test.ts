import { initialTransition, transition, type EventFromLogic } from 'xstate';
import { expect, test } from 'vitest';
import { consumer } from '../../../src/actors/consumer/consumer.ts';
import { SNAPSHOT_END, type LogOffset } from '../../../src/model/log-offset.ts';
import { LOG_START, type LogPosition } from '../../../src/model/log-position.ts';
import { LSN_ZERO, type Lsn } from '../../../src/model/lsn.ts';
import { parsePgSnapshot, type Xid } from '../../../src/model/pg-snapshot.ts';
import type { Handle } from '../../../src/model/shape.ts';
import type { Message, Pid, ReplyTo } from '../../../src/otp/process.ts';
import type { DeliveryId } from '../../../src/shapes/delivery.ts';
import { run, strike, type Fault, type Script } from '../../support/hand-over/hand-over-run.ts';
import { HANDLE, NAMES, type HandOverWorld } from '../../support/hand-over/hand-over-world.ts';

const oneRow = [{ row: 1, value: 'a', remove: false }];
const inOrder: Script = { transactions: [{ atStep: 200, lasts: 0, wishes: oneRow }], materializerAtStep: 0, faults: [], choices: [] };

function consumerState({ runtime }: HandOverWorld): string {
  return JSON.stringify(runtime.processInfo(NAMES.consumer)?.state ?? 'not there');
}

/** Calls `act` once, when the Consumer's state first satisfies `isReached`. */
function once(isReached: (state: string) => boolean, act: (world: HandOverWorld) => void) {
  let isDone = false;
  return (world: HandOverWorld) => {
    if (isDone || !isReached(consumerState(world))) return;
    isDone = true;
    act(world);
  };
}

test('a snapshot that is given up is told to those who wait for its start, before the Consumer is gone', async () => {
  const answers: Promise<Message>[] = [];
  const onStep = once(
    (state) => state.includes('buffering'),
    (world) => {
      answers.push(world.runtime.call(NAMES.consumer, { type: 'awaitSnapshotStart' }));
      const fault = { type: 'snapshot.failed', error: { code: 'no_table', message: 'no such table' } };
      world.runtime.send(NAMES.consumer, fault);
    },
  );

  const { world } = await run(inOrder, { onStep });

  const [answer] = await Promise.all(answers);
  const exit = world.records.find((record) => record.type === 'exit' && record.process.includes('/consumer#'));
  expect({ answer, exit }).toMatchObject({
    answer: { type: 'snapshot.hasFailed', error: { code: 'no_table' } },
    exit: { reason: { shutdown: { delete: 'snapshotFailed' } } },
  });
});

test.each<Fault>(['shutdown', 'drain'])('told to end in good order (%s), it hands over the batch in hand first', async (how) => {
  const onStep = once(
    (state) => state.includes('passingOn'),
    (world) => strike(world, 'consumer', how),
  );

  const { world } = await run(inOrder, { onStep });

  const failed = world.records.flatMap((record) =>
    record.type === 'deliver' && record.message.type === 'batch.done' ? [record.message.failed] : [],
  );
  expect({ applied: world.applied, failed: failed.at(-1) }).toEqual({ applied: ['10_0'], failed: [] });
});

/** The Consumer as far as it is alone: no runtime, no effect. */
function after(mode: 'create' | 'restore', ...events: readonly EventFromLogic<typeof consumer>[]) {
  const input = { self: 'consumer#1' as Pid, handle: HANDLE, mode, position: LOG_START, end: SNAPSHOT_END };
  let [snapshot] = initialTransition(consumer, input);
  for (const event of events) [snapshot] = transition(consumer, snapshot, event);
  return snapshot;
}

const registered = { type: 'shape.registered', position: 7 as LogPosition } as const;
const batch = { type: 'batch', delivery: 1 as DeliveryId, through: 9 as LogPosition, replyTo: 'call#1' as ReplyTo } as const;

test('a batch that comes before the registration waits for it', () => {
  const machine = after('restore');

  const [, actions] = transition(consumer, machine, batch);

  expect(actions).toMatchObject([{ type: 'postpone' }]);
});

test('a log that cannot go on ends the shape, and says why and at which transaction', () => {
  const cause = { delete: 'truncate', xid: 7 as Xid, lsn: '70' as Lsn } as const;
  const { status, output } = after('restore', { ...registered, position: LOG_START }, batch, { type: 'log.ended', cause });

  expect({ status, output }).toEqual({ status: 'done', output: { reason: { shutdown: cause } } });
});

test('a restored shape that something was missed of takes it with the others of its kind, from its own position on', () => {
  const [{ value, context }, actions] = transition(consumer, after('restore'), registered);

  expect({ value, position: context.position, offered: context.offered, asked: actions.at(-1) }).toMatchObject({
    value: { running: { snapshot: 'complete', ingest: 'joiningBehind' } },
    position: LOG_START,
    offered: registered.position,
    asked: { type: 'call', params: { to: '@catch-up-collector', request: { type: 'joinBehind', handle: '1-1', after: LOG_START } } },
  });
});

test('one that has joined behind has nothing in hand, and takes what it is brought', () => {
  const [{ value, context }, actions] = transition(consumer, after('restore', registered), { type: 'catchUp.joined' });

  expect({ value, context, actions }).toMatchObject({
    value: { running: { ingest: 'following' } },
    context: { isFollowing: true, batchReplyTo: null },
    actions: [],
  });
});

test('one that those have nothing for who are on their way reads what it missed by itself', () => {
  const [{ value }, actions] = transition(consumer, after('restore', registered), passed);

  expect({ value, actions }).toMatchObject({
    value: { running: { ingest: 'loading' } },
    actions: [{ type: 'call', params: { to: '@log-reader', request: { type: 'loadBlock', through: registered.position } } }],
  });
});

test('what is offered before the snapshot is known is kept as a position, from the registration on', () => {
  const { value, context } = after('create', registered, batch);

  expect({ value, position: context.position, offered: context.offered }).toEqual({
    value: { running: { snapshot: 'unknown', ingest: 'buffering' } },
    position: registered.position,
    offered: batch.through,
  });
});

const known = { type: 'snapshot.known', pgSnapshot: parsePgSnapshot('1:1:', LSN_ZERO) } as const;

test('when its snapshot is known, it begins where its log says, also before its registration', () => {
  const { value, context } = after('create', registered, known, { type: 'log.located', position: 5 as LogPosition });

  expect({ value, position: context.position, offered: context.offered }).toEqual({
    value: { running: { snapshot: 'known', ingest: 'loading' } },
    position: 5,
    offered: registered.position,
  });
});

test.each([
  { type: 'child.refused', id: 'snapshotter/1-1', reason: 'max_children' },
  { type: 'child.refused', reason: 'unknown_template' },
  { type: 'snapshotter.failed', to: '@consumers', request: 'startChild', reason: 'noproc' },
] as const)('a snapshot that nobody takes ($type) ends the shape', (refusal) => {
  const { status, output } = after('create', registered, refusal, { type: 'waiters.answered' });

  expect({ status, output }).toMatchObject({ status: 'done', output: { reason: { shutdown: { delete: 'snapshotFailed' } } } });
});

test('with nothing left to take, its shape goes along with the others', () => {
  const [, actions] = transition(consumer, after('restore'), { ...registered, position: LOG_START });

  expect(actions).toMatchObject([{ type: 'apply', params: { table: 'log', change: 'goAlong' } }]);
});

test('a Materializer that has ended is told of no append any more', async () => {
  const { world } = await run({ ...inOrder, faults: [{ atStep: 150, victim: 'materializer', how: 'kill' }] });

  const told = world.records.filter((record) => record.type === 'deliver' && record.message.type === 'appended.done');
  expect({ told, end: world.shapeLog?.end }).toEqual({ told: [], end: '10_0' });
});

test('a collector or a log reader that is gone deletes nothing', () => {
  const noproc = { to: '@log-reader', reason: 'noproc' } as const;
  const unregistered = after('create', { ...noproc, type: 'registration.failed', request: 'registerShape' });
  const unread = after('create', ...late, { ...noproc, type: 'reader.failed', request: 'loadBlock' });
  const alone = after('restore', registered, { ...noproc, type: 'catchUp.failed', request: 'joinBehind' });

  expect([unregistered.output, unread.output, alone.output]).toEqual(Array(3).fill({ reason: { shutdown: 'drain' } }));
});

test('a batch that was withdrawn is answered, and the next one taken', () => {
  const withdrawn = after('restore', { ...registered, position: LOG_START }, batch, { type: 'log.withdrawn' });
  const { value, context } = withdrawn;
  const [, actions] = transition(consumer, withdrawn, { ...batch, delivery: 2 as DeliveryId });

  expect({ value, replyTo: context.batchReplyTo, actions }).toMatchObject({
    value: { running: { ingest: 'live' } },
    replyTo: null,
    actions: [{ type: 'apply', params: { table: 'log', change: { take: 2 } } }],
  });
});

const offered = { type: 'logOffered', through: 20 as LogPosition, replyTo: 'call#2' as ReplyTo } as const;
const along = { ...registered, position: LOG_START } as const;
const block = { type: 'block.loaded', after: LOG_START, through: 12 as LogPosition } as const;
const part = { type: 'part.taken', through: 12 as LogPosition, isMuch: true } as const;

function lastOf(through: number) {
  return { type: 'log.taken', through: through as LogPosition, end: '7_0' as LogOffset } as const;
}

const located = { type: 'log.located', position: 5 as LogPosition } as const;
const passed = { type: 'catchUp.passed' } as const;
/** A new shape, which comes too late to join. */
const late = [along, known, { ...located, position: LOG_START }, offered, located, passed] as const;
const following = [along, offered, located, { type: 'catchUp.joined' }] as const;
const fragment = { type: 'fragment', delivery: 3 as DeliveryId, through: 12 as LogPosition, replyTo: 'call#3' as ReplyTo } as const;

test('a shape that is to take a large transaction leaves the pace of the others, and joins those who catch up where it stands', () => {
  const live = after('restore', along);
  const [leaving, left] = transition(consumer, live, offered);
  const [, joining] = transition(consumer, leaving, located);

  expect([left, joining]).toMatchObject([
    [{ type: 'apply', params: { table: 'log', change: 'leavePace' } }],
    [{ type: 'call', params: { to: '@catch-up-collector', request: { type: 'join', handle: '1-1', after: 5 } } }],
  ]);
});

test('the collector goes on once the shape has joined', () => {
  const [{ value, context }, actions] = transition(consumer, after('restore', along, offered, located), { type: 'catchUp.joined' });

  expect({ value, context, actions }).toMatchObject({
    value: { running: { ingest: 'following' } },
    context: { batchReplyTo: null, offered: 20 },
    actions: [{ type: 'reply', params: { to: 'call#2', event: { type: 'batch.taken' } } }],
  });
});

test('a new shape that comes too late to join reads by itself', () => {
  const [{ value }, actions] = transition(consumer, after('create', ...late.slice(0, -1)), passed);

  expect({ value, actions }).toMatchObject({
    value: { running: { ingest: 'loading' } },
    actions: [
      { type: 'reply', params: { to: 'call#2', event: { type: 'batch.taken' } } },
      { type: 'call', params: { to: '@log-reader', request: { type: 'loadBlock', after: 5, through: 20 } } },
    ],
  });
});

test('a fragment is answered once it has left the memory', () => {
  const taken = after('restore', ...following, fragment, part);
  const [{ value, context }, actions] = transition(consumer, taken, { type: 'lines.spilled' });

  expect({ before: taken.value, value, context, actions }).toMatchObject({
    before: { running: { ingest: 'spilling' } },
    value: { running: { ingest: 'following' } },
    context: { position: 5, cursor: 12, batchReplyTo: null },
    actions: [{ type: 'reply', params: { to: 'call#3', event: { type: 'batch.taken' } } }],
  });
});

const dismissed = { type: 'dismissed', through: 20 as LogPosition, replyTo: 'call#4' as ReplyTo } as const;

test('a shape that has caught up with the others stands where they do, and goes along', () => {
  const [{ value, context }, actions] = transition(consumer, after('restore', ...following), dismissed);

  expect({ value, context, actions }).toMatchObject({
    value: { running: { ingest: 'live' } },
    context: { position: 20, cursor: 20, isFollowing: false },
    actions: [
      { type: 'apply', params: { change: { publish: 20 } } },
      { type: 'reply', params: { to: 'call#4' } },
      { type: 'apply', params: { change: 'goAlong' } },
    ],
  });
});

const more = { ...offered, through: 30 as LogPosition };

test.each([
  ['by a stored shape with the next of its kind', after('restore', ...following, more), 'joiningBehind'],
  ['by a new one', after('create', ...late.slice(0, -1), { type: 'catchUp.joined' }, more), 'loading'],
])('what was offered while it caught up is taken before it goes along, %s', (_, busy, ingest) => {
  const [{ value }] = transition(consumer, busy, dismissed);

  expect(value).toMatchObject({ running: { ingest } });
});

const leftBehind = { type: 'leftBehind' } as const;

test('a shape that was left behind registers anew, and joins those who take what they were not brought', () => {
  const [returning, asked] = transition(consumer, after('restore', along), leftBehind);
  const [standing] = transition(consumer, returning, located);
  const [{ value, context }, reading] = transition(consumer, standing, { ...along, position: 40 as LogPosition });

  expect({ asked, value, context, reading }).toMatchObject({
    asked: [
      { type: 'send', params: { to: '@journal', event: { what: 'shape.leftBehind', handle: '1-1' } } },
      { type: 'apply', params: { table: 'log', change: 'leavePace' } },
      { type: 'call', params: { to: '@shape-log-collector', request: { type: 'registerShape', handle: '1-1', consumer: 'consumer#1' } } },
    ],
    value: { running: { ingest: 'joiningBehind' } },
    context: { isLeftBehind: false },
    reading: [{ type: 'call', params: { request: { type: 'joinBehind', after: 5 } } }],
  });
});

test.each([
  ['a batch', after('restore', along, batch), { type: 'log.withdrawn' }],
  ['a fragment', after('restore', ...following, fragment), { type: 'log.withdrawn' }],
  ['a block of its own', after('create', ...late, { ...block, after: 5 as LogPosition }), { ...lastOf(12), changed: false }],
] as const)('a shape that has %s in hand when it is left behind settles that first, and nothing else', (_, busy, settled) => {
  const [waiting] = transition(consumer, busy, leftBehind);
  const [{ value }] = transition(consumer, waiting, settled);

  expect([waiting.value, value]).toMatchObject([{ running: { ingest: 'taking' } }, { running: { ingest: 'returning' } }]);
});

test.each([
  ['registers', after('restore', leftBehind, along)],
  ['registers anew', after('restore', along, leftBehind, leftBehind, located, along)],
])('a shape that %s is left behind by nothing that it was told before', (_, { value, context }) => {
  expect({ value, context }).toMatchObject({ value: { running: { ingest: 'live' } }, context: { isLeftBehind: false } });
});

test('a shape that was left behind while it followed goes along with the others, once it has come back', () => {
  const back = [along, { type: 'catchUp.joined' }, dismissed] as const;
  const { value } = after('restore', ...following, leftBehind, located, ...back, batch, { type: 'log.withdrawn' });

  expect(value).toMatchObject({ running: { ingest: 'live' } });
});

test('a shape that is left behind inside a large transaction reads on from the part that it had last', () => {
  const behind = after('restore', ...following, fragment, part, { type: 'lines.spilled' }, leftBehind, located);
  const { context } = transition(consumer, behind, { ...along, position: 40 as LogPosition })[0];

  expect(context).toMatchObject({ position: 5, cursor: 12, offered: 40 });
});

test('a shape that follows is brought nothing more once it was left behind', () => {
  const [, asked] = transition(consumer, after('restore', ...following), leftBehind);

  expect(asked).toContainEqual({
    ...asked.find(({ type }) => type === 'send'),
    params: { to: '@catch-up-collector', event: { type: 'leave', handle: '1-1' } },
  });
});

test.each([
  ['its registration', after('restore'), [{ type: 'postpone' }]],
  ['its snapshot', after('create', registered), [{ type: 'reply' }]],
  ['a block of its own', after('create', ...late), [{ type: 'reply' }]],
  ['those with whom it takes what it missed', after('restore', registered), [{ type: 'reply' }]],
])('what is offered while the shape waits for %s is not lost', (_, machine, expected) => {
  const [{ context }, actions] = transition(consumer, machine, offered);

  expect({ actions, offered: expected[0]?.type === 'reply' ? context.offered : 20 }).toMatchObject({ actions: expected, offered: 20 });
});

test('a part leaves the memory before the next one is asked for, and the shape stands where it stood', () => {
  const taken = after('create', ...late, { ...block, after: 5 as LogPosition }, part);
  const spilled = transition(consumer, taken, { type: 'lines.spilled' });

  expect([taken.value, taken.context, spilled[1]]).toMatchObject([
    { running: { ingest: 'spilling' } },
    { position: 5, cursor: 12 },
    [{ type: 'call', params: { request: { type: 'loadBlock', after: 12, through: 20 } } }],
  ]);
});

test('a Materializer that subscribes inside a large transaction is given the end of the one before', () => {
  const inside = after('restore', ...following, fragment, part, { type: 'lines.spilled' });
  const subscription = { type: 'subscribeMaterializer', materializer: 'materializer#1' as Pid, replyTo: 'call#5' as ReplyTo } as const;
  const [, actions] = transition(consumer, inside, subscription);

  expect({ cursor: inside.context.cursor, answer: actions.find(({ type }) => type === 'reply') }).toMatchObject({
    cursor: 12,
    answer: { params: { to: 'call#5', event: { type: 'consumer.subscribed', offset: SNAPSHOT_END } } },
  });
});

test('a part of which the shape has little is answered without writing it', () => {
  const [{ value }, actions] = transition(consumer, after('restore', ...following, fragment), { ...part, isMuch: false });

  expect({ value, actions }).toMatchObject({
    value: { running: { ingest: 'following' } },
    actions: [{ type: 'reply', params: { to: 'call#3', event: { type: 'batch.taken' } } }],
  });
});

test('the last part is published, and the shape joins the others again', () => {
  const own = [...late, { ...block, after: 5 as LogPosition }, part, { type: 'lines.spilled' }] as const;
  const loaded = after('create', ...own, { ...block, after: 12 as LogPosition });

  const [{ value, context }, actions] = transition(consumer, loaded, { ...lastOf(20), changed: true });

  expect({ value, context, actions }).toMatchObject({
    value: { running: { ingest: 'live' } },
    context: { position: 20, cursor: 20, end: '7_0' },
    actions: [
      { type: 'apply', params: { change: { publish: 20 } } },
      { type: 'apply', params: { change: 'goAlong' } },
    ],
  });
});

test.each([
  ['its files', { type: 'lines.refused', why: 'its index is damaged' }],
  ['the log that it has yet to take', { type: 'block.corrupt', why: 'its index is damaged' }],
] as const)('a shape that finds %s damaged ends, and says why', (_, found) => {
  const { status, output } = after('create', ...late, { ...block, after: 5 as LogPosition }, part, found);

  expect({ status, output }).toEqual({
    status: 'done',
    output: { reason: { shutdown: { delete: 'its index is damaged', isDamaged: true } } },
  });
});

test('one that looks for its second Materializer when the first one drains, drains', () => {
  const dependencies = ['2-1', '3-1'].map((handle) => ({ handle: handle as Handle, column: 'id', consumer: `consumer#${handle}` as Pid }));
  const stored = { mode: 'restore' as const, position: LOG_START, end: SNAPSHOT_END };
  const input = { self: 'consumer#1' as Pid, handle: HANDLE, ...stored, dependencies };
  const events: readonly EventFromLogic<typeof consumer>[] = [
    { type: 'child.started', id: 'materializer/2-1/id', pid: 'first#1' as Pid },
    { type: 'values.areCurrent', offset: SNAPSHOT_END },
    { type: 'child.started', id: 'materializer/3-1/id', pid: 'second#1' as Pid },
    { type: 'dependency.down', process: 'first#1' as Pid, reason: { shutdown: 'drain' } },
  ];

  let [state] = initialTransition(consumer, input);
  for (const event of events) [state] = transition(consumer, state, event);

  expect({ value: state.value, output: state.output }).toEqual({ value: 'closed', output: { reason: { shutdown: 'drain' } } });
});
