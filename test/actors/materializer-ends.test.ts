import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { materializer } from '../../src/actors/materializer.ts';
import { LOG_BEGIN, placeAt } from '../../src/model/log-entry.ts';
import type { LogOffset } from '../../src/model/log-offset.ts';
import type { ExitReason, Message } from '../../src/otp/process.ts';
import { walk } from '../support/actors/lone-machine.ts';
import { anyScript, run, strike, type Fault, type Script, type Victim } from '../support/hand-over/hand-over-run.ts';
import { NAMES, type HandOverWorld } from '../support/hand-over/hand-over-world.ts';

const STATES = [
  '"awaitingSnapshot"',
  '"subscribing"',
  '{"replaying":"reading"}',
  '{"catchingUp":"reading"}',
  '{"live":"waiting"}',
  '{"live":{"following":"reading"}}',
  '{"live":"telling"}',
] as const;

type State = (typeof STATES)[number];

const SCRIPTS_MAX = 500;
/** For each state a life in which the Materializer comes through it. */
const scripts = new Map<State, Script>();

beforeAll(async () => {
  for (const script of fc.sample(anyScript, { numRuns: SCRIPTS_MAX, seed: 11 })) {
    if (scripts.size === STATES.length) return;
    const peaceful = { ...script, faults: [] };
    const { world } = await run(peaceful);
    for (const state of statesOf(world)) if (!scripts.has(state)) scripts.set(state, peaceful);
  }
});

interface End {
  readonly states: readonly string[];
  readonly reason: ExitReason | undefined;
}

/** The Materializer's last two states, and why it ended, when `victim` is struck in `state`. */
async function endOf(state: State, victim: Victim, how: Fault, script = scripts.get(state)): Promise<End> {
  if (script === undefined) throw new Error(`no script comes through ${state}`);
  let isStruck = false;
  const onStep = (world: HandOverWorld) => {
    if (isStruck || world.runtime.whereis(NAMES[victim]) === undefined) return;
    if (JSON.stringify(world.runtime.processInfo(NAMES.materializer)?.state) !== state) return;
    isStruck = true;
    strike(world, victim, how);
  };
  const { world } = await run(script, { onStep });
  const exit = world.records.find((record) => record.type === 'exit' && record.process.startsWith('consumers/materializer#'));
  return { states: statesOf(world).slice(-1), reason: exit?.type === 'exit' ? exit.reason : undefined };
}

function statesOf(world: HandOverWorld): State[] {
  return world.records.flatMap((record) =>
    record.type === 'transition' && record.process.startsWith('consumers/materializer#') ? [JSON.stringify(record.state) as State] : [],
  );
}

describe.each(STATES)('in %s', (state) => {
  test.each<Fault>(['shutdown', 'drain'])('a Consumer that is told to end in good order (%s) leaves it stopped', async (how) => {
    expect(await endOf(state, 'consumer', how)).toEqual({ states: ['"stopped"'], reason: { shutdown: 'drain' } });
  });

  test.each<[Fault, string]>([
    ['delete', 'test'],
    ['kill', 'consumerCrashed'],
    ['crash', 'consumerCrashed'],
  ])('a Consumer that ends by %s leaves it invalidated', async (how, why) => {
    expect(await endOf(state, 'consumer', how)).toEqual({ states: ['"invalidated"'], reason: { shutdown: { delete: why } } });
  });
});

test('a snapshot that is given up leaves it invalidated', async () => {
  const inOrder: Script = { transactions: [], materializerAtStep: 0, faults: [], choices: [] };

  const { states } = await endOf('"awaitingSnapshot"', 'snapshotter', 'kill', inOrder);

  expect(states).toEqual(['"invalidated"']);
});

test.each(['values', 'rows'])('one that would have to keep too many %s says so to whoever asked for the outer shape', (what) => {
  const input = { consumer: 'consumer#1', handle: '1-1', column: 'id', dependant: 'consumer#2' };

  const { context } = walk(materializer, input, { type: 'values.areTooMany', what, max: 7 });

  expect(context).toMatchObject({ reason: { shutdown: { delete: `its subquery selects more than 7 ${what}` } } });
});

test('one whose values cannot be cast says so with the SQLSTATE to whoever asked for the outer shape', () => {
  const input = { consumer: 'consumer#1', handle: '1-1', column: 'id', dependant: 'consumer#2' };

  const { context } = walk(materializer, input, { type: 'values.haveFailed', code: '22P02', message: 'no integer' });

  expect(context).toMatchObject({
    reason: { shutdown: { delete: 'filterFailed', error: { code: '22P02', message: 'no integer', status: 400 } } },
  });
});

test('one whose log tells what cannot be has the inner shape end, and its dependants behind it for the same reason', () => {
  const input = { consumer: 'consumer#1', handle: '1-1', column: 'id', dependant: 'consumer#2' };
  const why = 'a partition of the table was attached, detached or dropped, and its rows with it';
  const events: readonly Message[] = [
    { type: 'values.haveTurned' }, { type: 'consumer.down', process: 'consumer#1', reason: { shutdown: { delete: why } } },
  ];
  const [condemning, invalidating] = [1, 2].map((count) => walk(materializer, input, ...events.slice(0, count)));

  expect([condemning, invalidating]).toMatchObject([
    { value: 'condemning', asked: [{ type: 'send', params: { to: 'consumer#1', event: { type: 'stop', cause: { delete: why } } } }] },
    { value: 'invalidating', context: { reason: { shutdown: { delete: why } } } },
  ]);
});

test('a dependant that does not take what moved ends, and nobody else does', () => {
  const events: Message[] = [
    { type: 'snapshot.isStarted' },
    { type: 'consumer.subscribed', offset: '5_0' },
    { type: 'history.blockRead', after: LOG_BEGIN, through: placeAt('5_0' as LogOffset) },
    { type: 'values.applied', place: placeAt('5_0' as LogOffset), version: '5_0', moved: false },
    { type: 'takeAppended', through: '7_0', position: 70, replyTo: 'call#1' },
    { type: 'history.blockRead', after: placeAt('5_0' as LogOffset), through: placeAt('7_0' as LogOffset) },
    { type: 'values.applied', place: placeAt('7_0' as LogOffset), version: '7_0', moved: true, overdue: ['9-1'] },
  ];

  const { value, asked } = walk(materializer, { consumer: 'consumer#1', handle: '1-1', column: 'id' }, ...events);

  expect({ value, asked: asked.filter(({ type }) => type === 'sendToEach' || type === 'send') }).toMatchObject({
    value: { live: 'waiting' },
    asked: [
      { type: 'sendToEach', params: { to: ['@consumer/9-1'], event: { type: 'stop', cause: { delete: 'movesNotTaken' } } } },
      { type: 'send', params: { to: '@journal', event: { what: 'dependants.overdue', handle: '1-1', count: 1, handles: ['9-1'] } } },
    ],
  });
});
