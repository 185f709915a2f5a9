/**
 * RestartIntensity: how many restarts a supervisor allows itself before it gives up.
 *
 * OTP's rule to the letter: time is cut to whole seconds, and the window includes its border. So two restarts 1.9 s
 * apart may both count for a period of 1 s.
 */
export interface RestartIntensity {
  readonly maxRestarts: number;
  readonly maxSeconds: number;
  /** Whole seconds at which restarts were admitted, oldest first; only those that may still count. */
  readonly marks: readonly number[];
}

/** @returns the marks with this restart among them, or undefined when it is one too many. */
export function admitRestart({ maxRestarts, maxSeconds, marks }: RestartIntensity, nowMs: number): readonly number[] | undefined {
  const now = Math.floor(nowMs / 1000);
  const counted = [...marks.filter((mark) => mark >= now - maxSeconds), now];
  return counted.length > maxRestarts ? undefined : counted;
}
