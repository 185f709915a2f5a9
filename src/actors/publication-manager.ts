/**
 * Publication manager: a table is in the publication, with replica identity FULL, before the first snapshot of a shape
 * on it is taken, and leaves when the last shape on it has gone.
 *
 * One alteration at a time: two of them would wait for each other's locks.
 */
import { assign, setup } from 'xstate';
import type { Handle } from '../model/shape.ts';
import { effects } from '../otp/effects.ts';
import type { CallFailed, Name, ReplyTo } from '../otp/process.ts';
import { note } from './journal.ts';
import type { TableName } from './published-tables.ts';

type Event =
  | { type: 'addTable'; handle: Handle; relation: TableName; replyTo: ReplyTo }
  | { type: 'retainTable'; handle: Handle; relation: TableName }
  | { type: 'releaseShape'; handle: Handle; why: string }
  | { type: 'relation.isPublished'; relation: TableName; asked: readonly ReplyTo[] }
  | { type: 'relation.isMissing'; relation: TableName; asked: readonly ReplyTo[] }
  | { type: 'relation.isUnused'; relation: TableName }
  | { type: 'timeout.check' }
  | { type: 'publication.listed'; tables: readonly TableName[] }
  | { type: 'relations.compared'; consumers: readonly Name[] }
  | { type: 'publication.altered' }
  | { type: 'publication.refused'; error: PublicationRefusal }
  | (CallFailed & { type: 'publication.failed' });

/** What Postgres or its settings had against it, in the words that the client gets. */
export interface PublicationRefusal {
  readonly code: string;
  readonly message: string;
}

interface Context {
  checkEveryMs: number;
  relation: TableName | null; // Being added or dropped.
  asked: readonly ReplyTo[]; // Who waits for it: one, or nobody.
}

const NO_CONNECTION: PublicationRefusal = { code: 'connection_not_available', message: 'Database connection not available' };

export const publicationManager = setup({
  types: { input: {} as { checkEveryMs: number }, context: {} as Context, events: {} as Event },
  actions: {
    ...effects,
    begin: assign((_, { relation, asked }: { relation: TableName; asked: readonly ReplyTo[] }) => ({ relation, asked })),
  },
}).createMachine({
  id: 'publication-manager',
  context: ({ input }) => ({ checkEveryMs: input.checkEveryMs, relation: null, asked: [] }),
  initial: 'idle',
  states: {
    idle: {
      tags: 'ready',
      entry: { type: 'startTimer', params: ({ context }) => ({ name: 'check', delayMs: context.checkEveryMs }) },
      exit: { type: 'cancelTimer', params: { name: 'check' } },
      on: {
        'timeout.check': 'checking',
        addTable: {
          actions: {
            type: 'apply',
            params: ({ event }) => ({
              table: 'tables',
              change: { type: 'need', handle: event.handle, relation: event.relation, asked: [event.replyTo] },
            }),
          },
        },
        /** Of a restored shape: its table should be there still, and is added again when somebody took it out. */
        retainTable: {
          actions: {
            type: 'apply',
            params: ({ event }) => ({
              table: 'tables',
              change: { type: 'need', handle: event.handle, relation: event.relation, asked: [] },
            }),
          },
        },
        releaseShape: {
          actions: { type: 'apply', params: ({ event }) => ({ table: 'tables', change: { type: 'release', handle: event.handle, why: event.why } }) },
        },
        'relation.isPublished': {
          actions: { type: 'replyToEach', params: ({ event }) => ({ to: event.asked, event: { type: 'table.published' } }) },
        },
        'relation.isMissing': { target: 'adding', actions: { type: 'begin', params: ({ event }) => event } },
        'relation.isUnused': {
          target: 'dropping',
          actions: { type: 'begin', params: ({ event }) => ({ relation: event.relation, asked: [] }) },
        },
      },
    },
    /** Somebody else may alter the publication, or drop a table: Postgres tells nobody, it only falls silent. */
    checking: {
      entry: { type: 'call', params: { to: '@publication', request: { type: 'listTables' }, as: 'publication' } },
      on: {
        'publication.listed': { actions: { type: 'apply', params: ({ event }) => ({ table: 'tables', change: { type: 'compare', tables: event.tables } }) } },
        'relations.compared': {
          target: 'idle',
          actions: { type: 'sendToEach', params: ({ event }) => ({ to: event.consumers, event: { type: 'stop', cause: { delete: 'the table is not published any more' } } }) },
        },
        'publication.refused': { target: 'idle', actions: { type: 'send', params: publicationNote } },
        'publication.failed': 'idle',
        addTable: { actions: 'postpone' },
        retainTable: { actions: 'postpone' },
        releaseShape: { actions: 'postpone' },
      },
    },
    adding: {
      entry: {
        type: 'call',
        params: ({ context }) => ({
          to: '@publication',
          request: { type: 'addTable', relation: context.relation },
          as: 'publication',
        }),
      },
      on: {
        'publication.altered': {
          target: 'idle',
          actions: [
            { type: 'apply', params: ({ context }) => ({ table: 'tables', change: { type: 'published', oid: context.relation?.oid } }) },
            { type: 'replyToEach', params: ({ context }) => ({ to: context.asked, event: { type: 'table.published' } }) },
          ],
        },
        'publication.refused': {
          target: 'idle',
          actions: [
            { type: 'replyToEach', params: ({ context, event }) => ({ to: context.asked, event: { type: 'table.refused', error: event.error } }) },
            { type: 'send', params: publicationNote },
          ],
        },
        'publication.failed': {
          target: 'idle',
          actions: {
            type: 'replyToEach',
            params: ({ context }) => ({ to: context.asked, event: { type: 'table.refused', error: NO_CONNECTION } }),
          },
        },
        addTable: { actions: 'postpone' },
        retainTable: { actions: 'postpone' },
        releaseShape: { actions: 'postpone' },
      },
    },
    /** A table that could not be dropped costs WAL, no correctness: the next start of the service drops it. */
    dropping: {
      entry: {
        type: 'call',
        params: ({ context }) => ({
          to: '@publication',
          request: { type: 'dropTable', relation: context.relation },
          as: 'publication',
        }),
      },
      on: {
        'publication.altered': 'idle',
        'publication.refused': { target: 'idle', actions: { type: 'send', params: publicationNote } },
        'publication.failed': 'idle',
        addTable: { actions: 'postpone' },
        retainTable: { actions: 'postpone' },
        releaseShape: { actions: 'postpone' },
      },
    },
  },
});

function publicationNote({ context, event }: { context: Context; event: { type: string; error: PublicationRefusal } }) {
  return note('warn', event.type, { relation: context.relation, error: event.error });
}
