/** Offer: what a runtime could deliver next, in the words of a turn. */
import { invariant } from '../../../src/base/invariant.ts';
import { entryOf, type Call, type Entry, type Signal, type Source } from '../../../src/otp/kernel/entry.ts';
import type { ChoosingScheduler } from '../../../src/otp/schedulers/choosing-scheduler.ts';

export interface Offer {
  /** Among the scheduler's candidates. */
  readonly index: number;
  /** As `describeSignal` tells it of the checker's. */
  readonly word: string;
  readonly from: string;
  /** A role, whichever incarnation, or a name. */
  readonly to: string;
  /** Inserted or postponed by the process itself. */
  readonly isUrgent: boolean;
  readonly signal: Signal;
}

/** @param nameOf the system's name for a pid. */
export function offersOf(scheduler: ChoosingScheduler, nameOf: (address: string) => string): readonly Offer[] {
  const heads = new Map<string, Signal>();
  for (const { channel, signal } of scheduler.underWay()) if (!heads.has(channel)) heads.set(channel, signal);
  return scheduler.candidates().map(({ channel, from, to }, index) => {
    const signal = heads.get(channel);
    invariant(signal !== undefined, 'what can be delivered is under way');
    const isUrgent = channel.startsWith('urgent');
    return { index, word: wordOf(signal), from: nameOf(from), to: roleOf(nameOf(to)), isUrgent, signal };
  });
}

export function roleOf(name: string): string {
  return name.replace(/#\d+$/, '');
}

function wordOf(signal: Signal): string {
  switch (signal.kind) {
    case 'message':
    case 'news':
    case 'reply':
      return signal.message.type;
    case 'down':
      return signal.watch.kind === 'monitor' ? `${signal.watch.as}.down` : 'call failed';
    case 'callFailed':
      return 'call failed';
    case 'exit':
      return signal.reason === 'kill' ? 'kill' : 'exit';
    case 'timeout':
      return `time-out ${signal.timer.name}`;
    case 'silence':
      return `silence of ${groupCalls(signal)[0]?.as ?? ''}`;
    case 'init':
      return 'init';
  }
}

/** It will find nobody who waits for it: its call has an outcome, its monitor was taken back, its timer does not run any more. */
export function isVoid(signal: Signal): boolean {
  switch (signal.kind) {
    case 'reply':
    case 'callFailed':
      return isClosed(signal.call);
    case 'down':
      return signal.watch.kind === 'monitor' ? !signal.watch.active : isClosed(signal.watch);
    case 'timeout':
      return ownerOf(signal.source)?.timers?.get(signal.timer.name) !== signal.timer;
    case 'silence':
      return groupCalls(signal).length === 0;
    case 'init':
    case 'message':
    case 'news':
    case 'exit':
      return false;
  }
}

/** Those of a multicall that are still open. */
function groupCalls({ source, group }: Signal & { readonly kind: 'silence' }): readonly Call[] {
  return [...(ownerOf(source)?.calls ?? [])].filter((call) => call.group === group);
}

function ownerOf({ actor }: Source): Entry | undefined {
  return actor && entryOf(actor);
}

function isClosed({ id, owner }: Call): boolean {
  return !owner.kernel.calls.has(id);
}
