/** The controls of a hand-over. */
import { PROPERTIES } from '../../races/violations.ts';
import type { Machines } from '../../support/hand-over/hand-over-world.ts';
import type { System } from '../checker/system.ts';
import type { HandOverModel } from '../hand-over/hand-over-model.ts';
import { handOverSystem, type HandOverBounds } from '../hand-over/hand-over-system.ts';
import type { Control } from './control.ts';
import { withFollowedName } from './followed-name.ts';
import {
  deafToDeath, deafToTouch, drainThatDeletes, earlyOffset, earlyPace, lateMonitor, passedAsleep, trustedSnapshot, unboundedHistory,
} from './hand-over-machines.ts';
import { withHeldBlocks } from './held-blocks.ts';

const CALM: HandOverBounds = { transactions: 1, kills: 0, timeouts: 0, restarts: 0 };
const ONE_DEATH: HandOverBounds = { ...CALM, kills: 1 };
const ASLEEP: HandOverBounds = { ...CALM, timeouts: 1, rests: true };
const DEATH_ALONE: HandOverBounds = { ...ONE_DEATH, transactions: 0 };
const DRAIN_ALONE: HandOverBounds = { ...CALM, transactions: 0, restarts: 1 };
const IDLE: HandOverBounds = { ...DRAIN_ALONE, kills: 1 };

type Make = Control<HandOverBounds, HandOverModel>['make'];

export const handOverControls: readonly Control<HandOverBounds, HandOverModel>[] = [
  { name: 'history is read without an upper bound', bounds: CALM, breaks: PROPERTIES.once, make: run(unboundedHistory) },
  { name: 'the monitor comes after the subscription', bounds: DEATH_ALONE, breaks: PROPERTIES.crashes, make: run(lateMonitor) },
  {
    name: 'what was routed before the registration is left to the snapshot',
    bounds: CALM,
    breaks: PROPERTIES.kept,
    make: run(trustedSnapshot),
  },
  { name: 'an offset is handed out before it can be read', bounds: CALM, breaks: PROPERTIES.readable, make: run(earlyOffset) },
  {
    name: 'who waits for an answer is deaf to the death of its peer',
    bounds: DEATH_ALONE,
    breaks: PROPERTIES.ends,
    make: run(deafToDeath),
  },
  { name: 'draining deletes', bounds: DRAIN_ALONE, breaks: PROPERTIES.drained, make: run(drainThatDeletes) },
  {
    name: 'a shape goes along with the others before it has caught up',
    bounds: CALM,
    breaks: PROPERTIES.kept,
    make: run(earlyPace),
  },
  {
    name: 'a table gives nothing back at the end of its owner',
    bounds: ONE_DEATH,
    breaks: PROPERTIES.held,
    make: changed(withHeldBlocks),
  },
  {
    name: 'what touches a shape is not heard while its Consumer falls asleep',
    bounds: ASLEEP,
    breaks: PROPERTIES.once,
    make: (bounds) => handOverSystem(bounds, undefined, deafToTouch),
  },
  {
    name: 'a shape that sleeps passes what touches it',
    bounds: ASLEEP,
    breaks: PROPERTIES.kept,
    make: (bounds) => handOverSystem(bounds, undefined, passedAsleep),
  },
  { name: 'a Consumer is followed by its name', bounds: IDLE, breaks: PROPERTIES.crashes, make: changed(withFollowedName) },
];

function run(machines: Machines): Make {
  return (bounds) => handOverSystem(bounds, machines);
}

function changed(change: (system: System<HandOverModel>) => System<HandOverModel>): Make {
  return async (bounds) => change(await handOverSystem(bounds));
}
