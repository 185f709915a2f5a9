import { initialTransition, transition } from 'xstate';
import { expect, test } from 'vitest';
import { handleLife } from '../../../src/actors/directory/handle-life-chart.ts';
import { isReady, isServing, nextLife, type Life, type LifeEvent } from '../../../src/actors/directory/handle-life.ts';
import { InvariantError } from '../../../src/base/invariant.ts';
import { handleOf } from '../../support/shapes.ts';

const lives: readonly Life[] = ['reserved', 'starting', 'live', 'drowsy', 'roused', 'dormant', 'condemned', 'gone'];
const events: readonly LifeEvent[] = [
  'consumer.requested', 'consumer.started', 'consumer.refused', 'consumer.delayed', 'consumer.drained', 'consumer.slept', 'consumer.ended',
  'shape.rested', 'shape.idle', 'shape.stayed', 'shape.touched', 'shape.condemned',
];

function lookedUp(life: Life, event: LifeEvent): unknown {
  try {
    return nextLife(life, event, handleOf(1));
  } catch (error) {
    return error instanceof InvariantError ? error.message : error;
  }
}

function charted(life: Life, event: LifeEvent): unknown {
  const state = handleLife.resolveState({ value: life });
  if (!state.can({ type: event })) return `the handle 1-1 is ${life}, and does not expect ${event}`;
  return transition(handleLife, state, { type: event })[0].value;
}

test.each(lives)('what becomes of a handle that is %s is what the chart says, and an event that it does not expect crashes', (life) => {
  expect(events.map((event) => lookedUp(life, event))).toEqual(events.map((event) => charted(life, event)));
});

test('requests are led to a handle until it is condemned, and wait for its first Consumer', () => {
  const [first] = initialTransition(handleLife);

  expect({ first: first.value, serving: lives.filter(isServing), ready: lives.filter(isReady) }).toEqual({
    first: 'reserved',
    serving: ['reserved', 'starting', 'live', 'drowsy', 'roused', 'dormant'],
    ready: ['live', 'drowsy', 'roused', 'dormant'],
  });
});

/** In whichever order the end of a Consumer that sleeps and what touches its shape are heard of, the next one is asked for. */
test.each<[string, readonly LifeEvent[]]>([
  ['the sleep first', ['shape.idle', 'consumer.slept', 'shape.touched', 'shape.touched', 'consumer.requested']],
  ['what touches it first', ['shape.idle', 'shape.touched', 'shape.touched', 'consumer.slept', 'consumer.requested']],
])('a handle that is touched while its Consumer falls asleep gets another one: %s', (_, heard) => {
  expect(heard.reduce<Life>((life, event) => nextLife(life, event, handleOf(1)), 'live')).toBe('starting');
});
