/** ProcessCensus: the living processes counted by kind, in one walk over all of them: some microsecond for each. */
import type { ProcessFigures } from '../otp/kernel/process-summary.ts';
import { processKind } from './process-kind.ts';

export interface Population {
  readonly kind: string;
  count: number;
  hibernating: number;
  mailboxMax: number;
  mailboxSum: number;
  /** How many of them a supervisor had started before, and how often. */
  restarts: number;
  handled: number;
}

/** @returns by kind, in the order in which they were met. */
export function censusOf(processes: Iterable<ProcessFigures>): ReadonlyMap<string, Population> {
  const populations = new Map<string, Population>();
  for (const figures of processes) {
    const kind = processKind(figures.pid);
    let population = populations.get(kind);
    if (population === undefined) populations.set(kind, (population = nobody(kind)));
    count(population, figures);
  }
  return populations;
}

/** @returns how many are in each state, as text. */
export function statesOf(processes: Iterable<ProcessFigures>): ReadonlyMap<string, number> {
  const states = new Map<string, number>();
  for (const { state } of processes) {
    const text = stateText(state);
    states.set(text, (states.get(text) ?? 0) + 1);
  }
  return states;
}

function count(population: Population, { hibernates, mailboxLength, handled, restarts }: ProcessFigures): void {
  population.count += 1;
  if (hibernates) population.hibernating += 1;
  population.mailboxMax = Math.max(population.mailboxMax, mailboxLength);
  population.mailboxSum += mailboxLength;
  population.restarts += restarts;
  population.handled += handled;
}

function nobody(kind: string): Population {
  return { kind, count: 0, hibernating: 0, mailboxMax: 0, mailboxSum: 0, restarts: 0, handled: 0 };
}

/** `up.resting` for `{ up: 'resting' }`, and `a.x b.y` for two regions. */
export function stateText(state: unknown): string {
  if (typeof state !== 'object' || state === null) return String(state);
  return Object.entries(state).map(([name, inner]) => withInner(name, inner)).join(' ');
}

function withInner(name: string, inner: unknown): string {
  const text = stateText(inner);
  return text === '' ? name : text.split(' ').map((part) => `${name}.${part}`).join(' ');
}
