/**
 * RestartIntensity: how many restarts a supervisor allows itself before it gives up.
 *
 * OTP's rule to the letter: time is cut to whole seconds, and the window includes its border. So two restarts 1.9 s
 * apart may both count for a period of 1 s. Restarts of one second are one mark: a restart that fails again and again
 * under a generous limit must not make each further try dearer.
 */
export interface RestartIntensity {
  readonly maxRestarts: number;
  readonly maxSeconds: number;
  /** Oldest first; only those that may still count. */
  readonly marks: readonly RestartMark[];
}

export interface RestartMark {
  /** On the clock's scale, cut to whole seconds. */
  readonly second: number;
  /** How many restarts were admitted in it. */
  readonly count: number;
}

/** @returns the marks with this restart among them, or undefined when it is one too many. */
export function admitRestart({ maxRestarts, maxSeconds, marks }: RestartIntensity, nowMs: number): readonly RestartMark[] | undefined {
  const second = Math.floor(nowMs / 1000);
  const counted = marks.filter((mark) => mark.second >= second - maxSeconds);
  const count = counted.reduce((sum, mark) => sum + mark.count, 1);
  if (count > maxRestarts) return undefined;
  const last = counted.at(-1);
  if (last?.second !== second) return [...counted, { second, count: 1 }];
  return [...counted.slice(0, -1), { second, count: last.count + 1 }];
}
