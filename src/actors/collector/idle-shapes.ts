/**
 * IdleShapes: shapes that nothing has touched for a while, on their way between those who agree that they sleep.
 *
 * A Consumer that is not there must be missed by nobody. So the collector only proposes. The shape cache notes who of them may sleep, so
 * that nobody begins to depend on one. Then the collector, between two blocks, brings nothing more to those that are idle still, and tells
 * their Consumers; of the others it says that they stay. Each is named with its Consumer: what is said of one is not meant for the next.
 */
import type { Handle } from '../../model/shape.ts';
import type { Pid } from '../../otp/process.ts';

export interface IdleShapes {
  readonly handles: readonly Handle[];
  /** In the same order. */
  readonly consumers: readonly Pid[];
}
