/**
 * SupervisionChart: what stands in the charts of both kinds of supervisor.
 *
 * Each starts a child when its table says that one is due, and stops one when its table says so. It tells its table what
 * becomes of children and what it is asked, and it ends when its own supervisor orders it. Particular to a kind are the
 * states in which it does so, and whether it waits for one child before it sees to the next.
 */
import type { AnyStateMachine } from 'xstate';
import type { Address, Exit, ExitReason, MachineSpec, Name, Pid, ReplyTo } from '../process.ts';
import type { ChildRequest, RetryRestart, StartChild, SupervisorRequest } from './child-requests.ts';
import type { Shutdown } from './child-spec.ts';
import type { ChildExit, SupervisionChange, SupervisionNews, SupervisionTable, TimedChange } from './supervision-table.ts';

export interface SupervisionContext {
  readonly self: Pid;
  /** Why it will have ended. */
  readonly reason: ExitReason;
}

export type SupervisionEvent = Exit | { type: 'STARTED' | 'IGNORED'; process: Pid } | SupervisorRequest | SupervisionNews;

export const supervisionTypes = { input: {} as { self: Pid }, context: {} as SupervisionContext, output: {} as { reason: ExitReason } };

export interface ToStop {
  readonly process: Pid;
  readonly shutdown: Shutdown;
}

export function supervisorProcess(machine: AnyStateMachine, name: Name | undefined, children: () => SupervisionTable): MachineSpec {
  return { machine, tables: () => ({ children: children() }), trapExit: true, isSupervisor: true, ...(name === undefined ? {} : { name }) };
}

export const supervisionGuards = {
  isFromParent: (_: unknown, { fromParent }: Pick<Exit, 'fromParent'>) => fromParent,
  isBrutal: (_: unknown, { shutdown }: ToStop) => shutdown === 'brutal_kill',
  isUnlimited: (_: unknown, { shutdown }: ToStop) => shutdown === 'infinity',
};

/** The order of its own supervisor to end: for EXIT, before what it does about a child's. */
export function orderToEnd<const Target extends string>(target: Target) {
  return { guard: { type: 'isFromParent', params: eventOf }, target, actions: { type: 'noteReason', params: eventOf } } as const;
}

/** The child that is due is spawned, and comes up or is not needed. */
export const childStarts = {
  'child.due': { actions: { type: 'spawnChild', params: eventOf } },
  STARTED: { actions: tell(({ process }: { process: Pid }) => ({ type: 'started', process })) },
  IGNORED: { actions: tell(({ process }: { process: Pid }) => ({ type: 'ignored', process })) },
} as const;

export const noteExited = tellNow(({ process, reason }: ChildExit) => ({ type: 'exited', process, reason }));
export const noteExitedWhileStopping = tell(({ process, reason }: ChildExit) => ({ type: 'exitedWhileStopping', process, reason }));

/** By its mailbox: while a restart fails again and again, the supervisor can be asked, and can be told to end. */
export const askForRetry = { type: 'send', params: retryOf } as const;

/** What is asked while it runs. The table knows a request as it came. */
export const requestsToTable = {
  ...onChildRequests({ actions: tell((request: StartChild | ChildRequest) => request) }),
  'restart.retry': { actions: tellNow(({ id, process }: RetryRestart) => ({ type: 'retry', id, process })) },
} as const;

export const answerRequests = { type: 'answerRequests', params: eventOf } as const;
export const answerChildren = { type: 'answerChildren', params: callerOf } as const;
export const answerCount = { type: 'answerCount', params: callerOf } as const;

/** The same transition for all that can be asked about one child, or for a new one. */
export function onChildRequests<const Transition>(transition: Transition) {
  return {
    startChild: transition,
    terminateChild: transition,
    restartChild: transition,
    deleteChild: transition,
    getChildSpec: transition,
    whichChild: transition,
  } as const;
}

export const kill = exit('kill');
const shutDown = exit('shutdown');

/**
 * A child is told to stop by its own rule: killed at once, told and waited for, or told and killed when its time is over.
 *
 * @param timerOf names the timer of its time.
 */
export function stopChild(timerOf: (process: Pid) => string) {
  return [
    { guard: { type: 'isBrutal', params: eventOf }, actions: kill },
    { guard: { type: 'isUnlimited', params: eventOf }, actions: shutDown },
    { actions: [shutDown, limitStop(timerOf)] },
  ] as const;
}

export function limitStop(timerOf: (process: Pid) => string) {
  const params = ({ event: { process, shutdown } }: { event: ToStop }) => ({
    name: timerOf(process),
    delayMs: typeof shutdown === 'number' ? shutdown : 0,
  });
  return { type: 'startTimer', params } as const;
}

function exit(reason: 'kill' | 'shutdown') {
  return { type: 'exit', params: ({ event }: { event: { process: Pid } }) => ({ process: event.process, reason }) } as const;
}

function tell<Event>(changeOf: (event: Event) => SupervisionChange) {
  return { type: 'apply', params: ({ event }: { event: Event }) => ({ table: 'children', change: changeOf(event) }) } as const;
}

/** Likewise, with the time. */
function tellNow<Event>(changeOf: (event: Event) => TimedChange) {
  return { type: 'applyNow', params: ({ event }: { event: Event }) => ({ change: changeOf(event) }) } as const;
}

function retryOf({ context, event }: { context: SupervisionContext; event: { id: string; process: Address } }) {
  return { to: context.self, event: { type: 'restart.retry', id: event.id, process: event.process } };
}

function eventOf<Event>({ event }: { event: Event }): Event {
  return event;
}

function callerOf({ event }: { event: { replyTo: ReplyTo } }) {
  return { to: event.replyTo };
}
