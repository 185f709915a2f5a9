/**
 * EventStream: the events of one shape for one client, from where the client stands, for as long as both stay.
 *
 * It reads by itself until it has come to the end of the log, as fast as its client takes it. From there on it follows: it is
 * given what comes together with all others who stand there. Between the reading that finds nothing more and the following there
 * is no `await`. It ends only behind an up-to-date, because clients drop what came behind the last one.
 */
import type { TimerId } from '../../base/clock.ts';
import type { StopSignal } from '../../base/stop-signal.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import type { Handle } from '../../model/shape.ts';
import type { ApiContext } from '../api-context.ts';
import { condemning } from '../condemning.ts';
import type { LiveBody, Sink } from '../shape-response.ts';
import { EventFraming, KEEP_ALIVE } from './event-framing.ts';
import { eventsBehind, isNothing, piecesOf, type LogEvents } from './log-events.ts';
import type { EventBatch, Follower, Parting } from './shape-followers.ts';
import { STREAM_AGE_MS } from './stream-age.ts';

/** Without an event for so long, a comment says that the stream lives. */
const KEEP_ALIVE_MS = 21_000;
/** So much in one stream is enough: what stands in front may keep all of it. */
const STREAM_BYTES_MAX = 64 * 1024 * 1024;
/** A client that has yet to take more than this is cut off, before it is given the next events. */
const HELD_BYTES_MAX = 1024 * 1024;

export function eventStream(context: ApiContext, handle: Handle, after: LogOffset, signal: StopSignal): LiveBody {
  return { flow: (sink) => new EventStream(context, handle, after, signal, sink).flow() };
}

interface Following {
  readonly resolve: (parting: Parting) => void;
  readonly reject: (error: unknown) => void;
}

class EventStream implements Follower {
  private readonly endMs: number;
  private lastOutputMs: number;
  private sentBytes = 0;
  private following: Following | undefined;
  /** Behind what was given the log may have nothing more, as behind a snapshot. */
  private owesUpToDate = false;
  private framing = new EventFraming();
  private timer: TimerId | undefined;

  constructor(
    private readonly context: ApiContext,
    private readonly handle: Handle,
    private standsAt: LogOffset,
    private readonly signal: StopSignal,
    private readonly sink: Sink,
  ) {
    this.lastOutputMs = context.clock.nowMs();
    this.endMs = this.lastOutputMs + STREAM_AGE_MS;
  }

  get after(): LogOffset {
    return this.standsAt;
  }

  async flow(): Promise<void> {
    this.setTimer();
    try {
      let parting: Parting = 'behind';
      while (parting === 'behind' && !this.sink.isClosed) {
        const events = eventsBehind(this.context.ports.logs, this.handle, this.standsAt);
        if (events === undefined) return;
        parting = isNothing(events) && !this.owesUpToDate ? await this.follow() : await this.read(events);
      }
    } finally {
      this.clearTimer();
    }
  }

  take({ bytes, end }: EventBatch): void {
    this.standsAt = end;
    if (this.sink.heldBytes > HELD_BYTES_MAX) {
      this.sink.cut();
      this.part('ended');
    } else {
      this.write(bytes);
      if (this.isSpent) this.part('ended');
    }
  }

  part(why: Parting): void {
    const following = this.stopFollowing();
    following?.resolve(why);
  }

  fail(error: unknown): void {
    const following = this.stopFollowing();
    following?.reject(error);
  }

  /** Asked behind an up-to-date: for how long the stream has been open, or how much it has brought, it may end nowhere else. */
  private get isSpent(): boolean {
    return this.signal.aborted || this.context.clock.nowMs() >= this.endMs || this.sentBytes >= STREAM_BYTES_MAX;
  }

  /** One stretch of the log, at the client's pace. */
  private async read(events: LogEvents): Promise<Parting> {
    const { ports } = this.context;
    this.framing = new EventFraming();
    try {
      for await (const piece of condemning(ports, this.handle, piecesOf(events, this.framing))) {
        if (!this.write(piece)) await this.sink.drained();
        if (this.sink.isClosed) return 'ended';
      }
    } catch (error) {
      if (ports.logs.isGone(error)) return 'ended';
      throw error;
    }
    this.standsAt = events.end;
    this.owesUpToDate = events.told === undefined;
    return events.told !== undefined && this.isSpent ? 'ended' : 'behind';
  }

  private follow(): Promise<Parting> {
    if (this.isSpent) return Promise.resolve('ended');
    return new Promise((resolve, reject) => {
      this.following = { resolve, reject };
      this.setTimer();
      this.signal.addEventListener('abort', this.leave);
      this.context.followers.join(this.handle, this);
    });
  }

  private readonly leave = (): void => this.part('ended');

  private stopFollowing(): Following | undefined {
    const { following } = this;
    if (following === undefined) return undefined;
    this.following = undefined;
    this.signal.removeEventListener('abort', this.leave);
    this.context.followers.leave(this.handle, this);
    return following;
  }

  private setTimer(): void {
    const { clock } = this.context;
    this.clearTimer();
    const endMs = this.following === undefined ? Number.POSITIVE_INFINITY : this.endMs;
    this.timer = clock.setTimer(this.tick, Math.max(0, Math.min(this.lastOutputMs + KEEP_ALIVE_MS, endMs) - clock.nowMs()));
  }

  private clearTimer(): void {
    if (this.timer !== undefined) this.context.clock.clearTimer(this.timer);
    this.timer = undefined;
  }

  /** Output does not move the timer: it looks, when it comes, how long ago that was. A comment must not stand within an event. */
  private readonly tick = (): void => {
    const nowMs = this.context.clock.nowMs();
    if (this.following !== undefined && nowMs >= this.endMs) return this.part('ended');
    if (nowMs >= this.lastOutputMs + KEEP_ALIVE_MS) {
      if (this.framing.isBetween) this.write(KEEP_ALIVE);
      else this.lastOutputMs = nowMs;
    }
    this.setTimer();
  };

  private write(bytes: Uint8Array): boolean {
    this.lastOutputMs = this.context.clock.nowMs();
    this.sentBytes += bytes.length;
    return this.sink.write(bytes);
  }
}
