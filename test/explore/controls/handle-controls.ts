/** The controls of the life of a handle. */
import type { HandleModel } from '../handles/handle-model.ts';
import { PROPERTIES } from '../handles/handle-properties.ts';
import { handleSetting } from '../handles/handle-setting.ts';
import { handleSystem, type HandleBounds, type HandleChanges } from '../handles/handle-system.ts';
import type { Control } from './control.ts';
import { deafCache, deletingDrain, keptRelation } from './handle-machines.ts';
import { publishedForAll, routedForAll, silentEnds, stillClock, withEagerReaders } from './handle-worlds.ts';

const LIVE: HandleBounds = { live: ['inner'], asks: [], kills: 0, timeouts: 0, fates: {}, victims: 'shapes' };
const ONE_DEATH: HandleBounds = { ...LIVE, kills: 1 };
const FOLLOWED: HandleBounds = { ...ONE_DEATH, asks: ['inner'] };
const MADE: HandleBounds = { ...FOLLOWED, live: [] };

export const handleControls: readonly Control<HandleBounds, HandleModel>[] = [
  { name: 'the end of a Consumer is not heard of', bounds: ONE_DEATH, breaks: PROPERTIES.ends, make: run(deafCache) },
  { name: 'draining deletes', bounds: { ...LIVE, fates: { drain: 1 } }, breaks: PROPERTIES.drained, make: run(deletingDrain) },
  { name: 'a table stays published behind its last shape', bounds: ONE_DEATH, breaks: PROPERTIES.nothingLeft, make: run(keptRelation) },
  { name: 'handles come from a clock that stands still', bounds: FOLLOWED, breaks: PROPERTIES.single, make: run(stillClock) },
  { name: 'who waits for a shape does not hear of its end', bounds: FOLLOWED, breaks: PROPERTIES.ends, make: run(silentEnds) },
  { name: 'a table is published for a shape that is gone', bounds: MADE, breaks: PROPERTIES.nothingLeft, make: run(publishedForAll) },
  { name: 'a shape that is gone is routed', bounds: MADE, breaks: PROPERTIES.nothingLeft, make: run(routedForAll) },
  {
    name: 'readers find a shape before its Consumer is there',
    bounds: { ...LIVE, live: [], asks: ['inner', 'inner'] },
    breaks: PROPERTIES.served,
    make: async (bounds) => withEagerReaders(handleSystem(await handleSetting(), bounds)),
  },
];

function run(changes: HandleChanges): Control<HandleBounds, HandleModel>['make'] {
  return async (bounds) => handleSystem(await handleSetting(), bounds, changes);
}
