/** In which order a slot that does not continue is made anew: whatever the service dies in, the next one finds out. */
import { expect, test } from 'vitest';
import { FIRST_DELAY_MS } from '../../../src/actors/connections/back-off.ts';
import { replicationClient } from '../../../src/actors/connections/replication-client.ts';
import { replayScheduler } from '../../../src/otp/schedulers/choosing-scheduler.ts';
import type { Message, Name, PortSpec } from '../../../src/otp/process.ts';
import { createRuntime } from '../../../src/otp/runtime.ts';
import { walk } from '../../support/actors/lone-machine.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** A port's promise takes a few to become an event. */
const TURNS = 10;

const source = { systemId: '7', timeline: '1', database: 'items', slot: 'slot' };
/** With the publication as it was when the slot was made. */
const made = { ...source, publication: '16384.700' };

/** What was asked, with what matters of it. */
function wordsOf({ type, source: told, lsn, why }: Message): string {
  const whose = [source, made].findIndex((known) => JSON.stringify(told) === JSON.stringify(known));
  if (type === 'restartStream') return `${type} of ${['the slot', 'the slot that was made'][whose] ?? 'another'} from ${String(lsn)}`;
  return why === undefined ? type : `${type}: ${String(why)}`;
}

/** A running client among ports that answer at once and note what they were asked; `standing` is that of the slot. */
function connectTo({ standing, hold, isNoted = true }: { standing: 'continued' | 'lost'; hold?: string; isNoted?: boolean }) {
  const asked: string[] = [];
  let answerHeld: (message: Message) => void = () => {};
  const port = (name: Name, answers: Readonly<Record<string, Message>>, casts: readonly string[] = []): PortSpec => ({
    name,
    open: () => ({
      casts: Object.fromEntries(casts.map((cast) => [cast, () => void asked.push(cast)])),
      requests: Object.fromEntries(
        Object.entries(answers).map(([type, answer]) => [
          type,
          (request: Message) => {
            asked.push(wordsOf(request));
            return type === hold ? new Promise<Message>((resolve) => (answerHeld = () => resolve(answer))) : answer;
          },
        ]),
      ),
    }),
  });
  const noted = (what: unknown): void => void (what === 'replication.overdue' && asked.push(what));
  const clock = new ManualClock();
  const runtime = createRuntime({ clock, scheduler: replayScheduler() });
  const specs = [
    port('@connection-lock', { awaitLock: { type: 'lock.isHeld' } }),
    port('@log-writer', { restartStream: { type: 'stream.restarted' } }),
    port('@shape-cache', { purge: { type: 'shapes.purged' } }),
    port(
      '@replication',
      {
        connect: {
          type: 'replication.connected', standing, hasSwitched: false, isNoted, why: standing === 'continued' ? '' : 'it is gone', source,
        },
        createSlot: { type: 'replication.slotCreated', lsn: '900', source: made, isMarked: true },
        startStreaming: { type: 'replication.streaming' },
      },
      ['disconnect'],
    ),
    { name: '@journal' as const, open: () => ({ requests: {}, casts: { note: ({ what }: Message) => noted(what) } }) },
    { machine: replicationClient, name: '@replication-client' as const },
  ];
  for (const [index, spec] of specs.entries()) {
    void runtime.start(spec, { id: String(index) });
    runtime.drain();
  }
  const settle = async () => {
    for (let turn = 0; turn < TURNS; turn += 1) {
      await Promise.resolve();
      runtime.drain();
    }
  };
  return {
    asked,
    settle,
    answer: () => answerHeld({ type: '' }),
    pass: (ms: number) => {
      clock.advance(ms);
      runtime.drain();
    },
    tell: (message: Message) => {
      runtime.send('@replication-client', message);
      runtime.drain();
    },
  };
}

test.each([
  ['continued', ['awaitLock', 'connect', 'startStreaming']],
  [
    'lost',
    [
      'awaitLock', 'connect', 'restartStream of the slot from 0', 'createSlot',
      'purge: it is gone', 'restartStream of the slot that was made from 900', 'startStreaming',
    ],
  ],
] as const)('a slot that is %s', async (standing, requests) => {
  const { asked, settle } = connectTo({ standing });

  await settle();

  expect(asked).toEqual(requests);
});

test('a slot that goes on, of which the log knows another timeline or no publication: it is told, and keeps what it has', async () => {
  const { asked, settle } = connectTo({ standing: 'continued', isNoted: false });

  await settle();

  expect(asked).toEqual(['awaitLock', 'connect', 'restartStream of the slot from null', 'startStreaming']);
});

test('a lock that is lost while the shapes are purged ends the attempt once they are', async () => {
  const { asked, settle, answer, tell } = connectTo({ standing: 'lost', hold: 'purge' });
  tell({ type: 'lock.lost' });
  const whilePurging = [...asked];

  answer();
  await settle();

  expect({ whilePurging: whilePurging.at(-1), after: asked.slice(whilePurging.length) }).toEqual({
    whilePurging: 'purge: it is gone',
    after: ['restartStream of the slot that was made from 900', 'startStreaming', 'disconnect'],
  });
});

/** How often it is told for whom the slot waits, when Postgres says so one after the other. */
function toldOf(...waits: readonly object[]): readonly unknown[] {
  const connected = { type: 'replication.connected', standing: 'new', hasSwitched: false, isNoted: false, why: 'there is none', source };
  const before: Message[] = [{ type: 'lock.isHeld' }, connected, { type: 'stream.restarted' }];
  const events = waits.map((wait): Message => ({ type: 'slot.awaited', ...wait }));
  return events.flatMap((_, index) => {
    const { asked } = walk(replicationClient, { self: 'client#1' }, ...before, ...events.slice(0, index + 1));
    return asked.flatMap(({ params }) => (params as { event?: object }).event ?? []);
  });
}

test('what a new slot waits for is told when it changes, and the advice also where all transactions have ended', () => {
  const process = { transactions: ['process 7'], advice: null };
  const [over, advised] = [{ transactions: [], advice: null }, { transactions: [], advice: 'GRANT EXECUTE' }];

  expect({ first: toldOf(over), changing: toldOf(process, process, over, process), silent: toldOf(advised, advised) }).toMatchObject({
    first: [],
    changing: [{ transactions: ['process 7'] }, { transactions: ['process 7'] }],
    silent: [{ what: 'replication.slotAwaited', transactions: [], advice: 'GRANT EXECUTE' }],
  });
});

test('a publication that leaves out changes ends the stream, and the next attempt finds out what has become of it', async () => {
  const { asked, settle, tell, pass } = connectTo({ standing: 'continued' });
  await settle();

  tell({ type: 'publication.broken', error: { code: 'publication_altered', message: 'it was altered' } });
  pass(FIRST_DELAY_MS);
  await settle();

  expect(asked).toEqual(['awaitLock', 'connect', 'startStreaming', 'disconnect', 'awaitLock', 'connect', 'startStreaming']);
});

test('an attempt that takes too long is told of, and the next one begins with the lock', () => {
  const { asked, pass } = connectTo({ standing: 'continued', hold: 'connect' });

  pass(60_000);
  pass(FIRST_DELAY_MS);

  expect(asked).toEqual(['awaitLock', 'connect', 'replication.overdue', 'disconnect', 'awaitLock', 'connect']);
});

const after = (...events: readonly Message[]) => walk(replicationClient, { self: 'client#1' }, ...events);
const isHeld = { type: 'lock.isHeld' };
const found = (told: object): Message => {
  return { type: 'replication.connected', standing: 'continued', hasSwitched: false, isNoted: true, why: '', source, ...told };
};
const creating = [isHeld, found({ standing: 'lost', why: 'it is gone' }), { type: 'stream.restarted' }];
const slotCreated = { type: 'replication.slotCreated', lsn: '900', source: made, isMarked: true };
const streaming = [isHeld, found({}), { type: 'replication.streaming' }];
const ended = { type: 'replication.ended', error: { code: 'no', message: 'no' }, fatal: false };
const retry = { type: 'timeout.retry' };
const condition = (type: string, more = {}) => ({ type: `condition.${type}`, condition: 'replication', ...more });

/** What the last of the events has it send to one of the others. */
function sentTo(name: Name, ...events: readonly Message[]): readonly unknown[] {
  return after(...events).asked.flatMap(({ params }) => {
    const { to, event } = params as { to?: string; event?: unknown };
    return to === name ? [event] : [];
  });
}

test.each([
  ['begins', streaming, [condition('met', { process: 'client#1' })]],
  ['is asked after', [...streaming, { type: 'reportCondition' }], [condition('lost'), condition('met', { process: 'client#1' })]],
  ['ends', [...streaming, ended], [condition('lost')]],
  ['is ended with the lock', [...streaming, { type: 'lock.lost' }], [condition('lost')]],
  ['has yet to begin, and is asked after', [isHeld, found({}), { type: 'reportCondition' }], []],
])('of a stream that %s the status monitor hears that', (_, events, told) => {
  expect(sentTo('@status-monitor', ...events)).toEqual(told);
});

test('a stream that ends before its begin was told is ended, and the next attempt begins with the lock', () => {
  const { value } = after(isHeld, found({}), ended);
  const { asked } = after(isHeld, found({}), ended, retry);

  expect([value, asked.at(-1)?.params]).toMatchObject(['backingOff', { to: '@connection-lock', request: { type: 'awaitLock' } }]);
});

test('streams that end at once begin more and more seldom, and soon again after one that has lasted', () => {
  const round = [...streaming, ended, retry];
  const delays = [[...streaming, ended], [...round, ...streaming, ended], [...round, ...streaming, { type: 'timeout.proven' }, ended]];

  expect(delays.map((events) => after(...events).asked.at(-1)?.params)).toEqual(
    [FIRST_DELAY_MS, 2 * FIRST_DELAY_MS, FIRST_DELAY_MS].map((delayMs) => ({ name: 'retry', delayMs })),
  );
});

test('a slot that takes long is hastened again and again, and what it has waited for is told of no other', () => {
  const slow = { type: 'timeout.slotAwaited' };
  const awaited = { type: 'slot.awaited', transactions: ['process 7'], advice: 'GRANT EXECUTE' };

  expect([after(...creating, slow, slow).asked, after(...creating, awaited, slotCreated).context]).toMatchObject([
    [
      { type: 'send', params: { to: '@replication', event: { type: 'hastenSlot' } } },
      { type: 'startTimer', params: { name: 'slotAwaited', delayMs: 5_000 } },
    ],
    { awaited: [], advice: null },
  ]);
});

test('what was in the publication need not be in it when the slot was made anew', () => {
  expect(sentTo('@publication-manager', ...creating, slotCreated)).toEqual([{ type: 'slot.renewed' }]);
});

test('a slot that goes on is not begun where one began that was made before it', () => {
  const before = [...creating, slotCreated, { type: 'shapes.purged' }, { type: 'stream.restarted' }, { type: 'replication.streaming' }];
  const { asked } = after(...before, ended, retry, isHeld, found({ isNoted: false, hasSwitched: true }));

  expect(asked.at(-1)?.params).toMatchObject({ to: '@log-writer', request: { type: 'restartStream', lsn: null } });
});

test('a stream that goes on along another timeline is a warning', () => {
  expect(sentTo('@journal', isHeld, found({ hasSwitched: true, isNoted: false, source: { ...source, timeline: '2' } }))).toEqual([
    {
      type: 'note', level: 'warn', what: 'replication.connected', standing: 'continued',
      why: 'another timeline, 2, goes on behind all that is stored',
    },
  ]);
});
