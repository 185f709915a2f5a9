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

export type Life = 'reserved' | 'starting' | 'live' | 'roused' | 'dormant' | 'condemned' | 'gone';

export type LifeEvent =
  /** Its Consumer was asked of the supervisor. */
  | 'consumer.requested'
  | 'consumer.started'
  | 'consumer.refused'
  /** The supervisor still has the one before, which has ended: it is asked once more. */
  | 'consumer.delayed'
  /** Its Consumer lost somebody whom it needed: what is stored is good, and wanted. */
  | 'consumer.drained'
  /** Its Consumer was told that nothing touches the shape, and ended: what is stored needs nobody. */
  | 'consumer.slept'
  /** Its Consumer ended in any other way. */
  | 'consumer.ended'
  /** A stored shape that has come as far as all others is followed by nobody until something touches it. */
  | 'shape.rested'
  /** There is something to take for a shape to which nothing is brought, or somebody is to depend on it. */
  | 'shape.touched'
  /** Given up: by request, with its table, or with a shape that it depends on. */
  | 'shape.condemned';

interface Stage {
  /** `serving`: requests are led to it. `followed`: by a Consumer, which runs. */
  readonly tags?: readonly ('serving' | 'followed')[];
  readonly type?: 'final';
  readonly on?: Readonly<Partial<Record<LifeEvent, Life>>>;
}

export const lifeStages: Readonly<Record<Life, Stage>> = {
  /** Stands for its definition, and has no Consumer: a stored shape before its turn, or one whose inner shapes are not live yet. */
  reserved: {
    tags: ['serving'],
    on: { 'consumer.requested': 'starting', 'shape.rested': 'dormant', 'shape.touched': 'reserved', 'shape.condemned': 'gone' },
  },
  starting: {
    tags: ['serving'],
    on: {
      'consumer.started': 'live',
      'consumer.refused': 'gone',
      'consumer.delayed': 'reserved',
      'shape.touched': 'starting', // It comes to that by itself: what it is to take lies behind its position.
      'shape.condemned': 'condemned',
    },
  },
  live: {
    tags: ['serving', 'followed'],
    on: {
      'consumer.drained': 'reserved',
      'consumer.slept': 'dormant',
      'consumer.ended': 'gone',
      'shape.touched': 'roused',
      'shape.condemned': 'condemned',
    },
  },
  /**
   * Touched, as we heard before we heard that its Consumer sleeps: that may be on its way, and then the next one is due at once. It may
   * also be the one before that slept. So this is a live one, but for the end of its sleep.
   */
  roused: {
    tags: ['serving', 'followed'],
    on: {
      'consumer.drained': 'reserved',
      'consumer.slept': 'reserved',
      'consumer.ended': 'gone',
      'shape.touched': 'roused',
      'shape.condemned': 'condemned',
    },
  },
  /** Needs no process: it is read as it is stored, and whatever would touch it is told first. */
  dormant: { tags: ['serving'], on: { 'shape.touched': 'reserved', 'shape.condemned': 'gone' } },
  /** Nobody finds it. Its Consumer ends first: one that has yet to start is ended then. */
  condemned: {
    on: {
      'consumer.started': 'condemned',
      'consumer.refused': 'gone',
      'consumer.ended': 'gone',
      'shape.touched': 'condemned',
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
  return lifeStages[life].tags !== undefined;
}

/** Its Consumer runs, as far as we know. */
export function isFollowed(life: Life): boolean {
  return lifeStages[life].tags?.includes('followed') === true;
}
