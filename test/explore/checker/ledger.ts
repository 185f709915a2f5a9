/**
 * Ledger: who waits for whom. The open calls and monitors of all processes, as a value.
 *
 * A call whose outcome came is taken out, and with it whatever is still under way to its caller on its account: in the runtime
 * that arrives and vanishes. Call ids that nothing names any more are given out again, the smallest first: so states that
 * differ only in how many calls there have been are one state. (An id that some message still names must not come again: a
 * late answer would be taken for another.)
 */
import type { Address, Pid } from '../../../src/otp/process.ts';

export interface OpenCall {
  readonly id: number;
  readonly owner: Pid;
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
  readonly owner: Pid;
  readonly target: Pid | undefined;
  readonly address: Address;
  readonly as: string;
}

/** A multicall: its owner is told when the last of its calls has an outcome. */
export interface Group {
  readonly owner: Pid;
  readonly as: string;
  readonly isLimited: boolean;
  readonly failed: readonly Address[];
}

export interface Ledger {
  readonly calls: readonly OpenCall[];
  readonly monitors: readonly Monitor[];
  readonly groups: readonly Group[];
}

/** Whose entries come first says nothing: only the order of one owner's counts. */
export function canonical({ calls, monitors, groups }: Ledger): Ledger {
  return { calls: byOwner(calls), monitors: byOwner(monitors), groups: byOwner(groups) };
}

function byOwner<Kind extends { readonly owner: Pid }>(entries: readonly Kind[]): readonly Kind[] {
  if (entries.length < 2) return entries;
  return [...entries].sort((one, other) => (one.owner < other.owner ? -1 : Number(one.owner > other.owner)));
}

/** Canonical text of one that is in order: several times as fast as JSON, and a search makes one for each step. */
export function ledgerKey({ calls, monitors, groups }: Ledger): string {
  let key = '';
  for (const { id, owner, target, to, request, as, isOfGroup, isTold } of calls) {
    key += `${id},${owner},${target},${to},${request},${as},${isOfGroup},${isTold};`;
  }
  for (const { owner, target, address, as } of monitors) key += `|${owner},${target},${address},${as}`;
  for (const { owner, as, isLimited, failed } of groups) key += `/${owner},${as},${isLimited},${failed.join()}`;
  return key;
}

const CALL_ID = /call!(\d+)/g;
/** Ids are kept as the bits of a number. */
const IDS_MAX = 30;
/** More than most callers have out at a time. */
const IDS_PER_CALLER = 2;

export function replyToOf(id: number): string {
  return `call!${id}`;
}

export function idOfReplyTo(replyTo: string): number {
  return Number(replyTo.slice('call!'.length));
}

/** The ids that a text names, each a bit. */
export function namedIn(text: string): number {
  let ids = 0;
  for (const [, id] of text.matchAll(CALL_ID)) ids |= 1 << Number(id);
  return ids;
}

/**
 * One that nobody names, from the caller's own ones on: so it depends little on who else has called, and when.
 *
 * @param place of the caller.
 */
export function freeId(named: number, place: number): number {
  for (let count = 0; count < IDS_MAX; count += 1) {
    const id = (place * IDS_PER_CALLER + count) % IDS_MAX;
    if ((named & (1 << id)) === 0) return id;
  }
  throw new RangeError(`more than ${IDS_MAX} calls are named at a time`);
}
