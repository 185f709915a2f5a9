import type { LogBlock } from '../../src/model/transaction.ts';
import type { BlockRouter, Layer } from '../../src/shapes/router.ts';

/** All steps of routing a block at once. */
export function routeWhole(router: BlockRouter, block: LogBlock): readonly Layer[] {
  router.begin(block);
  for (;;) {
    const layers = router.step();
    if (layers !== undefined) return layers;
  }
}
