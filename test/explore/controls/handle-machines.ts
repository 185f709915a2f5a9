/** The machines of a handle's life with one cure taken out of each. */
import { shapeCache } from '../../../src/actors/directory/shape-cache.ts';
import { withConfig, type ConfigNode } from '../../support/actors/machine-config.ts';
import type { HandleChanges } from '../handles/handle-system.ts';
import { drainThatDeletes } from './hand-over-machines.ts';

/** A waiting state without a transition for the peer's death: a Consumer that has ended is waited for. */
export const deafCache: HandleChanges = {
  shapeCache: withConfig(shapeCache, (config) => {
    config.on = { ...config.on, 'consumer.down': {} };
  }),
};

/** A shape that is gone leaves its table in the publication. */
export const keptRelation: HandleChanges = {
  shapeCache: withConfig(shapeCache, (config) => {
    for (const branch of [config.on?.['shape.gone']].flat() as ConfigNode[]) {
      const actions = [branch.actions].flat();
      branch.actions = actions.filter((action) => paramsOf(action)?.name !== 'releaseOf');
      if (actions.length !== (branch.actions as unknown[]).length + 1) throw new Error('the control must follow the machine');
    }
  }),
};

/** A Consumer that is asked to drain ends as if it were deleted. */
export const deletingDrain: HandleChanges = { consumer: drainThatDeletes.consumer };

function paramsOf(action: unknown): { readonly name?: string } | undefined {
  return (action as { params?: { name?: string } }).params;
}
