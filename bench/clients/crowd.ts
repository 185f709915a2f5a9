/** Very many clients that wait for the same: each on a connection of its own, as people have them. */
import { systemClock } from '../../src/base/clock.ts';
import { invariant } from '../../src/base/invariant.ts';
import { headerOf, RawConnection } from './raw-connection.ts';

export type WayToWait = 'long-poll' | 'sse';

const OPENED_AT_ONCE = 128;
const ARRIVED_WITHIN_MS = 120_000;

/** One that asks for what comes behind the end of a shape. */
export interface Place {
  readonly url: string;
  /** Of the shape, encoded. */
  readonly query: string;
  readonly handle: string;
  readonly offset: string;
}

export class Crowd {
  private readonly connections: RawConnection[] = [];
  private readonly heads: string[] = [];
  private wanted = '';
  private arrivals = 0;
  private lastArrived: ((atMs: number) => void) | undefined;
  private failed: ((error: unknown) => void) | undefined;
  constructor(
    private readonly place: Place,
    private readonly way: WayToWait,
  ) {}

  get size(): number {
    return this.connections.length;
  }

  /** That all of them got, when their stream was opened; undefined for others. */
  get head(): string | undefined {
    return this.heads[0];
  }

  /** So many more, each of which has asked. Those that wait for a stream have heard that it is open. */
  async grow(count: number): Promise<void> {
    let left = count;
    const open = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await this.openOne();
      }
    };
    await Promise.all(Array.from({ length: Math.min(count, OPENED_AT_ONCE) }, open));
  }

  /** Resolves with the moment when the last of them has been told `text`. @throws when one is told something else, or it takes too long. */
  async told(text: string): Promise<number> {
    [this.wanted, this.arrivals] = [text, 0];
    const deadline = systemClock.setTimer(() => {
      this.failed?.(new Error(`${this.arrivals} of ${this.size} clients were told within ${ARRIVED_WITHIN_MS} ms`));
    }, ARRIVED_WITHIN_MS);
    try {
      return await new Promise<number>((done, failed) => ([this.lastArrived, this.failed] = [done, failed]));
    } finally {
      systemClock.clearTimer(deadline);
    }
  }

  close(): void {
    for (const connection of this.connections.splice(0)) connection.close();
  }

  private async openOne(): Promise<void> {
    const { url, query, handle, offset } = this.place;
    const connection = await RawConnection.open(url);
    this.connections.push(connection);
    const path = `/v1/shape?${query}&handle=${handle}&offset=${offset}&live=true`;
    if (this.way === 'sse') this.heads.push(await this.listen(connection, path));
    else this.ask(connection, path).catch((error: unknown) => this.failed?.(error));
  }

  private async ask(connection: RawConnection, path: string): Promise<void> {
    const { status, body } = await connection.get(path);
    invariant(status === 200 && body.includes(this.wanted), `a client that waits is told what it waits for: ${status} ${body.toString()}`);
    this.arrived();
  }

  private async listen(connection: RawConnection, path: string): Promise<string> {
    let heard = '';
    const head = await connection.stream(`${path}&live_sse=true`, (part) => {
      heard += part.toString('latin1');
      if (this.wanted === '' || !heard.includes(this.wanted)) return;
      heard = '';
      this.arrived();
    });
    invariant(head.startsWith('HTTP/1.1 200') && headerOf(head, 'content-type') === 'text/event-stream', `a stream is opened: ${head}`);
    return head;
  }

  private arrived(): void {
    this.arrivals += 1;
    if (this.arrivals === this.size) this.lastArrived?.(systemClock.nowMs());
  }
}
