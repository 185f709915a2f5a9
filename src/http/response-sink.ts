/** ResponseSink: a response as whoever makes its body sees it. */
import type { Sink } from '../api/shape-response.ts';
import type { HttpResponse } from './server.ts';

/** Longest time without a byte of progress, while there is something to send. */
export const SEND_STALL_MS = 30_000;

export class ResponseSink implements Sink {
  constructor(private readonly response: HttpResponse) {}

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
    return untilDrained(this.response);
  }

  cut(): void {
    this.response.destroy();
  }
}

/** Resolves also when the client has gone: a response that is closed never drains. */
export function untilDrained(response: HttpResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      response.setTimeout(0);
      response.off('drain', settle);
      response.off('close', settle);
      resolve();
    };
    response.setTimeout(SEND_STALL_MS);
    response.on('drain', settle);
    response.on('close', settle);
    if (response.destroyed) settle();
  });
}
