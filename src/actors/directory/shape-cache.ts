/**
 * Shape cache: makes shapes, brings the stored ones back, and lets go of those whose Consumer has ended.
 *
 * A shape is unfindable first, then stopped, then deleted, then unrouted: so no request is ever led to a log that is
 * going, and no transaction to a Consumer that is gone. What is known of each handle stands in the `directory` table.
 */
import { setup } from 'xstate';
import { invariant } from '../../base/invariant.ts';
import type { Handle, ShapeDefinition } from '../../model/shape.ts';
import { effects } from '../../otp/effects.ts';
import type { CallFailed, Down, Pid, ReplyTo } from '../../otp/process.ts';
import type { InnerShape } from '../consumer/consumer-setup.ts';
import { damagedShapeNote } from '../damaged-shape.ts';
import { failedFilterNote, type FailedFilter } from '../failed-filter.ts';
import { note } from '../journal.ts';
import { missedChangesNote, type MissedChanges } from '../missed-changes.ts';
import type { IdleShapes } from '../collector/idle-shapes.ts';
import type { RestedShapes } from './restoration.ts';

type Event =
  | { type: 'createShape'; definition: ShapeDefinition; replyTo: ReplyTo }
  | { type: 'noteReader'; handle: Handle }
  | { type: 'deleteShape'; handle: Handle; why: string; isDamaged?: boolean; replyTo: ReplyTo }
  | { type: 'purge'; why: string; replyTo: ReplyTo }
  | { type: 'giveUpDamaged'; handle: Handle; why: string }
  | { type: 'condemnShapes'; handles: readonly Handle[]; why: string }
  | { type: 'expireShapes'; handles: readonly Handle[]; why: string }
  | { type: 'reportCondition' }
  | { type: 'shape.found'; handle: Handle; replyTo: ReplyTo }
  | {
      type: 'shape.reserved';
      handle: Handle;
      mode: 'create' | 'restore';
      relation: ShapeDefinition['relation'];
      dependencies?: readonly InnerShape[];
    }
  /** One that comes back, since something touches it, say, is no news to an operator. */
  | { type: 'shape.started'; handle: Handle; pid: Pid; replies: readonly ReplyTo[]; comesBack?: true }
  | { type: 'shape.refused'; handle: Handle; why: string; replies: readonly ReplyTo[]; pids: readonly Pid[]; dependantCount?: number }
  | { type: 'shape.condemned'; handle: Handle; pids: readonly Pid[]; why: string; replies: readonly ReplyTo[] }
  | { type: 'shape.unknown'; handle: Handle; replyTo: ReplyTo }
  | { type: 'confirmHandle'; handle: Handle; replyTo: ReplyTo }
  | { type: 'shape.isKept'; replyTo: ReplyTo }
  | { type: 'shape.isGone'; replyTo: ReplyTo }
  | {
      type: 'shape.gone';
      handle: Handle;
      why: string;
      isTold: boolean;
      pids: readonly Pid[];
      /** Of those who waited for its Consumer. */
      replies: readonly ReplyTo[];
      /** What kept it, or one that it depended on, from its first row is known. */
      hasFailed?: boolean;
      dependantCount?: number;
      missed?: MissedChanges;
      damagedTable?: string;
      failedFilter?: FailedFilter;
    }
  | { type: 'shapes.partlyEntered' }
  | { type: 'shapes.entered' }
  | RestedShapes
  /** Some stored shapes lie at rest, and who asked for anything meanwhile has been heard: the next ones are due. */
  | { type: 'shapes.restMore' }
  | { type: 'shapes.restored'; count: number }
  /** There is something to take for shapes that the collector brings nothing to. */
  | { type: 'shapes.touched'; handles: readonly Handle[] }
  /** Nothing has touched these; the directory says who of them may sleep, and the collector who of those does not. */
  | (IdleShapes & { type: 'shapes.idle' })
  | (IdleShapes & { type: 'shapes.mayRest' })
  | (IdleShapes & { type: 'shapes.stayed' })
  | { type: 'shapes.purged'; replies: readonly ReplyTo[] }
  | { type: 'shapes.condemned'; pids: readonly Pid[]; why: string; count: number; relations: readonly string[] }
  | { type: 'child.started'; id: Handle; pid: Pid }
  | { type: 'child.refused'; id: Handle; reason: string; pid?: Pid }
  | (CallFailed & { type: 'consumers.failed' })
  | (Down & { type: 'consumer.down'; process: Pid });

type Told<Type extends Event['type']> = { readonly event: Extract<Event, { type: Type }> };

/** Those that have started, of shapes that were condemned or depended on one that was. */
const STOP = { type: 'sendToEach', params: stopOf } as const;

/** Asked after whatever may have left something to tell, until nothing is left. */
const SETTLE = { type: 'apply', params: { table: 'directory', change: 'settle' } } as const;

/** What follows when a shape is gone. */
const LET_GO = [
  { type: 'replyToEach', params: cameTooLate },
  STOP,
  { type: 'send', params: unregisterOf },
  { type: 'send', params: releaseOf },
  SETTLE,
] as const;

const ENTER_MORE = { type: 'apply', params: { table: 'directory', change: { type: 'enterMore' } } } as const;

const REST_MORE = { type: 'apply', params: { table: 'directory', change: { type: 'restMore' } } } as const;

const RESTORE_NEXT = { type: 'apply', params: { table: 'directory', change: { type: 'restoreNext' } } } as const;

const TELL_DELETED = {
  type: 'replyToEach',
  params: ({ event }: Told<'shape.condemned'>) => ({ to: event.replies, event: { type: 'shape.deleted' } }),
} as const;

/** Of shapes that were condemned together one line told already. */
const TELL_AND_LET_GO = [{ type: 'send', params: deletedNote }, ...LET_GO] as const;

/** Shapes that are to end: so they may as soon as it is known which there are. */
const ENDINGS = {
  deleteShape: { actions: { type: 'apply', params: condemnOf } },
  'shape.unknown': {
    actions: { type: 'reply', params: ({ event }: Told<'shape.unknown'>) => ({ to: event.replyTo, event: { type: 'shape.unknown' } }) },
  },
  purge: { actions: { type: 'apply', params: purgeOf } },
  condemnShapes: { actions: { type: 'apply', params: condemnAllOf } },
  giveUpDamaged: { actions: { type: 'apply', params: condemnDamagedOf } },
  'shapes.purged': {
    actions: [
      { type: 'replyToEach', params: ({ event }: Told<'shapes.purged'>) => ({ to: event.replies, event: { type: 'shapes.purged' } }) },
      SETTLE,
    ],
  },
  'shapes.condemned': { actions: [STOP, { type: 'send', params: condemnedNote }, SETTLE] },
} as const;

export const shapeCache = setup({
  types: { input: {} as { self: Pid }, context: {} as { self: Pid }, events: {} as Event },
  guards: {
    isRestored: (_, { mode }: { mode: 'create' | 'restore' }) => mode === 'restore',
    hasMissedChanges: (_, { missed }: { missed?: MissedChanges }) => missed !== undefined,
    isDamaged: (_, { damagedTable }: { damagedTable?: string }) => damagedTable !== undefined,
    hasFailedFilter: (_, { failedFilter }: { failedFilter?: FailedFilter }) => failedFilter !== undefined,
    comesBack: (_, { comesBack }: { comesBack?: true }) => comesBack === true,
    isTold: (_, { isTold }: { isTold: boolean }) => isTold,
  },
  actions: { ...effects },
}).createMachine({
  id: 'shape-cache',
  context: ({ input }) => ({ self: input.self }),
  initial: 'entering',
  on: {
    'shape.reserved': [
      {
        guard: { type: 'isRestored', params: ({ event }) => event },
        actions: [
          // A new shape's Snapshotter asks for its table; a stored one has none, and its table must stay published.
          { type: 'send', params: ({ event }) => ({ to: '@publication-manager', event: retain(event) }) },
          { type: 'call', params: startConsumer },
          SETTLE,
        ],
      },
      { actions: [{ type: 'call', params: startConsumer }, SETTLE] },
    ],
    'child.started': {
      actions: [
        { type: 'monitor', params: ({ event }) => ({ process: event.pid, as: 'consumer' }) },
        {
          type: 'apply',
          params: ({ event }) => ({ table: 'directory', change: { type: 'started', handle: event.id, pid: event.pid } }),
        },
      ],
    },
    'child.refused': {
      actions: {
        type: 'apply',
        params: ({ event }) => ({
          table: 'directory',
          change: { type: 'refused', handle: event.id, why: JSON.stringify(event.reason), isDelayed: event.pid !== undefined },
        }),
      },
    },
    'consumer.down': {
      actions: {
        type: 'apply',
        params: ({ event }) => ({ table: 'directory', change: { type: 'down', pid: event.process, reason: event.reason } }),
      },
    },
    'shapes.touched': {
      actions: {
        type: 'apply',
        params: ({ event }) => ({ table: 'directory', change: { type: 'touched', handles: event.handles } }),
      },
    },
    'shapes.stayed': { actions: { type: 'apply', params: changeOf('stayed') } },
    'shape.gone': [
      {
        guard: { type: 'hasMissedChanges', params: ({ event }) => event },
        actions: [{ type: 'send', params: missedNote }, ...TELL_AND_LET_GO],
      },
      {
        guard: { type: 'isDamaged', params: ({ event }) => event },
        actions: [{ type: 'send', params: damagedNote }, ...LET_GO],
      },
      {
        guard: { type: 'hasFailedFilter', params: ({ event }) => event },
        actions: [{ type: 'send', params: filterNote }, ...LET_GO],
      },
      { guard: { type: 'isTold', params: ({ event }) => event }, actions: LET_GO },
      { actions: TELL_AND_LET_GO },
    ],
    noteReader: {
      actions: { type: 'apply', params: ({ event }) => ({ table: 'directory', change: { type: 'noteReader', handle: event.handle } }) },
    },
    confirmHandle: {
      actions: {
        type: 'apply',
        params: ({ event }) => ({
          table: 'directory',
          change: { type: 'confirm', handle: event.handle, replyTo: event.replyTo },
        }),
      },
    },
    'shape.isKept': {
      actions: { type: 'reply', params: ({ event }) => ({ to: event.replyTo, event: { type: 'handle.isKept' } }) },
    },
    'shape.isGone': {
      actions: { type: 'reply', params: ({ event }) => ({ to: event.replyTo, event: { type: 'handle.isGone' } }) },
    },
    /** The supervisor of the Consumers is gone: so will we be, with all that it held. */
    'consumers.failed': {},
  },
  states: {
    /** Nothing stored can be found before all that is stored is known. */
    entering: {
      entry: [ENTER_MORE, lose('shapes'), lose('consumers')],
      on: {
        'shapes.partlyEntered': { actions: ENTER_MORE },
        'shapes.entered': 'restoring',
        createShape: { actions: 'postpone' },
        deleteShape: { actions: 'postpone' },
        purge: { actions: 'postpone' },
        condemnShapes: { actions: 'postpone' },
        /** Of an incarnation before: who reads them meanwhile is not known here. Expiry looks again. */
        expireShapes: {},
        giveUpDamaged: {}, // Likewise: the next checkpoint names it again.
        reportCondition: {},
      },
    },
    /** What is stored is read already. Their Consumers come back one after the other, and with the last of them the log moves. */
    restoring: {
      entry: [REST_MORE, vouchFor('shapes')],
      on: {
        ...ENDINGS,
        /** Whatever touches them from now on is told, and their tables stay published. */
        'shapes.rested': {
          actions: [
            {
              type: 'send',
              params: ({ event: { type, handles } }) => ({ to: '@shape-log-collector', event: { type, handles } }),
            },
            {
              type: 'send',
              params: ({ event: { handles, relations } }) => ({
                to: '@publication-manager',
                event: { type: 'retainRelations', handles, relations },
              }),
            },
            { type: 'send', params: ({ context }) => ({ to: context.self, event: { type: 'shapes.restMore' } }) },
          ],
        },
        'shapes.restMore': { actions: REST_MORE },
        'shape.started': { actions: RESTORE_NEXT },
        /** By request, or one that it depends on ended while it started. */
        'shape.condemned': { actions: [TELL_DELETED, STOP, RESTORE_NEXT, SETTLE] },
        'shape.refused': { actions: [RESTORE_NEXT, STOP, { type: 'send', params: releaseOf }, { type: 'send', params: refusedNote }] },
        'shapes.restored': {
          target: 'serving',
          actions: [
            { type: 'send', params: { to: '@shape-log-collector', event: { type: 'shapesRestored' } } },
            { type: 'send', params: { to: '@publication-manager', event: { type: 'shapesRestored' } } },
            { type: 'send', params: ({ event }) => note('info', event.type, { count: event.count }) },
            SETTLE,
          ],
        },
        createShape: { actions: 'postpone' },
        expireShapes: {},
        reportCondition: { actions: vouchFor('shapes') },
      },
    },
    serving: {
      tags: 'ready',
      entry: vouchFor('consumers'),
      on: {
        reportCondition: { actions: [vouchFor('shapes'), vouchFor('consumers')] },
        createShape: {
          actions: {
            type: 'apply',
            params: ({ event }) => ({
              table: 'directory',
              change: { type: 'reserve', definition: event.definition, replyTo: event.replyTo },
            }),
          },
        },
        'shape.found': {
          actions: {
            type: 'reply',
            params: ({ event }) => ({ to: event.replyTo, event: { type: 'shape.created', handle: event.handle } }),
          },
        },
        'shape.started': [
          { guard: { type: 'comesBack', params: ({ event }) => event }, actions: [{ type: 'replyToEach', params: created }, SETTLE] },
          {
            actions: [
              { type: 'replyToEach', params: created },
              { type: 'send', params: ({ event }) => note('info', event.type, { handle: event.handle, process: event.pid }) },
              SETTLE,
            ],
          },
        ],
        'shape.refused': {
          actions: [
            { type: 'replyToEach', params: notCreated },
            STOP,
            { type: 'send', params: releaseOf },
            { type: 'send', params: refusedNote },
            SETTLE,
          ],
        },
        ...ENDINGS,
        'shape.condemned': { actions: [TELL_DELETED, STOP, SETTLE] },
        'shapes.idle': { actions: { type: 'apply', params: changeOf('idle') } },
        'shapes.mayRest': { actions: { type: 'send', params: ({ event }) => ({ to: '@shape-log-collector', event: { ...event } }) } },
        expireShapes: {
          actions: {
            type: 'apply',
            params: ({ event: { handles, why } }) => ({ table: 'directory', change: { type: 'expire', handles, why } }),
          },
        },
      },
    },
  },
});

/** What is stored can be read; and all of it is followed. */
type Condition = 'shapes' | 'consumers';

function lose(condition: Condition) {
  return { type: 'send', params: { to: '@status-monitor', event: { type: 'condition.lost', condition } } } as const;
}

function vouchFor(condition: Condition) {
  const params = ({ context }: { context: { self: Pid } }) => {
    return { to: '@status-monitor' as const, event: { type: 'condition.met', condition, process: context.self } };
  };
  return { type: 'send', params } as const;
}

function changeOf(type: 'idle' | 'stayed') {
  return ({ event: { handles, consumers } }: { event: IdleShapes }) => ({ table: 'directory', change: { type, handles, consumers } });
}

function condemnOf({ event: { handle, why, isDamaged, replyTo } }: Told<'deleteShape'>) {
  return { table: 'directory', change: { type: 'condemn', handle, why, isDamaged, replyTo } };
}

function condemnDamagedOf({ event: { handle, why } }: Told<'giveUpDamaged'>) {
  return { table: 'directory', change: { type: 'condemnDamaged', handle, why } };
}

function condemnAllOf({ event: { handles, why } }: Told<'condemnShapes'>) {
  return { table: 'directory', change: { type: 'condemnShapes', handles, why } };
}

function purgeOf({ event: { why, replyTo } }: Told<'purge'>) {
  return { table: 'directory', change: { type: 'purge', why, replyTo } };
}

function startConsumer({ event: { handle, mode, dependencies } }: { event: Extract<Event, { type: 'shape.reserved' }> }) {
  const args = { handle, mode, ...(dependencies === undefined ? {} : { dependencies }) };
  const request = { type: 'startChild', template: 'consumer', args };
  return { to: '@consumers' as const, request, as: 'consumers' };
}

function retain({ handle, relation }: { handle: Handle; relation: ShapeDefinition['relation'] }) {
  return { type: 'retainRelation', handle, relation };
}

/** They are led to a shape that has failed, since whoever asks about it hears why. */
function cameTooLate({ event }: { event: Extract<Event, { type: 'shape.gone' }> }) {
  return event.hasFailed === true ? { to: event.replies, event: { type: 'shape.created', handle: event.handle } } : notCreated({ event });
}

function created({ event: { replies, handle } }: Told<'shape.started'>) {
  return { to: replies, event: { type: 'shape.created', handle } };
}

function notCreated({ event: { replies, why } }: { event: { replies: readonly ReplyTo[]; why: string } }) {
  return { to: replies, event: { type: 'shape.notCreated', why } };
}

function unregisterOf({ event: { handle } }: { event: { handle: Handle } }) {
  return { to: '@shape-log-collector' as const, event: { type: 'unregisterShape', handle } };
}

function releaseOf({ event: { handle, why } }: { event: { handle: Handle; why: string } }) {
  return { to: '@publication-manager' as const, event: { type: 'releaseShape', handle, why } };
}

function condemnedNote({ event: { type, count, why, relations } }: { event: Extract<Event, { type: 'shapes.condemned' }> }) {
  return note('info', type, { count, why, relations });
}

/** What is written of the end of one shape, and of all that ended with it. */
interface EndedShape {
  readonly handle: Handle;
  readonly why: string;
  readonly dependantCount?: number;
}

function deletedNote({ event }: { event: EndedShape }) {
  return note('info', 'shape.deleted', endOf(event));
}

function endOf({ handle, why, dependantCount }: EndedShape) {
  return { handle, why, ...(dependantCount === undefined ? {} : { dependantCount }) };
}

function damagedNote({ event: { handle, damagedTable, why } }: { event: { handle: Handle; damagedTable?: string; why: string } }) {
  invariant(damagedTable !== undefined, 'only what was damaged is told');
  return damagedShapeNote({ handle, table: damagedTable, why });
}

function filterNote({ event: { handle, failedFilter } }: { event: { handle: Handle; failedFilter?: FailedFilter } }) {
  invariant(failedFilter !== undefined, 'only a filter that failed is told');
  return failedFilterNote(handle, failedFilter);
}

function missedNote({ event: { missed } }: { event: { missed?: MissedChanges } }) {
  invariant(missed !== undefined, 'only what was missed is told');
  return missedChangesNote(missed);
}

function stopOf({ event: { pids, why } }: { event: { pids: readonly Pid[]; why: string } }) {
  return { to: pids, event: { type: 'stop', cause: { delete: why } } };
}

function refusedNote({ event }: { event: EndedShape & { type: string } }) {
  return note('warn', event.type, endOf(event));
}
