/**
 * GroupCommit: shares one slow action among many callers. Idle, a call runs at once; calls during a run share the
 * next one, because what they wait for may have come too late for the run under way.
 */
export class GroupCommit {
  private running = false;
  private next: { readonly promise: Promise<void>; readonly start: () => void } | undefined;

  constructor(private readonly action: () => Promise<void>) {}

  /** Resolves when a run that began at or after this call has ended; rejects with its error. */
  request(): Promise<void> {
    if (!this.running) return this.run();
    this.next ??= this.queue();
    return this.next.promise;
  }

  private queue(): { promise: Promise<void>; start: () => void } {
    let start = (): void => {};
    const promise = new Promise<void>((resolve) => {
      start = () => resolve(this.run());
    });
    return { promise, start };
  }

  private async run(): Promise<void> {
    this.running = true;
    try {
      await this.action();
    } finally {
      this.running = false;
      const next = this.next;
      this.next = undefined;
      next?.start();
    }
  }
}
