/**
 * Supervisor: starts its children in order, restarts them by its strategy, stops them in reverse order.
 *
 * A machine like any other: starting and stopping are states, each child's acknowledgement or end an event. In every
 * state it obeys its own supervisor, so it can be stopped while it restarts in a loop; and between two tries of a
 * restart that fails it goes back to its mailbox. A request that has to start or stop a child is a state as well: other
 * requests wait, and the ends of siblings are kept. Which child is next, and what an end means, is the table's to say.
 */
import { assign, setup } from 'xstate';
import { effects } from '../effects.ts';
import type { Exit, ExitReason, MachineSpec } from '../process.ts';
import type { SupervisorRequest } from './child-requests.ts';
import type { SupervisorSpec } from './child-spec.ts';
import { refuseFaulty, supervisorFault } from './child-spec-faults.ts';
import { ChildTable, type ChildChange, type ChildNews } from './child-table.ts';
import {
  answerChildren, answerCount, answerRequests, askForRetry, childStarts, kill, limitStop, noteExited, noteExitedWhileStopping,
  onChildRequests, orderToEnd, requestsToTable, stopChild, supervisionGuards, supervisionTypes, supervisorProcess, type SupervisionEvent,
} from './supervision-chart.ts';
import { supervisionEffects } from './supervision-effects.ts';

/** @throws {InvalidSpecError} */
export function supervisor(spec: SupervisorSpec): MachineSpec {
  refuseFaulty(supervisorFault(spec));
  return supervisorProcess(supervisorMachine, spec.name, () => new ChildTable(spec));
}

const orderedToEnd = orderToEnd('#supervisor.terminating');

/** While children are being started: the one that is waited for comes up, is not needed, or ends. */
const starts = {
  ...childStarts,
  EXIT: [orderedToEnd, { actions: { type: 'apply', params: exitedWhileStarting } }],
} as const;

/** Children are stopped one at a time, so one timer will do. */
const timerOfStop = (): string => 'shutdown';

/** The next child is told to stop; the timer is cancelled when it has. */
const stopNext = { entry: apply({ type: 'nextToStop' }), exit: { type: 'cancelTimer', params: { name: timerOfStop() } } } as const;

/** While children are being stopped: each is told, and killed when its time is over. */
const stops = {
  'child.toStop': stopChild(timerOfStop),
  EXIT: [orderedToEnd, { actions: noteExitedWhileStopping }],
  'timeout.shutdown': { actions: apply({ type: 'overdue' }) },
  'child.overdue': { actions: kill },
} as const;

/** The table keeps a request until the supervisor is free, which is when it looks for what was kept. */
const kept = { actions: { type: 'apply', params: keptOf } } as const;
const freeAgain = apply({ type: 'nextKept' });

export const supervisorMachine = setup({
  types: { ...supervisionTypes, events: {} as SupervisionEvent | { type: 'timeout.shutdown' } | ChildNews },
  guards: supervisionGuards,
  actions: {
    ...effects,
    ...supervisionEffects,
    noteReason: assign((_, { reason }: { reason: ExitReason }) => ({ reason })),
    noteFailedStart: assign((_, { id, reason }: { id: string; reason: ExitReason }) => ({
      reason: { shutdown: { type: 'failed_to_start_child', id, reason } },
    })),
  },
}).createMachine({
  id: 'supervisor',
  context: ({ input }) => ({ self: input.self, reason: 'shutdown' }),
  output: ({ context }) => ({ reason: context.reason }),
  initial: 'starting',
  on: {
    'restart.retry': kept, // One try waits until another child's is over.
    ...onChildRequests(kept),
    whichChildren: kept,
    countChildren: kept,
    // As in OTP, a message that is none of a supervisor's business does no harm to its children. Nor does what comes too late:
    // the acknowledgement of a child that has been told to stop, or the time-out of one that has stopped.
    '*': {},
  },
  states: {
    /** The first start: one that fails takes back those before it, and the supervisor's own start has failed. */
    starting: {
      tags: 'starting',
      entry: [apply({ type: 'planAll' }), apply({ type: 'nextToStart' })],
      on: {
        ...starts,
        'children.started': 'running',
        'start.failed': { target: 'terminating', actions: { type: 'noteFailedStart', params: ({ event }) => event } },
      },
    },
    running: {
      entry: freeAgain,
      on: {
        EXIT: [orderedToEnd, { actions: noteExited }],
        'child.kept': { actions: noteExited },
        'restart.planned': 'clearing',
        'restarts.exhausted': 'terminating',
        'significant.ended': 'terminating',
        ...requestsToTable,
        'requests.answered': { actions: [answerRequests, freeAgain] },
        'start.planned': 'startingChild',
        'stop.planned': 'stoppingChild',
        whichChildren: { actions: [answerChildren, freeAgain] },
        countChildren: { actions: [answerCount, freeAgain] },
      },
    },
    /** One child, for somebody who waits for the answer. A start that fails is not tried again. */
    startingChild: {
      entry: apply({ type: 'nextToStart' }),
      on: { ...starts, 'requests.answered': { target: 'running', actions: answerRequests } },
    },
    stoppingChild: {
      ...stopNext,
      on: {
        ...stops,
        'child.stopped': { target: 'stoppingChild', reenter: true },
        'requests.answered': { target: 'running', actions: answerRequests },
      },
    },
    /** Stops those who must be started over together with the one that ended. */
    clearing: {
      ...stopNext,
      on: {
        ...stops,
        'child.stopped': { target: 'clearing', reenter: true },
        'children.stopped': 'restarting',
      },
    },
    restarting: {
      entry: apply({ type: 'nextToStart' }),
      on: {
        ...starts,
        'children.started': 'running',
        'start.failed': { target: 'running', actions: askForRetry },
      },
    },
    terminating: {
      // A supervisor that ends before it was up has not started.
      tags: 'starting',
      entry: apply({ type: 'planAll' }),
      initial: 'stopping',
      states: {
        stopping: {
          ...stopNext,
          on: { 'child.stopped': { target: 'stopping', reenter: true } },
        },
      },
      on: {
        ...stops,
        // One that was told before the supervisor was told itself: it has its time again.
        'child.isStopping': [{ guard: { type: 'isUnlimited', params: ({ event }) => event } }, { actions: limitStop(timerOfStop) }],
        EXIT: { actions: noteExitedWhileStopping },
        'children.stopped': 'terminated',
      },
    },
    terminated: { type: 'final' },
  },
});

function apply(change: ChildChange) {
  return { type: 'apply', params: { table: 'children', change } } as const;
}

function keptOf({ event }: { event: SupervisorRequest }) {
  return { table: 'children', change: { type: 'keepRequest', request: event } };
}

function exitedWhileStarting({ event }: { event: Exit }) {
  return { table: 'children', change: { type: 'exitedWhileStarting', process: event.process, reason: event.reason } };
}
