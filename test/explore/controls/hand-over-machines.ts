/** The machines with one cure taken out of each: the property must find the old bugs again. */
import { shapeLogCollector } from '../../../src/actors/collector/shape-log-collector.ts';
import { consumer } from '../../../src/actors/consumer/consumer.ts';
import { nextLife } from '../../../src/actors/directory/handle-life.ts';
import { materializer } from '../../../src/actors/materializer.ts';
import { stateAt, withConfig, type ConfigNode } from '../../support/actors/machine-config.ts';
import type { Machines } from '../../support/hand-over/hand-over-world.ts';
import type { HandOverChanges } from '../hand-over/hand-over-system.ts';

const END_OF_LOG = '18446744073709551615_inf';

/** Subscribed, then read too much: history has no upper bound. */
export const unboundedHistory: Machines = {
  consumer,
  materializer: withConfig(materializer, (config) => {
    const { params } = actionOf(stateAt(config, 'replaying.reading').entry, 'call');
    stateAt(config, 'replaying.reading').entry = {
      type: 'call',
      params: (args: object) => {
        const asked = params(args) as { request: object };
        return { ...asked, request: { ...asked.request, through: END_OF_LOG } };
      },
    };
  }),
};

/** Assumed that the peer still lives: the monitor comes after the subscription. */
export const lateMonitor: Machines = {
  consumer,
  materializer: withConfig(materializer, (config) => {
    const awaiting = stateAt(config, 'awaitingSnapshot');
    const monitor = actionOf(awaiting.entry, 'monitor');
    const subscribed = stateAt(config, 'subscribing').on?.['consumer.subscribed'] as ConfigNode;
    awaiting.entry = [actionOf(awaiting.entry, 'call')];
    subscribed.actions = [subscribed.actions, monitor];
  }),
};

/** Handed out an offset that cannot be read yet: the lines are published when the Materializers have answered. */
export const earlyOffset: Machines = {
  consumer: withConfig(consumer, (config) => {
    const taking = stateAt(config, 'running.ingest.taking');
    const passingOn = stateAt(config, 'running.ingest.passingOn');
    const [withNews] = taking.on?.['log.taken'] as ConfigNode[];
    if (withNews === undefined) throw new Error('a Consumer passes on what it has taken');
    withNews.actions = [withNews.actions].flat().filter((action) => action !== actionOf(withNews.actions, 'apply'));
    passingOn.exit = {
      type: 'apply',
      params: ({ context }: { context: { position: number } }) => ({ table: 'log', change: { publish: context.position } }),
    };
  }),
  materializer,
};

/** Left to the snapshot what was routed before the registration, though Postgres streams a commit before its snapshots see it. */
export const trustedSnapshot: Machines = {
  consumer: withConfig(consumer, (config) => {
    const buffering = stateAt(config, 'running.ingest.buffering');
    buffering.on = { ...buffering.on, 'snapshot.known': 'measuring' };
  }),
  materializer,
};

/** A waiting state without a transition for the peer's death: it waits for ever. */
export const deafToDeath: Machines = {
  consumer,
  materializer: withConfig(materializer, (config) => {
    const subscribing = stateAt(config, 'subscribing');
    subscribing.on = { ...subscribing.on, 'consumer.down': {} };
  }),
};

/** A Consumer that is asked to drain, and ends as if it were deleted. */
export const drainThatDeletes: Machines = {
  consumer: withConfig(consumer, (config) => {
    const running = stateAt(config, 'running');
    const actions = { type: 'noteReason', params: { reason: { shutdown: { delete: 'it was asked to stop' } } } };
    running.on = { ...running.on, stop: { target: 'closed', actions } };
  }),
  materializer,
};

/** Goes along with the others as soon as it has registered: their position passes what it has yet to take. */
export const earlyPace: Machines = {
  consumer: withConfig(consumer, (config) => {
    const registering = stateAt(config, 'running.ingest.registering');
    const [, created] = registering.on?.['shape.registered'] as ConfigNode[];
    if (created === undefined) throw new Error('a new shape registers');
    created.actions = [created.actions, { type: 'apply', params: { table: 'log', change: 'goAlong' } }];
  }),
  materializer,
};

/** The word that something is to be taken comes before the word that the Consumer sleeps, and is forgotten. */
export const deafToTouch: HandOverChanges = {
  nextLife: (life, event, handle) => (life === 'drowsy' && event === 'shape.touched' ? life : nextLife(life, event, handle)),
};

/** What touches a shape without a Consumer is told, and the log is not kept for it. */
export const passedAsleep: HandOverChanges = {
  collector: withConfig(shapeLogCollector, (config) => {
    const touches = stateAt(config, 'delivering').on?.['block.touches'] as ConfigNode;
    const [first, ...others] = [touches.actions].flat();
    if (first !== actionOf(touches.actions, 'apply')) throw new Error('the control must follow the machine');
    touches.actions = others;
  }),
};

interface NamedAction {
  readonly type: string;
  readonly params: (args: object) => unknown;
}

function actionOf(actions: unknown, type: string): NamedAction {
  const action = ([actions].flat() as NamedAction[]).find((candidate) => candidate.type === type);
  if (action === undefined) throw new Error(`the config has no action ${type} here: the control must follow the machine`);
  return action;
}
