/**
 * ProcessSummary: what can be known of a process at little cost, so that very many can be looked through.
 *
 * Nothing of it wakes a process, or makes what the process does not have: `ProcessInfo` tells more, of one.
 */
import type { Entry } from './entry.ts';
import { firstOf } from './registry.ts';
import type { Name, Pid } from '../process.ts';
import { SupervisionTable } from '../supervision/supervision-table.ts';

export interface ProcessSummary {
  readonly pid: Pid;
  readonly id: string;
  /** Undefined for a root. */
  readonly parent: Pid | undefined;
  /** Place among its siblings. */
  readonly order: number;
  /** The id of its machine; undefined for a port. */
  readonly machine: string | undefined;
  /** Of its specification, or the first that it registered. */
  readonly name: Name | undefined;
  readonly label: string | undefined;
  /** The machine's state value; `open` and the like for a port. */
  readonly state: unknown;
  readonly isSupervisor: boolean;
  readonly hibernates: boolean;
  /** How many signals wait, postponed events among them. */
  readonly mailboxLength: number;
  readonly handled: number;
  readonly dropped: number;
  readonly restarts: number;
  /** An estimate of what the process itself takes, and what waits for it: without context and tables, whose size nobody knows. */
  readonly memoryBytes: number;
  /** On the clock's scale. */
  readonly sinceMs: number;
}

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
  return RECORD_BYTES + held + awake + waitingIn(entry) * SIGNAL_BYTES + (entry.timers?.size ?? 0) * TIMER_BYTES;
}
