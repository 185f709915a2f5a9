/**
 * Keeps a strict client at it, one request after the other: long polls and plain ones, and of some clients event streams. Whatever breaks
 * under it is asked for again, and whatever no client takes, or does not come in time, is a finding.
 */
import { systemClock } from '../../src/base/clock.ts';
import { pause } from '../../src/base/pause.ts';
import type { Random } from '../../src/base/random.ts';
import type { Exchange } from '../oracle/shape-exchange.ts';
import type { StrictClient } from '../oracle/strict-client.ts';
import { ProtocolViolation } from '../support/shapes/shape-fold.ts';
import { Finding } from './finding.ts';
import type { Instances } from './instances.ts';

const AGAIN_AFTER_MS = 30;
/** A connection that was kept may end under the first requests behind a restart. */
const BROKEN_IN_A_ROW_MAX = 3;
/** An error is an answer too. A service that is not ready takes five seconds to say so. */
const ANSWERED_WITHIN_MS = 29_000;
const STREAM_LASTS_MS_MAX = 1_200;
/** One of so many requests does not wait for news, and as many ask again for what they were told. */
const ASIDE_ONE_IN = 6;

export class ChasedClient {
  failure: unknown;
  /** For whoever reads that it was not told. */
  doing = 'nothing';
  private slowestMs = 0;
  private broken = 0;
  private readonly leaving = new AbortController();

  constructor(
    readonly client: StrictClient,
    private readonly instances: Instances,
    private readonly random: Random,
    private readonly isStreaming: boolean,
  ) {}

  /** Resolves when it has left, or at the first failure, which is then there to be read. */
  async follow(): Promise<void> {
    try {
      while (!this.leaving.signal.aborted) await this.next();
    } catch (error) {
      this.failure ??= error;
    }
  }

  leave(): void {
    this.leaving.abort();
  }

  /** How long it has waited for an answer at most since this was asked last. */
  takeSlowestMs(): number {
    const { slowestMs } = this;
    this.slowestMs = 0;
    return slowestMs;
  }

  /** Reads on until it has been told of everything up to `lsn`, and waits for nothing. @throws {Finding} */
  async catchUp(lsn: bigint, withinMs: number): Promise<void> {
    const untilMs = systemClock.nowMs() + withinMs;
    while (this.client.toldLsn < lsn) {
      if (systemClock.nowMs() > untilMs) throw this.finding(`a fresh client is not told of ${lsn} in ${withinMs} ms`);
      await this.ask(() => this.client.step(false));
    }
  }

  private async next(): Promise<void> {
    const aside = this.random.below(ASIDE_ONE_IN);
    const isStreaming = aside > 0 && this.isStreaming && this.client.toldLsn >= 0n;
    this.doing = `${aside === 0 ? 'reads again' : isStreaming ? 'streams' : 'polls'} since ${Math.round(systemClock.nowMs())} ms`;
    if (aside === 0) return await this.ask(() => this.client.rereadSome());
    if (isStreaming) return await this.stream();
    await this.ask(() => this.client.step(aside > 1));
  }

  /** Where nothing comes, a stream does not tell how far the service is: a request behind it does. */
  private async stream(): Promise<void> {
    const [enough, over] = [new AbortController(), new AbortController()];
    const ends = AbortSignal.any([this.leaving.signal, over.signal]);
    void pause(systemClock, this.random.below(STREAM_LASTS_MS_MAX), ends).then(() => enough.abort());
    const outcome = await this.client.stream(enough.signal);
    over.abort(); // Many may end early, and one client may leave after all of them.
    if (outcome === 'unavailable' || outcome === 'unreachable') await pause(systemClock, AGAIN_AFTER_MS);
    if (!this.leaving.signal.aborted) await this.ask(() => this.client.step(false));
  }

  private async ask(step: () => Promise<Exchange['type']>): Promise<void> {
    const { moment } = this.instances;
    const askedMs = systemClock.nowMs();
    const outcome = await step();
    const tookMs = systemClock.nowMs() - askedMs;
    this.slowestMs = Math.max(this.slowestMs, tookMs);
    const isBroken = outcome === 'unreachable' && this.instances.ranSince(moment);
    this.broken = isBroken ? this.broken + 1 : 0;
    if (tookMs > ANSWERED_WITHIN_MS) throw this.finding(`answered by nothing but ${outcome} in ${Math.round(tookMs)} ms`);
    if (this.broken > BROKEN_IN_A_ROW_MAX) throw this.finding('connections break again and again while the service runs');
    if (outcome === 'unavailable' || outcome === 'unreachable') await pause(systemClock, AGAIN_AFTER_MS);
  }

  private finding(wrong: string): Finding {
    return new Finding(wrong, this.client);
  }
}

/** What a client met, as something that was found. */
export function findingOf(error: unknown, client: StrictClient): Finding {
  if (error instanceof Finding) return error;
  if (error instanceof ProtocolViolation) return new Finding(`${error.name}: ${error.message}`, client);
  throw error;
}
