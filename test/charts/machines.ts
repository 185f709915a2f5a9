/** Every machine of the service, with what it is there for. */
import type { AnyStateMachine } from 'xstate';
import { consumer } from '../../src/actors/consumer.ts';
import { materializer } from '../../src/actors/materializer.ts';
import { snapshotter } from '../../src/actors/snapshotter.ts';

export interface ChartedMachine {
  readonly machine: AnyStateMachine;
  readonly purpose: string;
}

export const machines: readonly ChartedMachine[] = [
  { machine: consumer, purpose: 'Writes one shape’s log, and says to everybody who follows the shape how far it can be read.' },
  { machine: materializer, purpose: 'Keeps the values of one column of a shape, for outer shapes with a subquery on it.' },
  { machine: snapshotter, purpose: 'Gets one new shape its first rows, then ends.' },
];
