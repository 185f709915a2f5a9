/**
 * Publication manager: a table is in the publication, with replica identity FULL, before the first snapshot of a shape
 * on it is taken, and leaves when the last shape on it has gone.
 *
 * The `relations` table keeps what is needed, also while Postgres is busy or away. At most one question to Postgres is
 * open, and it is about as many tables as possible. Tables of stored shapes are reviewed first, all together, when all of
 * them are known; a shape whose table is not carried any more has lost changes, and is given up.
 */
import { assign, setup } from 'xstate';
import type { PublishedRelation } from '../../model/relation.ts';
import type { Handle } from '../../model/shape.ts';
import { effects } from '../../otp/effects.ts';
import type { CallFailed, ReplyTo } from '../../otp/process.ts';
import { FIRST_DELAY_MS, nextDelayMs } from '../connections/back-off.ts';
import { note, refusalNote } from '../journal.ts';
import type { PublishedRelationsChange, PublishedRelationsTold, RelationFault, RelationTurn } from './published-relations.ts';
import { NO_CONNECTION, type SnapshotFault } from '../snapshot-fault.ts';

type Event =
  | { type: 'addRelation'; handle: Handle; relation: PublishedRelation; replyTo: ReplyTo }
  | { type: 'retainRelation'; handle: Handle; relation: PublishedRelation }
  /** Likewise of each of these: the one is the other's, by their order. */
  | { type: 'retainRelations'; handles: readonly Handle[]; relations: readonly PublishedRelation[] }
  | { type: 'releaseShape'; handle: Handle; why: string }
  | { type: 'shapesRestored' }
  | PublishedRelationsTold
  /** The stream tells of partitions of these tables that it did not know of, or no longer does. */
  | { type: 'doubtTables'; oids: readonly number[] }
  /** All shapes of before have ended, or will. */
  | { type: 'slot.renewed' }
  | { type: 'publication.reviewed'; faults: readonly RelationFault[]; turns: readonly RelationTurn[] }
  | { type: 'publication.altered'; added: readonly PublishedRelation[]; turns: readonly RelationTurn[] }
  | { type: 'publication.refused'; error: SnapshotFault }
  | { type: 'publication.unavailable'; error: SnapshotFault }
  | (CallFailed & { type: 'publication.failed' })
  | { type: 'timeout.check' }
  | { type: 'timeout.retry' };

interface Context {
  checkEveryMs: number;
  delayMs: number;
}

export const publicationManager = setup({
  types: { input: {} as { checkEveryMs: number }, context: {} as Context, events: {} as Event },
  guards: {
    isAway: (_, { error }: { error: SnapshotFault }) => error.code === NO_CONNECTION.code,
    isBroken: (_, { error }: { error: SnapshotFault }) => BROKEN.has(error.code),
  },
  actions: {
    ...effects,
    slowDown: assign(({ context }) => ({ delayMs: nextDelayMs(context.delayMs) })),
    forgetFailures: assign({ delayMs: FIRST_DELAY_MS }),
  },
}).createMachine({
  id: 'publication-manager',
  context: ({ input }) => ({ checkEveryMs: input.checkEveryMs, delayMs: FIRST_DELAY_MS }),
  initial: 'restoring',
  on: {
    addRelation: {
      actions: {
        type: 'apply',
        params: ({ event: { handle, relation, replyTo } }) => change({ type: 'need', handle, relation, replyTo }),
      },
    },
    retainRelation: {
      actions: { type: 'apply', params: ({ event: { handle, relation } }) => change({ type: 'retain', handle, relation }) },
    },
    retainRelations: {
      actions: { type: 'apply', params: ({ event: { handles, relations } }) => change({ type: 'retainAll', handles, relations }) },
    },
    releaseShape: { actions: { type: 'apply', params: ({ event: { handle, why } }) => change({ type: 'release', handle, why }) } },
    doubtTables: { actions: { type: 'apply', params: ({ event: { oids } }) => change({ type: 'doubtTables', oids }) } },
    'slot.renewed': { actions: { type: 'apply', params: change({ type: 'distrust' }) } },
    'relations.published': {
      actions: { type: 'replyToEach', params: ({ event }) => ({ to: event.asked, event: { type: 'relation.published' } }) },
    },
    'relations.refused': {
      actions: {
        type: 'replyToEach',
        params: ({ event: { asked, error } }) => ({ to: asked, event: { type: 'relation.refused', error } }),
      },
    },
    // Whoever is busy looks for more when that is done.
    'relations.awaited': {},
    'relations.due': {},
  },
  states: {
    /** The stored shapes tell which tables they follow: all of these are reviewed together afterwards. */
    restoring: { on: { shapesRestored: 'choosing' } },
    choosing: {
      entry: { type: 'apply', params: change({ type: 'next' }) },
      on: {
        'relations.toReview': { target: 'asking', actions: { type: 'call', params: ({ event }) => askFor('reviewRelations', event) } },
        'relations.toAdd': { target: 'asking', actions: { type: 'call', params: ({ event }) => askFor('addRelations', event) } },
        'relations.toDrop': { target: 'asking', actions: { type: 'call', params: ({ event }) => askFor('dropRelations', event) } },
        'shapes.lost': {
          target: 'choosing',
          reenter: true,
          actions: {
            type: 'send',
            params: ({ event: { handles, why } }) => ({ to: '@shape-cache', event: { type: 'condemnShapes', handles, why } }),
          },
        },
        'refusals.gathered': {
          target: 'choosing',
          reenter: true,
          actions: { type: 'send', params: ({ event: { count, refusals } }) => note('warn', 'publication.refused', { count, refusals }) },
        },
        'relations.settled': 'idle',
      },
    },
    idle: {
      tags: 'ready',
      entry: ['forgetFailures', { type: 'startTimer', params: ({ context }) => ({ name: 'check', delayMs: context.checkEveryMs }) }],
      exit: { type: 'cancelTimer', params: { name: 'check' } },
      on: {
        'relations.awaited': 'choosing',
        'relations.due': 'choosing',
        /** Somebody else may alter the publication, or drop a table: Postgres tells nobody, it only falls silent. */
        'timeout.check': { target: 'choosing', actions: { type: 'apply', params: change({ type: 'doubt' }) } },
      },
    },
    /** The table knows what the open question is about. */
    asking: {
      on: {
        'publication.reviewed': {
          target: 'choosing',
          actions: { type: 'apply', params: ({ event: { faults, turns } }) => change({ type: 'reviewed', faults, turns }) },
        },
        'publication.altered': {
          target: 'choosing',
          actions: { type: 'apply', params: ({ event: { added, turns } }) => change({ type: 'altered', added, turns }) },
        },
        'publication.refused': {
          target: 'choosing',
          actions: { type: 'apply', params: ({ event: { error } }) => change({ type: 'refused', error }) },
        },
        'publication.unavailable': [
          {
            // The connection pools report that, once for all.
            guard: { type: 'isAway', params: ({ event }) => event },
            target: 'backingOff',
            actions: { type: 'apply', params: ({ event: { error } }) => change({ type: 'unavailable', error }) },
          },
          {
            // The stream has to be made anew, and the publication with it.
            guard: { type: 'isBroken', params: ({ event }) => event },
            target: 'backingOff',
            actions: [
              { type: 'apply', params: ({ event: { error } }) => change({ type: 'unavailable', error }) },
              { type: 'send', params: refusalNote },
              {
                type: 'send',
                params: ({ event: { error } }) => ({ to: '@replication-client', event: { type: 'publication.broken', error } }),
              },
            ],
          },
          {
            target: 'backingOff',
            actions: [
              { type: 'apply', params: ({ event: { error } }) => change({ type: 'unavailable', error }) },
              { type: 'send', params: refusalNote },
            ],
          },
        ],
        'publication.failed': {
          target: 'backingOff',
          actions: { type: 'apply', params: change({ type: 'unavailable', error: NO_CONNECTION }) },
        },
      },
    },
    /** A new request asks Postgres at once. Without one, the timer decides when to try again. */
    backingOff: {
      entry: { type: 'startTimer', params: ({ context }) => ({ name: 'retry', delayMs: context.delayMs }) },
      exit: { type: 'cancelTimer', params: { name: 'retry' } },
      on: { 'relations.awaited': 'choosing', 'timeout.retry': { target: 'choosing', actions: 'slowDown' } },
    },
  },
});

/** What the stream brought since may lack changes. */
const BROKEN: ReadonlySet<string> = new Set(['publication_missing', 'publication_incomplete', 'publication_altered']);

function change(of: PublishedRelationsChange) {
  return { table: 'relations', change: of };
}

function askFor(type: 'reviewRelations' | 'addRelations' | 'dropRelations', { relations }: { relations: readonly PublishedRelation[] }) {
  return { to: '@publication' as const, request: { type, relations }, as: 'publication' };
}
