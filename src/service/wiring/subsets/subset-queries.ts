/** SubsetQueries: what is asked of the port of subset queries, by numbers; what is read goes to its target, beside the reply. */
import type { Message } from '../../../otp/process.ts';
import { CallError, type Runtime } from '../../../otp/runtime.ts';
import type { SubsetQueryTarget } from '../../../postgres/snapshot/subset-query-port.ts';

/** Longer than the port gives a query, its wait for a connection included. */
const ANSWER_MS_MAX = 90_000;

export class SubsetQueries {
  private readonly open = new Map<number, SubsetQueryTarget>();
  private count = 0;

  constructor(private readonly runtime: Pick<Runtime, 'call'>) {}

  /** Of a request that waits. */
  target(id: number): SubsetQueryTarget | undefined {
    return this.open.get(id);
  }

  /** @returns undefined when the port was not there, or ended. */
  async ask(target: SubsetQueryTarget): Promise<Message | undefined> {
    this.count += 1;
    const id = this.count;
    this.open.set(id, target);
    const reply = await this.answered(id);
    this.open.delete(id);
    return reply;
  }

  private async answered(id: number): Promise<Message | undefined> {
    try {
      return await this.runtime.call('@subset-queries', { type: 'querySubset', id }, ANSWER_MS_MAX);
    } catch (error) {
      if (error instanceof CallError) return undefined;
      throw error;
    }
  }
}
