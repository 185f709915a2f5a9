/**
 * Ledger: for whom one process waits. Its open calls and monitors, as a value.
 *
 * A call whose outcome came is taken out, and with it whatever is still under way to its caller on its account: in the runtime
 * that arrives and vanishes.
 */
import type { Address, Pid } from '../../../src/otp/process.ts';

export interface OpenCall {
  readonly id: number;
  /** Undefined for one that nobody will answer: a word to its caller is under way. */
  readonly target: Pid | undefined;
  readonly to: Address;
  readonly request: string;
  readonly as: string;
  /** Part of the owner's multicall of this word. */
  readonly isOfGroup: boolean;
  /** A monitor has told the caller that the target ended: nothing more is told. */
  readonly isTold: boolean;
}

export interface Monitor {
  readonly target: Pid | undefined;
  readonly address: Address;
  readonly as: string;
}

/** A multicall: its owner is told when the last of its calls has an outcome. */
export interface Group {
  readonly as: string;
  readonly isLimited: boolean;
  readonly failed: readonly Address[];
}

export interface Ledger {
  readonly calls: readonly OpenCall[];
  readonly monitors: readonly Monitor[];
  readonly groups: readonly Group[];
}

export const EMPTY: Ledger = { calls: [], monitors: [], groups: [] };

/** In which order it watches different ones says nothing. */
export function canonical({ calls, monitors, groups }: Ledger): Ledger {
  const byTarget = [...monitors].sort(({ address: one }, { address: other }) => (one < other ? -1 : Number(one > other)));
  return { calls, monitors: byTarget, groups };
}

/** Canonical text of one that is in order. */
export function ledgerKey({ calls, monitors, groups }: Ledger): string {
  let key = '';
  for (const { id, target, to, request, as, isOfGroup, isTold } of calls) {
    key += `${id},${target},${to},${request},${as},${isOfGroup},${isTold};`;
  }
  for (const { target, address, as } of monitors) key += `|${target},${address},${as}`;
  for (const { as, isLimited, failed } of groups) key += `/${as},${isLimited},${failed.join()}`;
  return key;
}

/** What of it concerns one whom it waits for: its end is told to the monitors first. */
export interface Toward {
  readonly monitors: readonly Monitor[];
  readonly calls: readonly number[];
}

export function toward({ calls, monitors }: Ledger, pid: Pid): Toward {
  return {
    monitors: monitors.filter(({ target }) => target === pid),
    calls: calls.filter(({ target }) => target === pid).map(({ id }) => id),
  };
}
