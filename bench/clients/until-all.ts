/** Logs that each must come to hold something, as they are read by clients that ask again. */
import { systemClock } from '../../src/base/clock.ts';
import { pause } from '../../src/base/pause.ts';
import { invariant } from '../../src/base/invariant.ts';
import { askAll } from './ask-all.ts';

const AGAIN_AFTER_MS = 50;
const WITHIN_MS = 120_000;

/** Resolves when the answer to each path has held `text`. @throws when that takes too long. */
export async function untilAllHold(url: string, paths: readonly string[], text: string): Promise<void> {
  const deadlineMs = systemClock.nowMs() + WITHIN_MS;
  for (let left = paths; ; ) {
    const without: string[] = [];
    await askAll(url, left, ({ body }, index) => {
      if (!body.includes(text)) without.push(left[index] ?? '');
    });
    if (without.length === 0) return;
    invariant(systemClock.nowMs() < deadlineMs, `each log has ${text}, but not ${without.length} of them, such as ${without[0]}`);
    left = without;
    await pause(systemClock, AGAIN_AFTER_MS);
  }
}
