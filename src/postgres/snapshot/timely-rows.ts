/** A query whose first row must come in time: one that does not is given up, since it holds a connection that others wait for. */
import { systemClock } from '../../base/clock.ts';
import { withEither } from './either-signal.ts';
import { streamRows, type RowStreamOptions } from './row-stream.ts';
import { SlowSnapshotError } from './snapshot-error.ts';

export interface TimelyRowsOptions<Fragment> extends RowStreamOptions<Fragment> {
  /** Default 30,000 ms. */
  readonly firstRowMsMax?: number | undefined;
}

const FIRST_ROW_MS_MAX = 30_000;

/** @throws {SlowSnapshotError} and as `streamRows` does. */
export async function streamInTime<Fragment>(timely: TimelyRowsOptions<Fragment>): Promise<void> {
  const { firstRowMsMax = FIRST_ROW_MS_MAX, ...options } = timely;
  const { clock = systemClock } = options;
  const tooSlow = new AbortController();
  const timer = clock.setTimer(() => tooSlow.abort(), firstRowMsMax);
  try {
    const onFirst = (): void => {
      clock.clearTimer(timer);
      options.onFirst();
    };
    await withEither([options.signal, tooSlow.signal], (signal) => streamRows({ ...options, onFirst, signal }));
  } catch (error) {
    if (tooSlow.signal.aborted) throw new SlowSnapshotError(firstRowMsMax);
    throw error;
  } finally {
    clock.clearTimer(timer);
  }
}
