/**
 * Monitors: the right to be told once that a process has ended.
 *
 * A monitor stands on both sides: at its owner, who may take it back, and at its target, whose end sends DOWN. DOWN
 * travels like a message of the target, so it comes after everything that the target had sent. One for the dead is
 * told `noproc` the same way.
 */
import { FewSet } from '../../base/few-set.ts';
import type { Entry, Monitor, Source, Watch } from './entry.ts';
import { HeldMonitors } from './held-monitors.ts';
import type { Address, ExitReason } from '../process.ts';

export function monitor(owner: Entry, address: Address, as: string, settle?: (reason: ExitReason) => void): void {
  const target = owner.kernel.resolve(address);
  const watch: Monitor = { kind: 'monitor', owner, target, address, as, active: true, settle };
  owner.monitors ??= new HeldMonitors();
  owner.monitors.add(watch);
  if (target === undefined) {
    const source: Source = { pid: address };
    owner.kernel.enqueue(owner, { kind: 'down', source, watch, reason: 'noproc' });
  } else {
    target.watchers ??= new FewSet();
    target.watchers.add(watch);
  }
}

/** Which monitors are given up. */
export interface DemonitorRequest {
  /** Who is watched. */
  readonly process: Address;
  /** Only the monitor of this word; default all that the owner has on the process. */
  readonly as?: string;
  /** Default true: forgets also a DOWN that is under way. */
  readonly flush?: boolean;
}

/** Forgets monitors of `owner`; those of others, and ones that never were, are nobody's business here. */
export function demonitor(owner: Entry, { process, as, flush = true }: DemonitorRequest): void {
  for (const watch of owner.monitors?.of(process) ?? []) {
    if (as !== undefined && watch.as !== as) continue;
    if (flush || watch.target?.alive === true) close(watch);
  }
}

/** DOWN reaches the owner. It is the monitor's only message, and none when the monitor was taken back. */
export function receiveDown(watch: Monitor, source: Source, reason: ExitReason): void {
  if (!watch.active) return;
  close(watch);
  const { owner, target, address, as } = watch;
  if (target !== undefined) {
    target.toldOwners ??= new Set();
    target.toldOwners.add(owner);
  }
  if (watch.settle !== undefined) watch.settle(reason);
  else owner.behaviour.receive(owner, source, { type: `${as}.down`, process: address, reason });
}

function close(watch: Monitor): void {
  detach(watch);
  watch.owner.monitors?.delete(watch);
}

/**
 * Whether a monitor has told `owner` of the end of `target`, or will. The monitor may have been made by another address
 * than this one. A name may belong to another process by now, so only a monitor of this very process counts; when there
 * is no process at the address, one whose DOWN is under way.
 */
export function hearsOfEnd(owner: Entry, target: Entry | undefined, address: Address): boolean {
  if (target?.toldOwners?.has(owner) === true) return true;
  if (target === undefined) return holds(owner, address, (watched) => watched?.alive !== true);
  return [address, target.pid, ...(target.names ?? [])].some((each) => holds(owner, each, (watched) => watched === target));
}

function holds(owner: Entry, address: Address, isMeant: (target: Entry | undefined) => boolean): boolean {
  return owner.monitors?.of(address).some(({ target }) => isMeant(target)) === true;
}

/** The owner ends: nobody is left to be told. */
export function releaseMonitors(owner: Entry): void {
  if (owner.monitors === undefined) return;
  for (const watch of owner.monitors) detach(watch);
  owner.monitors = undefined;
}

/** The target ends. Monitors tell first, so that a call knows whether its owner has been told. */
export function tellWatchers(target: Entry, reason: ExitReason): void {
  if (target.watchers === undefined) return;
  tell('monitor', target, reason);
  tell('call', target, reason);
  target.watchers = undefined;
}

function tell(kind: Watch['kind'], target: Entry, reason: ExitReason): void {
  for (const watch of target.watchers ?? []) {
    if (watch.kind === kind) target.kernel.enqueue(watch.owner, { kind: 'down', source: target, watch, reason });
  }
}

function detach(watch: Monitor): void {
  watch.active = false;
  watch.target?.watchers?.delete(watch);
}
