/** What an operator reads when Postgres refuses, comes, and goes: the production machines, the world's answers in place of the world. */
import { expect, test } from 'vitest';
import { connectionLock } from '../../src/actors/connections/connection-lock.ts';
import { connectionPools } from '../../src/actors/connections/connection-pools.ts';
import { replicationClient } from '../../src/actors/connections/replication-client.ts';
import { snapshotter } from '../../src/actors/snapshotter.ts';
import { replayScheduler } from '../../src/otp/schedulers/choosing-scheduler.ts';
import type { Message, Name, PortSpec, ProcessSpec } from '../../src/otp/process.ts';
import { createRuntime } from '../../src/otp/runtime.ts';
import { journalPort } from '../../src/telemetry/journal-port.ts';
import { keptLog } from '../support/storage/log-lines.ts';
import { ManualClock } from '../support/manual-clock.ts';

const source = { systemId: '1', timeline: '1', database: 'items', slot: 'slot' };
const ERROR = { code: '57P03', message: 'the database system is starting up' };

/** Answers each request with the next of the answers to its type; the last one again and again. */
function scripted(name: Name, answers: Readonly<Record<string, readonly Message[]>>): PortSpec {
  const requests = Object.entries(answers).map(([type, messages]) => {
    const left = [...messages];
    return [type, () => (left.length > 1 ? left.shift() : left[0]) ?? { type: 'nothing' }] as const;
  });
  return { name, open: () => ({ requests: Object.fromEntries(requests), casts: { disconnect: () => undefined } }) };
}

function runLogged(specs: Readonly<Record<string, ProcessSpec>>) {
  const { logger, lines } = keptLog('info');
  const clock = new ManualClock();
  const runtime = createRuntime({ clock, scheduler: replayScheduler() });
  for (const [id, spec] of Object.entries({ journal: journalPort(logger), ...specs })) {
    void runtime.start(spec, { id });
    runtime.drain();
  }
  const tell = (to: Name, message: Message) => {
    runtime.send(to, message);
    runtime.drain();
  };
  const pass = (milliseconds: number) => {
    clock.advance(milliseconds);
    runtime.drain();
  };
  return { tell, pass, lines };
}

test('Postgres refuses at first, then streams, then goes', () => {
  const { tell, pass, lines } = runLogged({
    lock: scripted('@lock', { acquire: [{ type: 'lock.refused', error: ERROR, fatal: false }, { type: 'lock.acquired' }] }),
    'connection-lock': { machine: connectionLock, name: '@connection-lock' },
    writer: scripted('@log-writer', { restartStream: [{ type: 'stream.restarted' }] }),
    cache: scripted('@shape-cache', { purge: [{ type: 'shapes.purged' }] }),
    replication: scripted('@replication', {
      connect: [
        { type: 'replication.refused', error: ERROR, fatal: false },
        { type: 'replication.connected', standing: 'lost', hasSwitched: false, why: 'it is gone', source },
      ],
      createSlot: [{ type: 'replication.slotCreated', lsn: '7', source, isMarked: true }],
      startStreaming: [{ type: 'replication.streaming' }],
    }),
    'replication-client': { machine: replicationClient, name: '@replication-client' },
  });

  pass(50);
  pass(50);
  tell('@replication-client', { type: 'replication.ended', error: ERROR, fatal: false });
  tell('@connection-lock', { type: 'lock.lost' });

  expect(lines()).toEqual([
    { level: 'warn', error: ERROR, retryInMs: 50, msg: 'lock.refused' },
    { level: 'info', msg: 'lock.acquired' },
    { level: 'warn', error: ERROR, retryInMs: 50, msg: 'replication.refused' },
    { level: 'warn', standing: 'lost', why: 'it is gone', msg: 'replication.connected' },
    { level: 'info', msg: 'replication.slotCreated' },
    { level: 'info', msg: 'replication.streaming' },
    { level: 'warn', error: ERROR, retryInMs: 100, msg: 'replication.ended' },
    { level: 'warn', msg: 'lock.lost' },
  ]);
});

test.each([
  ['the first one is no reason to worry', true, { level: 'info', msg: 'replication.slotCreated' }],
  ['one without a mark is', false, { level: 'warn', msg: 'replication.slotCreated', but: expect.stringContaining('told to take it over') }],
])('a slot is made: %s', (_, isMarked, line) => {
  const { lines } = runLogged({
    lock: scripted('@connection-lock', { awaitLock: [{ type: 'lock.isHeld' }] }),
    writer: scripted('@log-writer', { restartStream: [{ type: 'stream.restarted' }] }),
    replication: scripted('@replication', {
      connect: [{ type: 'replication.connected', standing: 'new', why: 'there is none yet', source }],
      createSlot: [{ type: 'replication.slotCreated', lsn: '7', source, isMarked }],
    }),
    'replication-client': { machine: replicationClient, name: '@replication-client' },
  });

  expect(lines().slice(0, 2)).toEqual([{ level: 'info', standing: 'new', why: 'there is none yet', msg: 'replication.connected' }, line]);
});

test('what somebody must mend is told as an error, now and then, until it is mended', () => {
  const { pass, lines } = runLogged({
    lock: scripted('@connection-lock', { awaitLock: [{ type: 'lock.isHeld' }] }),
    replication: scripted('@replication', {
      connect: [{ type: 'replication.connected', standing: 'continued', why: '', source, isNoted: true }],
      startStreaming: [{ type: 'replication.refused', error: ERROR, fatal: true }, { type: 'replication.streaming' }],
    }),
    'replication-client': { machine: replicationClient, name: '@replication-client' },
  });

  pass(9_999);
  const before = lines().length;
  pass(1);

  expect({ before, lines: lines().slice(1) }).toEqual({
    before: 2,
    lines: [
      { level: 'error', error: ERROR, retryInMs: 10_000, msg: 'replication.refused' },
      { level: 'info', standing: 'continued', msg: 'replication.connected' },
      { level: 'info', msg: 'replication.streaming' },
    ],
  });
});

test('the pools come, are asked now and then without a word, go, and come again', () => {
  const [up, down] = [{ type: 'pools.up' }, { type: 'pools.down', error: ERROR, fatal: false }];
  const { pass, lines } = runLogged({
    pools: scripted('@pools', { probe: [up, up, up, down, down, up] }),
    'connection-pools': { machine: connectionPools, name: '@connection-pools' },
  });

  for (let checks = 0; checks < 3; checks += 1) pass(5000);
  pass(50);
  pass(100);

  expect(lines()).toEqual([
    { level: 'info', msg: 'pools.up' },
    { level: 'warn', error: ERROR, retryInMs: 50, msg: 'pools.down' },
    { level: 'warn', error: ERROR, retryInMs: 100, msg: 'pools.down' },
    { level: 'info', msg: 'pools.up' },
  ]);
});

const relation = { oid: 1, schema: 'public', name: 'items' };

test.each([
  ['complete', { type: 'snapshot.completed' }, { level: 'info', handle: '1-1', relation, msg: 'snapshot.completed' }],
  [
    'not to be had',
    { type: 'snapshot.failed', error: ERROR },
    { level: 'warn', handle: '1-1', relation, error: ERROR, msg: 'snapshot.failed' },
  ],
])('a snapshot is %s', (_, answer, line) => {
  const { lines } = runLogged({
    consumer: { name: '@consumer/1-1', open: () => ({ requests: {}, casts: { [answer.type]: () => undefined } }) },
    publication: scripted('@publication-manager', { addRelation: [{ type: 'relation.published' }] }),
    snapshots: scripted('@snapshots', { takeSnapshot: [answer] }),
    snapshotter: { machine: snapshotter, input: { handle: '1-1', relation, consumer: '@consumer/1-1' } },
  });

  expect(lines()).toEqual([line]);
});
