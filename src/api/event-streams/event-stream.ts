/**
 * EventStream: the events of one shape for one client, from where the client stands, for as long as both stay.
 *
 * It reads by itself until it has come to the end of the log, as fast as its client takes it. From there on it follows: it is
 * given what comes together with all others who stand there. Between the reading that finds nothing more and the following there
 * is no `await`. While it follows it is one object, for which no promise and no timer waits. It ends only behind an up-to-date, because
 * clients drop what came behind the last one.
 */
import type { StopSignal } from '../../base/stop-signal.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import type { Handle } from '../../model/shape.ts';
import type { ApiContext } from '../api-context.ts';
import { condemning } from '../condemning.ts';
import type { Failure, LiveBody, Sink } from '../shape-response.ts';
import { EventFraming, KEEP_ALIVE } from './event-framing.ts';
import { eventsBehind, isNothing, piecesOf, type LogEvents } from './log-events.ts';
import type { EventBatch, Follower, Parting } from './shape-followers.ts';
import { STREAM_AGE_MS } from './stream-age.ts';
import { TimedStream } from './stream-times.ts';

/** Without an event for so long, a comment says that the stream lives. */
const KEEP_ALIVE_MS = 21_000;
/** So much in one stream is enough: what stands in front may keep all of it. */
const STREAM_BYTES_MAX = 64 * 1024 * 1024;
/** A client that has yet to take more than this is cut off, before it is given the next events. */
const HELD_BYTES_MAX = 1024 * 1024;

export function eventStream(context: ApiContext, handle: Handle, after: LogOffset, signal: StopSignal): LiveBody {
  return { flow: (sink, over) => new EventStream(context, handle, after, signal, sink, over).begin() };
}

class EventStream extends TimedStream implements Follower {
  private readonly endMs: number;
  private lastOutputMs: number;
  private sentBytes = 0;
  private isFollowing = false;
  /** Behind what was given the log may have nothing more, as behind a snapshot. */
  private owesUpToDate = false;
  /** Of what it reads by itself. */
  private framing: EventFraming | undefined;

  constructor(
    private readonly context: ApiContext,
    private readonly handle: Handle,
    private standsAt: LogOffset,
    private readonly signal: StopSignal,
    private readonly sink: Sink,
    private readonly over: (failure?: Failure) => void,
  ) {
    super();
    this.lastOutputMs = this.nowMs();
    this.endMs = this.lastOutputMs + STREAM_AGE_MS;
  }

  get after(): LogOffset {
    return this.standsAt;
  }

  begin(): void {
    this.setTime();
    this.goOn();
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
    if (!this.stopFollowing()) return;
    if (why === 'ended') this.end();
    else void Promise.resolve().then(() => this.goOn());
  }

  fail(error: unknown): void {
    if (this.stopFollowing()) this.end({ error });
  }

  /** Nobody waits for it any longer. */
  handleEvent(): void {
    this.part('ended');
  }

  /** Output does not move the time: it is looked, when that comes, how long ago that was. A comment must not stand within an event. */
  override tick(): void {
    const nowMs = this.nowMs();
    if (this.isFollowing && nowMs >= this.endMs) return this.part('ended');
    if (nowMs >= this.lastOutputMs + KEEP_ALIVE_MS) {
      if (this.framing?.isBetween ?? true) this.write(KEEP_ALIVE);
      else this.lastOutputMs = nowMs;
    }
    this.setTime();
  }

  /** Asked behind an up-to-date: for how long the stream has been open, or how much it has brought, it may end nowhere else. */
  private get isSpent(): boolean {
    return this.signal.aborted || this.nowMs() >= this.endMs || this.sentBytes >= STREAM_BYTES_MAX;
  }

  private goOn(): void {
    this.readOn().catch((error: unknown) => this.end({ error }));
  }

  /** Until nothing is left to read. Who follows holds no promise: there are thousands. */
  private async readOn(): Promise<void> {
    while (!this.sink.isClosed) {
      const events = eventsBehind(this.context.ports.logs, this.handle, this.standsAt);
      if (events === undefined) break;
      if (isNothing(events) && !this.owesUpToDate) return this.follow();
      if ((await this.read(events)) === 'ended') break;
    }
    this.end();
  }

  /** One stretch of the log, at the client's pace. */
  private async read(events: LogEvents): Promise<Parting> {
    const { ports } = this.context;
    const framing = new EventFraming();
    this.framing = framing;
    try {
      for await (const piece of condemning(ports, this.handle, piecesOf(events, framing))) {
        if (!this.write(piece)) await this.sink.drained();
        if (this.sink.isClosed) return 'ended';
      }
    } catch (error) {
      if (ports.logs.isGone(error)) return 'ended';
      throw error;
    }
    this.framing = undefined;
    this.standsAt = events.end;
    this.owesUpToDate = events.told === undefined;
    return events.told !== undefined && this.isSpent ? 'ended' : 'behind';
  }

  private follow(): void {
    if (this.isSpent) return this.end();
    this.isFollowing = true;
    this.setTime();
    this.signal.addEventListener('abort', this);
    this.context.followers.join(this.handle, this);
  }

  /** @returns false when it did not follow. */
  private stopFollowing(): boolean {
    if (!this.isFollowing) return false;
    this.isFollowing = false;
    this.signal.removeEventListener('abort', this);
    this.context.followers.leave(this.handle, this);
    return true;
  }

  private end(failure?: Failure): void {
    this.context.streamTimes.clear(this);
    this.over(failure);
  }

  private setTime(): void {
    const keepAliveMs = this.lastOutputMs + KEEP_ALIVE_MS;
    this.context.streamTimes.set(this, this.isFollowing ? Math.min(keepAliveMs, this.endMs) : keepAliveMs);
  }

  private write(bytes: Uint8Array): boolean {
    this.lastOutputMs = this.nowMs();
    this.sentBytes += bytes.length;
    return this.sink.write(bytes);
  }

  /** In whole milliseconds, which take no room of their own. */
  private nowMs(): number {
    return Math.floor(this.context.clock.nowMs());
  }
}
