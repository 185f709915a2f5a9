/**
 * Supervisor: starts its children in order, restarts them by its strategy, stops them in reverse order.
 *
 * A machine like any other: starting and stopping are states, each child's acknowledgement or end an event. In every
 * state it obeys its own supervisor, so it can be stopped while it restarts in a loop; and between two tries of a
 * restart that fails it goes back to its mailbox. A request that has to start or stop a child is a state as well: other
 * requests wait, and the ends of siblings are kept. Which child is next, and what an end means, is the table's to say.
 */
import { assign, setup } from 'xstate';
import type { Shutdown, SupervisorSpec } from './child-spec.ts';
import type { ChildRequest, RequestsAnswered, StartChild, SupervisorRequest } from './child-requests.ts';
import { refuseFaulty, supervisorFault } from './child-spec-faults.ts';
import { ChildTable, type ChildNews } from './child-table.ts';
import { effects } from '../effects.ts';
import type { Address, Exit, ExitReason, MachineSpec, Pid } from '../process.ts';
import { supervisorEffects } from './supervisor-effects.ts';

type SupervisorEvent =
  | Exit
  | { type: 'STARTED' | 'IGNORED'; process: Pid }
  | { type: 'timeout.shutdown' }
  | ChildNews;

interface Context {
  readonly self: Pid;
  /** Why it will have ended. */
  readonly reason: ExitReason;
}

/** @throws {InvalidSpecError} */
export function supervisor(spec: SupervisorSpec): MachineSpec {
  refuseFaulty(supervisorFault(spec));
  return {
    machine: supervisorMachine,
    tables: () => ({ children: new ChildTable(spec) }),
    trapExit: true,
    isSupervisor: true,
    ...(spec.name === undefined ? {} : { name: spec.name }),
  };
}

const fromParent = {
  guard: 'isFromParent',
  target: '#supervisor.terminating',
  actions: { type: 'noteReason', params: ({ event }: { event: Exit }) => event },
} as const;

const stopChild = [
  { guard: { type: 'isBrutal', params: limitOf }, actions: { type: 'exit', params: killOf } },
  { guard: { type: 'isUnlimited', params: limitOf }, actions: { type: 'exit', params: shutdownOf } },
  { actions: [{ type: 'exit', params: shutdownOf }, { type: 'startTimer', params: timerOf }] },
] as const;

/** One that was told before the supervisor was told itself: it has its time again. */
const awaitStopping = [{ guard: { type: 'isUnlimited', params: limitOf } }, { actions: { type: 'startTimer', params: timerOf } }] as const;

/** While children are being started: the one that is waited for comes up, is not needed, or ends. */
const starts = {
  'child.due': { actions: { type: 'spawnChild', params: ({ event }: { event: { id: string } }) => event } },
  STARTED: { actions: { type: 'apply', params: startedOf } },
  IGNORED: { actions: { type: 'apply', params: ignoredOf } },
  EXIT: [fromParent, { actions: { type: 'apply', params: exitedWhileStarting } }],
} as const;

/** While children are being stopped: each is told, and killed when its time is over. */
const stops = {
  'child.toStop': stopChild,
  EXIT: [fromParent, { actions: { type: 'apply', params: exitedWhileStopping } }],
  'timeout.shutdown': { actions: apply({ type: 'overdue' }) },
  'child.overdue': { actions: { type: 'exit', params: killOf } },
} as const;

/** The table keeps a request until the supervisor is free, which is when it looks for what was kept. */
const kept = { actions: { type: 'apply', params: keptOf } } as const;
const freeAgain = apply({ type: 'nextKept' });
const answered = { type: 'answerRequests', params: answersOf } as const;
/** The table knows the request as it came. */
const requested = { actions: { type: 'apply', params: requestOf } } as const;

export const supervisorMachine = setup({
  types: { input: {} as { self: Pid }, context: {} as Context, events: {} as SupervisorEvent, output: {} as { reason: ExitReason } },
  guards: {
    isFromParent: ({ event }) => event.type === 'EXIT' && event.fromParent,
    isBrutal: (_, shutdown: Shutdown) => shutdown === 'brutal_kill',
    isUnlimited: (_, shutdown: Shutdown) => shutdown === 'infinity',
  },
  actions: {
    ...effects,
    ...supervisorEffects,
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
    STARTED: {}, // Of a child that has been told to stop since.
    IGNORED: {}, // Likewise.
    'timeout.shutdown': {},
    'restart.retry': kept, // One try waits until another child's is over.
    startChild: kept,
    terminateChild: kept,
    restartChild: kept,
    deleteChild: kept,
    getChildSpec: kept,
    whichChild: kept,
    whichChildren: kept,
    countChildren: kept,
    '*': {}, // As in OTP, a message that is none of a supervisor's business does no harm to its children.
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
        EXIT: [fromParent, { actions: { type: 'applyNow', params: exitedOf } }],
        'child.kept': { actions: { type: 'applyNow', params: exitedOf } },
        'restart.retry': { actions: { type: 'applyNow', params: ({ event }) => ({ change: { ...event, type: 'retry' } }) } },
        'restart.planned': 'clearing',
        'restarts.exhausted': 'terminating',
        'significant.ended': 'terminating',
        startChild: requested,
        terminateChild: requested,
        restartChild: requested,
        deleteChild: requested,
        getChildSpec: requested,
        whichChild: requested,
        'requests.answered': { actions: [answered, freeAgain] },
        'start.planned': 'startingChild',
        'stop.planned': 'stoppingChild',
        whichChildren: { actions: [{ type: 'answerChildren', params: ({ event }) => ({ to: event.replyTo }) }, freeAgain] },
        countChildren: { actions: [{ type: 'answerCount', params: ({ event }) => ({ to: event.replyTo }) }, freeAgain] },
      },
    },
    /** One child, for somebody who waits for the answer. A start that fails is not tried again. */
    startingChild: {
      entry: apply({ type: 'nextToStart' }),
      on: { ...starts, 'requests.answered': { target: 'running', actions: answered } },
    },
    stoppingChild: {
      entry: apply({ type: 'nextToStop' }),
      exit: { type: 'cancelTimer', params: { name: 'shutdown' } },
      on: {
        ...stops,
        'child.stopped': { target: 'stoppingChild', reenter: true },
        'requests.answered': { target: 'running', actions: answered },
      },
    },
    /** Stops those who must be started over together with the one that ended. */
    clearing: {
      entry: apply({ type: 'nextToStop' }),
      exit: { type: 'cancelTimer', params: { name: 'shutdown' } },
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
        'start.failed': {
          target: 'running',
          actions: { type: 'send', params: ({ context, event: { id, process } }) => ({ to: context.self, event: { type: 'restart.retry', id, process } }) },
        },
      },
    },
    terminating: {
      // A supervisor that ends before it was up has not started.
      tags: 'starting',
      entry: apply({ type: 'planAll' }),
      initial: 'stopping',
      states: {
        stopping: {
          entry: apply({ type: 'nextToStop' }),
          exit: { type: 'cancelTimer', params: { name: 'shutdown' } },
          on: { 'child.stopped': { target: 'stopping', reenter: true } },
        },
      },
      on: {
        ...stops,
        'child.isStopping': awaitStopping,
        EXIT: { actions: { type: 'apply', params: exitedWhileStopping } },
        'children.stopped': 'terminated',
      },
    },
    terminated: { type: 'final' },
  },
});

type ToStop = ChildNews & { type: 'child.toStop' | 'child.isStopping' };

function apply<Change>(change: Change): { type: 'apply'; params: { table: 'children'; change: Change } } {
  return { type: 'apply', params: { table: 'children', change } };
}

function startedOf({ event }: { event: { process: Pid } }) {
  return { table: 'children', change: { type: 'started', process: event.process } };
}

function ignoredOf({ event }: { event: { process: Pid } }) {
  return { table: 'children', change: { type: 'ignored', process: event.process } };
}

function requestOf({ event }: { event: StartChild | ChildRequest }) {
  return { table: 'children', change: event };
}

function keptOf({ event }: { event: SupervisorRequest }) {
  return { table: 'children', change: { type: 'keepRequest', request: event } };
}

function answersOf({ event }: { event: RequestsAnswered }) {
  return event;
}

function exitedWhileStarting({ event }: { event: Exit }) {
  return { table: 'children', change: { type: 'exitedWhileStarting', process: event.process, reason: event.reason } };
}

function exitedWhileStopping({ event }: { event: Exit }) {
  return { table: 'children', change: { type: 'exitedWhileStopping', process: event.process, reason: event.reason } };
}

function exitedOf({ event }: { event: { process: Address; reason: ExitReason } }) {
  return { change: { type: 'exited' as const, process: event.process, reason: event.reason } };
}

function limitOf({ event }: { event: ToStop }): Shutdown {
  return event.shutdown;
}

function killOf({ event }: { event: { process: Pid } }) {
  return { process: event.process, reason: 'kill' as const };
}

function shutdownOf({ event }: { event: { process: Pid } }) {
  return { process: event.process, reason: 'shutdown' as const };
}

function timerOf({ event }: { event: ToStop }) {
  return { name: 'shutdown', delayMs: typeof event.shutdown === 'number' ? event.shutdown : 0 };
}
