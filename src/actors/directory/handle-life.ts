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

export type Life = 'reserved' | 'starting' | 'live' | 'drowsy' | 'roused' | 'dormant' | 'condemned' | 'gone';

export type LifeEvent =
  /** Its Consumer was asked of the supervisor. */
  | 'consumer.requested'
  | 'consumer.started'
  | 'consumer.refused'
  /** The supervisor still has the one before, which has ended: it is asked once more. */
  | 'consumer.delayed'
  /** Its Consumer lost somebody whom it needed: what is stored is good, and wanted. */
  | 'consumer.drained'
  /** It was told that nothing touches the shape, and ended: what is stored needs nobody. */
  | 'consumer.slept'
  /** Its Consumer ended in any other way. */
  | 'consumer.ended'
  /** A stored shape that has come as far as all others is followed by nobody until something touches it. */
  | 'shape.rested'
  /** Nothing has touched it for a while, and nobody depends on it: whoever brings it something may stop that. */
  | 'shape.idle'
  /** He has not, since something did touch it meanwhile. */
  | 'shape.stayed'
  /** There is something to take for a shape to which nothing is brought, or somebody is to depend on it. */
  | 'shape.touched'
  /** Given up: by request, with its table, or with a shape that it depends on. */
  | 'shape.condemned';

interface Stage {
  /** `serving`: requests are led to it. `ready`: whoever asks for it need not wait for a Consumer. */
  readonly tags?: readonly ('serving' | 'ready')[];
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
      'shape.touched': 'starting', // Before it registers, and what it is to take lies behind its position.
      'shape.condemned': 'condemned',
    },
  },
  live: {
    tags: ['serving', 'ready'],
    on: {
      'consumer.drained': 'reserved',
      'consumer.ended': 'gone',
      'shape.idle': 'drowsy',
      'shape.touched': 'live', // Likewise: that was said of the one before.
      'shape.condemned': 'condemned',
    },
  },
  /** Its Consumer may be told to sleep, or has been: nobody may begin to depend on it. */
  drowsy: {
    tags: ['serving', 'ready'],
    on: {
      'consumer.drained': 'reserved',
      'consumer.slept': 'dormant',
      'consumer.ended': 'gone',
      'shape.stayed': 'live',
      'shape.touched': 'roused',
      'shape.condemned': 'condemned',
    },
  },
  /** Likewise, and there is something to take, or somebody is to depend on it: if its Consumer sleeps, the next one is due at once. */
  roused: {
    tags: ['serving', 'ready'],
    on: {
      'consumer.drained': 'reserved',
      'consumer.slept': 'reserved',
      'consumer.ended': 'gone',
      'shape.stayed': 'live',
      'shape.touched': 'roused',
      'shape.condemned': 'condemned',
    },
  },
  /** Needs no process: it is read as it is stored, and whatever would touch it is told first. */
  dormant: { tags: ['serving', 'ready'], on: { 'shape.touched': 'reserved', 'shape.condemned': 'gone' } },
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

/** Whoever asks for it is led to it at once. */
export function isReady(life: Life): boolean {
  return lifeStages[life].tags?.includes('ready') === true;
}
