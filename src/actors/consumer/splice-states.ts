/**
 * SpliceStates: how the views of a shape follow the moves that it was told of; `docs/dependent-shapes.md` has the reasons.
 *
 * What is to come into the log is asked for and recorded first. Only then it is made, so that whoever makes it later, after a
 * crash, begins at `beginning` and does the same. It is made while the disk takes the record, and nobody can read any of it before
 * that is durable.
 */
import type { LogOffset } from '../../model/log-offset.ts';
import { note } from '../journal.ts';
import type { SnapshotFault } from '../snapshot-fault.ts';
import type { ConsumerLogChange, ConsumerLogTold } from './consumer-log.ts';
import { consumerSetup, drafted, failedEnd, recorded, type ConsumerContext } from './consumer-setup.ts';

/** Between two queries, the longer the more have failed. */
const ASK_AGAIN_MS = 250;

const spill = {
  type: 'call',
  params: ({ context }: { context: ConsumerContext }) => ({
    to: '@checkpoints' as const,
    request: { type: 'spillLines', handle: context.handle },
    as: 'spill',
  }),
} as const;

const publishSplice = [
  { type: 'apply', params: ({ context }: { context: ConsumerContext }) => change({ publish: context.position }) },
  { type: 'noteSpliced', params: ({ event }: { event: Extract<ConsumerLogTold, { type: 'splice.taken' }> }) => event },
] as const;

export const spliceStates = consumerSetup.createStateConfig({
  initial: 'deciding',
  on: {
    'splice.failed': '#consumer.closed',
    'splice.isDurable': { actions: 'noteDurable' },
    'moved.refused': {
      target: '#consumer.closed',
      actions: { type: 'noteReason', params: ({ event }) => ({ reason: { shutdown: { delete: event.why, isDamaged: true } } }) },
    },
  },
  states: {
    deciding: { always: [{ guard: 'standsAtSplice', target: 'beginning' }, { target: 'planning' }] },
    /** Everything told by now is one splice. */
    planning: {
      entry: { type: 'apply', params: ({ context }) => change({ plan: context.told }) },
      on: {
        'splice.planned': [
          {
            guard: { type: 'needsQuery', params: ({ event }) => event },
            target: 'querying',
            actions: { type: 'notePlan', params: ({ event }) => event },
          },
          { target: 'recording', actions: { type: 'notePlan', params: ({ event }) => event } },
        ],
      },
    },
    querying: {
      entry: { type: 'call', params: ({ context }) => queryMoves(context, drafted(context).views) },
      on: {
        'moves.queried': { target: 'covering', actions: { type: 'noteQueried', params: ({ event }) => event } },
        'moves.failed': [
          {
            guard: { type: 'isOutdated', params: ({ event }) => event },
            target: '#consumer.closed',
            actions: { type: 'noteReason', params: { reason: { shutdown: { delete: 'schemaChanged' } } } },
          },
          {
            guard: { type: 'isOfFilter', params: ({ event }) => event },
            target: '#consumer.closed',
            actions: { type: 'noteReason', params: ({ event }) => ({ reason: failedEnd(event.error) }) },
          },
          // Who keeps the pools tells of it.
          { guard: { type: 'isAway', params: ({ event }) => event }, target: 'pausing', actions: 'noteAbsence' },
          { guard: 'mayTryAgain', target: 'pausing', actions: [{ type: 'send', params: failureNote }, 'noteFailure'] },
          {
            target: '#consumer.closed',
            actions: [
              { type: 'send', params: failureNote },
              { type: 'noteReason', params: { reason: { shutdown: { delete: 'movesNotQueried' } } } },
            ],
          },
        ],
        // It was ours that was asked about, so it is ours to fail: in its port it would fail for all others too.
        'moves.crashed': { actions: { type: 'stop', params: ({ event }) => ({ reason: { error: event.error } }) } },
        // Its supervisor brings the port back, with the connection: that is nobody's failure.
        'moveQuery.failed': 'pausing',
      },
    },
    pausing: {
      entry: { type: 'startTimer', params: ({ context }) => ({ name: 'askAgain', delayMs: ASK_AGAIN_MS * 2 ** context.failures }) },
      on: { 'timeout.askAgain': 'planning' },
    },
    /** Whatever the query saw must have come. */
    covering: {
      entry: { type: 'call', params: ({ context }) => awaitPassed(context) },
      on: {
        'log.hasPassed': { target: 'recording', actions: { type: 'noteCovered', params: ({ event }) => event } },
        'coverage.failed': 'pausing',
      },
    },
    recording: {
      entry: { type: 'apply', params: ({ context }) => change({ record: drafted(context) }) },
      on: { 'splice.recorded': { target: 'beginning', actions: { type: 'noteRecorded', params: ({ event }) => event } } },
    },
    beginning: {
      entry: [
        'noteSpliceBegun',
        { type: 'call', params: { to: '@log-writer', request: { type: 'syncSplice' }, as: 'splice' } },
      ],
      always: 'seeing',
    },
    /** What the query saw comes before the moves. */
    seeing: {
      always: [{ guard: 'hasMoreToSee', target: 'loading' }, { target: 'movingIn' }],
    },
    loading: {
      entry: {
        type: 'call',
        params: ({ context }) => ({
          to: '@log-reader',
          request: { type: 'loadBlock', owner: context.self, after: context.seen, through: recorded(context).through },
          as: 'reader',
        }),
      },
      on: {
        'block.loaded': { actions: { type: 'apply', params: ({ event: { after, through } }) => change({ takeSeen: { after, through } }) } },
        'seen.taken': [
          {
            guard: { type: 'isMuch', params: ({ event }) => event },
            target: 'spillingSeen',
            actions: { type: 'noteSeen', params: ({ event }) => event },
          },
          { target: 'seeing', actions: { type: 'noteSeen', params: ({ event }) => event } },
        ],
      },
    },
    spillingSeen: { entry: spill, on: { 'lines.spilled': 'seeing' } },
    /** An event that is large leaves the memory before the next one is made. */
    movingIn: {
      entry: { type: 'apply', params: change('tellMoveIn') },
      on: { 'moves.partlyTold': 'spillingIn', 'moves.areTold': 'feeding' },
    },
    spillingIn: { entry: spill, on: { 'lines.spilled': 'movingIn' } },
    feeding: {
      always: [
        { guard: 'hasMoreRows', target: 'reading' },
        { target: 'movingOut', actions: { type: 'apply', params: change('endRows') } },
      ],
    },
    reading: {
      entry: {
        type: 'call',
        params: ({ context: { handle, self, rowsTaken } }) => ({
          to: '@splices',
          request: { type: 'readMoved', handle, owner: self, at: rowsTaken },
          as: 'splice',
        }),
      },
      on: {
        'moved.read': {
          actions: [{ type: 'noteRowsTaken', params: ({ event }) => event }, { type: 'apply', params: change('takeMoved') }],
        },
        'moved.taken': [{ guard: { type: 'isMuch', params: ({ event }) => event }, target: 'spillingRows' }, { target: 'feeding' }],
      },
    },
    spillingRows: { entry: spill, on: { 'lines.spilled': 'feeding' } },
    movingOut: {
      entry: { type: 'apply', params: change('tellMoveOut') },
      on: { 'moves.partlyTold': 'spillingOut', 'moves.areTold': 'confirming' },
    },
    spillingOut: { entry: spill, on: { 'lines.spilled': 'movingOut' } },
    /** A power cut that takes the record takes what came of it: so nobody may have seen that. */
    confirming: { always: { guard: 'isDurable', target: 'ending' } },
    /** All of it can be read at once, and the shape goes on from where it stood. */
    ending: {
      entry: { type: 'apply', params: change('endSplice') },
      on: {
        'splice.taken': [
          {
            guard: { type: 'hasNewsToTell', params: ({ event }) => event },
            target: '#consumer.running.ingest.passingOn',
            actions: publishSplice,
          },
          { target: '#consumer.running.ingest.measuring', actions: publishSplice },
        ],
      },
    },
  },
});

function change(made: ConsumerLogChange): { table: string; change: ConsumerLogChange } {
  return { table: 'log', change: made };
}

function queryMoves({ handle }: ConsumerContext, views: readonly LogOffset[]) {
  return { to: '@move-queries' as const, request: { type: 'queryMoves', handle, views }, as: 'moveQuery' };
}

/** What was against it is known to nobody else, and forgotten with the next attempt. */
function failureNote({ context: { handle }, event: { error } }: { context: ConsumerContext; event: { error: SnapshotFault } }) {
  return note('warn', 'moves.failed', { handle, error });
}

function awaitPassed(context: ConsumerContext) {
  const { pgSnapshot } = drafted(context);
  return { to: '@log-writer' as const, request: { type: 'awaitPassed', lsn: pgSnapshot?.insertLsn ?? '0' }, as: 'coverage' };
}
