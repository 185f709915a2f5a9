/** What stands around a handle's life with one cure taken out: the clock, what wakes readers, and what is looked at in the storage. */
import type { System } from '../checker/system.ts';
import { HandleModel } from '../handles/handle-model.ts';
import type { HandleSetting } from '../handles/handle-setting.ts';
import type { HandleChanges } from '../handles/handle-system.ts';
import type { Way } from '../handles/request-ways.ts';

/** Handles are told apart by a clock, and it stands still. */
export const stillClock: HandleChanges = { directoryPorts: (ports) => ({ ...ports, clock: { epochMicros: () => 1 } }) };

/** Who waits for a shape is not woken when it ends. */
export const silentEnds: HandleChanges = {
  directoryPorts: (ports, world) => ({
    ...ports,
    rotated(handle) {
      const { parked, woken } = world.is;
      ports.rotated(handle);
      world.is = { ...world.is, parked, woken };
    },
  }),
};

/** A table is published for a shape that asks, also when that has gone meanwhile. */
export const publishedForAll: HandleChanges = { publicationPorts: (ports) => ({ ...ports, isStored: () => true }) };

/** A shape is routed when its Consumer asks, also when it has gone meanwhile: then it is known, and nothing is brought to it. */
export const routedForAll: HandleChanges = {
  routing: (routing, { shapes }) => ({
    ...routing,
    positionOf: () => shapes.position,
    add(handle) {
      if (shapes.get(handle) !== undefined) routing.add(handle);
    },
  }),
};

/** A reader is led to a shape as soon as that is reserved, before there is a Consumer whom it could ask. */
export function withEagerReaders(system: System<HandleModel>): System<HandleModel> {
  const { setting } = system.world;
  const { read } = setting.ways;
  const eager: HandleSetting['ways']['read'] = { inner: lookingEarly(read.inner), outer: lookingEarly(read.outer) };
  return { ...system, world: new HandleModel({ ...setting, ways: { ...setting.ways, read: eager } }) };
}

function lookingEarly(way: Way): Way {
  if (!('question' in way)) return way;
  const { question } = way;
  const next = new Map(Array.from(way.next, ([answer, each]) => [answer, lookingEarly(each)]));
  return { question: question.ask === 'findReadable' ? { ask: 'find' } : question, next };
}
