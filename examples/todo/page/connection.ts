/**
 * Connection: whether what the page shows can be new. The client of the shape asks again and again by itself and tells nobody that it has
 * to; so we look at its requests.
 */
export class Connection {
  private isLost = false;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly window: Pick<Window, 'addEventListener' | 'fetch'>) {
    window.addEventListener('offline', () => this.found(false));
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly isThere = (): boolean => !this.isLost;

  /** For the client: asks, and remembers how that went. An answer that is the client's own mistake is one too. */
  readonly fetch: typeof fetch = async (input, init) => {
    try {
      const response = await this.window.fetch(input, init);
      this.found(response.status < 500);
      return response;
    } catch (error) {
      if (init?.signal?.aborted !== true) this.found(false); // Else nobody waits for it: a tab that was left, say.
      throw error;
    }
  };

  private found(isThere: boolean): void {
    if (this.isLost === !isThere) return;
    this.isLost = !isThere;
    for (const listener of this.listeners) listener();
  }
}
