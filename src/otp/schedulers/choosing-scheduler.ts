/**
 * ChoosingScheduler: somebody else decides which signal is delivered next, and what was decided can be played again.
 *
 * All that waits is a channel per pair of processes, of which only the head can be chosen: so every order that the
 * runtime's promises allow can be had, and no other. It runs by `step` and `drain` alone: nothing happens in between.
 * The channels are offered with the oldest head first: choice 0, again and again, is delivery in the order of sending,
 * and a list of choices shrinks towards it.
 */
import { seededRandom } from '../../base/random.ts';
import type { Entry, Mailbox, MessageSignal, Signal } from '../kernel/entry.ts';
import { Ring } from '../kernel/ring.ts';
import type { Scheduler, SchedulerHost } from './scheduler.ts';

/** What could be delivered next. */
export interface Candidate {
  /** Names the queue that it is the head of. What is in one channel is delivered in order, whoever chooses. */
  readonly channel: string;
  readonly from: string;
  readonly to: string;
  /** The type of the message, or the kind of signal. */
  readonly what: string;
}

export interface ChoosingScheduler extends Scheduler {
  /** Every choice so far: give them to `replayScheduler` to see the same run again. */
  readonly choices: readonly number[];
  /** What could be delivered now, as `choose` would get it; also when there is nothing to choose. */
  candidates(): readonly Candidate[];
  /** Everything that is under way, each channel in order: with the processes' states, what the rest of a run depends on. */
  underWay(): readonly UnderWay[];
}

export interface UnderWay {
  readonly channel: string;
  readonly signal: Signal;
}

/** @param choose gets at least two candidates, oldest first, and answers with an index. */
export function choosingScheduler(choose: (candidates: readonly Candidate[]) => number): ChoosingScheduler {
  return new ChannelScheduler(choose);
}

/** The same seed chooses the same, on every machine. */
export function randomScheduler(seed: number): ChoosingScheduler {
  const random = seededRandom(seed);
  return choosingScheduler((candidates) => random.below(candidates.length));
}

/** Plays a list of choices; beyond its end, and for what it does not fit, in the order of sending. */
export function replayScheduler(choices: readonly number[] = []): ChoosingScheduler {
  let next = 0;
  return choosingScheduler((candidates) => (choices[next++] ?? 0) % candidates.length);
}

interface Waiting {
  readonly signal: Signal;
  readonly order: number;
}

interface Channel {
  readonly key: string;
  readonly mailbox: ChannelMailbox;
  readonly waiting: Ring<Waiting>;
  headOrder: number;
  headSignal: Signal;
}

class ChannelScheduler implements ChoosingScheduler {
  readonly choices: number[] = [];
  private readonly choose: (candidates: readonly Candidate[]) => number;
  private readonly active = new Set<Entry>();
  private host: SchedulerHost | undefined;
  private sent = 0;

  constructor(choose: (candidates: readonly Candidate[]) => number) {
    this.choose = choose;
  }

  attach(host: SchedulerHost): void {
    this.host = host;
  }

  createMailbox(): Mailbox {
    return new ChannelMailbox(() => this.sent++);
  }

  ready(entry: Entry): void {
    this.active.add(entry);
  }

  step(): boolean {
    const offers = this.offers();
    const offer = offers[this.pick(offers)];
    if (offer === undefined || this.host === undefined) return false;
    this.host.deliver(offer.entry, offer.take());
    return true;
  }

  candidates(): readonly Candidate[] {
    return this.offers();
  }

  underWay(): readonly UnderWay[] {
    return [...this.active].flatMap((entry) => {
      const urgent = Array.from(entry.urgent, (signal) => ({ channel: urgentChannel(entry), signal }));
      return [...urgent, ...(entry.mailbox as ChannelMailbox).underWay(entry.pid)];
    });
  }

  private pick(offers: readonly Offer[]): number {
    if (offers.length < 2) return 0;
    const choice = this.choose(offers);
    this.choices.push(choice);
    return choice;
  }

  private offers(): Offer[] {
    const offers: Offer[] = [];
    for (const entry of this.active) {
      if (!entry.isAwake || (entry.urgent.length === 0 && entry.mailbox.length === 0)) {
        entry.scheduled = false;
        this.active.delete(entry);
      } else collectOffers(entry, offers);
    }
    return offers.sort((one, other) => one.order - other.order);
  }
}

interface Offer extends Candidate {
  readonly entry: Entry;
  readonly order: number;
  readonly take: () => Signal;
}

/** A process begins before it is told anything, and what is urgent comes before its mailbox; only `kill` waits for nothing. */
function collectOffers(entry: Entry, offers: Offer[]): void {
  const mailbox = entry.mailbox as ChannelMailbox;
  const urgent = entry.urgent.shift();
  if (urgent !== undefined) {
    entry.urgent.unshift(urgent);
    offers.push({ entry, order: -1, channel: urgentChannel(entry), from: entry.pid, to: entry.pid, what: nameOf(urgent), take: () => entry.urgent.shift() ?? urgent });
  }
  for (const channel of mailbox.channels.values()) {
    const { key, headSignal, headOrder } = channel;
    const mustWait = urgent !== undefined || (mailbox.isUnborn && headSignal.kind !== 'init');
    if (mustWait && !isKill(headSignal)) continue;
    offers.push({ entry, order: headOrder, channel: channelName(key, entry.pid), from: headSignal.source.pid, to: entry.pid, what: nameOf(headSignal), take: () => mailbox.take(channel) });
  }
}

class ChannelMailbox implements Mailbox {
  readonly channels = new Map<string, Channel>();
  length = 0;
  messageCount = 0;
  /** Its process has not begun: the signal that begins it waits here. */
  isUnborn = false;
  private readonly nextOrder: () => number;

  constructor(nextOrder: () => number) {
    this.nextOrder = nextOrder;
  }

  push(signal: Signal): void {
    const order = this.nextOrder();
    const key = keyOf(signal);
    this.length += 1;
    if (signal.kind === 'message') this.messageCount += 1;
    if (signal.kind === 'init') this.isUnborn = true;
    const channel = this.channels.get(key);
    if (channel !== undefined) channel.waiting.push({ signal, order });
    else this.channels.set(key, { key, mailbox: this, waiting: new Ring(), headOrder: order, headSignal: signal });
  }

  take(channel: Channel): Signal {
    const signal = channel.headSignal;
    const next = channel.waiting.shift();
    this.noteTaken(signal);
    if (next === undefined) this.channels.delete(channel.key);
    else {
      channel.headOrder = next.order;
      channel.headSignal = next.signal;
    }
    return signal;
  }

  underWay(owner: string): UnderWay[] {
    return [...this.channels.values()].flatMap(({ key, headSignal, waiting }) =>
      [headSignal, ...Array.from(waiting, ({ signal }) => signal)].map((signal) => ({ channel: channelName(key, owner), signal })),
    );
  }

  takeOldestMessage(): MessageSignal | undefined {
    const oldest = [...this.channels.values()].flatMap(firstMessageOf).sort((one, other) => one.order - other.order)[0];
    if (oldest === undefined) return undefined;
    const { channel, signal } = oldest;
    if (channel.headSignal === signal) this.take(channel);
    else {
      channel.waiting.take((waiting) => waiting.signal === signal);
      this.noteTaken(signal);
    }
    return signal;
  }

  clear(): void {
    this.channels.clear();
    this.length = 0;
    this.messageCount = 0;
  }

  private noteTaken({ kind }: Signal): void {
    this.length -= 1;
    if (kind === 'message') this.messageCount -= 1;
    if (kind === 'init') this.isUnborn = false;
  }
}

/** None when only signals of other kinds wait in the channel. */
function firstMessageOf(channel: Channel): readonly { readonly channel: Channel; readonly signal: MessageSignal; readonly order: number }[] {
  const { headSignal, headOrder, waiting } = channel;
  for (const { signal, order } of [{ signal: headSignal, order: headOrder }, ...waiting]) if (signal.kind === 'message') return [{ channel, signal, order }];
  return [];
}

/** A process's timers are no messages of its own: their firing is ordered with nothing but one another. */
function keyOf(signal: Signal): string {
  if (isKill(signal)) return `kill ${signal.source.pid}`;
  return signal.kind === 'timeout' || isCallTimeout(signal) ? `timer ${signal.source.pid}` : signal.source.pid;
}

function channelName(key: string, owner: string): string {
  return `${key} → ${owner}`;
}

function urgentChannel({ pid }: Entry): string {
  return `urgent ${pid}`;
}

function isKill(signal: Signal): boolean {
  return signal.kind === 'exit' && signal.reason === 'kill';
}

function isCallTimeout(signal: Signal): boolean {
  return signal.kind === 'callFailed' && signal.reason === 'timeout';
}

function nameOf(signal: Signal): string {
  return 'message' in signal ? signal.message.type : signal.kind;
}
