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
    const movingOut = stateAt(config, 'running.ingest.splicing.movingOut');
    movingOut.on = { ...movingOut.on, 'moves.areTold': 'ending' };
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

/** Stops for what moved, and stays among those who go along. */
export const withinPace: Machines = {
  consumer: withConfig(consumer, (config) => {
    stateAt(config, 'running.ingest.steppingAside').entry = { type: 'apply', params: { table: 'log', change: 'locate' } };
  }),
  materializer,
};

/** What becomes false is told first: who has a row that stays by another half of the filter lets go of it. */
export const outBeforeIn: Machines = {
  consumer: withConfig(consumer, (config) => {
    const splicing = stateAt(config, 'running.ingest.splicing');
    const [, begin] = stateAt(splicing, 'seeing').always as ConfigNode[];
    const [, end] = stateAt(splicing, 'feeding').always as ConfigNode[];
    const movingOut = stateAt(splicing, 'movingOut');
    movingOut.on = { ...movingOut.on, 'moves.areTold': 'movingIn' };
    Object.assign(begin ?? {}, { target: 'movingOut' });
    Object.assign(end ?? {}, { target: 'confirming' });
  }),
  materializer,
};

/** Goes on when who keeps the values has ended in good order, as if it were back at once. */
export const survivingDrain: Machines = {
  consumer: withConfig(consumer, (config) => {
    const running = stateAt(config, 'running');
    const [invalid] = running.on?.['dependency.down'] as ConfigNode[];
    running.on = { ...running.on, 'dependency.down': [invalid, {}] };
  }),
  materializer,
};

/** Goes on as soon as a splice can be read, and those who follow the shape are told of it meanwhile. */
export const passingOnBeside: Machines = {
  consumer: withConfig(consumer, (config) => {
    const ingest = stateAt(config, 'running.ingest');
    const ending = stateAt(ingest, 'splicing.ending');
    const [passing, ...others] = ending.on?.['splice.taken'] as ConfigNode[];
    const told = [passing?.actions, stateAt(ingest, 'passingOn').entry].flat();
    ending.on = { 'splice.taken': [{ ...passing, target: '#consumer.running.ingest.measuring', actions: told }, ...others] };
    ingest.on = { ...ingest.on, 'appended.done': {} };
  }),
  materializer,
};

/** Has blocks routed to it as soon as it is there, by values that are yet to come as far as it was. */
export const registeredEarly: Machines = {
  consumer: withConfig(consumer, (config) => {
    const ingest = stateAt(config, 'running.ingest');
    const known = stateAt(ingest, 'depending.viewing').on?.['views.known'] as ConfigNode;
    known.target = '#consumer.running.ingest.registering';
    const [restored] = stateAt(ingest, 'registering').on?.['shape.registered'] as ConfigNode[];
    Object.assign(restored ?? {}, { target: '#consumer.running.ingest.depending.awaitingValues' });
    Object.assign(stateAt(ingest, 'depending.awaitingValues').always ?? {}, { target: '#consumer.running.ingest.measuring' });
  }),
  materializer,
};
