/**
 * DynamicSupervisor: children that come and go on request, each from a template.
 *
 * It starts them side by side (a child that is slow to start keeps nobody waiting), restarts each by itself, and stops
 * them all at once. Its own state stays small: the children are in its table.
 */
import { assign, setup } from 'xstate';
import type { ChildRequest, RetryRestart, StartChild } from './child-requests.ts';
import type { DynamicSupervisorSpec } from './child-spec.ts';
import { dynamicSupervisorFault, refuseFaulty } from './child-spec-faults.ts';
import { DynamicChildTable, type DynamicChildNews } from './dynamic-child-table.ts';
import { dynamicSupervisorEffects } from './dynamic-supervisor-effects.ts';
import { effects } from '../effects.ts';
import type { Address, Exit, ExitReason, MachineSpec, Pid, ReplyTo } from '../process.ts';
import { supervisorEffects } from './supervisor-effects.ts';

type DynamicSupervisorEvent =
  | Exit
  | { type: 'STARTED' | 'IGNORED'; process: Pid }
  | StartChild
  | ChildRequest
  | RetryRestart
  | { type: `timeout.${string}` }
  | { type: 'whichChildren' | 'countChildren'; replyTo: ReplyTo }
  | DynamicChildNews;

interface Context {
  readonly self: Pid;
  readonly reason: ExitReason;
}

/** @throws {InvalidSpecError} */
export function dynamicSupervisor(spec: DynamicSupervisorSpec): MachineSpec {
  refuseFaulty(dynamicSupervisorFault(spec));
  return {
    machine: dynamicSupervisorMachine,
    tables: () => ({ children: new DynamicChildTable(spec) }),
    trapExit: true,
    isSupervisor: true,
    ...(spec.name === undefined ? {} : { name: spec.name }),
  };
}

/** The table knows the request as it came. */
const requested = { actions: { type: 'apply', params: requestOf } } as const;

export const dynamicSupervisorMachine = setup({
  types: { input: {} as { self: Pid }, context: {} as Context, events: {} as DynamicSupervisorEvent, output: {} as { reason: ExitReason } },
  guards: {
    isFromParent: (_, { fromParent }: { fromParent: boolean }) => fromParent,
    isBrutal: (_, { shutdown }: ToStop) => shutdown === 'brutal_kill',
    isUnlimited: (_, { shutdown }: ToStop) => shutdown === 'infinity',
  },
  actions: {
    ...effects,
    ...supervisorEffects,
    ...dynamicSupervisorEffects,
    noteReason: assign((_, { reason }: { reason: ExitReason }) => ({ reason })),
  },
}).createMachine({
  id: 'dynamic-supervisor',
  context: ({ input }) => ({ self: input.self, reason: 'shutdown' }),
  output: ({ context }) => ({ reason: context.reason }),
  initial: 'running',
  on: {
    '*': {}, // As in OTP, a message that is none of a supervisor's business does no harm to its children.
  },
  states: {
    running: {
      on: {
        startChild: requested,
        terminateChild: requested,
        restartChild: requested,
        deleteChild: requested,
        getChildSpec: requested,
        whichChild: requested,
        'child.due': { actions: { type: 'spawnChild', params: ({ event }) => event } },
        STARTED: { actions: { type: 'apply', params: ({ event }) => ({ table: 'children', change: { ...event, type: 'started' } }) } },
        IGNORED: { actions: { type: 'apply', params: ({ event }) => ({ table: 'children', change: { ...event, type: 'ignored' } }) } },
        EXIT: [
          {
            guard: { type: 'isFromParent', params: ({ event }) => event },
            target: 'stopping',
            actions: { type: 'noteReason', params: ({ event }) => event },
          },
          {
            actions: [
              { type: 'applyNow', params: ({ event }) => ({ change: exitedOf(event) }) },
              { type: 'cancelTimer', params: ({ event }) => ({ name: `terminate.${event.process}` }) },
            ],
          },
        ],
        'restart.failed': {
          actions: { type: 'send', params: ({ context, event: { id, process } }) => ({ to: context.self, event: { type: 'restart.retry', id, process } }) },
        },
        'restart.retry': { actions: { type: 'applyNow', params: ({ event }) => ({ change: { ...event, type: 'retry' } }) } },
        'restarts.exhausted': 'stopping',
        'child.toStop': [
          { guard: { type: 'isBrutal', params: ({ event }) => event }, actions: { type: 'exit', params: killOf } },
          { guard: { type: 'isUnlimited', params: ({ event }) => event }, actions: { type: 'exit', params: shutdownOf } },
          { actions: [{ type: 'exit', params: shutdownOf }, { type: 'startTimer', params: timerOf }] },
        ],
        'timeout.*': { actions: { type: 'killOverdue', params: ({ event }) => ({ timeout: event.type }) } },
        'requests.answered': { actions: { type: 'answerRequests', params: ({ event }) => event } },
        whichChildren: { actions: { type: 'answerChildren', params: ({ event }) => ({ to: event.replyTo }) } },
        countChildren: { actions: { type: 'answerCount', params: ({ event }) => ({ to: event.replyTo }) } },
      },
    },
    /** Requests that still come in get no answer: their callers see it end. */
    stopping: {
      entry: 'stopAll',
      on: {
        EXIT: {
          actions: {
            type: 'apply',
            params: ({ event }) => ({ table: 'children', change: { type: 'exitedWhileStopping', process: event.process } }),
          },
        },
        'timeout.*': { actions: { type: 'killOverdue', params: ({ event }) => ({ timeout: event.type }) } },
        'children.stopped': 'terminated',
      },
    },
    terminated: { type: 'final' },
  },
});

type ToStop = DynamicChildNews & { type: 'child.toStop' };

function requestOf({ event }: { event: StartChild | ChildRequest }) {
  return { table: 'children', change: event };
}

function exitedOf({ process, reason }: { process: Address; reason: ExitReason }) {
  return { type: 'exited', process, reason };
}

function killOf({ event }: { event: ToStop }) {
  return { process: event.process, reason: 'kill' as const };
}

function shutdownOf({ event }: { event: ToStop }) {
  return { process: event.process, reason: 'shutdown' as const };
}

function timerOf({ event }: { event: ToStop }) {
  return { name: `terminate.${event.process}`, delayMs: typeof event.shutdown === 'number' ? event.shutdown : 0 };
}
