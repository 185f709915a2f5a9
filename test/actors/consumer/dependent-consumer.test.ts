/** The chart of a Consumer whose shape depends on another, step by step. */
import { initialTransition, transition, type EventFromLogic, type SnapshotFrom } from 'xstate';
import { expect, test } from 'vitest';
import { consumer } from '../../../src/actors/consumer/consumer.ts';
import { NO_CONNECTION, type SnapshotFault } from '../../../src/actors/snapshot-fault.ts';
import type { LogOffset } from '../../../src/model/log-offset.ts';
import type { LogPosition } from '../../../src/model/log-position.ts';
import type { Lsn } from '../../../src/model/lsn.ts';
import { parsePgSnapshot } from '../../../src/model/pg-snapshot.ts';
import type { Handle } from '../../../src/model/shape.ts';
import type { Pid, ReplyTo } from '../../../src/otp/process.ts';

type Event = EventFromLogic<typeof consumer>;

const at = (position: number) => position as LogPosition;
const [OLD, NEW] = ['5_0', '7_0'] as [LogOffset, LogOffset];
const [handle, inner, materializer, replyTo] = ['1-1' as Handle, '2-1' as Handle, 'materializer#1' as Pid, 'call#1' as ReplyTo];

/** A shape that comes back at position 10, while the log had been shown up to 30; its Materializer is already further. */
function restored(
  shownThrough: number,
  splice: { place: number; through: number } | null = null,
  view = NEW,
): SnapshotFrom<typeof consumer> {
  const dependencies = [{ handle: inner, column: 'id', consumer: 'consumer#2' as Pid }];
  const position = at(10);
  const input = { self: 'consumer#1' as Pid, handle, mode: 'restore', position, end: '4_0' as LogOffset } as const;
  const told = splice && { place: at(splice.place), through: at(splice.through), views: [view], rowBytes: 0 };
  const events: Event[] = [
    { type: 'child.started', id: 'materializer/2-1/id', pid: materializer },
    { type: 'values.areCurrent', offset: NEW },
    { type: 'views.known', views: [OLD], recorded: [told === null ? OLD : view], splice: told },
    { type: 'shape.registered', position },
  ];
  const [begun] = initialTransition(consumer, { ...input, shownThrough: at(shownThrough), dependencies });
  return events.reduce((snapshot, event) => transition(consumer, snapshot, event)[0], begun);
}

function ingestOf(snapshot: SnapshotFrom<typeof consumer>): unknown {
  return (snapshot.value as { running: { ingest: unknown } }).running.ingest;
}

test('what readers may have seen is made again before a view changes', () => {
  const behind = restored(30);
  const [taken] = transition(consumer, behind, { type: 'block.loaded', after: at(10), through: at(30) });
  const [there] = transition(consumer, taken, { type: 'log.taken', through: at(30), end: '4_0' as LogOffset, changed: false });

  expect([behind, there].map(ingestOf)).toEqual(['loading', { splicing: 'planning' }]);
});

test('what is made again goes on behind a splice that is recorded, and only then another one is planned', () => {
  const events: Event[] = [
    { type: 'splice.isDurable' },
    { type: 'moves.areTold' },
    { type: 'moves.areTold' },
    { type: 'splice.taken', views: ['6_0' as LogOffset], splice: null, end: '6_0' as LogOffset, changed: true },
  ];
  const taken = events.reduce((snapshot, event) => transition(consumer, snapshot, event)[0], restored(30, { place: 10, through: 10 }));

  expect({ ingest: ingestOf(taken), reach: taken.context.reach }).toEqual({ ingest: 'loading', reach: 30 });
});

test('with nothing to make again, what has moved meanwhile is the first to come', () => {
  expect(ingestOf(restored(10))).toEqual({ splicing: 'planning' });
});

test('a splice that is recorded has its turn at its own place, before another is planned', () => {
  const [before, there] = [restored(10, { place: 20, through: 20 }), restored(10, { place: 10, through: 20 })];

  expect([before, there].map(ingestOf)).toEqual(['loading', { splicing: 'loading' }]);
});

const MOVES = { type: 'takeMoves', handle: inner, column: 'id', through: '9_0' as LogOffset, position: at(40), replyTo } as const;

const pgSnapshot = parsePgSnapshot('1:1:', '77' as Lsn);
const PLANNED: Event = { type: 'splice.planned', views: [NEW], needsQuery: true };
const QUERIED: Event = { type: 'moves.queried', pgSnapshot, rows: null };
const PASSED: Event = { type: 'log.hasPassed', through: at(20) };
const LOADED: Event = { type: 'block.loaded', after: at(10), through: at(20) };
const TAKEN: Event = { type: 'log.taken', through: at(20), end: '7_3' as LogOffset, changed: false };

/** A splice from 10 to 20, with rows. */
const SPLICE: readonly Event[] = [
  PLANNED,
  QUERIED,
  PASSED,
  { type: 'splice.recorded', splice: { place: at(10), through: at(20), views: [NEW], rowBytes: 7 } },
  { type: 'splice.isDurable' },
  LOADED,
  { type: 'seen.taken', through: at(20), isMuch: false },
  { type: 'moves.areTold' },
  { type: 'moved.read', through: 7 },
  { type: 'moved.taken', isMuch: false },
  { type: 'moves.areTold' },
  { type: 'splice.taken', views: [NEW], splice: null, end: '7_3' as LogOffset, changed: true },
];

function after(...events: readonly Event[]): SnapshotFrom<typeof consumer> {
  return events.reduce((snapshot, event) => transition(consumer, snapshot, event)[0], restored(10));
}

test('a move is taken at once, wherever the shape stands in a splice, and holds the splice up nowhere', () => {
  const places = SPLICE.map((_, count) => after(...SPLICE.slice(0, count)));
  const taken = places.map((place) => {
    const [behind, actions] = transition(consumer, place, MOVES);
    return { ingest: ingestOf(behind), told: behind.context.told, replies: actions.map(({ type }) => type) };
  });

  expect(taken).toEqual(places.map((place) => ({ ingest: ingestOf(place), told: [MOVES.through], replies: ['reply'] })));
});

test('a move that comes while a splice is made is the next one, when the shape has read on as far as that looked ahead', () => {
  const spliced = [...SPLICE.slice(0, 4), MOVES, ...SPLICE.slice(4)];

  expect([after(...spliced), after(...spliced, LOADED, TAKEN)].map((place) => [ingestOf(place), place.context.views])).toEqual([
    ['loading', [NEW]], [{ splicing: 'planning' }, [NEW]],
  ]);
});

test('a splice is recorded when the log has passed where the WAL of its query ended, and not before', () => {
  const [covering, asked] = transition(consumer, after(PLANNED), QUERIED);
  const [recording, made] = transition(consumer, covering, PASSED);

  expect({ states: [covering, recording].map(ingestOf), asked, made }).toMatchObject({
    states: [{ splicing: 'covering' }, { splicing: 'recording' }],
    asked: [{ type: 'call', params: { to: '@log-writer', request: { type: 'awaitPassed', lsn: '77' } } }],
    made: [{ type: 'apply', params: { change: { record: { place: 10, through: 20, views: [NEW] } } } }],
  });
});

test('a shape that goes along and hears of a move leaves the pace in the same step', () => {
  const live = after(...SPLICE, LOADED, TAKEN);
  const [{ context }, actions] = transition(consumer, live, MOVES);

  expect({ live: ingestOf(live), told: context.told, actions }).toMatchObject({
    live: 'live',
    told: [MOVES.through],
    actions: [
      { type: 'reply', params: { to: replyTo, event: { type: 'moves.taken' } } },
      { type: 'apply', params: { table: 'log', change: 'leavePace' } },
    ],
  });
});

test('what a splice brought is passed on to those who follow the shape, before it makes another or goes along', () => {
  const [followed] = transition(consumer, after(...SPLICE.slice(0, -1)), { type: 'subscribers.counted', count: 1 });
  const splice = SPLICE.at(-1) ?? MOVES;
  const [passing, made] = transition(consumer, followed, splice);
  const [passed] = transition(consumer, passing, { type: 'appended.done', failed: [] });
  const [silent] = transition(consumer, followed, { ...splice, changed: false } as Event);

  expect({ states: [passing, passed, silent].map(ingestOf), made }).toMatchObject({
    states: ['passingOn', 'loading', 'loading'],
    made: [
      { type: 'apply', params: { change: { publish: 10 } } },
      { type: 'multicall', params: { table: 'materializers', request: { type: 'takeAppended', through: '7_3', position: 10 } } },
    ],
  });
});

test('a shape that is followed and hears of a move while it passes on what it took leaves the pace in the same step', () => {
  const [followed] = transition(consumer, after(...SPLICE, LOADED), { type: 'subscribers.counted', count: 1 });
  const [passing] = transition(consumer, followed, { ...TAKEN, changed: true });
  const [behind, actions] = transition(consumer, passing, MOVES);
  const [standing] = transition(consumer, behind, { type: 'log.located', position: at(25) });

  expect({ states: [passing, behind].map(ingestOf), contexts: [behind.context, standing.context], actions }).toMatchObject({
    states: ['passingOn', 'passingOn'],
    contexts: [{ told: [MOVES.through] }, { position: 25 }],
    actions: [
      { type: 'apply', params: { table: 'log', change: 'leavePace' } },
      { type: 'reply', params: { to: replyTo, event: { type: 'moves.taken' } } },
    ],
  });
});

test('a move of values that the shape does not look up is our bug, and said so', () => {
  const strange = { ...MOVES, column: 'other' };

  expect(() => transition(consumer, restored(10), strange)).toThrow('moves are told of values that the shape looks up');
});

test('what was against a query about moves is told, also when it is asked again', () => {
  const error = { name: 'snapshot_failed', code: 'snapshot_failed', message: 'no such operator', status: 500 } as const;
  const [querying] = transition(consumer, restored(10), { type: 'splice.planned', views: [NEW], needsQuery: true });
  const [pausing, actions] = transition(consumer, querying, { type: 'moves.failed', error });

  expect({ ingest: ingestOf(pausing), sent: actions.filter(({ type }) => type === 'send') }).toMatchObject({
    ingest: { splicing: 'pausing' },
    sent: [{ params: { to: '@journal', event: { level: 'warn', what: 'moves.failed', handle, error } } }],
  });
});

test('a bug of ours that met the query about its moves is the end of the Consumer, and not tried again', () => {
  const error = { name: 'InvariantError', message: 'a claim', stack: 'where it was made' };
  const [querying] = transition(consumer, restored(10), { type: 'splice.planned', views: [NEW], needsQuery: true });
  const [, actions] = transition(consumer, querying, { type: 'moves.crashed', error });

  expect(actions).toMatchObject([{ type: 'stop', params: { reason: { error } } }]);
});

test('a shape whose moves cannot be queried outlives an outage of Postgres of any length', () => {
  const attempts = Array.from({ length: 50 }, (): Event[] => [
    { type: 'splice.planned', views: [NEW], needsQuery: true },
    { type: 'moves.failed', error: NO_CONNECTION },
    { type: 'timeout.askAgain' },
  ]);
  const after = attempts.flat().reduce((snapshot, event) => transition(consumer, snapshot, event)[0], restored(10));

  expect(ingestOf(after)).toEqual({ splicing: 'planning' });
});

/** What each event has the Consumer ask of its table and of others. */
function asksOf(begun: SnapshotFrom<typeof consumer>, events: readonly Event[]): readonly unknown[] {
  let snapshot = begun;
  return events.flatMap((event) => {
    const [next, actions] = transition(consumer, snapshot, event);
    snapshot = next;
    return actions.flatMap(({ type, params }) => {
      const { request, change } = (params ?? {}) as { request?: unknown; change?: unknown };
      return type === 'call' ? [request] : type === 'apply' ? [change] : [];
    });
  });
}

const ROWS = { bytes: 5, sums: [0] };
const QUERIED_ROWS: Event = { type: 'moves.queried', pgSnapshot, rows: ROWS };
const failed = { to: '@peer', request: 'any', reason: 'noproc' } as const;

test('a splice is planned, queried, covered, recorded and made, and the shape reads on as far as that looked ahead', () => {
  const splice = { place: at(10), through: at(20), views: [NEW], rowBytes: 5 };
  const asked = asksOf(restored(10), [
    PLANNED,
    QUERIED_ROWS,
    { type: 'log.hasPassed', through: at(20) },
    { type: 'splice.recorded', splice },
    { type: 'splice.isDurable' },
    { type: 'block.loaded', after: at(10), through: at(20) },
    { type: 'seen.taken', through: at(20), isMuch: true },
    { type: 'lines.spilled' },
    { type: 'moves.partlyTold' },
    { type: 'lines.spilled' },
    { type: 'moves.areTold' },
    { type: 'moved.read', through: 5 },
    { type: 'moved.taken', isMuch: true },
    { type: 'lines.spilled' },
    { type: 'moves.partlyTold' },
    { type: 'lines.spilled' },
    { type: 'moves.areTold' },
    { type: 'splice.taken', views: [NEW], splice: null, end: '8_0' as LogOffset, changed: true },
  ]);

  const draft = { place: 10, through: 20, views: [NEW], pgSnapshot, rows: ROWS };
  const block = { type: 'loadBlock', owner: 'consumer#1', after: 10, through: 20 };
  expect(asked).toEqual([
    { type: 'queryMoves', handle, views: [NEW] },
    { type: 'awaitPassed', lsn: '77' },
    { record: draft },
    { type: 'syncSplice' },
    block,
    { takeSeen: { after: 10, through: 20 } },
    { type: 'spillLines', handle },
    'tellMoveIn',
    { type: 'spillLines', handle },
    'tellMoveIn',
    { type: 'readMoved', handle, owner: 'consumer#1', at: 0 },
    'takeMoved',
    { type: 'spillLines', handle },
    'endRows',
    'tellMoveOut',
    { type: 'spillLines', handle },
    'tellMoveOut',
    'endSplice',
    { publish: 10 },
    block,
  ]);
});

test('a splice is made while its record is on its way to the disk, and is read when that is there, whichever takes longer', () => {
  const [recorded, made] = [SPLICE.slice(0, 4), SPLICE.slice(5, -1)];
  const durable: Event = { type: 'splice.isDurable' };
  const orders = [...made, durable].map((_, place) => asksOf(after(...recorded), made.toSpliced(place, 0, durable)));
  const [last, told] = [after(...recorded, ...made), asksOf(after(...recorded, ...made), [durable])];

  expect({ orders: new Set(orders.map((asked) => JSON.stringify(asked))).size, last: ingestOf(last), told }).toEqual({
    orders: 1, last: { splicing: 'confirming' }, told: ['endSplice'],
  });
});

test('that the record of one splice is durable says nothing of the next one', () => {
  const later = SPLICE.slice(0, 4).map((event) => (event === PASSED ? { ...PASSED, through: at(30) } : event));
  const made = SPLICE.slice(5, -1);
  const second = after(...SPLICE.slice(0, 4), MOVES, ...SPLICE.slice(4), LOADED, TAKEN, ...later, ...made);

  expect(ingestOf(second)).toEqual({ splicing: 'confirming' });
});

test('a query that saw nothing beyond where the shape stands looks no further back than there', () => {
  const asked = asksOf(restored(10), [PLANNED, QUERIED, { type: 'log.hasPassed', through: at(5) }]);

  expect(asked.at(-1)).toMatchObject({ record: { place: 10, through: 10 } });
});

const REFUSAL = { name: 'snapshot_failed', code: 'snapshot_failed', message: 'no', status: 500 } as const;

/** How long the shape waits between its queries, each of which fails with this, until it ends or has asked twenty times. */
function pausesOf(error: SnapshotFault) {
  const pauses: unknown[] = [];
  let snapshot = restored(10);
  for (let times = 0; times < 20; times += 1) {
    for (const event of [PLANNED, { type: 'moves.failed', error }, { type: 'timeout.askAgain' }] satisfies Event[]) {
      if (snapshot.status !== 'active') return { pauses, output: snapshot.output };
      const [next, actions] = transition(consumer, snapshot, event);
      pauses.push(...actions.filter(({ type }) => type === 'startTimer').map(({ params }) => (params as { delayMs: number }).delayMs));
      snapshot = next;
    }
  }
  return { pauses, output: snapshot.output };
}

test('a query that fails is asked again later each time, and after the last time the shape ends', () => {
  expect(pausesOf(REFUSAL)).toEqual({
    pauses: [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000],
    output: { reason: { shutdown: { delete: 'movesNotQueried' } } },
  });
});

test('while Postgres is away it is asked again later each time, up to eight seconds, and the shape goes on', () => {
  expect(pausesOf(NO_CONNECTION)).toEqual({ pauses: [500, 1_000, 2_000, 4_000, ...Array<number>(16).fill(8_000)], output: undefined });
});

test('a splice behind another one is seen and read from its own beginning', () => {
  const [first, second] = [10, 20].map((place) => ({ place: at(place), through: at(place + 10), views: [NEW], rowBytes: 5 }));
  const made = (number: number): Event[] => [
    { type: 'splice.isDurable' },
    { type: 'block.loaded', after: at(number), through: at(number + 10) },
    { type: 'seen.taken', through: at(number + 10), isMuch: false },
    { type: 'moves.areTold' },
    { type: 'moved.read', through: 5 },
    { type: 'moved.taken', isMuch: false },
    { type: 'moves.areTold' },
  ];
  const events: Event[] = [
    PLANNED, QUERIED_ROWS, { type: 'log.hasPassed', through: at(20) }, { type: 'splice.recorded', splice: first ?? null }, ...made(10),
    { type: 'splice.taken', views: [NEW], splice: second ?? null, end: '8_0' as LogOffset, changed: true },
    { type: 'block.loaded', after: at(10), through: at(20) },
    { type: 'log.taken', through: at(20), end: '9_0' as LogOffset, changed: false },
    ...made(20),
  ];

  const asked = asksOf(restored(10), events).filter((each) => JSON.stringify(each).includes('"type":"'));
  expect(asked.slice(-4)).toMatchObject([
    { type: 'loadBlock', after: 10, through: 20 }, { type: 'syncSplice' }, { type: 'loadBlock', after: 20, through: 30 },
    { type: 'readMoved', at: 0 },
  ]);
});

test.each<[string, SnapshotFrom<typeof consumer>, unknown]>([
  ['up to what readers may have seen', restored(30), 30],
  ['up to a splice that is recorded, and no further', restored(30, { place: 20, through: 20 }), 20],
])('a shape that comes back reads %s', (_, { context }, through) => {
  const events: Event[] = [{ type: 'log.taken', through: at(15), end: '4_0' as LogOffset, changed: false }];
  const taking = transition(consumer, restored(30, context.splice && { place: 20, through: 20 }), {
    type: 'block.loaded', after: at(10), through: at(15),
  })[0];

  expect(asksOf(taking, events).at(-1)).toEqual({ type: 'loadBlock', owner: 'consumer#1', after: 15, through });
});

test.each<[string, readonly Event[]]>([
  ['who asks Postgres goes', [PLANNED, { type: 'moveQuery.failed', ...failed }]],
  ['who writes the log goes', [PLANNED, QUERIED_ROWS, { type: 'coverage.failed', ...failed }]],
])('when %s the shape plans anew, and counts no failure', (_, events) => {
  const again = [...events, { type: 'timeout.askAgain' } as const];
  const pausing = after(...again);

  expect({ ingest: ingestOf(pausing), failures: pausing.context.failures }).toEqual({ ingest: { splicing: 'planning' }, failures: 0 });
});

test('a query that succeeds makes the ones that failed before it count no more', () => {
  const events: Event[] = [PLANNED, { type: 'moves.failed', error: REFUSAL }, { type: 'timeout.askAgain' }, PLANNED, QUERIED_ROWS];

  expect(after(...events).context.failures).toBe(0);
});

const UNCAST = { code: '22P02', message: 'invalid input syntax for type integer: "x"', status: 400 } as const;
const recorded = restored(10, { place: 10, through: 10 });

test.each<[string, SnapshotFrom<typeof consumer>, readonly Event[], unknown]>([
  [
    'its table is not what it was', restored(10),
    [PLANNED, { type: 'moves.failed', error: { code: 'schema_changed', message: 'no', status: 409 } }],
    { delete: 'schemaChanged' },
  ],
  [
    'its filter has an error in a row that moves', restored(10),
    [PLANNED, { type: 'moves.failed', error: { code: '22012', message: 'division by zero', status: 400 } }],
    { delete: 'filterFailed', error: { code: '22012', message: 'division by zero', status: 400 } },
  ],
  [
    'rows of a splice are damaged', recorded,
    [{ type: 'splice.isDurable' }, { type: 'moves.areTold' }, { type: 'moved.refused', why: 'its rows do not hold' }],
    { delete: 'its rows do not hold', isDamaged: true },
  ],
  ['who keeps splices is gone', recorded, [{ type: 'splice.failed', ...failed }], 'drain'],
  ['who keeps the values is gone', recorded, [{ type: 'values.areGone' }], 'drain'],
  ['it is told that the one it depends on is invalid', recorded, [{ type: 'invalidate', reason: 'killed', replyTo }], {
    delete: 'a shape that it depends on is gone',
  }],
  [
    'it is told that a value there cannot be cast, with what a client is told of that', recorded,
    [{ type: 'invalidate', reason: { shutdown: { delete: 'filterFailed', error: UNCAST } }, replyTo }],
    { delete: 'a shape that it depends on is gone', error: UNCAST },
  ],
  [
    'the one it depends on has failed, with what a client is told of that', recorded,
    [{
      type: 'dependency.down', process: materializer,
      reason: { shutdown: { delete: 'its subquery selects too many', error: { code: 'too_many_values', message: 'many', status: 503 } } },
    }],
    { delete: 'a shape that it depends on is gone', error: { code: 'too_many_values', message: 'many', status: 503 } },
  ],
])('a shape ends when %s', (_, begun, events, shutdown) => {
  const after = events.reduce((snapshot, event) => transition(consumer, snapshot, event)[0], begun);

  expect(after.output).toEqual({ reason: { shutdown } });
});

test('who tells that the values are invalid is answered', () => {
  const [, actions] = transition(consumer, recorded, { type: 'invalidate', reason: 'killed', replyTo });

  expect(actions).toMatchObject([{ type: 'reply', params: { to: replyTo, event: { type: 'invalidation.noted' } } }]);
});

test('a shape inside a large transaction goes through that before a view changes', () => {
  const events: Event[] = [
    MOVES, { type: 'block.loaded', after: at(10), through: at(30) }, { type: 'part.taken', through: at(30), isMuch: false },
  ];
  const inside = events.reduce((snapshot, event) => transition(consumer, snapshot, event)[0], restored(30));
  const { cursor, position, offered } = inside.context;

  expect({ ingest: ingestOf(inside), cursor, position, offered }).toEqual({ ingest: 'loading', cursor: 30, position: 10, offered: 40 });
});

test('no block is routed to a shape that comes back before the values have come as far as it was', () => {
  const late = restored(10, { place: 10, through: 10 }, '8_0' as LogOffset);
  const [there, actions] = transition(consumer, late, { ...MOVES, through: '8_0' as LogOffset, position: at(10) });
  const [registered] = transition(consumer, there, { type: 'shape.registered', position: at(25) });

  expect([late, there, registered].map(ingestOf)).toEqual([{ depending: 'awaitingValues' }, 'registering', { splicing: 'movingIn' }]);
  expect(actions).toContainEqual(expect.objectContaining({
    type: 'call',
    params: { to: '@shape-log-collector', request: { type: 'registerShape', handle, consumer: 'consumer#1' }, as: 'registration' },
  }));
  expect(registered.context.offered).toBe(25);
});

test.each<[string, object, readonly string[]]>([
  ['less than it was told before', { through: OLD }, [NEW]],
  ['more', {}, ['9_0']],
])('a shape that is told %s has been told the more of both', (_, changes, told) => {
  const [{ context }] = transition(consumer, restored(30), { ...MOVES, ...changes });

  expect(context.told).toEqual(told);
});

/** A shape that looks for who keeps the values of two columns. */
function depending(...events: readonly Event[]): SnapshotFrom<typeof consumer> {
  const dependencies = ['id', 'parent'].map((column) => ({ handle: inner, column, consumer: 'consumer#2' as Pid }));
  const input = { self: 'consumer#1' as Pid, handle, mode: 'restore', position: at(10), end: '4_0' as LogOffset, dependencies } as const;
  return events.reduce((snapshot, event) => transition(consumer, snapshot, event)[0], initialTransition(consumer, input)[0]);
}

const started = (pid: Pid): Event => ({ type: 'child.started', id: 'materializer/2-1/id', pid });
const down = (process: Pid, reason: unknown): Event => ({ type: 'dependency.down', process, reason }) as Event;
const [first, second] = ['materializer#1', 'materializer#2'] as Pid[];

test('who keeps the values is watched before it is asked, and found where it runs already', () => {
  const found: Event = { type: 'child.refused', id: 'materializer/2-1/id', reason: 'already_started', pid: materializer };
  const [subscribing, actions] = transition(consumer, depending(), found);

  expect({ ingest: ingestOf(subscribing), actions }).toMatchObject({
    ingest: { depending: 'subscribing' },
    actions: [
      { type: 'monitor', params: { process: materializer, as: 'dependency' } },
      { type: 'call', params: { to: materializer, request: { type: 'subscribe', dependant: 'consumer#1' } } },
    ],
  });
});

test('one that ended before it was subscribed to is started again, so often and no more', () => {
  const states: unknown[] = [];
  let snapshot = depending();
  for (let times = 0; times < 10 && snapshot.status === 'active'; times += 1) {
    for (const event of [started(materializer), down(materializer, 'noproc')]) snapshot = transition(consumer, snapshot, event)[0];
    states.push(snapshot.status === 'active' ? ingestOf(snapshot) : snapshot.output);
  }

  expect(states).toEqual([...Array<unknown>(8).fill({ depending: 'starting' }), { reason: { shutdown: 'drain' } }]);
});

test('one that was subscribed to and ends takes the shape along while it looks for the next, and so does one that is invalid', () => {
  const subscribed = [started(first as Pid), { type: 'values.areCurrent', offset: NEW } as Event, started(second as Pid)];
  const ends = [down(first as Pid, 'noproc'), down(second as Pid, { shutdown: { delete: 'gone' } })];

  expect(ends.map((end) => depending(...subscribed, { type: 'values.areInvalid' }, end).output)).toEqual([
    { reason: { shutdown: 'drain' } },
    { reason: { shutdown: { delete: 'a shape that it depends on is gone' } } },
  ]);
});

test.each<[string, Event]>([
  ['cannot be started', { type: 'child.refused', id: 'materializer/2-1/id', reason: 'max_children' }],
  ['cannot even be named', { type: 'child.refused', reason: 'unknown_template' }],
  ['is asked for in vain', { type: 'dependency.failed', ...failed }],
])('a shape whose values nobody keeps ends in good order: one who would %s', (_, refusal) => {
  expect(depending(refusal).output).toEqual({ reason: { shutdown: 'drain' } });
});

test('one that was found in time makes the ones that were not count no more', () => {
  const found: Event[] = [
    started(first as Pid), down(first as Pid, 'noproc'), started(second as Pid), { type: 'values.areCurrent', offset: NEW },
  ];

  expect(depending(...found).context.failures).toBe(0);
});
