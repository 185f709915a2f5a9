import fc from 'fast-check';
import type { ChildRow } from '../../../src/otp/supervision/child-row.ts';
import { ChildTable, type ChildChange } from '../../../src/otp/supervision/child-table.ts';
import { DynamicChildTable } from '../../../src/otp/supervision/dynamic-child-table.ts';
import type { SupervisionChange } from '../../../src/otp/supervision/supervision-table.ts';
import type { Message, Pid, ReplyTo } from '../../../src/otp/process.ts';
import { childSpec } from '../../support/otp/family.ts';
import { Nowhere, tableContract } from '../../support/otp/table-contract.ts';

const id = fc.constantFrom('a', 'b', 'c');
const replyTo = fc.constantFrom('call#1', 'call#2').map((text) => text as ReplyTo);
const templates = { child: ({ id: named }: Message) => childSpec(String(named), { restart: named === 'b' ? 'temporary' : 'permanent' }) };

const children = [childSpec('a'), childSpec('b', { restart: 'temporary' })];

type Became = 'spawned' | 'started' | 'ignored' | 'exited' | 'exitedWhileStopping' | 'retry';
/** What becomes of a child, told of the process that it has: a child that has one is not spawned. */
type ChildStep = { readonly became: Became; readonly id: string };

const became = fc.record<ChildStep>({
  became: fc.constantFrom('spawned', 'spawned', 'started', 'ignored', 'exited', 'exitedWhileStopping', 'retry'),
  id,
});
const asked: fc.Arbitrary<SupervisionChange> = fc.oneof(
  fc.record({ id, replyTo }).map(({ id: named, replyTo: to }) => {
    return { type: 'startChild' as const, template: 'child', args: { type: 'args', id: named }, replyTo: to };
  }),
  fc.record({ type: fc.constantFrom('terminateChild', 'restartChild', 'deleteChild', 'getChildSpec', 'whichChild'), id, replyTo }),
);

function changeOf({ became: type, id: named }: ChildStep, row: ChildRow | undefined): SupervisionChange | undefined {
  const process = row?.pid ?? (`${named}#none` as Pid);
  switch (type) {
    case 'spawned':
      if (row === undefined || row.pid !== undefined) return undefined;
      return { type, id: named, process: `${named}#${row.spawned}` as Pid, isSupervisor: named === 'c' };
    case 'started':
    case 'ignored':
      return { type, process };
    case 'retry':
      return { type, id: named, process: row?.failedPid ?? process, nowMs: 0 };
    case 'exited':
      return { type, process, reason: 'killed', nowMs: 0 };
    default:
      return { type, process, reason: 'killed' };
  }
}

tableContract('ChildTable', {
  world: () => new Nowhere(),
  table: () => new ChildTable({ strategy: 'rest_for_one', children, templates }),
  steps: fc.oneof<fc.Arbitrary<ChildStep | { readonly change: ChildChange }>[]>(
    became,
    fc.constantFrom('planAll', 'nextToStart', 'nextToStop', 'overdue', 'nextKept').map((type) => ({ change: { type } })),
    asked.map((change) => ({ change })),
    id.map((named) => ({ change: { type: 'exitedWhileStarting', process: `${named}#0` as Pid, reason: 'killed' } })),
    replyTo.map((to) => ({ change: { type: 'keepRequest', request: { type: 'countChildren', replyTo: to } } })),
  ),
  play(table, step) {
    const change = 'change' in step ? step.change : changeOf(step, table.rows.ofId(step.id));
    return change && table.apply(change);
  },
});

tableContract('DynamicChildTable', {
  world: () => new Nowhere(),
  table: () => new DynamicChildTable({ templates, maxChildren: 2 }),
  steps: fc.oneof<fc.Arbitrary<ChildStep | { readonly change: SupervisionChange }>[]>(became, asked.map((change) => ({ change }))),
  play(table, step) {
    const change = 'change' in step ? step.change : changeOf(step, table.rows.ofId(step.id));
    return change && table.apply(change);
  },
});
