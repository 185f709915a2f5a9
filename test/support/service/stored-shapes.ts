/** Shapes that are stored: a reader may be up to date with one whose first rows are not durable, and that a stop or a kill would end. */
import { systemClock } from '../../../src/base/clock.ts';
import { pause } from '../../../src/base/pause.ts';
import type { ShapesView } from '../../../src/observer/views/shapes.ts';

/** The environment of a built service that can be asked; one in this process can. */
export const OBSERVED = { ARMATURE_OBSERVER: 'true' };

const ASK_EVERY_MS = 10;
const STORED_WITHIN_MS = 60_000;

/** Resolves when the first rows of all shapes of the service are durable. @throws when they are not in a minute. */
export async function untilStored({ shapeUrl }: { readonly shapeUrl: string }): Promise<void> {
  const url = new URL('/_observer/api/shapes', shapeUrl);
  for (const deadline = AbortSignal.timeout(STORED_WITHIN_MS); !deadline.aborted; await pause(systemClock, ASK_EVERY_MS)) {
    const { rows } = (await (await fetch(url)).json()) as ShapesView;
    if (rows.every(({ snapshot }) => snapshot === 'complete')) return;
  }
  throw new Error(`not all shapes were stored in ${STORED_WITHIN_MS} ms`);
}
