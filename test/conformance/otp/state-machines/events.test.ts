import { assign, setup } from 'xstate';
import { expect, test } from 'vitest';
import { effects } from '../../../../src/otp/effects.ts';
import type { Message, Pid, ReplyTo } from '../../../../src/otp/process.ts';
import type { Told } from '../../../support/otp/puppet.ts';
import { World } from '../../../support/otp/world.ts';
import { logOf, officeSpec } from '../support/office.ts';

const told = (type: string, ...then: readonly Message[]): Message => ({ type, then });
const note = (n: number): Message => ({ type: `note.${n}` });
const visitor = (n: number): Message => ({ type: `visitor.${n}` });

async function startOffice() {
  const world = new World();
  return { world, office: await world.start(officeSpec(), 'office') };
}

/** Lets the messages wait together before the first is delivered. */
function arrive(world: World, to: Pid, ...messages: readonly Message[]): void {
  for (const message of messages) world.runtime.send(to, message);
  world.runtime.drain();
}

test('S3-007 events are handled in the order of arrival', async () => {
  const { world, office } = await startOffice();

  arrive(world, office, note(1), note(2), note(3));

  expect(logOf(world, office)).toEqual(['closed note.1', 'closed note.2', 'closed note.3']);
});

test('S3-007 what a machine continues with comes before all that waits, in the order in which it said so', async () => {
  const { world, office } = await startOffice();

  arrive(world, office, told('stay', note(1), note(2)), note(3), note(4));

  expect(logOf(world, office)).toEqual(['closed stay', 'closed note.1', 'closed note.2', 'closed note.3', 'closed note.4']);
});

test('S3-009 a machine may continue from its start: that event is its first', async () => {
  const world = new World();
  const starting = world.runtime.start(officeSpec([note(1), note(2)]), { id: 'office' });
  const pid = world.runtime.tree()[0]?.pid ?? ('none' as Pid);

  arrive(world, pid, note(3));

  expect({ pid: await starting, log: logOf(world, pid) }).toEqual({ pid, log: ['closed note.1', 'closed note.2', 'closed note.3'] });
});

test('S3-010 when one of several continued events changes the state, those that remain come in the new state', async () => {
  const { world, office } = await startOffice();

  arrive(world, office, told('stay', told('open'), note(1), told('close'), note(2)), note(3));

  expect(logOf(world, office)).toEqual(['closed stay', 'closed open', 'open note.1', 'open close', 'closed note.2', 'closed note.3']);
});

test('S3-011 a change of state brings the postponed events again: oldest first, after the continued ones, before new ones', async () => {
  const { world, office } = await startOffice();

  arrive(world, office, visitor(1), visitor(2), told('open', note(1), note(2)), visitor(3));

  expect(logOf(world, office)?.slice(2)).toEqual([
    'closed open',
    'open note.1',
    'open note.2',
    'open visitor.1',
    'open visitor.2',
    'open visitor.3',
  ]);
});

test.each([['stay'], ['reopen']])('S3-012 without a change of state nothing postponed comes again: %s', async (type) => {
  const { world, office } = await startOffice();

  arrive(world, office, visitor(1), told(type));

  expect({ log: logOf(world, office), waiting: world.runtime.processInfo(office)?.mailboxLength }).toEqual({
    log: ['closed visitor.1', `closed ${type}`],
    waiting: 1,
  });
});

test('S3-013 an event that was postponed may be postponed again, and keeps its place', async () => {
  const { world, office } = await startOffice();

  arrive(world, office, visitor(1), visitor(2), told('unlock'), visitor(3), told('open'));

  expect(logOf(world, office)?.slice(2)).toEqual([
    'closed unlock', 'ajar visitor.1', 'ajar visitor.2', 'ajar visitor.3',
    'ajar open', 'open visitor.1', 'open visitor.2', 'open visitor.3',
  ]);
});

type ClerkEvent =
  | { type: 'ask' | 'askTwo'; replyTo: ReplyTo }
  | { type: 'work'; first: Message; second: Message }
  | { type: 'sort'; self: Pid }
  | { type: 'timeout.tick' | 'peer.down' | 'ask.failed' | 'EXIT' | 'cast' | 'sent' | 'continued' };

const hear = (as: string) => ({ type: 'hear', params: as }) as const;

/** Handles each kind of event by a transition of its own. */
const clerk = setup({
  types: { context: {} as { log: readonly string[] }, events: {} as ClerkEvent },
  actions: { ...effects, hear: assign(({ context }, as: string) => ({ log: [...context.log, as] })) },
}).createMachine({
  id: 'clerk',
  context: { log: [] },
  on: {
    ask: { actions: [hear('call'), { type: 'reply', params: ({ event }) => ({ to: event.replyTo, event: { type: 'seen.answer' } }) }] },
    askTwo: {
      actions: [
        { type: 'replyToEach', params: ({ event }) => ({ to: [event.replyTo], event: { type: 'seen.first' } }) },
        { type: 'send', params: { to: '@caller', event: { type: 'seen.second' } } },
      ],
    },
    work: {
      actions: [
        { type: 'continue', params: ({ event }) => ({ event: event.first }) },
        { type: 'continue', params: ({ event }) => ({ event: event.second }) },
      ],
    },
    sort: {
      actions: [
        { type: 'send', params: ({ event }) => ({ to: event.self, event: { type: 'sent' } }) },
        { type: 'continue', params: { event: { type: 'continued' } } },
      ],
    },
    'timeout.tick': { actions: hear('time-out') },
    'peer.down': { actions: hear('down') },
    'ask.failed': { actions: hear('failure') },
    EXIT: { actions: hear('exit') },
    cast: { actions: hear('cast') },
    sent: { actions: hear('sent') },
    continued: { actions: hear('continued') },
  },
});

test.each([
  ['timeout.tick', 'time-out'],
  ['peer.down', 'down'],
  ['ask.failed', 'failure'],
  ['EXIT', 'exit'],
  ['cast', 'cast'],
  ['ask', 'call'],
])('S3-008 a machine may continue with any type of event, and it comes as that type: %s', async (type, heard) => {
  const world = new World();
  const pid = await world.start({ machine: clerk }, 'clerk');

  arrive(world, pid, { type: 'work', first: { type, replyTo: '' }, second: { type: 'continued' } }, { type: 'cast' });

  expect(logOf(world, pid)).toEqual([heard, 'continued', 'cast']);
});

test('S3-014 what a machine continues with is handled before a message that it had sent to itself earlier', async () => {
  const world = new World();
  const pid = await world.start({ machine: clerk }, 'clerk');

  arrive(world, pid, { type: 'sort', self: pid });

  expect(logOf(world, pid)).toEqual(['continued', 'sent']);
});

test('S3-015 one transition may have several replies, or one action without a list', async () => {
  const world = new World();
  const [caller, pid] = [await world.puppet('caller', { name: '@caller' }), await world.start({ machine: clerk }, 'clerk')];
  const call = (type: string): Told => ({ type: 'call', params: { to: pid, request: { type }, as: 'seen.call' } });

  world.tell(caller, call('askTwo'), call('ask'));
  arrive(world, pid, { type: 'cast' });

  expect({ seen: world.seen(caller).map(({ type }) => type), log: logOf(world, pid) }).toEqual({
    seen: ['seen.first', 'seen.second', 'seen.answer'],
    log: ['call', 'cast'],
  });
});
