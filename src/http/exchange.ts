/**
 * Exchange: one request, from its arrival until its response is closed. What is held for it is released then, on every
 * path. A release that is registered later runs at once.
 */
import { Stop, type StopSignal } from '../base/stop-signal.ts';
import { forgetRequest } from './forgotten-request.ts';
import type { RequestFollower, RequestWatch } from './request-watch.ts';
import { forgottenTarget, type Target } from './routes.ts';
import type { HttpRequest } from './peer.ts';
import type { HttpAnswer } from './send-response.ts';

/** What is held for a request. */
export interface Held {
  release(): void;
}

export class Exchange {
  private readonly stop = new Stop();
  /** Mostly it is one. */
  private held: Held | Held[] | undefined;
  private hasEnded = false;
  private follower: RequestFollower | undefined;
  private parsed: URLSearchParams | undefined;

  /** @param id undefined until somebody has to be told it. */
  constructor(
    public id: string | undefined,
    readonly request: HttpRequest,
    public target: Target,
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

  /** Releases it once, when the last byte of the answer is gone or nobody wants it any more. */
  whenOver(held: Held): void {
    if (this.hasEnded) held.release();
    else if (this.held === undefined) this.held = held;
    else this.held = [this.held, held].flat();
  }

  /** It waits, perhaps for long: of what was asked only that is kept which its answer needs. */
  wait(): void {
    this.parsed = undefined;
    this.target = forgottenTarget(this.target);
    forgetRequest(this.request);
  }

  /** Ends its waits, for a reason that the api knows. */
  interrupt(reason: string): void {
    this.stop.abort(reason);
  }

  end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.interrupt('closed');
    const { held } = this;
    if (held instanceof Array) for (const each of held) each.release();
    else held?.release();
    this.follower?.over();
  }
}

function isLive(given: string | null): boolean {
  return given !== null && given.trim() !== '' && given !== 'false';
}
