/**
 * ProcessSearch: those of all processes that match, in an order. It looks at each once, and makes rows of those alone that are
 * shown: ten thousand are looked through in a few milliseconds.
 */
import type { ProcessSummary } from '../../otp/kernel/process-summary.ts';
import { page, type PageAsked } from '../pages/paging.ts';
import { stateText } from '../state-text.ts';
import type { ProcessesView } from '../views/processes.ts';
import { kindOf, rowOf } from './process-rows.ts';

export const PROCESS_SORTS = ['mailbox', 'handled', 'restarts', 'memory', 'since', 'name', 'state'] as const;

export interface ProcessesAsked extends PageAsked {
  /** In pid, name, label or state, whatever the case. */
  readonly search: string | undefined;
  readonly kind: string | undefined;
  readonly state: string | undefined;
  readonly sort: (typeof PROCESS_SORTS)[number];
  /** Undefined: texts upwards, numbers downwards. */
  readonly order: 'asc' | 'desc' | undefined;
}

export function processesView(
  processes: Iterable<ProcessSummary>,
  asked: ProcessesAsked,
  epochMs: (atMs: number) => number,
): Omit<ProcessesView, 'atMs'> {
  const kinds = new Set<string>();
  const children = new Map<string, number>();
  const matching: ProcessSummary[] = [];
  const matches = matcherOf(asked);
  let total = 0;
  for (const process of processes) {
    total += 1;
    kinds.add(kindOf(process));
    if (process.parent !== undefined) children.set(process.parent, (children.get(process.parent) ?? 0) + 1);
    if (matches(process)) matching.push(process);
  }
  const { rows, next } = page(matching.sort(orderOf(asked)), asked);
  return {
    total,
    matched: matching.length,
    rows: rows.map((process) => rowOf(process, children.get(process.pid) ?? 0, epochMs)),
    next,
    kinds: [...kinds].sort(),
  };
}

function matcherOf({ search, kind, state }: ProcessesAsked): (process: ProcessSummary) => boolean {
  const sought = search?.toLowerCase();
  return (process) => {
    if (kind !== undefined && kindOf(process) !== kind) return false;
    if (sought === undefined && state === undefined) return true;
    const text = stateText(process.state);
    if (state !== undefined && text !== state) return false;
    return sought === undefined || `${process.pid}\n${process.name ?? ''}\n${process.label ?? ''}\n${text}`.toLowerCase().includes(sought);
  };
}

function orderOf({ sort, order }: ProcessesAsked): (one: ProcessSummary, other: ProcessSummary) => number {
  const [compare, natural] = COMPARISONS[sort];
  const sign = (order ?? natural) === 'asc' ? 1 : -1;
  return (one, other) => sign * compare(one, other) || (one.pid < other.pid ? -1 : 1);
}

type Comparison = readonly [(one: ProcessSummary, other: ProcessSummary) => number, 'asc' | 'desc'];

const COMPARISONS: Readonly<Record<ProcessesAsked['sort'], Comparison>> = {
  mailbox: [(one, other) => one.mailboxLength - other.mailboxLength, 'desc'],
  handled: [(one, other) => one.handled - other.handled, 'desc'],
  restarts: [(one, other) => one.restarts - other.restarts, 'desc'],
  memory: [(one, other) => one.memoryBytes - other.memoryBytes, 'desc'],
  since: [(one, other) => one.sinceMs - other.sinceMs, 'desc'],
  name: [(one, other) => byText(one.name ?? one.pid, other.name ?? other.pid), 'asc'],
  state: [(one, other) => byText(stateText(one.state), stateText(other.state)), 'asc'],
};

function byText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
