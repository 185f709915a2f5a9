/** What is found when steps that commute are taken in one order, and what in all. */
import { search, type Orders } from './checker/search.ts';
import type { System, World } from './checker/system.ts';

export const ORDERS_STATES_MAX = 300_000;

export interface Broken {
  readonly property: string;
  /** Of the shortest way to it, in steps. */
  readonly length: number;
}

export function inBoth<Result>(find: (orders: Orders) => Result): { readonly one: Result; readonly all: Result } {
  return { one: find('one'), all: find('all') };
}

/** @returns undefined when every state, or as many as are looked at, is good. */
export function brokenIn<Kind extends World<Kind>>(system: System<Kind>, orders: Orders): Broken | undefined {
  const { counterexample } = search(system, ORDERS_STATES_MAX, orders);
  return counterexample && { property: counterexample.property, length: counterexample.steps.length };
}
