/**
 * RestartIntensity: how many restarts a supervisor allows itself before it gives up.
 *
 * OTP's rule to the letter: time is cut to whole seconds, and the window includes its border. So two restarts 1.9 s
 * apart may both count for a period of 1 s. All restarts of one second are one mark with a count: under a generous limit a
 * restart that fails again and again must not make each further one slower.
 */
const MAX_RESTARTS = 3;
const MAX_SECONDS = 5;

export interface RestartLimits {
  readonly maxRestarts?: number;
  readonly maxSeconds?: number;
}

interface RestartMark {
  /** On the clock's scale, cut to whole seconds. */
  readonly second: number;
  /** How many restarts were admitted in it. */
  readonly count: number;
}

export class RestartIntensity {
  private readonly limits: RestartLimits;
  /** Oldest first; only those that may still count. */
  private marks: readonly RestartMark[];

  constructor(limits: RestartLimits, marks: readonly RestartMark[] = []) {
    this.limits = limits;
    this.marks = marks;
  }

  /** @returns whether the supervisor may restart now. One restart too many is refused, and does not count. */
  admit(nowMs: number): boolean {
    const { maxRestarts } = this.bounds;
    const second = Math.floor(nowMs / 1000);
    const counted = this.countedAt(nowMs);
    if (sumOf(counted) + 1 > maxRestarts) return false;
    const last = counted.at(-1);
    if (last?.second === second) this.marks = [...counted.slice(0, -1), { second, count: last.count + 1 }];
    else this.marks = [...counted, { second, count: 1 }];
    return true;
  }

  /** How many restarts count at this moment, and how many may. */
  standing(nowMs: number): Required<RestartLimits> & { readonly used: number } {
    return { ...this.bounds, used: sumOf(this.countedAt(nowMs)) };
  }

  clone(): RestartIntensity {
    return new RestartIntensity(this.limits, this.marks);
  }

  key(): readonly RestartMark[] {
    return this.marks;
  }

  private get bounds(): Required<RestartLimits> {
    const { maxRestarts = MAX_RESTARTS, maxSeconds = MAX_SECONDS } = this.limits;
    return { maxRestarts, maxSeconds };
  }

  private countedAt(nowMs: number): readonly RestartMark[] {
    const oldest = Math.floor(nowMs / 1000) - this.bounds.maxSeconds;
    return this.marks.filter((mark) => mark.second >= oldest);
  }
}

function sumOf(marks: readonly RestartMark[]): number {
  return marks.reduce((sum, { count }) => sum + count, 0);
}
