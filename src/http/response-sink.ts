/**
 * ResponseSink: a response as whoever makes its body sees it. What is written goes out as fast as the client takes it, in parts, of
 * which the next is given when the last was taken; a client that takes nothing for a while is cut off.
 */
import type { Sink } from '../api/shape-response.ts';
import type { Clock } from '../base/clock.ts';
import type { NowOrLater } from '../base/now-or-later.ts';
import type { HttpResponse } from './peer.ts';

/** Of a body, what is written before it is asked whether the client takes it. */
export const PART_BYTES = 64 * 1024;

export interface SendingPorts {
  readonly clock: Clock;
  /** For so long a client may take nothing of what was written. */
  readonly stallMsMax: number;
  /** Told of each client that was cut off because it did not read. */
  cutOff(): void;
}

export class ResponseSink implements Sink {
  constructor(
    private readonly response: HttpResponse,
    private readonly ports: SendingPorts,
  ) {}

  get heldBytes(): number {
    return this.response.writableLength;
  }

  get isClosed(): boolean {
    return this.response.destroyed;
  }

  write(bytes: Uint8Array): boolean {
    return this.response.destroyed || this.response.write(bytes);
  }

  drained(): Promise<void> {
    return this.inTime('drain');
  }

  /** Resolves when more may be written, and when the client has gone. */
  async writePart(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length && !this.isClosed; at += PART_BYTES) {
      if (!this.write(bytes.subarray(at, at + PART_BYTES))) await this.drained();
    }
  }

  /** Nothing more comes, but `last`. Resolves when the client has taken all, and when it has gone. */
  end(last?: Uint8Array): NowOrLater<void> {
    this.response.end(last);
    return this.ended();
  }

  /** Behind an `end`. What the system has taken at once needs no time to be taken in, and most answers are short. */
  ended(): NowOrLater<void> {
    return this.response.writableLength === 0 ? undefined : this.inTime('finish');
  }

  cut(): void {
    this.ports.cutOff();
    this.response.destroy();
  }

  private inTime(event: 'drain' | 'finish'): Promise<void> {
    const { response } = this;
    const { clock, stallMsMax } = this.ports;
    return new Promise((resolve) => {
      const settle = (): void => {
        clock.clearTimer(timer);
        response.off(event, settle).off('close', settle);
        resolve();
      };
      const timer = clock.setTimer(() => this.cut(), stallMsMax);
      response.on(event, settle).on('close', settle);
      if (response.destroyed) settle(); // It never drains.
    });
  }
}
