/** A query whose first row must come in time: one that does not is given up, since it holds a connection that others wait for. */
import { systemClock, type Clock } from '../../base/clock.ts';
import { Stop, type StopSignal } from '../../base/stop-signal.ts';
import { withEither } from './either-signal.ts';
import { streamRows, type RowStreamOptions } from './row-stream.ts';
import { SlowSnapshotError } from './snapshot-error.ts';

export interface TimelyReading {
  readonly onFirst: (isWhole: boolean) => void;
  readonly signal: StopSignal;
  readonly clock?: Clock | undefined;
  /** Default 30,000 ms. */
  readonly firstRowMsMax?: number | undefined;
}

const FIRST_ROW_MS_MAX = 30_000;

/** @throws {SlowSnapshotError} and as `streamRows` does. */
export async function streamInTime<Fragment>(options: RowStreamOptions<Fragment> & TimelyReading): Promise<void> {
  await readInTime(options, (onFirst, signal) => streamRows({ ...options, onFirst, signal }));
}

/**
 * @param read is to call its first argument when the first row has come, and to give up when its second is aborted.
 * @throws {SlowSnapshotError} and as `read` does.
 */
export async function readInTime<Result>(
  { firstRowMsMax = FIRST_ROW_MS_MAX, clock = systemClock, ...timely }: TimelyReading,
  read: (onFirst: (isWhole: boolean) => void, signal: StopSignal) => Promise<Result>,
): Promise<Result> {
  const tooSlow = new Stop();
  const timer = clock.setTimer(() => tooSlow.abort(undefined), firstRowMsMax);
  const onFirst = (isWhole: boolean): void => {
    clock.clearTimer(timer);
    timely.onFirst(isWhole);
  };
  try {
    return await withEither([timely.signal, tooSlow], (signal) => read(onFirst, signal));
  } catch (error) {
    if (tooSlow.aborted) throw new SlowSnapshotError(firstRowMsMax);
    throw error;
  } finally {
    clock.clearTimer(timer);
  }
}
