/** The chart of a Consumer whose shape depends on another, step by step. */
import { initialTransition, transition, type EventFromLogic, type SnapshotFrom } from 'xstate';
import { expect, test } from 'vitest';
import { consumer } from '../../../src/actors/consumer/consumer.ts';
import { NO_CONNECTION } from '../../../src/actors/snapshot-fault.ts';
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
function restored(shownThrough: number, splice: { place: number; through: number } | null = null): SnapshotFrom<typeof consumer> {
  const dependencies = [{ handle: inner, column: 'id', consumer: 'consumer#2' as Pid }];
  const position = at(10);
  const input = { self: 'consumer#1' as Pid, handle, mode: 'restore', position, end: '4_0' as LogOffset } as const;
  const told = splice && { place: at(splice.place), through: at(splice.through), views: [NEW], rowBytes: 0 };
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

const MOVES = { type: 'takeMoves', handle: inner, column: 'id', through: '9_0' as LogOffset, position: at(40), replyTo } as const;

const PLANNED: Event = { type: 'splice.planned', views: [NEW], needsQuery: true };
const QUERIED: Event = { type: 'moves.queried', pgSnapshot: parsePgSnapshot('1:1:', '77' as Lsn), rows: null };
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
  { type: 'moves.begun' },
  { type: 'moved.read', through: 7 },
  { type: 'moved.taken', isMuch: false },
  { type: 'splice.taken', views: [NEW], splice: null, end: '7_3' as LogOffset },
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

test('a shape whose moves cannot be queried outlives an outage of Postgres of any length', () => {
  const attempts = Array.from({ length: 50 }, (): Event[] => [
    { type: 'splice.planned', views: [NEW], needsQuery: true },
    { type: 'moves.failed', error: NO_CONNECTION },
    { type: 'timeout.askAgain' },
  ]);
  const after = attempts.flat().reduce((snapshot, event) => transition(consumer, snapshot, event)[0], restored(10));

  expect(ingestOf(after)).toEqual({ splicing: 'planning' });
});
