/**
 * HandleLife: the life of a handle, from the moment it is given to a definition until nothing is left of it. None comes back.
 *
 * A definition never has two handles that serve it, no request is led to a log that is going, and no handle is gone
 * while its Consumer still writes. An event that a life does not expect is a bug of ours, and crashes the shape cache.
 *
 * A life is a word, and what an event makes of it is looked up in the states of its chart (`handle-life-chart.ts`). A process
 * for each, or a walk of xstate's interpreter, would be paid ten thousand times at every start.
 */
import { invariant } from '../../base/invariant.ts';
import type { Handle } from '../../model/shape.ts';

export type Life = 'reserved' | 'starting' | 'live' | 'condemned' | 'gone';

export type LifeEvent =
  /** Its Consumer was asked of the supervisor. */
  | 'consumer.requested'
  | 'consumer.started'
  | 'consumer.refused'
  /** The supervisor still has the one before, which has ended: it is asked once more. */
  | 'consumer.delayed'
  /** Its Consumer lost somebody whom it needed: what is stored is good, and wanted. */
  | 'consumer.drained'
  /** Its Consumer ended in any other way. */
  | 'consumer.ended'
  /** Given up: by request, with its table, or with a shape that it depends on. */
  | 'shape.condemned';

interface Stage {
  readonly tags?: 'serving';
  readonly type?: 'final';
  readonly on?: Readonly<Partial<Record<LifeEvent, Life>>>;
}

export const lifeStages: Readonly<Record<Life, Stage>> = {
  /** Stands for its definition, and has no Consumer: a stored shape before its turn, or one whose inner shapes are not live yet. */
  reserved: { tags: 'serving', on: { 'consumer.requested': 'starting', 'shape.condemned': 'gone' } },
  starting: {
    tags: 'serving',
    on: { 'consumer.started': 'live', 'consumer.refused': 'gone', 'consumer.delayed': 'reserved', 'shape.condemned': 'condemned' },
  },
  live: {
    tags: 'serving',
    on: { 'consumer.drained': 'reserved', 'consumer.ended': 'gone', 'shape.condemned': 'condemned' },
  },
  /** Nobody finds it. Its Consumer ends first: one that has yet to start is ended then. */
  condemned: {
    on: {
      'consumer.started': 'condemned',
      'consumer.refused': 'gone',
      'consumer.ended': 'gone',
      'shape.condemned': 'condemned', // The first reason is told: twice does no harm.
    },
  },
  gone: { type: 'final' },
};

/** @throws {InvariantError} when a life like this one does not expect the event. */
export function nextLife(life: Life, event: LifeEvent, handle: Handle): Life {
  const next = lifeStages[life].on?.[event];
  invariant(next !== undefined, `the handle ${handle} is ${life}, and does not expect ${event}`);
  return next;
}

/** Requests are led to it. */
export function isServing(life: Life): boolean {
  return lifeStages[life].tags === 'serving';
}
