/** The chart of a Consumer whose shape depends on another, step by step. */
import { initialTransition, transition, type EventFromLogic, type SnapshotFrom } from 'xstate';
import { expect, test } from 'vitest';
import { consumer } from '../../../src/actors/consumer/consumer.ts';
import { NO_CONNECTION, type SnapshotFault } from '../../../src/actors/snapshot-fault.ts';
import type { LogOffset } from '../../../src/model/log-offset.ts';
import type { LogPosition } from '../../../src/model/log-position.ts';
import type { Lsn } from '../../../src/model/lsn.ts';
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
    { type: 'views.known', views: [OLD], splice: told },
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
    { type: 'moves.begun' },
    { type: 'splice.taken', views: ['6_0' as LogOffset], splice: null, end: '6_0' as LogOffset },
  ];
  const taken = events.reduce((snapshot, event) => transition(consumer, snapshot, event)[0], restored(30, { place: 10, through: 10 }));

  expect({ ingest: ingestOf(taken), reach: taken.context.reach }).toEqual({ ingest: 'loading', reach: 30 });
});

test('with nothing to make again, what has moved meanwhile is the first to come', () => {
  expect(ingestOf(restored(10))).toEqual({ splicing: 'planning' });
});

test('a splice that is recorded has its turn at its own place, before another is planned', () => {
  const [before, there] = [restored(10, { place: 20, through: 20 }), restored(10, { place: 10, through: 20 })];

  expect([before, there].map(ingestOf)).toEqual(['loading', { splicing: 'confirming' }]);
});

test('a move is taken at once, in every state, and leads the shape out of the pace', () => {
  const moves = { type: 'takeMoves', handle: inner, column: 'id', through: '9_0' as LogOffset, position: at(40), replyTo } as const;
  const [first, actions] = transition(consumer, restored(30), moves);

  expect({ ingest: ingestOf(first), told: first.context.told, replies: actions.filter(({ type }) => type === 'reply') }).toMatchObject({
    ingest: 'loading',
    told: ['9_0'],
    replies: [{ params: { to: replyTo, event: { type: 'moves.taken' } } }],
  });
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

test('a shape whose moves cannot be queried outlives an outage of Postgres of any length', () => {
  const attempts = Array.from({ length: 50 }, (): Event[] => [
    { type: 'splice.planned', views: [NEW], needsQuery: true },
    { type: 'moves.failed', error: NO_CONNECTION },
    { type: 'timeout.askAgain' },
  ]);
  const after = attempts.flat().reduce((snapshot, event) => transition(consumer, snapshot, event)[0], restored(10));

  expect(ingestOf(after)).toEqual({ splicing: 'planning' });
});

function step(snapshot: SnapshotFrom<typeof consumer>, event: Event) {
  return transition(consumer, snapshot, event);
}

/** What each event has the Consumer ask of its table and of others. */
function asksOf(begun: SnapshotFrom<typeof consumer>, events: readonly Event[]): readonly unknown[] {
  let snapshot = begun;
  return events.flatMap((event) => {
    const [next, actions] = step(snapshot, event);
    snapshot = next;
    return actions.flatMap(({ type, params }) => {
      const { request, change } = (params ?? {}) as { request?: unknown; change?: unknown };
      return type === 'call' ? [request] : type === 'apply' ? [change] : [];
    });
  });
}

const pgSnapshot = { xmin: '1', xmax: '1', xip: [], insertLsn: '77' as Lsn };
const rows = { bytes: 5, sums: [0] };
const planned: Event = { type: 'splice.planned', views: [NEW], needsQuery: true };
const queried: Event = { type: 'moves.queried', pgSnapshot, rows };
const failed = { to: '@peer', request: 'any', reason: 'noproc' } as const;

test('a splice is planned, queried, covered, recorded and made, and the shape reads on as far as that looked ahead', () => {
  const splice = { place: at(10), through: at(20), views: [NEW], rowBytes: 5 };
  const asked = asksOf(restored(10), [
    planned,
    queried,
    { type: 'log.hasPassed', through: at(20) },
    { type: 'splice.recorded', splice },
    { type: 'splice.isDurable' },
    { type: 'block.loaded', after: at(10), through: at(20) },
    { type: 'seen.taken', through: at(20), isMuch: true },
    { type: 'lines.spilled' },
    { type: 'moves.begun' },
    { type: 'moved.read', through: 5 },
    { type: 'moved.taken', isMuch: true },
    { type: 'lines.spilled' },
    { type: 'splice.taken', views: [NEW], splice: null, end: '8_0' as LogOffset },
  ]);

  const draft = { place: 10, through: 20, views: [NEW], pgSnapshot, rows };
  const block = { type: 'loadBlock', owner: 'consumer#1', after: 10, through: 20 };
  expect(asked).toEqual([
    { type: 'queryMoves', handle, views: [NEW] },
    { type: 'awaitPassed', lsn: '77' },
    { record: draft },
    { type: 'syncSplice' },
    block,
    { takeSeen: { after: 10, through: 20 } },
    { type: 'spillLines', handle },
    'beginMoves',
    { type: 'readMoved', handle, owner: 'consumer#1', at: 0 },
    'takeMoved',
    { type: 'spillLines', handle },
    'endMoves',
    { publish: 10 },
    block,
  ]);
});

test('a query that saw nothing beyond where the shape stands looks no further back than there', () => {
  const asked = asksOf(restored(10), [planned, { ...queried, rows: null }, { type: 'log.hasPassed', through: at(5) }]);

  expect(asked.at(-1)).toMatchObject({ record: { place: 10, through: 10 } });
});

const REFUSAL = { name: 'snapshot_failed', code: 'snapshot_failed', message: 'no', status: 500 } as const;

/** How long the shape waits between its queries, each of which fails with this, until it ends or has asked twenty times. */
function pausesOf(error: SnapshotFault) {
  const pauses: unknown[] = [];
  let snapshot = restored(10);
  for (let times = 0; times < 20; times += 1) {
    for (const event of [planned, { type: 'moves.failed', error }, { type: 'timeout.askAgain' }] satisfies Event[]) {
      if (snapshot.status !== 'active') return { pauses, output: snapshot.output };
      const [next, actions] = step(snapshot, event);
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
    { type: 'moves.begun' },
    { type: 'moved.read', through: 5 },
    { type: 'moved.taken', isMuch: false },
  ];
  const events: Event[] = [
    planned, queried, { type: 'log.hasPassed', through: at(20) }, { type: 'splice.recorded', splice: first ?? null }, ...made(10),
    { type: 'splice.taken', views: [NEW], splice: second ?? null, end: '8_0' as LogOffset },
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

test('behind a splice the shape reads on as far as that looked ahead before it makes another one', () => {
  const splice = { place: at(10), through: at(20), views: ['6_0' as LogOffset], rowBytes: 0 };
  const events: Event[] = [
    planned, { ...queried, rows: null }, { type: 'log.hasPassed', through: at(20) }, { type: 'splice.recorded', splice },
    { type: 'splice.isDurable' }, { type: 'block.loaded', after: at(10), through: at(20) },
    { type: 'seen.taken', through: at(20), isMuch: false }, { type: 'moves.begun' },
    { type: 'splice.taken', views: splice.views, splice: null, end: '8_0' as LogOffset },
  ];
  const after = events.reduce((snapshot, event) => transition(consumer, snapshot, event)[0], restored(10));

  expect([ingestOf(after), after.context.reach]).toEqual(['loading', 20]);
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

test('a shape that goes along leaves the pace when it hears of a move, and stands before the transaction that moved', () => {
  const along = { type: 'views.known', views: [NEW], splice: null } as const;
  const begun = [started(materializer), { type: 'values.areCurrent', offset: NEW }, along, { type: 'shape.registered', position: at(10) }];
  const live = (begun as Event[]).reduce((snapshot, event) => transition(consumer, snapshot, event)[0], dependingOn(1));
  const moves = { type: 'takeMoves', handle: inner, column: 'column 1', through: '9_0' as LogOffset, position: at(40), replyTo } as const;
  const [leaving] = transition(consumer, live, moves);

  expect([ingestOf(live), asksOf(live, [moves]).at(-1), ingestOf(leaving)]).toEqual(['live', 'leavePace', 'steppingAside']);
});

test.each<[string, readonly Event[]]>([
  ['who asks Postgres goes', [planned, { type: 'moveQuery.failed', ...failed }]],
  ['who writes the log goes', [planned, queried, { type: 'coverage.failed', ...failed }]],
])('when %s the shape plans anew, and counts no failure', (_, events) => {
  const again = [...events, { type: 'timeout.askAgain' } as const];
  const after = again.reduce((snapshot, event) => transition(consumer, snapshot, event)[0], restored(10));

  expect({ ingest: ingestOf(after), failures: after.context.failures }).toEqual({ ingest: { splicing: 'planning' }, failures: 0 });
});

test('a query that succeeds makes the ones that failed before it count no more', () => {
  const events: Event[] = [planned, { type: 'moves.failed', error: REFUSAL }, { type: 'timeout.askAgain' }, planned, queried];
  const after = events.reduce((snapshot, event) => transition(consumer, snapshot, event)[0], restored(10));

  expect(after.context.failures).toBe(0);
});

const recorded = restored(10, { place: 10, through: 10 });

test.each<[string, SnapshotFrom<typeof consumer>, readonly Event[], unknown]>([
  [
    'its table is not what it was', restored(10),
    [planned, { type: 'moves.failed', error: { code: 'schema_changed', message: 'no', status: 409 } }],
    { delete: 'schemaChanged' },
  ],
  [
    'rows of a splice are damaged', recorded,
    [{ type: 'splice.isDurable' }, { type: 'moves.begun' }, { type: 'moved.refused', why: 'its rows do not hold' }],
    { delete: 'its rows do not hold', isDamaged: true },
  ],
  ['who keeps splices is gone', recorded, [{ type: 'splice.failed', ...failed }], 'drain'],
  ['who keeps the values is gone', recorded, [{ type: 'values.areGone' }], 'drain'],
  ['it is told that the one it depends on is invalid', recorded, [{ type: 'invalidate', replyTo }], {
    delete: 'a shape that it depends on is gone',
  }],
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
  const [, actions] = transition(consumer, recorded, { type: 'invalidate', replyTo });

  expect(actions).toMatchObject([{ type: 'reply', params: { to: replyTo, event: { type: 'invalidation.noted' } } }]);
});

test('a shape inside a large transaction goes through that before a view changes', () => {
  const moves = { type: 'takeMoves', handle: inner, column: 'id', through: '9_0' as LogOffset, position: at(40), replyTo } as const;
  const events: Event[] = [
    moves, { type: 'block.loaded', after: at(10), through: at(30) }, { type: 'part.taken', through: at(30), isMuch: false },
  ];
  const inside = events.reduce((snapshot, event) => transition(consumer, snapshot, event)[0], restored(30));
  const { cursor, position, offered } = inside.context;

  expect({ ingest: ingestOf(inside), cursor, position, offered }).toEqual({ ingest: 'loading', cursor: 30, position: 10, offered: 40 });
});

test('a shape that comes back waits until the values have come as far as it was', () => {
  const moves = { type: 'takeMoves', handle: inner, column: 'id', through: '8_0' as LogOffset, position: at(10), replyTo } as const;
  const late = restored(10, { place: 10, through: 10 }, '8_0' as LogOffset);
  const [there] = transition(consumer, late, moves);

  expect([late, there].map(ingestOf)).toEqual(['awaitingValues', { splicing: 'confirming' }]);
});

test.each<[string, object, readonly string[]]>([
  ['another column', { column: 'other' }, [NEW]],
  ['another shape', { handle: '3-1' }, [NEW]],
  ['less than was told before', { through: OLD }, [NEW]],
  ['more', {}, ['9_0']],
])('what is told of %s changes what a shape was told of its own only where that is more', (_, changes, told) => {
  const moves = { type: 'takeMoves', handle: inner, column: 'id', through: '9_0' as LogOffset, position: at(40), replyTo } as const;
  const [{ context }] = transition(consumer, restored(30), { ...moves, ...changes });

  expect(context.told).toEqual(told);
});

/** A shape that looks for who keeps the values of so many others. */
function dependingOn(count: number): SnapshotFrom<typeof consumer> {
  const columns = Array.from({ length: count }, (_, index) => `column ${index + 1}`);
  const dependencies = columns.map((column) => ({ handle: inner, column, consumer: 'consumer#2' as Pid }));
  const input = { self: 'consumer#1' as Pid, handle, mode: 'restore', position: at(10), end: '4_0' as LogOffset, dependencies } as const;
  return initialTransition(consumer, input)[0];
}

function depending(...events: readonly Event[]): SnapshotFrom<typeof consumer> {
  return events.reduce((snapshot, event) => transition(consumer, snapshot, event)[0], dependingOn(2));
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
