/** The machines of a splice with one cure taken out of each. */
import { consumer } from '../../../src/actors/consumer/consumer.ts';
import { materializer } from '../../../src/actors/materializer.ts';
import { stateAt, withConfig, type ConfigNode } from '../../support/actors/machine-config.ts';
import type { Machines } from '../../support/hand-over/hand-over-world.ts';

/** T before its moves: whoever brought it to the inner shape is answered before those who depend on it know what it moved. */
export const earlyAnswer: Machines = {
  consumer,
  materializer: withConfig(materializer, (config) => {
    const telling = stateAt(config, 'live.telling');
    const done = telling.on?.['moves.done'] as ConfigNode;
    telling.entry = [telling.entry, done.actions].flat();
    telling.on = { 'moves.done': 'waiting', takeAppended: { actions: 'postpone' } };
  }),
};

/** Records as soon as it has its answer: what the query saw may still be on its way. */
export const uncovered: Machines = {
  consumer: withConfig(consumer, (config) => {
    const queried = stateAt(config, 'running.ingest.splicing.querying').on?.['moves.queried'] as ConfigNode;
    queried.target = 'recording';
  }),
  materializer,
};

/** Shows what comes of a splice before the record of it is durable. */
export const unsynced: Machines = {
  consumer: withConfig(consumer, (config) => {
    const recording = stateAt(config, 'running.ingest.splicing.recording').on?.['splice.recorded'] as ConfigNode;
    recording.target = 'seeing';
    recording.actions = [recording.actions, 'noteSpliceBegun'].flat();
  }),
  materializer,
};

/** A Materializer that hears of the ends of those who have subscribed, and of nobody else. */
export const deafToStarter: Machines = {
  consumer,
  materializer: withConfig(materializer, (config) => {
    const awaiting = stateAt(config, 'awaitingSnapshot');
    const entry = [awaiting.entry].flat() as { readonly type: string }[];
    const ofConsumer = entry.find(({ type }) => type === 'monitor');
    awaiting.entry = entry.filter((action) => action.type !== 'monitor' || action === ofConsumer);
  }),
};

/** While it goes along with the others it does not hear of the end of whoever keeps the values. */
export const deafWhileLive: Machines = {
  consumer: withConfig(consumer, (config) => {
    const live = stateAt(config, 'running.ingest.live');
    live.on = { ...live.on, 'dependency.down': {} };
  }),
  materializer,
};
