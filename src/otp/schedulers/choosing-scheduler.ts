/**
 * ChoosingScheduler: somebody else decides which signal is delivered next, and what was decided can be played again.
 *
 * Signals of one pair of processes form a channel, and only the first of a channel can be chosen: so every order can be
 * had that the runtime's promises allow, and no other. The runtime runs by `step` and `drain` alone. Channels are offered
 * by the age of their first signals: to choose 0 again and again is delivery in the order of sending, and a list of choices
 * shrinks towards that.
 */
import { seededRandom } from '../../base/random.ts';
import { Ring } from '../../base/ring.ts';
import type { Entry, Mailbox, MessageSignal, Signal } from '../kernel/entry.ts';
import type { Scheduler, SchedulerHost } from './scheduler.ts';

/** What could be delivered next. */
export interface Candidate {
  /** Names the channel that it is the first of. A channel is delivered in order, whoever chooses. */
  readonly channel: string;
  /** Who sent it. */
  readonly from: string;
  /** Whom it is for. */
  readonly to: string;
  /** The type of the message, or the kind of signal. */
  readonly what: string;
}

/** A scheduler that remembers what was chosen. */
export interface ChoosingScheduler extends Scheduler {
  /** Every choice so far: give them to `replayScheduler` to see the same run again. */
  readonly choices: readonly number[];
  /** What could be delivered now, as `choose` would get it; also when there is nothing to choose. */
  candidates(): readonly Candidate[];
  /** Everything that is under way, each channel in order: with the processes' states, what the rest of a run depends on. */
  underWay(): readonly UnderWay[];
}

/** A signal that was sent and not delivered. */
export interface UnderWay {
  /** As candidates name it. */
  readonly channel: string;
  /** What was sent. */
  readonly signal: Signal;
}

/**
 * Somebody chooses.
 *
 * @param choose gets at least two candidates, oldest first, and answers with an index.
 */
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

  /** Whoever steps decides what comes in between. */
  giveWay(): void {}

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

/** The first signal that a process handles is the one that begins it. What is urgent comes before its mailbox. `kill` waits for neither. */
function collectOffers(entry: Entry, offers: Offer[]): void {
  const mailbox = entry.mailbox as ChannelMailbox;
  const urgent = entry.urgent.shift();
  if (urgent !== undefined) {
    entry.urgent.unshift(urgent);
    const take = (): Signal => entry.urgent.shift() ?? urgent;
    offers.push({ entry, order: -1, channel: urgentChannel(entry), from: entry.pid, to: entry.pid, what: nameOf(urgent), take });
  }
  for (const channel of mailbox.channels.values()) {
    const { key, headSignal, headOrder } = channel;
    const mustWait = urgent !== undefined || (mailbox.isUnborn && headSignal.kind !== 'init');
    if (mustWait && !isKill(headSignal)) continue;
    const [from, to] = [headSignal.source.pid, entry.pid];
    const take = (): Signal => mailbox.take(channel);
    offers.push({ entry, order: headOrder, channel: channelName(key, to), from, to, what: nameOf(headSignal), take });
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

interface FirstMessage {
  readonly channel: Channel;
  readonly signal: MessageSignal;
  readonly order: number;
}

/** @returns none when only signals of other kinds wait in the channel. */
function firstMessageOf(channel: Channel): readonly FirstMessage[] {
  const head = { signal: channel.headSignal, order: channel.headOrder };
  for (const { signal, order } of [head, ...channel.waiting]) if (signal.kind === 'message') return [{ channel, signal, order }];
  return [];
}

/** A process's timers are a channel of their own: their time-outs are in order with one another, and with nothing else. */
function keyOf(signal: Signal): string {
  if (isKill(signal)) return `kill ${signal.source.pid}`;
  return isTimeout(signal) ? `timer ${signal.source.pid}` : signal.source.pid;
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

function isTimeout(signal: Signal): boolean {
  return signal.kind === 'timeout' || signal.kind === 'silence' || (signal.kind === 'callFailed' && signal.reason === 'timeout');
}

function nameOf(signal: Signal): string {
  return 'message' in signal ? signal.message.type : signal.kind;
}
