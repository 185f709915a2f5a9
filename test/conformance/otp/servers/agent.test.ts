/** What an agent is here: a server around a table, whose changes are data with a name. */
import { setup } from 'xstate';
import { expect, test } from 'vitest';
import { effects } from '../../../../src/otp/effects.ts';
import type { MachineSpec, Message, ReplyTo, Table } from '../../../../src/otp/process.ts';
import { World } from '../../../support/otp/world.ts';

type Change = { readonly change: 'read' | 'add' | 'takeAndAdd' | 'spoil'; readonly amount?: number; readonly replyTo?: ReplyTo };

class Stock implements Table<Change> {
  constructor(private amount: number) {}

  apply({ change, amount = 0, replyTo }: Change): Message | undefined {
    if (change === 'spoil') throw new Error('the stock is spoilt');
    const before = this.amount;
    if (change !== 'read') this.amount += amount;
    return replyTo === undefined ? undefined : { type: 'stock.answered', replyTo, value: change === 'add' ? 'ok' : before };
  }

  clone(): Stock {
    return new Stock(this.amount);
  }

  key(): string {
    return String(this.amount);
  }
}

const change = {
  type: 'apply',
  params: ({ event }: { event: { order: Change; replyTo?: ReplyTo } }) => ({
    table: 'stock',
    change: { ...event.order, replyTo: event.replyTo },
  }),
} as const;

const agent = setup({
  types: {
    events: {} as
      | { type: 'ask'; order: Change; replyTo: ReplyTo }
      | { type: 'cast'; order: Change }
      | { type: 'stock.answered'; replyTo: ReplyTo; value: unknown },
  },
  actions: { ...effects },
}).createMachine({
  id: 'agent',
  on: {
    ask: { actions: change },
    cast: { actions: change },
    'stock.answered': {
      actions: { type: 'reply', params: ({ event }) => ({ to: event.replyTo, event: { type: 'answer', value: event.value } }) },
    },
  },
});

const agentSpec = (amount = 0): MachineSpec => ({ machine: agent, name: '@agent', tables: () => ({ stock: new Stock(amount) }) });

async function ask(world: World, order: Change): Promise<unknown> {
  const answer = world.runtime.call('@agent', { type: 'ask', order });
  world.runtime.drain();
  return (await answer).value;
}

test('S2-049 an agent is read, updated, read and updated at once, and cast to', async () => {
  const world = new World();
  await world.start(agentSpec(5), 'agent');

  const answers = [
    await ask(world, { change: 'read' }),
    await ask(world, { change: 'add', amount: 2 }),
    await ask(world, { change: 'takeAndAdd', amount: 3 }),
  ];
  world.send('@agent', { type: 'cast', order: { change: 'add', amount: 90 } });

  expect([...answers, await ask(world, { change: 'read' })]).toEqual([5, 'ok', 7, 100]);
});

test('S2-049 an agent that is stopped is gone when that is told', async () => {
  const world = new World();
  const pid = await world.start(agentSpec(), 'agent');

  const stopped = world.runtime.stop('@agent');
  world.runtime.drain();

  expect({ reason: await stopped, alive: world.isAlive(pid), name: world.runtime.whereis('@agent') }).toEqual({
    reason: 'shutdown',
    alive: false,
    name: undefined,
  });
});

test('S2-050 an update that raises crashes the agent, and its caller hears the error', async () => {
  const world = new World();
  const pid = await world.start(agentSpec(), 'agent');

  const outcome = await ask(world, { change: 'spoil' }).catch((error: unknown) => error);

  const error = { message: 'the stock is spoilt' };
  expect({ outcome, reason: world.reasonOf(pid) }).toMatchObject({ outcome: { name: 'CallError', reason: { error } }, reason: { error } });
});

test('S2-050 an agent whose first value raises does not start', async () => {
  const world = new World();
  const tables = () => {
    throw new Error('no stock');
  };

  const outcome = await world.start({ ...agentSpec(), tables }, 'agent').catch((error: unknown) => error);

  expect({ outcome, name: world.runtime.whereis('@agent') }).toMatchObject({
    outcome: { name: 'StartError', reason: { error: { message: 'no stock' } } },
    name: undefined,
  });
});
