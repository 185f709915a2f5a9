/**
 * The line between the service and its Postgres: it can be cut, fall silent while its connections stand, and be slow. A client of Postgres
 * that is not of the service goes around it.
 */
import type { Socket } from 'node:net';
import { systemClock } from '../../src/base/clock.ts';
import { pause } from '../../src/base/pause.ts';
import { startRelay, type Relay } from '../support/service/relay.ts';

export class Line {
  private isCut = false;
  private delayMs = 0;
  /** While it is silent; what came meanwhile goes on with that. */
  private silence: { readonly over: Promise<void>; readonly end: () => void } | undefined;
  private relay: Relay | undefined;

  static async to(port: number): Promise<Line> {
    const line = new Line();
    line.relay = await startRelay({ host: '127.0.0.1', port }, (client, upstream) => line.carry(client, upstream));
    return line;
  }

  /** The same database by way of this line. */
  urlOf(databaseUrl: string): string {
    const url = new URL(databaseUrl);
    url.port = String(this.relay?.port);
    return url.href;
  }

  /** Every connection is reset, and so is each that is tried. */
  cut(): void {
    this.isCut = true;
    this.relay?.breakConnections();
  }

  /** Connections stand and can be opened, and not a byte goes across. */
  fallSilent(): void {
    if (this.silence !== undefined) return;
    let end = (): void => {};
    const over = new Promise<void>((resolve) => (end = resolve));
    this.silence = { over, end };
  }

  /** Each piece takes so much longer. */
  slowDown(delayMs: number): void {
    this.delayMs = delayMs;
  }

  /** @param how what becomes of the connections that stand. */
  heal(how: 'go on' | 'reset'): void {
    this.isCut = false;
    this.delayMs = 0;
    if (how === 'reset') this.relay?.breakConnections();
    this.silence?.end();
    this.silence = undefined;
  }

  async close(): Promise<void> {
    this.heal('reset');
    await this.relay?.close();
  }

  private carry(client: Socket, upstream: Socket): void {
    if (this.isCut) client.resetAndDestroy();
    this.pass(client, upstream);
    this.pass(upstream, client);
  }

  private pass(from: Socket, to: Socket): void {
    from.on('data', (piece: Buffer) => {
      if (this.silence === undefined && this.delayMs === 0) return void to.write(piece);
      from.pause();
      void this.hold().then(() => {
        to.write(piece);
        from.resume();
      });
    });
  }

  private async hold(): Promise<void> {
    if (this.delayMs > 0) await pause(systemClock, this.delayMs);
    await this.silence?.over;
  }
}
