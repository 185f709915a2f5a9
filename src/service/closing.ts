/**
 * Closing: what was opened, and how to give it back. The last opened goes first, since it may lean on the others.
 *
 * One that cannot be closed must not keep the others open: a database would go on, a lock would stay.
 */
export class Closing {
  private readonly steps: (() => Promise<unknown>)[] = [];

  add(step: () => Promise<unknown>): void {
    this.steps.push(step);
  }

  /** Resolves when every step was tried, each once. @throws what the first step that failed threw. */
  async all(): Promise<void> {
    const failures: unknown[] = [];
    for (let step = this.steps.pop(); step !== undefined; step = this.steps.pop()) {
      await step().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}
