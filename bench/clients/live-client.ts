/** One client that follows a shape all the time, and says of each commit when it had it. A commit is known by a text that no other has. */
import { systemClock } from '../../src/base/clock.ts';
import { invariant } from '../../src/base/invariant.ts';
import type { Place, WayToWait } from './crowd.ts';
import { headerOf, RawConnection } from './raw-connection.ts';

export class LiveClient {
  private readonly expected = new Map<string, (atMs: number) => void>();
  private isClosed = false;
  private constructor(private readonly connection: RawConnection) {}

  static async follow(place: Place, way: WayToWait): Promise<LiveClient> {
    const client = new LiveClient(await RawConnection.open(place.url));
    if (way === 'sse') await client.listen(place);
    else void client.poll(place);
    return client;
  }

  /** @returns resolves with the moment when `text` came. To be called before it can come. */
  arrivalOf(text: string): Promise<number> {
    return new Promise((done) => this.expected.set(text, done));
  }

  close(): void {
    this.isClosed = true;
    this.connection.close();
  }

  private async poll({ query, handle, offset }: Place): Promise<void> {
    for (let place = offset; !this.isClosed; ) {
      const { status, head, body } = await this.connection.get(`/v1/shape?${query}&handle=${handle}&offset=${place}&live=true`);
      invariant(status === 200, `a live request is answered: ${head}`);
      this.heard(body.toString('latin1'));
      place = headerOf(head, 'electric-offset') ?? place;
    }
  }

  private async listen({ query, handle, offset }: Place): Promise<void> {
    const head = await this.connection.stream(
      `/v1/shape?${query}&handle=${handle}&offset=${offset}&live=true&live_sse=true`,
      (part) => this.heard(part.toString('latin1')), // A change is short: it comes in one part.
    );
    invariant(head.startsWith('HTTP/1.1 200'), `a stream is opened: ${head}`);
  }

  private heard(body: string): void {
    if (this.expected.size === 0) return;
    const atMs = systemClock.nowMs();
    for (const [text, done] of this.expected) {
      if (!body.includes(text)) continue;
      this.expected.delete(text);
      done(atMs);
    }
  }
}
