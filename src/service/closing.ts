/**
 * Closing: what was opened, and how to give it back. The last opened goes first, since it may lean on the others.
 *
 * One that cannot be closed must not keep the others open: a database would go on, a lock would stay.
 */
export class Closing {
  private readonly steps: Step[] = [];
  private current: Step | undefined;

  /** @param what it closes, for whoever reads why the end takes so long. */
  add(what: string, close: Step['close']): void {
    this.steps.push({ what: () => what, close });
  }

  /** All that another one has by then, in the place of one step. */
  addAll(other: Closing): void {
    this.steps.push({ what: () => other.waitsFor, close: () => other.all() });
  }

  /** What is being closed; undefined before and behind. */
  get waitsFor(): string | undefined {
    return this.current?.what();
  }

  /** Resolves when every step was tried, each once. @throws what the first step that failed threw. */
  async all(): Promise<void> {
    const failures: unknown[] = [];
    while ((this.current = this.steps.pop()) !== undefined) {
      await this.current.close().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}

interface Step {
  /** Undefined where that is not known. */
  readonly what: () => string | undefined;
  readonly close: () => Promise<unknown>;
}
