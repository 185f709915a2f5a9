/** Keeps a strict client at it: one request after the other, live and not, over restarts, until it is told to end or fails. */
import type { Random } from '../../src/base/random.ts';
import { ProtocolViolation } from '../support/shapes/shape-fold.ts';
import { pause, type RestartedService } from './restarted-service.ts';
import type { Exchange } from './shape-exchange.ts';
import type { StrictClient } from './strict-client.ts';

const AGAIN_AFTER_MS = 30;
/** A connection that was kept may end under the first requests after a restart. */
const BROKEN_IN_A_ROW_MAX = 3;
/** One of so many requests does not wait for news. */
const WAITS_BUT_ONE_IN = 5;

export class Follower {
  failure: unknown;
  private broken = 0;

  constructor(
    readonly client: StrictClient,
    private readonly service: RestartedService,
    private readonly random: Random,
  ) {}

  /** Resolves when the signal is given, or at the first failure, which is then there to be read. */
  async follow(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) await this.ask(() => this.client.step(this.random.below(WAITS_BUT_ONE_IN) > 0));
    } catch (error) {
      this.failure = error;
    }
  }

  /** Reads on until the service has told of everything up to `lsn`, and waits for nothing. */
  async catchUp(lsn: bigint, signal: AbortSignal): Promise<void> {
    while (this.client.toldLsn < lsn && !signal.aborted) await this.ask(() => this.client.step(false));
  }

  /** Resolves when it has been answered with all that it was told. */
  async reread(signal: AbortSignal): Promise<void> {
    let outcome: Exchange['type'] = 'unavailable';
    while (outcome !== 'answered' && !signal.aborted) outcome = await this.ask(() => this.client.rereadSome());
    if (outcome !== 'answered') throw new ProtocolViolation('what was told before a restart is not told again');
  }

  /** @throws {ProtocolViolation} also when connections break although the service was not away. */
  private async ask(step: () => Promise<Exchange['type']>): Promise<Exchange['type']> {
    const { moment } = this.service;
    const outcome = await step();
    const isBroken = outcome === 'unreachable' && this.service.ranSince(moment);
    this.broken = isBroken ? this.broken + 1 : 0;
    if (this.broken > BROKEN_IN_A_ROW_MAX) throw new ProtocolViolation('connections break again and again while the service runs');
    if (outcome === 'unavailable' || outcome === 'unreachable') await pause(AGAIN_AFTER_MS);
    return outcome;
  }
}
