/** Signals that are under way, and the mailboxes in which they wait: in order for each pair of processes, and no further. */
import type { Address, ExitReason, Message } from '../../../src/otp/process.ts';
import type { Monitor } from './ledger.ts';

export interface Waiter {
  readonly call: number;
  readonly event: Message;
}

export type Signal =
  /** A process begins. Whoever waits for that by a call is answered then. */
  | { readonly kind: 'init'; readonly args: Readonly<Record<string, unknown>>; readonly waiter?: Waiter | undefined }
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'reply'; readonly call: number; readonly message: Message }
  | { readonly kind: 'down'; readonly monitor: Monitor; readonly reason: ExitReason }
  | { readonly kind: 'callFailed'; readonly call: number; readonly reason: ExitReason }
  | { readonly kind: 'kill' };

/** From one process to another: only the first can be delivered. */
export interface Channel {
  readonly from: Address;
  /** Numbers of signals. */
  readonly signals: readonly number[];
}

export interface UnderWay {
  readonly from: Address;
  readonly signals: readonly Signal[];
}

/** Channels that are not empty, ordered by their senders. */
export type Mailbox = readonly Channel[];

export function mailboxKey(mailbox: Mailbox): string {
  return mailbox.map(({ from, signals }) => `${from}:${signals.join()}`).join(';');
}

export function withSignal(mailbox: Mailbox, from: Address, signal: number): Mailbox {
  const known = mailbox.find((channel) => channel.from === from);
  const others = mailbox.filter((channel) => channel !== known);
  return [...others, { from, signals: [...(known?.signals ?? []), signal] }].sort(bySender);
}

export function withoutFirst(mailbox: Mailbox, channel: Channel): Mailbox {
  return mailbox.flatMap((each) => (each === channel ? nonEmpty({ from: each.from, signals: each.signals.slice(1) }) : [each]));
}

export function without(mailbox: Mailbox, isVoid: (signal: number) => boolean): Mailbox {
  return mailbox.flatMap(({ from, signals }) => nonEmpty({ from, signals: signals.filter((signal) => !isVoid(signal)) }));
}

function nonEmpty(channel: Channel): Mailbox {
  return channel.signals.length === 0 ? [] : [channel];
}

function bySender(one: Channel, other: Channel): number {
  return one.from < other.from ? -1 : 1;
}

/** As a chart shows it. */
export function describeSignal(signal: Signal): string {
  switch (signal.kind) {
    case 'message':
    case 'reply':
      return signal.message.type;
    case 'down':
      return `${signal.monitor.as}.down`;
    case 'callFailed':
      return 'call failed';
    case 'init':
    case 'kill':
      return signal.kind;
  }
}

export function isOfCall(signal: Signal, call: number): boolean {
  return (signal.kind === 'reply' || signal.kind === 'callFailed') && signal.call === call;
}

