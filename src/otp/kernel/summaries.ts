/**
 * Summaries: processes told to an onlooker at little cost, so that very many can be looked through.
 *
 * Nothing of it wakes a process, or makes what the process does not have: `ProcessInfo` tells more, of one.
 */
import type { Entry } from './entry.ts';
import type { ProcessEnd, ProcessSummary } from './process-summary.ts';
import { firstOf } from './registry.ts';
import type { ExitReason } from '../process.ts';
import { SupervisionTable } from '../supervision/supervision-table.ts';

/** Measured with many processes of a kind, rounded. */
const RECORD_BYTES = 200;
const HOLDINGS_BYTES = 450;
const AWAKE_BYTES = 3_000;
const SIGNAL_BYTES = 150;
const TIMER_BYTES = 250;

export function summaryOf(entry: Entry): ProcessSummary {
  const { pid, id, parent, order, label, handled, dropped, restarts, sinceMs, hibernates, tables, traits, names } = entry;
  return {
    pid, id, order, label, handled, dropped, restarts, sinceMs, hibernates,
    parent: parent?.parent === undefined ? undefined : parent.pid,
    machine: traits.machine?.id,
    name: firstOf(names),
    state: entry.behaviour.state(entry),
    isSupervisor: tables?.children instanceof SupervisionTable,
    mailboxLength: waitingIn(entry),
    memoryBytes: memoryOf(entry),
  };
}

/** How many signals wait, postponed events among them. */
export function waitingIn(entry: Entry): number {
  return entry.isAwake ? entry.mailbox.length + entry.urgent.length + entry.postponed.length + (entry.suspended?.length ?? 0) : 0;
}

export function memoryOf(entry: Entry): number {
  const held = entry.names !== undefined || entry.tables !== undefined ? HOLDINGS_BYTES : 0;
  const awake = entry.isAwake ? AWAKE_BYTES : 0;
  return RECORD_BYTES + held + awake + waitingIn(entry) * SIGNAL_BYTES + (entry.timers?.size ?? 0) * TIMER_BYTES + tableBytesOf(entry);
}

function tableBytesOf({ tables }: Entry): number {
  let bytes = 0;
  for (const name in tables) bytes += tables[name]?.heldBytes ?? 0;
  return bytes;
}

export function endOf(entry: Entry, reason: ExitReason): ProcessEnd {
  const { current, parent } = entry;
  const children = parent?.tables?.children;
  return {
    process: summaryOf(entry),
    reason,
    event: current !== undefined && 'message' in current ? current.message : undefined,
    context: contextOf(entry),
    fate: children instanceof SupervisionTable ? children.fateOf(entry.pid, reason) : undefined,
  };
}

/** Of a process that hibernates, without waking it. */
export function contextOf({ actor, context }: Entry): unknown {
  const snapshot: unknown = actor?.getSnapshot();
  return typeof snapshot === 'object' && snapshot !== null && 'context' in snapshot ? snapshot.context : context;
}
