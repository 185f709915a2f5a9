/**
 * Exchange: one request, from its arrival until its response is closed. What is held for it is released then, on every
 * path. A release that is registered later runs at once.
 */
import { Stop, type StopSignal } from '../base/stop-signal.ts';
import type { RequestFollower, RequestWatch } from './request-watch.ts';
import type { Target } from './routes.ts';
import type { HttpRequest } from './peer.ts';
import type { HttpAnswer } from './send-response.ts';

export class Exchange {
  private readonly stop = new Stop();
  private releases: (() => void)[] | undefined;
  private hasEnded = false;
  private follower: RequestFollower | undefined;
  private parsed: URLSearchParams | undefined;

  constructor(
    readonly id: string,
    readonly request: HttpRequest,
    readonly target: Target,
  ) {}

  /** Of the target. Where nothing is measured and no secret is asked for, most requests are answered without it. */
  get query(): URLSearchParams {
    return (this.parsed ??= new URLSearchParams(this.target.query));
  }

  /** Aborted when nobody waits for the answer any longer, or when the server closes: the reason says which. */
  get signal(): StopSignal {
    return this.stop;
  }

  /** Nobody waits for the answer any longer, and what is held from now on is released at once. */
  get isOver(): boolean {
    return this.hasEnded;
  }

  /** Somebody may want to know how it goes. */
  follow(watch: RequestWatch | undefined): void {
    if (watch === undefined) return;
    const { method = '', headers } = this.request;
    this.follower = watch.begun({ method, route: this.target.route, isLive: isLive(this.query.get('live')), headers });
  }

  answered({ status, headers }: Pick<HttpAnswer, 'status' | 'headers'>): void {
    this.follower?.answered(status, headers);
  }

  /** Calls `release` once, when the last byte of the answer is gone or nobody wants it any more. */
  whenOver(release: () => void): void {
    if (this.hasEnded) release();
    else (this.releases ??= []).push(release);
  }

  /** Ends its waits, for a reason that the api knows. */
  interrupt(reason: string): void {
    this.stop.abort(reason);
  }

  end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.interrupt('closed');
    for (const release of this.releases ?? []) release();
    this.follower?.over();
  }
}

function isLive(given: string | null): boolean {
  return given !== null && given.trim() !== '' && given !== 'false';
}
