/** RecentDeaths: the last processes that did not end in good order. Few are kept, however many die. */
import type { Clock } from '../base/clock.ts';
import { Ring } from '../base/ring.ts';
import { describeReason } from '../otp/kernel/error-report.ts';
import { isFault, type Pid } from '../otp/process.ts';
import type { Runtime } from '../otp/runtime.ts';

export interface Death {
  readonly process: Pid;
  /** The exit reason in words; of an error its name and message. */
  readonly why: string;
  /** Microseconds since 1970-01-01 UTC. */
  readonly atMicros: number;
}

const KEPT_MAX = 20;
const WHY_CHARACTERS_MAX = 300;

export class RecentDeaths {
  private readonly deaths = new Ring<Death>();
  private count = 0;

  /** Listens for as long as the runtime lives: it is told of starts and ends alone. */
  constructor(
    runtime: Pick<Runtime, 'lifecycle'>,
    private readonly clock: Pick<Clock, 'epochMicros'>,
  ) {
    runtime.lifecycle((record) => {
      if (record.type === 'exit' && isFault(record.reason)) this.add(record.process, describeReason(record.reason));
    });
  }

  /** How many there were in all. */
  get total(): number {
    return this.count;
  }

  /** The last ones, the newest last. */
  get last(): readonly Death[] {
    return [...this.deaths];
  }

  private add(process: Pid, why: string): void {
    this.count += 1;
    this.deaths.push({ process, why: why.slice(0, WHY_CHARACTERS_MAX), atMicros: this.clock.epochMicros() });
    if (this.deaths.length > KEPT_MAX) this.deaths.shift();
  }
}
