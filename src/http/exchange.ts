/**
 * Exchange: one request, from its arrival until its response is closed. What is held for it is released then, on every
 * path. A release that is registered later runs at once.
 */
import type { Target } from './routes.ts';
import type { HttpRequest } from './peer.ts';

export class Exchange {
  private readonly abort = new AbortController();
  private readonly releases: (() => void)[] = [];
  private isOver = false;

  constructor(
    readonly id: string,
    readonly request: HttpRequest,
    readonly target: Target,
    readonly query: URLSearchParams,
  ) {}

  /** Aborted when nobody waits for the answer any longer, or when the server closes: the reason says which. */
  get signal(): AbortSignal {
    return this.abort.signal;
  }

  /** Calls `release` once, when the last byte of the answer is gone or nobody wants it any more. */
  whenOver(release: () => void): void {
    if (this.isOver) release();
    else this.releases.push(release);
  }

  /** Ends its waits, for a reason that the api knows. */
  interrupt(reason: string): void {
    this.abort.abort(reason);
  }

  end(): void {
    this.isOver = true;
    this.interrupt('closed');
    for (const release of this.releases) release();
  }
}
