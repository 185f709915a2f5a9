/** The controls of a splice. */
import type { Machines } from '../../support/hand-over/hand-over-world.ts';
import type { System } from '../checker/system.ts';
import type { SpliceModel } from '../splices/splice-model.ts';
import { PROPERTIES } from '../splices/splice-claims.ts';
import { spliceSystem, type SpliceBounds } from '../splices/splice-system.ts';
import type { Control } from './control.ts';
import { drainThatDeletes } from './hand-over-machines.ts';
import {
  deafToStarter, deafWhileLive, earlyAnswer, outBeforeIn, passingOnBeside, registeredEarly, survivingDrain, uncovered, unsynced,
  withinPace,
} from './splice-machines.ts';
import {
  withCutByPosition, withEndlessSplices, withEndsInPace, withEveryMove, withForgottenVersions, withFurthestView,
  withLostFloor, withNarrowIndex, withNothingShown, withNullInEvents, withOldSnapshots, withOwnPlaces, withPresentMarks,
} from './splice-worlds.ts';

const BOTH: SpliceBounds = { script: 'both', transactions: 2, moveOuts: 'events', kills: 0, timeouts: 0, restarts: 0, crashes: 0 };
const LAYERS: SpliceBounds = { ...BOTH, cast: 'layers', transactions: 1, isShownAtOnce: true };
/** A collector goes on without whoever is silent; and a row that left is told by nothing but a delete. */
const LEFT_BEHIND: SpliceBounds = { ...BOTH, script: 'leaves', moveOuts: 'deletes', timeouts: 1, isShownAtOnce: true };

type Make = Control<SpliceBounds, SpliceModel>['make'];

export const spliceControls: readonly Control<SpliceBounds, SpliceModel>[] = [
  {
    name: 'the inner shape has taken T before those who depend on it know of its moves',
    bounds: BOTH,
    breaks: PROPERTIES.promised,
    make: run(earlyAnswer),
  },
  {
    name: 'a splice is recorded before what its query saw has come',
    bounds: BOTH,
    breaks: PROPERTIES.promised,
    make: run(uncovered),
  },
  {
    name: 'a splice is shown before its record is durable',
    bounds: { ...BOTH, transactions: 1 },
    breaks: PROPERTIES.durable,
    make: run(unsynced),
  },
  {
    name: 'a Consumer that waits is deaf to the end of who keeps the values',
    bounds: { ...BOTH, transactions: 1, kills: 1 },
    breaks: PROPERTIES.ends,
    make: run(deafWhileLive),
  },
  {
    name: 'who had a Materializer started ends before it subscribes, and is not missed',
    bounds: { ...BOTH, transactions: 0, kills: 1, restarts: 1 },
    breaks: PROPERTIES.ends,
    make: run(deafToStarter),
  },
  {
    name: 'draining deletes',
    bounds: { ...BOTH, transactions: 0, restarts: 1 },
    breaks: PROPERTIES.drained,
    make: run(drainThatDeletes),
  },
  {
    name: 'what a query saw is told by position',
    bounds: { ...BOTH, script: 'comes' },
    breaks: PROPERTIES.promised,
    make: changed(withCutByPosition),
  },
  {
    name: 'a query does not see what the shape has taken',
    bounds: { ...BOTH, script: 'written' },
    breaks: PROPERTIES.promised,
    make: changed(withOldSnapshots),
  },
  {
    name: 'each coming and going of a value is told',
    bounds: { ...BOTH, script: 'returns', isShownAtOnce: true },
    breaks: PROPERTIES.promised,
    make: changed(withEveryMove),
  },
  {
    name: 'versions are forgotten that somebody looks at',
    bounds: { ...BOTH, script: 'goes' },
    breaks: PROPERTIES.versions,
    make: changed(withForgottenVersions),
  },
  {
    name: 'changes are routed by the last version alone',
    bounds: LEFT_BEHIND,
    breaks: PROPERTIES.promised,
    make: changed(withNarrowIndex),
  },
  {
    name: 'a shape that splices stays among those who go along',
    bounds: { ...BOTH, transactions: 1, isShownAtOnce: true },
    breaks: PROPERTIES.promised,
    make: run(withinPace),
  },
  {
    name: 'that NULL comes is left to events',
    bounds: { ...BOTH, script: 'nullComes', transactions: 1, isShownAtOnce: true },
    breaks: PROPERTIES.promised,
    make: changed(withNullInEvents),
  },
  {
    name: 'whether NULL is selected is asked of the last version alone',
    bounds: { ...BOTH, script: 'nullComes' },
    breaks: PROPERTIES.strict,
    make: changed(withPresentMarks),
  },
  {
    name: 'what becomes false is told before what becomes true',
    bounds: { ...BOTH, script: 'stays', transactions: 1, isShownAtOnce: true },
    breaks: PROPERTIES.promised,
    make: run(outBeforeIn),
  },
  {
    name: 'a shape goes on when who keeps its values has drained',
    bounds: { ...BOTH, transactions: 0, restarts: 1 },
    breaks: PROPERTIES.ends,
    make: run(survivingDrain),
  },
  {
    name: 'values are kept for the one that has come furthest',
    bounds: { ...BOTH, cast: 'slow', script: 'returns', isShownAtOnce: true },
    breaks: PROPERTIES.versions,
    make: changed(withFurthestView),
  },
  {
    name: 'a shape tells its own place, wherever those are on which it depends',
    bounds: { ...BOTH, transactions: 1, timeouts: 1, isShownAtOnce: true },
    breaks: PROPERTIES.promised,
    make: changed(withOwnPlaces),
  },
  {
    name: 'a shape goes on before what a splice brought is passed on',
    bounds: LAYERS,
    breaks: PROPERTIES.promised,
    make: run(passingOnBeside),
  },
  {
    name: 'of a splice that is told row by row no row is the last',
    bounds: LAYERS,
    breaks: PROPERTIES.promised,
    make: changed(withEndlessSplices),
  },
  {
    name: 'a shape that has ended goes on to tell how far the others are',
    bounds: { ...BOTH, transactions: 1, restarts: 1, isShownAtOnce: true },
    breaks: PROPERTIES.promised,
    make: changed(withEndsInPace),
  },
  {
    name: 'where a splice that brought no line stood is not known to the next Consumer',
    bounds: { ...BOTH, script: 'lacks', moveOuts: 'deletes', powerWent: 2, restarts: 1, drains: 'outer' },
    breaks: PROPERTIES.same,
    make: changed(withLostFloor),
  },
  {
    name: 'a shape that comes back splices before it has made again what readers have seen',
    bounds: { ...BOTH, script: 'written', powerWent: 1, isShownAtOnce: true },
    breaks: PROPERTIES.same,
    make: changed(withNothingShown),
  },
  {
    name: 'blocks are routed to a shape that comes back before the values have come as far as it was',
    bounds: { ...BOTH, script: 'follows', cast: 'layers', transactions: 3, powerWent: 2, isShownAtOnce: true },
    breaks: PROPERTIES.promised,
    make: run(registeredEarly),
  },
];

function run(machines: Machines): Make {
  return (bounds) => spliceSystem(bounds, machines);
}

function changed(change: (system: System<SpliceModel>) => System<SpliceModel>): Make {
  return async (bounds) => change(await spliceSystem(bounds));
}
