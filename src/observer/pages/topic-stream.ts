/**
 * TopicStream: topics as server-sent events, for one client, as long as it stays.
 *
 * Each topic is looked at again when it has rested, and sent when it has changed: so whatever happens in between is one event, and
 * a client is never owed more than one of each. It is given the next when it has taken the last; one that does not is cut off by
 * who sends.
 */
import type { Clock } from '../../base/clock.ts';
import type { LiveBody, Sink } from '../../api/shape-response.ts';
import { restMsOf, type Topics } from './topics.ts';

/** Without an event for so long, a comment says that the stream lives. */
const KEEP_ALIVE_MS = 15_000;
const KEEP_ALIVE = Buffer.from(': keep-alive\n\n');
/** What its client has yet to take when the next event is due. */
const HELD_BYTES_MAX = 1024 * 1024;

export interface StreamPorts {
  readonly topics: Topics;
  readonly clock: Pick<Clock, 'nowMs' | 'setTimer' | 'clearTimer'>;
  /** Called for each look of the stream: somebody is there. */
  looked(): void;
}

interface FollowedTopic {
  readonly topic: string;
  dueMs: number;
  sent: string | undefined;
}

export function topicStream(topics: readonly string[], ports: StreamPorts, signal: AbortSignal): LiveBody {
  return {
    flow: (sink, over) => {
      new TopicStream(topics, ports, signal, sink).flow().then(() => over(), (error: unknown) => over({ error }));
    },
  };
}

class TopicStream {
  private readonly followed: readonly FollowedTopic[];
  private lastOutputMs: number;
  /** However many its topics are, the stream takes no more than a part of the time. */
  private restUntilMs = 0;

  constructor(
    topics: readonly string[],
    private readonly ports: StreamPorts,
    private readonly signal: AbortSignal,
    private readonly sink: Sink,
  ) {
    this.lastOutputMs = ports.clock.nowMs();
    this.followed = topics.map((topic) => ({ topic, dueMs: 0, sent: undefined }));
  }

  async flow(): Promise<void> {
    const { clock } = this.ports;
    while (!this.signal.aborted && !this.sink.isClosed) {
      this.ports.looked();
      let costMs = 0;
      for (const followed of this.followed) costMs += await this.lookAt(followed);
      this.restUntilMs = clock.nowMs() + restMsOf(costMs);
      if (this.sink.heldBytes > HELD_BYTES_MAX) return this.sink.cut();
      this.keepAlive();
      await this.rest();
    }
  }

  /** @returns what its making has cost. A client that takes it slowly costs nothing. */
  private async lookAt(followed: FollowedTopic): Promise<number> {
    const { clock, topics } = this.ports;
    if (followed.dueMs > clock.nowMs() || this.signal.aborted) return 0;
    const { json, isThere, content, untilMs, costMs } = await topics.form(followed.topic);
    followed.dueMs = untilMs;
    if (content === followed.sent) return costMs;
    followed.sent = content;
    await this.send(Buffer.from(`data: {"topic":${JSON.stringify(followed.topic)},"${isThere ? 'view' : 'error'}":${json}}\n\n`));
    return costMs;
  }

  private async send(bytes: Uint8Array): Promise<void> {
    this.lastOutputMs = this.ports.clock.nowMs();
    if (!this.sink.write(bytes)) await this.sink.drained();
  }

  private keepAlive(): void {
    const { clock } = this.ports;
    if (clock.nowMs() < this.lastOutputMs + KEEP_ALIVE_MS || this.sink.isClosed) return;
    this.lastOutputMs = clock.nowMs();
    this.sink.write(KEEP_ALIVE);
  }

  /** Until the next topic is due, and no longer than its client stays. */
  private rest(): Promise<void> {
    const { clock } = this.ports;
    const dueMs = Math.max(this.restUntilMs, Math.min(...this.followed.map(({ dueMs }) => dueMs)));
    return new Promise((resolve) => {
      const settle = (): void => {
        clock.clearTimer(timer);
        this.signal.removeEventListener('abort', settle);
        resolve();
      };
      const timer = clock.setTimer(settle, Math.max(1, dueMs - clock.nowMs()));
      this.signal.addEventListener('abort', settle);
      if (this.signal.aborted) settle();
    });
  }
}
