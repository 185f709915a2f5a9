/**
 * DynamicSupervisor: children that come and go on request, each from a template.
 *
 * It starts them side by side (a child that is slow to start keeps nobody waiting), restarts each by itself, and stops
 * them all at once. Its own state stays small: the children are in its table.
 */
import { assign, setup } from 'xstate';
import { effects } from '../effects.ts';
import type { Address, ExitReason, MachineSpec } from '../process.ts';
import type { DynamicSupervisorSpec } from './child-spec.ts';
import { dynamicSupervisorFault, refuseFaulty } from './child-spec-faults.ts';
import { DynamicChildTable } from './dynamic-child-table.ts';
import { dynamicSupervisorEffects } from './dynamic-supervisor-effects.ts';
import {
  answerChildren, answerCount, answerRequests, askForRetry, childStarts, noteExited, noteExitedWhileStopping, orderToEnd,
  requestsToTable, stopChild, supervisionGuards, supervisionTypes, supervisorProcess, type SupervisionEvent,
} from './supervision-chart.ts';
import { supervisionEffects } from './supervision-effects.ts';

/** @throws {InvalidSpecError} */
export function dynamicSupervisor(spec: DynamicSupervisorSpec): MachineSpec {
  refuseFaulty(dynamicSupervisorFault(spec));
  return supervisorProcess(dynamicSupervisorMachine, spec.name, () => new DynamicChildTable(spec));
}

/** Many children may be stopping at once: each has a timer of its own. */
const timerOfStop = (process: Address): string => `terminate.${process}`;

export const dynamicSupervisorMachine = setup({
  types: { ...supervisionTypes, events: {} as SupervisionEvent | { type: `timeout.${string}` } },
  guards: supervisionGuards,
  actions: {
    ...effects,
    ...supervisionEffects,
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
        ...requestsToTable,
        'requests.answered': { actions: answerRequests },
        whichChildren: { actions: answerChildren },
        countChildren: { actions: answerCount },
        ...childStarts,
        EXIT: [
          orderToEnd('stopping'),
          { actions: [noteExited, { type: 'cancelTimer', params: ({ event }) => ({ name: timerOfStop(event.process) }) }] },
        ],
        'start.failed': { actions: askForRetry },
        'restarts.exhausted': 'stopping',
        'child.toStop': stopChild(timerOfStop),
        'timeout.*': { actions: { type: 'killOverdue', params: ({ event }) => ({ timeout: event.type }) } },
      },
    },
    /** Requests that still come in get no answer: their callers see it end. */
    stopping: {
      entry: 'stopAll',
      on: {
        EXIT: { actions: noteExitedWhileStopping },
        'timeout.*': { actions: { type: 'killOverdue', params: ({ event }) => ({ timeout: event.type }) } },
        'children.stopped': 'terminated',
      },
    },
    terminated: { type: 'final' },
  },
});
