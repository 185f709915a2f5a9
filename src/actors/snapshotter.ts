/**
 * Snapshotter: gets one new shape its first rows, then ends.
 *
 * The table is published before the query begins, else a change between the two would be in neither. It tells the
 * Consumer how far it has come and keeps nothing: when either of the two dies, the snapshot is given up.
 */
import { setup } from 'xstate';
import type { PgSnapshot } from '../model/pg-snapshot.ts';
import type { Handle } from '../model/shape.ts';
import { effects } from '../otp/effects.ts';
import type { CallFailed, Down, Message, Pid } from '../otp/process.ts';
import { note } from './journal.ts';
import { NO_CONNECTION, type SnapshotFault } from './snapshot-fault.ts';

export type SnapshotterEvent =
  | { type: 'relation.published' }
  | { type: 'relation.refused'; error: SnapshotFault }
  | (CallFailed & { type: 'publication.failed' })
  | { type: 'snapshot.known'; pgSnapshot: PgSnapshot }
  | { type: 'snapshot.started' }
  | { type: 'snapshot.completed' }
  | { type: 'snapshot.failed'; error: SnapshotFault }
  | (CallFailed & { type: 'query.failed' })
  | (Down & { type: 'consumer.down' });

export interface SnapshotterInput {
  readonly self: Pid;
  readonly handle: Handle;
  readonly relation: { readonly oid: number; readonly schema: string; readonly name: string };
  /** Who asked for it. The next Consumer of the shape has its name, and never its pid. */
  readonly consumer: Pid;
}

export const snapshotter = setup({
  types: { input: {} as SnapshotterInput, context: {} as SnapshotterInput, events: {} as SnapshotterEvent },
  actions: { ...effects },
}).createMachine({
  id: 'snapshotter',
  context: ({ input }) => input,
  entry: { type: 'monitor', params: ({ context }) => ({ process: context.consumer, as: 'consumer' }) },
  on: { 'consumer.down': '.ended' },
  initial: 'publishing',
  states: {
    publishing: {
      entry: {
        type: 'call',
        params: ({ context: { handle, relation } }) => ({
          to: '@publication-manager',
          request: { type: 'addRelation', handle, relation },
          as: 'publication',
        }),
      },
      on: {
        'relation.published': 'querying',
        'relation.refused': { target: 'ended', actions: { type: 'send', params: toConsumer } },
        'publication.failed': { target: 'ended', actions: { type: 'send', params: connectionLost } },
      },
    },
    querying: {
      entry: {
        type: 'call',
        params: ({ context: { self, handle } }) => ({
          to: '@snapshots',
          request: { type: 'takeSnapshot', handle, progressTo: self },
          as: 'query',
        }),
      },
      on: {
        'snapshot.known': { actions: { type: 'send', params: toConsumer } },
        'snapshot.started': { actions: { type: 'send', params: toConsumer } },
        'snapshot.completed': { target: 'ended', actions: [{ type: 'send', params: toConsumer }, { type: 'send', params: completedNote }] },
        'snapshot.failed': { target: 'ended', actions: [{ type: 'send', params: toConsumer }, { type: 'send', params: failedNote }] },
        'query.failed': { target: 'ended', actions: { type: 'send', params: connectionLost } },
      },
    },
    ended: { type: 'final' },
  },
});

function toConsumer({ context, event }: { context: SnapshotterInput; event: SnapshotterEvent }): { to: Pid; event: Message } {
  const told = event.type === 'relation.refused' ? { type: 'snapshot.failed', error: event.error } : { ...event };
  return { to: context.consumer, event: told };
}

function connectionLost({ context }: { context: SnapshotterInput }): { to: Pid; event: Message } {
  return { to: context.consumer, event: { type: 'snapshot.failed', error: NO_CONNECTION } };
}

function completedNote({ context: { handle, relation } }: { context: SnapshotterInput }) {
  return note('info', 'snapshot.completed', { handle, relation });
}

function failedNote({ context: { handle, relation }, event }: { context: SnapshotterInput; event: { error: SnapshotFault } }) {
  return note('warn', 'snapshot.failed', { handle, relation, error: event.error });
}
