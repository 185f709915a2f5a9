/** ProcessRows: processes in a line each, and very many of a kind as a population. */
import type { ProcessSummary } from '../../otp/kernel/process-summary.ts';
import { stateText } from '../state-text.ts';
import type { Population, ProcessRow } from '../views/tree.ts';

/** Beyond so many states the rest is one. */
const STATES_MAX = 50;
export const OTHER_STATES = '…';

/** The id of its machine, or of the child that a port is. */
export function kindOf({ machine, id }: Pick<ProcessSummary, 'machine' | 'id'>): string {
  return machine ?? `port:${id}`;
}

/** @param epochMs brings a time of the runtime's clock to that of the wall. */
export function rowOf(process: ProcessSummary, childCount: number, epochMs: (atMs: number) => number): ProcessRow {
  const { pid, id, machine, name, label, state, isSupervisor, hibernates, handled, dropped, restarts, memoryBytes, sinceMs } = process;
  return {
    pid, id, isSupervisor, hibernates, handled, dropped, restarts, memoryBytes, childCount,
    kind: kindOf(process),
    machine: machine ?? null,
    name: name ?? null,
    label: label ?? null,
    state: stateText(state),
    mailbox: process.mailboxLength,
    sinceMs: epochMs(sinceMs),
  };
}

/** Counts processes of one kind, at the same cost for each. */
export class PopulationCount {
  private readonly states = new Map<string, number>();
  private readonly machine: string | null;
  private count = 0;
  private hibernating = 0;
  private mailboxMax = 0;
  private mailboxSum = 0;
  private restarts = 0;
  private memoryBytes = 0;

  constructor(
    private readonly kind: string,
    { machine }: ProcessSummary,
  ) {
    this.machine = machine ?? null;
  }

  add({ state, hibernates, mailboxLength, restarts, memoryBytes }: ProcessSummary): void {
    const text = stateText(state);
    this.states.set(text, (this.states.get(text) ?? 0) + 1);
    this.count += 1;
    this.hibernating += hibernates ? 1 : 0;
    this.mailboxMax = Math.max(this.mailboxMax, mailboxLength);
    this.mailboxSum += mailboxLength;
    this.restarts += restarts;
    this.memoryBytes += memoryBytes;
  }

  view(): Population {
    const { kind, machine, count, hibernating, mailboxMax, mailboxSum, restarts, memoryBytes } = this;
    return { kind, machine, count, hibernating, mailboxMax, mailboxSum, restarts, memoryBytes, byState: this.byState() };
  }

  private byState(): Readonly<Record<string, number>> {
    const sorted = [...this.states].sort(([, one], [, other]) => other - one);
    const shown = sorted.slice(0, STATES_MAX);
    const rest = sorted.slice(STATES_MAX).reduce((sum, [, count]) => sum + count, 0);
    return Object.fromEntries(rest === 0 ? shown : [...shown, [OTHER_STATES, rest]]);
  }
}

/** All kinds among them, most numerous first. */
export function populationsOf(processes: Iterable<ProcessSummary>): readonly Population[] {
  const counts = new Map<string, PopulationCount>();
  for (const process of processes) {
    const kind = kindOf(process);
    const count = counts.get(kind) ?? new PopulationCount(kind, process);
    counts.set(kind, count);
    count.add(process);
  }
  return Array.from(counts.values(), (count) => count.view()).sort((one, other) => other.count - one.count);
}
