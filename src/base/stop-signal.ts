/**
 * StopSignal: says once that nobody waits any longer. It is what is used of an `AbortSignal`, which serves as well; but that one is an
 * EventTarget, and each that is made, listened to and aborted costs as much as a read of a shape. Every request has one.
 */
import { FewSet } from './few-set.ts';

/** Who is told: what an `AbortSignal` takes, so that one who waits may be told without a function made for that. */
export type StopListener = (() => void) | { handleEvent(): void };

/** What a wait is told by. */
export interface StopSignal {
  readonly aborted: boolean;
  /** Undefined until then. */
  readonly reason: unknown;
  /** Called once, if at all; never where it was aborted before, or the listener is taken away, by one that is called before it, say. */
  addEventListener(type: 'abort', listener: StopListener, options?: { readonly once: boolean }): void;
  removeEventListener(type: 'abort', listener: StopListener): void;
}

export class Stop implements StopSignal {
  private isAborted = false;
  private why: unknown;
  /** Mostly there is one, for as long as its request waits. */
  private listeners: FewSet<StopListener> | undefined;

  get aborted(): boolean {
    return this.isAborted;
  }

  get reason(): unknown {
    return this.why;
  }

  addEventListener(_type: 'abort', listener: StopListener): void {
    if (!this.isAborted) (this.listeners ??= new FewSet()).add(listener);
  }

  removeEventListener(_type: 'abort', listener: StopListener): void {
    this.listeners?.delete(listener);
  }

  /** Tells who listens, in the order in which they came. The first reason stays. */
  abort(reason: unknown): void {
    if (this.isAborted) return;
    this.isAborted = true;
    this.why = reason;
    for (const listener of this.listeners ?? []) tell(listener);
    this.listeners = undefined;
  }
}

function tell(listener: StopListener): void {
  if (typeof listener === 'function') listener();
  else listener.handleEvent();
}

/** Aborted with the first of two. Neither has anything of it but who listens, for as long as he does: one of them may outlive many. */
export class EitherStop implements StopSignal {
  private listeners: Map<StopListener, () => void> | undefined;

  /** @param first whose reason counts where both are aborted. */
  constructor(
    private readonly first: StopSignal,
    private readonly second: StopSignal,
  ) {}

  get aborted(): boolean {
    return this.first.aborted || this.second.aborted;
  }

  get reason(): unknown {
    return this.first.aborted ? this.first.reason : this.second.reason;
  }

  addEventListener(type: 'abort', listener: StopListener): void {
    if (this.aborted || this.listeners?.has(listener) === true) return;
    const once = (): void => {
      this.removeEventListener(type, listener);
      tell(listener);
    };
    (this.listeners ??= new Map()).set(listener, once);
    for (const signal of [this.first, this.second]) signal.addEventListener(type, once);
  }

  removeEventListener(type: 'abort', listener: StopListener): void {
    const once = this.listeners?.get(listener);
    if (once === undefined) return;
    this.listeners?.delete(listener);
    for (const signal of [this.first, this.second]) signal.removeEventListener(type, once);
  }
}

/** The same for whoever takes an `AbortSignal` alone. It is told when `stop` is, for the same reason. */
export function abortSignalOf(stop: StopSignal): AbortSignal {
  const abort = new AbortController();
  const pass = (): void => abort.abort(stop.reason);
  stop.addEventListener('abort', pass, { once: true });
  if (stop.aborted) pass();
  return abort.signal;
}
