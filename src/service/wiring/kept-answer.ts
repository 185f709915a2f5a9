/**
 * KeptAnswer: what somebody far away said last. It is asked at most once in a while and by one at a time, however many want to know,
 * and nobody waits long for it.
 */
import type { Clock } from '../../base/clock.ts';

export interface AskingTimes {
  /** How old an answer may be. */
  readonly keptMs: number;
  readonly waitMsMax: number;
}

export class KeptAnswer<Answer> {
  private kept: { readonly answer: Answer | undefined; readonly atMs: number } | undefined;
  private asking: Promise<Answer | undefined> | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly times: AskingTimes,
    private readonly ask: () => Promise<Answer | undefined>,
    /** One that may soon be another is asked for again as soon as anybody would have been told nothing. */
    private readonly isFleeting: (answer: Answer | undefined) => boolean = () => false,
  ) {}

  /** @returns undefined when there was no answer, or none in time. @throws what the asking threw. */
  async get(): Promise<Answer | undefined> {
    const { kept, clock } = this;
    if (kept !== undefined && clock.nowMs() - kept.atMs < this.keptMsOf(kept.answer)) return kept.answer;
    this.asking ??= this.askNow().finally(() => (this.asking = undefined));
    return await this.inTime(this.asking);
  }

  private keptMsOf(answer: Answer | undefined): number {
    return this.isFleeting(answer) ? this.times.waitMsMax : this.times.keptMs;
  }

  private async askNow(): Promise<Answer | undefined> {
    const answer = await this.ask();
    this.kept = { answer, atMs: this.clock.nowMs() };
    return answer;
  }

  private inTime(asking: Promise<Answer | undefined>): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      const timer = this.clock.setTimer(() => resolve(undefined), this.times.waitMsMax);
      asking.finally(() => this.clock.clearTimer(timer)).then(resolve, reject);
    });
  }
}
